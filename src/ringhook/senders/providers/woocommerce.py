"""WooCommerce: webhooks of a WordPress shop (orders, customers, products, coupons).

Source: github woocommerce/woocommerce, `class-wc-webhook.php`, and the REST API documentation,
"Webhooks". A webhook is not sent again: what fails is lost, and after more than five failures in a
row the shop switches it off. It waits 60 seconds, and takes 200 to 302 for success. While somebody
still fills in the block checkout, `order.updated` may come with the `status` "checkout-draft"
(github woocommerce/woocommerce, number 66995): routes on it look at the status.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from ringhook.senders.providers import Provider, body, first, header, whole_payload
from ringhook.senders.request import Reply
from ringhook.senders.signatures import Hmac

if TYPE_CHECKING:
    from ringhook.senders.request import Request

# What WordPress's `wp_specialchars_decode(…, ENT_QUOTES)` decodes, and nothing else.
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|#0*(?:34|38|39|60|62)|#[xX]0*(?:22|26|27));")


class Signature(Hmac):
    """An HMAC whose key is the secret with its HTML entities decoded, as WordPress does it."""

    __slots__ = ()

    def signature(self, signed: bytes, secret: str) -> str:
        """The signature of these bytes, as text."""
        return super().signature(signed, _ENTITY.sub(lambda e: html.unescape(e[0]), secret))


def _greet(request: Request) -> Reply | None:
    """Answer the form `webhook_id=7` with which a new webhook tries the address, unsigned.

    The shop shows an error for anything but 200.
    """
    is_ping = request.method == "POST" and re.fullmatch(rb"webhook_id=[0-9]{1,20}", request.body)
    if is_ping and "x-wc-webhook-signature" not in request.headers:
        return Reply(200, {"calls": [], "reason": "WooCommerce tries the address"})
    return None


# What the body of each kind has and no other's: the topic is in a header, which is not signed.
_MARKS = {
    "coupon": ("discount_type",),
    "customer": ("username",),
    "order": ("order_key", "line_items"),
    "product": ("regular_price", "stock_status"),
}
# Of what is deleted, only the id is sent.
_DELETED = "id && !(date_created || date_created_gmt || status || billing || name || code)"


def _shape(kind: str, change: str) -> str:
    if change == "deleted":
        return _DELETED
    others = [mark for other, marks in _MARKS.items() if other != kind for mark in marks]
    return f"!({' || '.join(others)})"


_KINDS = ("coupon", "customer", "order", "product")
_CHANGES = ("created", "updated", "deleted", "restored")

PROVIDER = Provider(
    title="WooCommerce",
    schemes=(Signature(header="x-wc-webhook-signature", encoding="base64"),),
    greet=_greet,
    topic=header("x-wc-webhook-topic"),
    # Two orders within a second share their X-WC-Webhook-Delivery-ID, and one order is updated
    # often. What is deleted is sent with its id alone, a custom action with something else.
    identity=(first(body("id && [id, order_key, username, date_modified_gmt]"), whole_payload),),
    occurred_at=first(body("date_modified_gmt"), body("date_created_gmt")),
    tenant=header("x-wc-webhook-source"),
    never={
        "customer.deleted": "the customer was deleted",
        "order.deleted": "the order was deleted",
    },
    shapes={f"{kind}.{change}": _shape(kind, change) for kind in _KINDS for change in _CHANGES},
    topics=tuple(
        f"{kind}.{change}"
        for kind in _KINDS
        for change in _CHANGES
        if (kind, change) != ("customer", "restored")
    ),
)
