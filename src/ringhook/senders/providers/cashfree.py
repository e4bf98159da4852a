"""Cashfree: payments of its gateway, payment links, refunds and subscriptions.

Source: cashfree.com/docs, "Payment webhooks" (version 2025-01-01), "Payloads and signatures" and
"Reliability and operations", and the library cashfree-pg 6.0.1. The secret is the client secret of
the API key; sandbox and production have keys and addresses of their own: give them a source each,
and no route to the sandbox's. An event tells of one attempt: the same order may fail, be dropped
and then be paid. `order_id` is the order's, `cf_payment_id` the attempt's. Numbers are written as
the shop gave them, mostly without +91. Not confirmed: how old a signature may be (a day is allowed,
since it is not said whether a repeat is signed anew), how long Cashfree waits, whether it ever
switches a webhook off, and the names of topics other than those of payments and links.
"""

from __future__ import annotations

from ringhook import clock
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Hmac

_DAY = 86400

PROVIDER = Provider(
    title="Cashfree",
    schemes=(
        Hmac(
            header="x-webhook-signature",
            encoding="base64",
            signed="{timestamp}{body}",
            timestamp_header="x-webhook-timestamp",
            timestamp_unit="ms",
            tolerance=_DAY,
        ),
    ),
    topic=body("type"),
    # Not x-idempotency-key, which is not signed. What happened to which payment: each of its
    # refunds, and each change of a link or a subscription, is another event.
    identity=(
        first(
            body("data.refund.cf_refund_id && [data.refund.[cf_refund_id, refund_status]]"),
            body("data.payment.cf_payment_id && to_string(data.payment.cf_payment_id)"),
            whole_payload,
        ),
    ),
    occurred_at=first(body("event_time"), body("data.payment.payment_time")),
    zone=clock.zone("Asia/Kolkata"),
)
