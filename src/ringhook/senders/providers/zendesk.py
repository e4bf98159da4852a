"""Zendesk: webhooks of triggers and automations, and of event subscriptions.

Source: developer.zendesk.com, "Verifying webhook authenticity" and "Webhook event types". A
trigger's body is whatever its author writes (phone: `{{ticket.requester.phone}}`); let it hold
`{{ticket.updated_at_with_timestamp}}` or the like, for two triggers with the very same body are the
same event. An event subscription's topic is its type without the `zen:event-type:` that all begin
with: `user.created`. Not confirmed: how old a signed time may be (five minutes here, as elsewhere),
that Zendesk waits 10 to 12 seconds, what it sends again, and the names of its rarer kinds of
events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringhook.errors import RejectedError
from ringhook.senders.providers import Provider, body, first, header, whole_payload
from ringhook.senders.signatures import Hmac

if TYPE_CHECKING:
    from ringhook.senders.request import Request

_PREFIX = "zen:event-type:"
# What a webhook is signed with before it is saved; everybody can read it in the documentation.
_TEST_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105 - it keeps no secret

_SIGNATURE = Hmac(
    header="x-zendesk-webhook-signature",
    encoding="base64",
    signed="{timestamp}{body}",
    timestamp_header="x-zendesk-webhook-signature-timestamp",
    timestamp_unit="iso",
)


def _topic(_request: Request, payload: Any) -> str:
    """The type of a subscribed event; a trigger's body may say `type` of the ticket instead."""
    kind = payload.get("type") if isinstance(payload, dict) else None
    is_event = isinstance(kind, str) and kind.startswith(_PREFIX)
    return str(kind).removeprefix(_PREFIX) if is_event else "trigger"


def _identity(request: Request, payload: Any) -> Any:
    """A subscribed event's own id. The invocation's, in a header, is not signed."""
    is_event = _topic(request, payload) != "trigger"
    return (is_event and payload.get("id")) or whole_payload(request, payload)


def _is_test(request: Request, _payload: Any) -> bool:
    """Whether it is signed with the secret for tests, which a source may have for a while."""
    try:
        _SIGNATURE.verify(request, [_TEST_SECRET], request.received_at)
    except RejectedError:
        return False
    return True


PROVIDER = Provider(
    title="Zendesk",
    schemes=(_SIGNATURE,),
    topic=_topic,
    identity=(_identity,),
    occurred_at=first(body("time"), body("updated_at")),
    tenant=first(body("account_id"), header("x-zendesk-account-id")),
    test=_is_test,
    never={
        "user.deleted": "the user was deleted",
        "ticket.soft_deleted": "the ticket was deleted",
        "ticket.permanently_deleted": "the ticket was deleted",
        "ticket.marked_as_spam": "the ticket is spam",
        "organization.deleted": "the organisation was deleted",
    },
)
