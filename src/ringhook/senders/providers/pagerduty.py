"""PagerDuty: webhook subscriptions (version 3).

Source: github PagerDuty/developer-docs, "Webhooks". Each subscription has a secret; while it is
changed, PagerDuty signs with both. It waits 5 seconds and sends again for 48 hours, with what came
later behind it; three events in a row that are answered with other 4xx switch the subscription off
for a day. No event has a phone: the route names that of your own engineer. Who took an incident, or
that it is over, never rings. Not confirmed: `pagey.ping`, by which PagerDuty tries an address.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Hmac

_EVENTS = {
    "incident": "acknowledged action_invocation.created action_invocation.terminated"
    " action_invocation.updated annotated conference_bridge.updated custom_field_values.updated"
    " delegated escalated incident_type.changed priority_updated reassigned reopened resolved"
    " responder.added responder.replied role.assigned role.unassigned service_updated"
    " status_update_published triggered unacknowledged workflow.completed workflow.started",
    "pagey": "ping",
    "service": "created custom_field_values.updated deleted updated",
}

PROVIDER = Provider(
    title="PagerDuty",
    schemes=(Hmac(header="x-pagerduty-signature", prefix="v1=", separator=","),),
    topic=body("event.event_type"),
    # Not X-Webhook-Id, which is not signed.
    identity=(first(body("event.id"), whole_payload),),
    occurred_at=body("event.occurred_at"),
    never={
        "incident.acknowledged": "somebody is at it",
        "incident.resolved": "it is over",
        "pagey.ping": "PagerDuty tries the address",
        "service.deleted": "the service was deleted",
    },
    topics=tuple(f"{kind}.{what}" for kind, text in _EVENTS.items() for what in text.split()),
    accepted=200,
)
