"""Square: webhooks of a seller's bookings, customers, orders and payments.

Source: the library squareup 46.0.0.20260916 (its check of signatures, its types of bookings and
customers); Square's pages were not read. The signature covers the public address, so
`RINGHOOK_PUBLIC_URL` must be what Square was given. Events name the customer and not the phone:
`enrich = "customer"` fetches who a booking is for ("Retrieve customer", with an access token). A
booking that is called off comes as `booking.updated`: here its topic is
`booking.updated.cancelled`. Sandbox and production have subscriptions of their own. Not confirmed:
how long Square waits and sends again, and topics other than those of bookings.
"""

from __future__ import annotations

from typing import Any

from ringhook.senders.enrichment import Enrichment
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Hmac

_EVENTS = {
    "booking": "created updated updated.cancelled",
    "customer": "created deleted updated",
    "invoice": "canceled created payment_made published refunded scheduled_charge_failed updated",
    "order": "created fulfillment.updated updated",
    "payment": "created updated",
    "refund": "created updated",
    "subscription": "created updated",
}
_OFF = ("CANCELLED", "DECLINED", "NO_SHOW")
_type, _status = body("type"), body("data.object.booking.status")


def _topic(request: Any, payload: Any) -> str:
    """The type, and whether a booking was called off."""
    named = str(_type(request, payload) or "")
    off = str(_status(request, payload) or "").startswith(_OFF)
    return f"{named}.cancelled" if named == "booking.updated" and off else named


PROVIDER = Provider(
    title="Square",
    schemes=(
        Hmac(header="x-square-hmacsha256-signature", encoding="base64", signed="{url}{body}"),
    ),
    topic=_topic,
    identity=(first(body("event_id"), whole_payload),),
    occurred_at=body("created_at"),
    tenant=body("merchant_id"),
    never={
        "customer.deleted": "the customer was deleted",
        "booking.updated.cancelled": "the booking was called off",
    },
    topics=tuple(f"{kind}.{what}" for kind, text in _EVENTS.items() for what in text.split()),
    accepted=200,
    enrich_hosts=("connect.squareup.com", "connect.squareupsandbox.com"),
    enrichments={
        "customer": (
            Enrichment(
                url="https://connect.squareup.com/v2/customers/"
                "{{ data.object.booking.customer_id }}",
                into="found",
                on=("booking.created", "booking.updated"),
            ),
        ),
    },
)
