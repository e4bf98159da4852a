"""ClickPost: the tracking webhooks of its dashboard.

Source: ClickPost's own documentation of its webhooks (a copy of 2017 and later). The secret is the
key that is given with the address, sent in the header `webhook_key`. What its times call Z is
India's time. An event holds no number: ring the desk that sees to it, or send it on to where the
order is known. A return is a parcel on its way to the shop: it rings nobody. Not confirmed: that
every account's header is called so, and whether and when it sends again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringhook import clock
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import HeaderToken

if TYPE_CHECKING:
    from ringhook.senders.request import Request

_told = body("timestamp")


def _time(request: Request, payload: Any) -> Any:
    """The time without its Z, which is not true."""
    told = _told(request, payload)
    return told.strip().removesuffix("Z") if isinstance(told, str) else told


PROVIDER = Provider(
    title="ClickPost",
    schemes=(HeaderToken(header="webhook_key"),),
    topic=first(body("clickpost_status_description"), body("clickpost_status_code")),
    identity=(first(body("waybill && [waybill, timestamp]"), whole_payload),),
    occurred_at=_time,
    zone=clock.zone("Asia/Kolkata"),
    never_when={"additional.is_rvp == `true`": "the parcel goes back to the shop"},
)
