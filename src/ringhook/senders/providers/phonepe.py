"""PhonePe: webhooks of its payment gateway (version 2).

Source: developer.phonepe.com, "Webhook" of the standard checkout and of payment links. PhonePe
sends the SHA-256 of `user:password`, as its merchant set them, in the header Authorization: that
hash, in hexadecimal, is the secret. Bare, or within `SHA256(…)` as the documentation has it, both
are taken. It vouches for whatever comes with it. What happened is `event`; `type` is to go. No
event has a phone: give it to PhonePe as `metaInfo.udf1` when you create the order. Sandbox and
production have webhooks of their own. Not confirmed: how often PhonePe sends again, and the proof
by HMAC that its dashboard offers of late, which is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import HeaderToken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ringhook.senders.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Hash(HeaderToken):
    """The hash of user and password, in the header authorization, in either case of letters."""

    header: str = "authorization"

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Compare it, without the name of the algorithm around it, with each secret."""
        given = request.headers.get(self.header, "").strip().lower()
        if given.startswith("sha256(") and given.endswith(")"):
            given = given[len("sha256(") : -1].strip()
        bare = replace(request, headers={**request.headers, self.header: given})
        HeaderToken.verify(self, bare, [secret.strip().lower() for secret in secrets], now)


_EVENTS = (
    "checkout.order.completed checkout.order.failed paylink.order.completed paylink.order.failed"
    " pg.order.completed pg.order.failed pg.refund.accepted pg.refund.completed pg.refund.failed"
    " pg.transaction.completed pg.transaction.failed subscription.cancelled subscription.paused"
    " subscription.notification.completed subscription.notification.failed"
    " subscription.redemption.order.completed subscription.redemption.order.failed"
    " subscription.redemption.transaction.completed subscription.redemption.transaction.failed"
    " subscription.revoked subscription.setup.order.completed subscription.setup.order.failed"
    " subscription.unpaused"
)

PROVIDER = Provider(
    title="PhonePe",
    schemes=(Hash(),),
    topic=body("event"),
    identity=(
        first(
            body(
                "payload.state && payload.[orderId, merchantOrderId, refundId, merchantRefundId,"
                " merchantSubscriptionId, state, paymentDetails[].transactionId]"
            ),
            whole_payload,
        ),
    ),
    occurred_at=body("payload.paymentDetails[-1].timestamp"),
    tenant=body("payload.merchantId"),
    topics=tuple(_EVENTS.split()),
    accepted=200,
)
