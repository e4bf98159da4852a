"""Shopify: shop webhooks (orders, checkouts, customers, fulfilments, privacy).

Source: shopify.dev, "About webhooks", "Verify webhook deliveries" and "Privacy law compliance"; and
"Customer" of the REST Admin API, which is a legacy that custom apps still use. Since version
2025-01 no customer in a webhook has tags or marketing consents: a route that looks for them there
finds nothing. Topics of their own tell them, and neither is a consent to be called. The header that
names the shop is not signed: `tenant` stops a mistake, and not whoever else installed the same app.
"""

from __future__ import annotations

from ringhook.enrichment import Enrichment
from ringhook.providers import Provider, body, first, header, whole_payload
from ringhook.signatures import Hmac

PROVIDER = Provider(
    title="Shopify",
    schemes=(
        Hmac(header="x-shopify-hmac-sha256", encoding="base64"),
        # "Events", in developer preview, signs alike under names without the X-.
        Hmac(header="shopify-hmac-sha256", encoding="base64"),
    ),
    topic=first(header("x-shopify-topic"), header("shopify-topic")),
    # The signature covers the body alone: whoever repeats a captured body may write other ids
    # above it, so the ids in the headers make no event a new one.
    identity=(whole_payload,),
    # The header is unsigned too, but it is the only time of the event itself; the ledger is what
    # stops a captured body from ringing again.
    occurred_at=first(
        header("x-shopify-triggered-at"),
        header("shopify-triggered-at"),
        body("updated_at"),
        body("created_at"),
    ),
    tenant=first(header("x-shopify-shop-domain"), header("shopify-shop-domain")),
    test=first(body("test || `null`"), header("x-shopify-test"), header("shopify-test")),
    never={
        "customers/redact": "a customer asked to be erased",
        "customers/data_request": "a customer asked for their data",
        "shop/redact": "a shop asked to be erased",
        "app/uninstalled": "the shop removed the app",
        "customers/delete": "the customer was deleted",
    },
    # Of the topics about consent: in an order, a customer's stands deeper, and speaks of messages.
    never_when={
        f'contains(`["unsubscribed","redacted"]`, {kind}_marketing_consent.state)': (
            "the customer took a consent back"
        )
        for kind in ("sms", "email")
    },
    privacy={
        "customers/redact": ("forget", "[customer.phone]"),
        "customers/data_request": ("export", "[customer.phone]"),
        "shop/redact": ("forget", "['']"),
    },
    topics=(
        "app/uninstalled",
        "carts/create",
        "carts/update",
        "checkouts/create",
        "checkouts/delete",
        "checkouts/update",
        "customer.tags_added",
        "customer.tags_removed",
        "customers/create",
        "customers/data_request",
        "customers/delete",
        "customers/disable",
        "customers/enable",
        "customers/redact",
        "customers/update",
        "customers_email_marketing_consent/update",
        "customers_marketing_consent/update",
        "customers_whats_app_marketing_consent/update",
        "draft_orders/create",
        "draft_orders/update",
        "fulfillment_events/create",
        "fulfillments/create",
        "fulfillments/update",
        "orders/cancelled",
        "orders/create",
        "orders/delete",
        "orders/edited",
        "orders/fulfilled",
        "orders/paid",
        "orders/partially_fulfilled",
        "orders/updated",
        "refunds/create",
        "returns/request",
        "shop/redact",
        "subscription_billing_attempts/challenged",
        "subscription_billing_attempts/failure",
        "subscription_billing_attempts/success",
        "subscription_contracts/create",
        "subscription_contracts/update",
    ),
    enrich_hosts=("*.myshopify.com",),
    enrichments={
        # Who placed an order, with the tags and the marketing consents that an order does not have.
        # The shop is the one that the source is pinned to: the header that names it is not signed.
        "customer": (
            Enrichment(
                url="https://{tenant}/admin/api/2026-07/customers"
                "/{{ customer.id || customer_id }}.json",
                into="fetched",
                on=(
                    "customers_marketing_consent/update",
                    "draft_orders/create",
                    "draft_orders/update",
                    "orders/cancelled",
                    "orders/create",
                    "orders/fulfilled",
                    "orders/paid",
                    "orders/partially_fulfilled",
                    "orders/updated",
                ),
                header="X-Shopify-Access-Token: {credential}",
            ),
        ),
    },
)
