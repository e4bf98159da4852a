"""AfterShip: the webhooks of Tracking, and of its other products, which sign alike.

Source: aftership.com/docs, "Webhook signature", and aftership.com's "Webhook overview". The secret
is the webhook secret of its settings; Tracking signs in `aftership-hmac-sha256`, Returns and
Shipping under names of their own. The topic is the event and the parcel's tag,
`tracking_update.AttemptFail`. Numbers stand in `msg.smses`, where the shop has handed them on. It
wants an answer from 200 to 299. Not confirmed: that place, the tags, and its retries (14, ever more
slowly). Its test event is not marked as one.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Hmac

PROVIDER = Provider(
    title="AfterShip",
    schemes=tuple(
        Hmac(header=name, encoding="base64")
        for name in ("aftership-hmac-sha256", "as-signature-hmac-sha256", "am-webhook-signature")
    ),
    topic=body("event && join('.', [event, msg.tag][?@])"),
    identity=(first(body("event_id"), whole_payload),),
    occurred_at=first(body("ts"), body("msg.updated_at")),
)
