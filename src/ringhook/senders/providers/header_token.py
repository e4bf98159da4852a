"""Any sender that puts a shared secret into a header of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ringhook.reading.tables import Field
from ringhook.senders.providers import Provider, whole_payload
from ringhook.senders.providers._generic import GenericSource, items
from ringhook.senders.providers._generic import adapt as adapt_generic
from ringhook.senders.signatures import HeaderToken


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderTokenSource(GenericSource):
    """The settings of a sender with a secret in a header."""

    header: str = Field(default="x-webhook-secret", description="the header that holds the secret")


def adapt(provider: Provider, source: Any) -> Provider:
    """Take the header's name from the settings."""
    scheme = HeaderToken(header=source.header.lower())
    return replace(adapt_generic(provider, source), schemes=(scheme,))


PROVIDER = Provider(
    title="Secret in a header",
    items=items,
    has_topics=False,
    identity=(whole_payload,),
    unmapped_status=422,
    settings=HeaderTokenSource,
    adapt=adapt,
)
