"""Calendly: webhook subscriptions of a user or an organisation.

Source: developer.calendly.com, "Webhook signatures" (with a window of three minutes), "Webhook
timeouts" and "Webhook errors". A subscription made with a personal token is signed only if it was
made with a `signing_key`. Calendly waits 15 seconds for an answer, sends again for 24 hours and
then switches the subscription off. To reschedule sends two events in any order, `invitee.canceled`
with `payload.rescheduled` and `invitee.created` with `payload.old_invitee`: a route for new
bookings has `when = "!(payload.old_invitee)"` (JMESPath's `!` takes only what is next to it).
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Hmac

PROVIDER = Provider(
    title="Calendly",
    schemes=(
        Hmac(
            header="calendly-webhook-signature",
            separator=",",
            prefix="v1=",
            timestamp_prefix="t=",
            signed="{timestamp}.{body}",
            tolerance=180,
        ),
    ),
    topic=body("event"),
    identity=(first(body("payload.uri"), whole_payload),),
    occurred_at=body("created_at"),
    topics=(
        "event_type.created",
        "event_type.deleted",
        "event_type.updated",
        "invitee.canceled",
        "invitee.created",
        "invitee_no_show.created",
        "invitee_no_show.deleted",
        "routing_form_submission.created",
    ),
    enrich_hosts=("api.calendly.com",),
)
