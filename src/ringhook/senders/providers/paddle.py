"""Paddle Billing: notifications of transactions, subscriptions, customers and the rest.

Source: the library paddle-python-sdk 1.16.1, and developer.paddle.com as github
hookdeck/webhook-skills quotes it; the page itself was not read. Each destination has a secret key;
while it is changed, Paddle signs with both. No event has a phone: give it to Paddle as
`custom_data.phone` at the checkout. Sandbox and live are accounts of their own: give them a source
each, and no route to the sandbox's. Not confirmed: how long Paddle waits, how it sends again, and
that a repeat is signed anew (it must be, to be younger than 5 minutes).
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Hmac

_EVENTS = {
    "address": "created imported updated",
    "adjustment": "created updated",
    "api_key": "created expired expiring revoked updated",
    "api_key_exposure": "created",
    "business": "created imported updated",
    "client_token": "created revoked updated",
    "customer": "created imported updated",
    "discount": "created imported updated",
    "discount_group": "created updated",
    "invoice": "canceled created issued overdue paid scheduled",
    "payment_method": "deleted saved",
    "payout": "created paid",
    "price": "created imported updated",
    "product": "created imported updated",
    "report": "created updated",
    "subscription": "activated canceled created imported past_due paused resumed trialing updated",
    "transaction": "billed canceled completed created paid past_due payment_failed ready revised"
    " updated",
}

PROVIDER = Provider(
    title="Paddle",
    schemes=(
        Hmac(
            header="paddle-signature",
            separator=";",
            prefix="h1=",
            timestamp_prefix="ts=",
            signed="{timestamp}:{body}",
        ),
    ),
    topic=body("event_type"),
    # Each destination, and each replay, has a `notification_id` of its own.
    identity=(first(body("event_id"), whole_payload),),
    occurred_at=body("occurred_at"),
    topics=tuple(f"{kind}.{what}" for kind, text in _EVENTS.items() for what in text.split()),
    accepted=200,
)
