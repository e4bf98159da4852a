"""Salla: webhooks of stores in Saudi Arabia (orders, carts, customers, shipments, the app itself).

Source: github SallaApp/salla-partners-agent-kit, skill "salla-webhooks", which quotes
docs.salla.dev. An app chooses how it is proven: `signature` (the default here), or `token`, the
secret as it is in the header Authorization; write the app's choice as `strategy`. What comes signed
is held to its signature, what is proven in no way is refused. A customer's number stands without
its code, which is beside it as `mobile_code`; in carts it is whole. Salla waits some 30 seconds,
wants 200 or 201, and tries 3 times more. Demo stores are not marked: give them a source
of their own. Not confirmed: the words for ways to pay (`cod` for cash on delivery), and whether a
repeat has the same `created_at`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from ringhook import clock
from ringhook.reading.tables import Field
from ringhook.senders.providers import Provider, Source, body, first, whole_payload
from ringhook.senders.signatures import HeaderToken, Hmac

_SIGNATURE = Hmac(header="x-salla-signature")
_TOKEN = HeaderToken(header="authorization")


@dataclass(frozen=True, slots=True, kw_only=True)
class SallaSource(Source):
    """The settings of a Salla app."""

    strategy: Literal["signature", "token"] = Field(
        default="signature", description="how the app's webhooks are secured, as set at Salla"
    )


def _adapt(provider: Provider, source: Any) -> Provider:
    # Where the app's token is expected, a signature that is there must still be right.
    token = (_TOKEN,) if source.strategy == "token" else ()
    return replace(provider, schemes=(_SIGNATURE, *token))


_EVENTS = {
    "abandoned": "cart cart.purchased",
    "app": "expired feedback.created installed settings.updated store.authorize"
    " subscription.canceled subscription.expired subscription.renewed subscription.started"
    " trial.canceled trial.expired trial.started uninstalled updated",
    "brand": "created deleted updated",
    "category": "created updated",
    "coupon": "applied",
    "customer": "created login otp.request updated",
    "invoice": "created",
    "order": "cancelled coupon.updated created customer.updated deleted payment.updated"
    " products.updated refunded shipment.cancelled shipment.created shipment.creating"
    " shipment.return.cancelled shipment.return.created shipment.return.creating"
    " shipping.address.updated status.updated total.price.updated updated",
    "product": "available created deleted price.updated quantity.low status.updated updated",
    "review": "added",
    "shipment": "cancelled created creating updated",
    "shipping": "company.created company.deleted company.updated zone.created zone.updated",
    "specialoffer": "created updated",
    "store": "branch.activated branch.created branch.deleted branch.setDefault branch.updated"
    " tax.created",
    "storetax": "created",
}

PROVIDER = Provider(
    title="Salla",
    schemes=(_SIGNATURE,),
    topic=body("event"),
    identity=(
        first(
            body("data.id && created_at && [merchant, data.[id, order.id], created_at]"),
            whole_payload,
        ),
    ),
    occurred_at=body("created_at"),
    tenant=body("merchant"),
    never={
        "app.uninstalled": "the store removed the app",
        "customer.otp.request": "it holds a password for one use",
        "order.cancelled": "the order was cancelled",
        "order.deleted": "the order was deleted",
    },
    topics=tuple(f"{kind}.{what}" for kind, text in _EVENTS.items() for what in text.split()),
    accepted=200,
    settings=SallaSource,
    adapt=_adapt,
    zone=clock.zone("Asia/Riyadh"),
)
