"""Intercom: webhook notifications of an app (contacts, conversations, tickets).

Source: developers.intercom.com, "Set up webhooks" and "Webhook topics and models". The secret is
the app's client secret; the signature is HMAC-SHA1, and covers no time. One app hears from every
workspace that installed it: `tenant` pins a source to one (`app_id`). Intercom waits 5 seconds,
tries an address with `HEAD` when it is entered, and takes 410 for "never again". Not confirmed:
that it sends again once, after a minute, and whether an archived contact is `contact.archive` or
`.archived`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringhook.senders.providers import Provider, body, first
from ringhook.senders.request import Reply
from ringhook.senders.signatures import Hmac

if TYPE_CHECKING:
    from ringhook.senders.request import Request


def _greet(request: Request) -> Reply | None:
    """Intercom asks with `HEAD` whether anybody is there; it proves nothing and learns nothing."""
    return Reply(200, "", "text/plain") if request.method == "HEAD" else None


PROVIDER = Provider(
    title="Intercom",
    schemes=(Hmac(header="x-hub-signature", algorithm="sha1", prefix="sha1="),),
    greet=_greet,
    topic=body("topic"),
    # Not the whole body: delivery_attempts counts up in it.
    identity=(first(body("id"), body("[app_id, created_at, data.item.id]")),),
    occurred_at=body("created_at"),
    tenant=body("app_id"),
    never={
        "ping": "Intercom tries the address",
        "contact.deleted": "the contact was deleted",
        "contact.archive": "the contact was archived",
        "contact.archived": "the contact was archived",
        "contact.unsubscribed": "the contact unsubscribed",
        "user.deleted": "the contact was deleted",
        "user.unsubscribed": "the contact unsubscribed",
        "conversation.deleted": "the conversation was deleted",
    },
    topics=(
        "company.contact.attached",
        "company.created",
        "contact.archive",
        "contact.archived",
        "contact.created",
        "contact.deleted",
        "contact.email.updated",
        "contact.lead.added_email",
        "contact.lead.created",
        "contact.lead.signed_up",
        "contact.lead.tag.created",
        "contact.lead.updated",
        "contact.merged",
        "contact.subscribed",
        "contact.tag.created",
        "contact.unsubscribed",
        "contact.updated",
        "contact.user.created",
        "contact.user.tag.created",
        "contact.user.updated",
        "conversation.admin.assigned",
        "conversation.admin.closed",
        "conversation.admin.noted",
        "conversation.admin.opened",
        "conversation.admin.replied",
        "conversation.admin.single.created",
        "conversation.admin.snoozed",
        "conversation.admin.unsnoozed",
        "conversation.contact.attached",
        "conversation.deleted",
        "conversation.operator.replied",
        "conversation.priority.updated",
        "conversation.rating.added",
        "conversation.user.created",
        "conversation.user.replied",
        "event.created",
        "ping",
        "ticket.created",
        "ticket.state.updated",
        "user.deleted",
        "user.unsubscribed",
        "visitor.signed_up",
    ),
)
