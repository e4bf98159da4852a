"""Shiprocket: the tracking webhook of its settings, for every parcel of a shop.

Source: a summary of apidocs.shiprocket.in, and public receivers; its own page could not be read.
The secret is the token that is entered with the address, sent as `x-api-key`. Shiprocket refuses an
address that has `shiprocket`, `kartrocket`, `sr` or `kr` anywhere in it: call the source `parcels`,
and use a domain of your own if the address that AWS gave has such letters. It wants 200. An event
holds neither a name nor a number: `enrich = "order"` fetches the order, and its `customer_phone`.
The credential for that is a token of Shiprocket's API (a user of its own, `auth/login`), which ends
after ten days: renew it before. Times are India's. Not confirmed: the names of the statuses, that
times are India's, the fields of the order, how long the token holds, and whether it sends again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ringhook import clock
from ringhook.senders.enrichment import Enrichment
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import HeaderToken

if TYPE_CHECKING:
    from ringhook.senders.request import Request

_DAY_FIRST = re.compile(r"(\d\d) (\d\d) (\d{4}) (\d\d:\d\d:\d\d)", re.ASCII)
_told = body("current_timestamp")


def _time(request: Request, payload: Any) -> Any:
    """`14 07 2026 19:42:00` with the year first, so that it can be read in one way."""
    told = _told(request, payload)
    return _DAY_FIRST.sub(r"\3-\2-\1 \4", told) if isinstance(told, str) else told


PROVIDER = Provider(
    title="Shiprocket",
    schemes=(HeaderToken(header="x-api-key"),),
    topic=body("upper(trim(to_string(current_status || '')))"),
    identity=(first(body("awb && [awb, current_status_id, current_timestamp]"), whole_payload),),
    occurred_at=_time,
    zone=clock.zone("Asia/Kolkata"),
    never_when={
        'contains(`["1", "true"]`, to_string(is_return))': "the parcel goes back to the shop",
    },
    topics=(
        "CANCELED",
        "CANCELLED",
        "DAMAGED",
        "DELAYED",
        "DELIVERED",
        "IN TRANSIT",
        "LOST",
        "OUT FOR DELIVERY",
        "OUT FOR PICKUP",
        "PARTIAL DELIVERED",
        "PICKED UP",
        "PICKUP EXCEPTION",
        "REACHED AT DESTINATION HUB",
        "REACHED DESTINATION HUB",
        "RTO DELIVERED",
        "RTO IN TRANSIT",
        "RTO INITIATED",
        "RTO NDR",
        "RTO OFD",
        "SHIPPED",
        "UNDELIVERED",
    ),
    enrich_hosts=("apiv2.shiprocket.in",),
    enrichments={
        "order": (
            Enrichment(
                url="https://apiv2.shiprocket.in/v1/external/orders/show/{{ sr_order_id }}",
                into="order",
                on=("UNDELIVERED",),
            ),
        ),
    },
    accepted=200,
)
