"""Any sender that logs in with a user and a password (HTTP Basic, RFC 7617)."""

from __future__ import annotations

from ringhook.senders.providers import Provider, whole_payload
from ringhook.senders.providers._generic import GenericSource, adapt, items
from ringhook.senders.signatures import Basic

PROVIDER = Provider(
    title="HTTP Basic",
    schemes=(Basic(),),
    items=items,
    has_topics=False,
    identity=(whole_payload,),
    unmapped_status=422,
    settings=GenericSource,
    adapt=adapt,
)
