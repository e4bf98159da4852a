"""Shopify: shop webhooks (orders, checkouts, customers, fulfilments, privacy).

Source: shopify.dev, "About webhooks", "Verify webhook deliveries" and "Privacy law compliance"; and
"Customer" of the REST Admin API, which is a legacy that custom apps still use. Since version
2025-01 no customer in a webhook has tags or marketing consents: a route that looks for them there
finds nothing. Topics of their own tell them, and neither is a consent to be called.

The signature covers the body alone. So the topic is believed where the body has its shape, and else
ends nothing; a webhook that is cut to some fields (`include_fields`) must keep those that its shape
names. The header that names the shop is a hint too: `tenant` stops a mistake, and not whoever else
installed the same app. Only privacy requests say in their body whose they are.
"""

from __future__ import annotations

from ringhook.senders.enrichment import Enrichment
from ringhook.senders.providers import Provider, body, first, header, whole_payload
from ringhook.senders.signatures import Hmac

# What the body of each topic has, or what another's has and it has not. Orders have an
# order_number, checkouts the address to go on at, what is about an order an order_id.
# Nothing but a privacy request has the shop's domain as a field of its own.
_ORDER = "!(abandoned_checkout_url || order_id || fulfillment_id || shop_domain)"
_CHECKOUT = "!(order_number || order_id || order_status_url || shop_domain)"
_CUSTOMER = "!(line_items || order_id || order_number || shop_domain)"
_FULFILMENT = "!(fulfillment_id || refund_line_items || shop_domain)"
_ATTEMPT = "subscription_contract_id && !shop_domain"
_SHAPES = {
    "carts/create": f"{_CHECKOUT} && !abandoned_checkout_url",
    "carts/update": f"{_CHECKOUT} && !abandoned_checkout_url",
    "checkouts/create": _CHECKOUT,
    "checkouts/delete": f"{_CHECKOUT} && !abandoned_checkout_url",
    "checkouts/update": _CHECKOUT,
    "customers/create": _CUSTOMER,
    "customers/disable": _CUSTOMER,
    "customers/enable": _CUSTOMER,
    "customers/update": _CUSTOMER,
    "customers_email_marketing_consent/update": "email_marketing_consent && !shop_domain",
    "customers_marketing_consent/update": "sms_marketing_consent && !shop_domain",
    "draft_orders/create": f"{_CHECKOUT} && !abandoned_checkout_url",
    "draft_orders/update": f"{_CHECKOUT} && !abandoned_checkout_url",
    "fulfillment_events/create": "fulfillment_id && !shop_domain",
    "fulfillments/create": f"order_id && {_FULFILMENT}",
    "fulfillments/update": f"order_id && {_FULFILMENT}",
    "orders/cancelled": f"cancelled_at && {_ORDER}",
    "orders/create": _ORDER,
    "orders/delete": f"id && {_ORDER} && !(created_at || updated_at || name || line_items)",
    "orders/edited": "order_edit && !shop_domain",
    "orders/fulfilled": f"fulfillment_status == 'fulfilled' && {_ORDER}",
    "orders/paid": (
        f'contains(`["paid","partially_refunded","refunded"]`, financial_status) && {_ORDER}'
    ),
    "orders/partially_fulfilled": f"fulfillment_status == 'partial' && {_ORDER}",
    "orders/updated": _ORDER,
    "refunds/create": "order_id && refund_line_items != `null` && !shop_domain",
    "subscription_billing_attempts/challenged": _ATTEMPT,
    "subscription_billing_attempts/failure": _ATTEMPT,
    "subscription_billing_attempts/success": f"{_ATTEMPT} && !error_code",
    "customers/redact": "shop_domain && customer && !(data_request || orders_requested)",
    "customers/data_request": "shop_domain && customer && (data_request || orders_requested)",
    "shop/redact": "shop_domain && !customer",
}

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
    # Where the body has no time, the unsigned one is all there is.
    occurred_at=first(
        body("updated_at"),
        body("created_at"),
        header("x-shopify-triggered-at"),
        header("shopify-triggered-at"),
    ),
    tenant=first(
        body("shop_domain"), header("x-shopify-shop-domain"), header("shopify-shop-domain")
    ),
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
    shapes=_SHAPES,
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
