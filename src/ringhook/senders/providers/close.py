"""Close: webhook subscriptions to its event log (leads, contacts, opportunities, activities).

Source: developer.close.com, "Webhooks" and "Event log". The secret is the `signature_key` that the
subscription's creation answers: hexadecimal, of which the key is the bytes. Close sends again for
72 hours and pauses a subscription that fails for three days. Not confirmed: how old a signed time
may be (the page names no window; five minutes, as elsewhere), that each attempt is signed anew, and
which actions each kind of activity has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Hmac

if TYPE_CHECKING:
    from ringhook.senders.request import Request

_KINDS = ("lead", "contact", "opportunity")
_ACTIVITIES = ("call", "email", "sms", "note", "meeting", "form_submission")

_event_kind, _event_action = body("event.object_type"), body("event.action")


def _topic(request: Request, payload: Any) -> str:
    """`lead.created`, `activity.call.completed`: what it is about, and what happened to it."""
    return f"{_event_kind(request, payload) or ''}.{_event_action(request, payload) or ''}"


PROVIDER = Provider(
    title="Close",
    schemes=(
        Hmac(
            header="close-sig-hash",
            signed="{timestamp}{body}",
            timestamp_header="close-sig-timestamp",
            key="hex",
        ),
    ),
    topic=_topic,
    identity=(first(body("event.id"), whole_payload),),
    occurred_at=body("event.date_created"),
    tenant=body("event.organization_id"),
    never={f"{kind}.deleted": f"the {kind} was deleted" for kind in _KINDS},
    never_when={"event.action == 'deleted'": "it was deleted"},
    topics=(
        *(f"{kind}.{action}" for kind in _KINDS for action in ("created", "updated", "deleted")),
        "lead.merged",
        *(
            f"activity.{kind}.{action}"
            for kind in _ACTIVITIES
            for action in ("created", "updated", "deleted")
        ),
        "activity.call.answered",
        "activity.call.completed",
        "activity.email.sent",
        "activity.sms.sent",
        "activity.meeting.scheduled",
        "activity.meeting.started",
        "activity.meeting.completed",
        "activity.meeting.canceled",
        "activity.lead_status_change.created",
        "activity.opportunity_status_change.created",
        "activity.custom_activity.created",
        "task.lead.created",
        "task.lead.completed",
    ),
)
