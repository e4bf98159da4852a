"""Any sender that puts a shared secret into `Authorization: Bearer …` (RFC 6750)."""

from __future__ import annotations

from ringhook.senders.providers import Provider, whole_payload
from ringhook.senders.providers._generic import GenericSource, adapt, items
from ringhook.senders.signatures import HeaderToken

PROVIDER = Provider(
    title="Bearer token",
    schemes=(HeaderToken(header="authorization", prefix="Bearer "),),
    items=items,
    has_topics=False,
    identity=(whole_payload,),
    unmapped_status=422,
    settings=GenericSource,
    adapt=adapt,
)
