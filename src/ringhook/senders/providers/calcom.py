"""Cal.com: webhooks of a user, a team or an event type.

Source: cal.com/docs, "Webhooks", and github calcom/cal.com, `sendPayload.ts`. Give the webhook a
secret, and no template of your own: without a secret the signature's header says
`no-secret-provided`, and a template can change the body to anything. A meeting's start and end come
without the `payload` around them. Not confirmed: whether a webhook that fails is sent again.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Hmac

PROVIDER = Provider(
    title="Cal.com",
    schemes=(Hmac(header="x-cal-signature-256"),),
    topic=body("triggerEvent"),
    # A booking that is moved is a new one. `createdAt` may be when it was sent.
    identity=(first(body("payload.uid"), body("payload.bookingUid"), body("uid"), whole_payload),),
    # Of a meeting, `createdAt` is when it was booked.
    occurred_at=first(
        body("triggerEvent == 'MEETING_STARTED' && startTime || `null`"),
        body("triggerEvent == 'MEETING_ENDED' && endTime || `null`"),
        body("createdAt"),
    ),
    never={"PING": "Cal.com tries the address"},
    topics=(
        "AFTER_GUESTS_CAL_VIDEO_NO_SHOW",
        "AFTER_HOSTS_CAL_VIDEO_NO_SHOW",
        "BOOKING_CANCELLED",
        "BOOKING_CREATED",
        "BOOKING_NO_SHOW_UPDATED",
        "BOOKING_PAID",
        "BOOKING_PAYMENT_INITIATED",
        "BOOKING_REJECTED",
        "BOOKING_REQUESTED",
        "BOOKING_RESCHEDULED",
        "DELEGATION_CREDENTIAL_ERROR",
        "FORM_SUBMITTED",
        "FORM_SUBMITTED_NO_EVENT",
        "INSTANT_MEETING",
        "MEETING_ENDED",
        "MEETING_STARTED",
        "OOO_CREATED",
        "PING",
        "RECORDING_READY",
        "RECORDING_TRANSCRIPTION_GENERATED",
        "WRONG_ASSIGNMENT_REPORT",
    ),
)
