"""Razorpay: webhooks of an account (payments, subscriptions, links, invoices, refunds, payouts).

Source: github razorpay/markdown-docs, "All Webhook Events", "Best Practices" and "Validate and
Test Webhooks", and the library razorpay 2.0.1. The secret is the webhook's own, not the API key's;
after it is changed, older events are still signed with the old one, so keep both for a day.
Razorpay waits 5 seconds, sends again for 24 hours, then switches the webhook off. Nothing in an
event tells test mode from live mode: give them a source each, and no route to the test one.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Hmac

_EVENTS = {
    "account": "app.authorization_revoked",
    "fund_account": "validation.completed validation.failed",
    "invoice": "expired paid partially_paid",
    "order": "paid",
    "payment": "authorized captured failed dispute.action_required dispute.closed dispute.created"
    " dispute.lost dispute.under_review dispute.won downtime.resolved downtime.started"
    " downtime.updated",
    "payment_link": "cancelled expired paid partially_paid",
    "payout": "downtime.resolved downtime.started failed initiated pending processed queued"
    " rejected reversed updated",
    "payout_link": "attempted cancelled expired issued pending processed processing rejected",
    "product": "route.activated route.needs_clarification route.under_review",
    "qr_code": "closed created credited",
    "refund": "created failed processed speed_changed",
    "settlement": "processed",
    "subscription": "activated authenticated cancelled charged completed halted paused pending"
    " resumed updated",
    "transfer": "failed processed",
    "virtual_account": "closed created credited",
}

PROVIDER = Provider(
    title="Razorpay",
    schemes=(Hmac(header="x-razorpay-signature"),),
    topic=body("event"),
    # Not x-razorpay-event-id, which is not signed: what happened when, to which things.
    identity=(
        first(
            body("created_at && [account_id, created_at, payload.*.entity | [].id]"), whole_payload
        ),
    ),
    occurred_at=body("created_at"),
    tenant=body("account_id"),
    never={"account.app.authorization_revoked": "the account took its permission back"},
    topics=tuple(f"{kind}.{what}" for kind, text in _EVENTS.items() for what in text.split()),
)
