"""Interakt: WhatsApp messages of a business's customers, and what became of its own.

Source: five public receivers; Interakt's own page was not read. It signs the body, in the header
Interakt-Signature (one receiver has it as X-Interakt-Signature). The customer's number is
`data.customer.channel_phone_number`, with no plus. `message_received` is what they wrote; the other
topics tell of messages of the business's own and never ring, but for `message_api_clicked`, a
button that was pressed. Who writes STOP or the like, or not to be called, is never rung. Not
confirmed: the whole form of the body, other topics, that times are UTC, that several events may
come as a list, and how it waits and sends again.
"""

from __future__ import annotations

from typing import Any

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._wishes import against_calls
from ringhook.senders.signatures import Hmac

_OWN = tuple(
    f"message_{kind}_{status}"
    for kind in ("api", "campaign")
    for status in ("delivered", "failed", "read", "sent")
)


def _items(payload: Any) -> list[Any]:
    """A list is many events."""
    return payload if isinstance(payload, list) else [payload]


PROVIDER = Provider(
    title="Interakt",
    schemes=(
        Hmac(header="interakt-signature", prefix="sha256="),
        Hmac(header="x-interakt-signature", prefix="sha256="),
    ),
    items=_items,
    topic=body("type"),
    # A message's events differ by their topic.
    identity=(first(body("data.message.id"), whole_payload),),
    occurred_at=first(body("data.message.received_at_utc"), body("timestamp")),
    never=dict.fromkeys(_OWN, "it tells of a message of the business's own"),
    never_when=against_calls("data.message.message"),
    topics=("message_api_clicked", "message_campaign_clicked", "message_received", *_OWN),
    accepted=200,
)
