"""BigCommerce: webhooks of a store. They tell what happened to which id, and nothing about it.

Source: github bigcommerce/docs, "Webhooks overview" and "Webhook events". The signature is that of
Standard Webhooks, but the key is the API account's client secret as it is, in no base64. Older
webhooks are not signed: give them a header of your own when you create them, and connect them as
provider `header-token`. BigCommerce sends again for 48 hours, then switches the webhook off; a host
that answers fewer than 90 of 100 requests with 2xx is left out for 3 minutes. What an event is
about is fetched with `enrich` ("Orders overview", with the API account's access token in the header
X-Auth-Token). Not confirmed: how long it waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Hmac

if TYPE_CHECKING:
    from ringhook.senders.request import Request

_producer = body("producer")


def _store(request: Request, payload: Any) -> str:
    """The store's hash, which stands in its API address: `producer` is `stores/{hash}`."""
    return str(_producer(request, payload) or "").rpartition("/")[2]


_SCOPES = {
    "app": "uninstalled",
    "cart": "abandoned converted couponApplied created deleted updated"
    " lineItem/created lineItem/deleted lineItem/updated",
    "category": "created deleted updated",
    "customer": "created deleted updated address/created address/deleted address/updated"
    " channel/login/access/updated payment/instrument/default/updated",
    "information": "updated",
    "order": "archived created statusUpdated updated message/created refund/created"
    " transaction/created transaction/updated",
    "product": "created deleted updated inventory/order/updated inventory/updated price/updated",
    "shipment": "created deleted updated",
    "sku": "created deleted updated inventory/order/updated inventory/updated",
    "subscriber": "created deleted updated",
}

PROVIDER = Provider(
    title="BigCommerce",
    schemes=(
        Hmac(
            header="webhook-signature",
            encoding="base64",
            prefix="v1,",
            separator=" ",
            signed="{id}.{timestamp}.{body}",
            timestamp_header="webhook-timestamp",
            id_header="webhook-id",
        ),
    ),
    topic=body("scope"),
    # A digest of the event, the same whenever it is sent.
    identity=(first(body("hash"), whole_payload),),
    occurred_at=body("created_at"),
    tenant=_store,
    never={
        "store/customer/deleted": "the customer was deleted",
        "store/subscriber/deleted": "the subscriber was removed",
        "store/app/uninstalled": "the store removed the app",
    },
    topics=tuple(
        f"store/{kind}/{change}" for kind, text in _SCOPES.items() for change in text.split()
    ),
    enrich_hosts=("api.bigcommerce.com",),
)
