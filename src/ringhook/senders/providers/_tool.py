"""What form builders and automation tools share: their user writes the body, and a header or not.

The secret is in a header that the user adds, or, where a tool has no place for one, in the address.
Where things stand in the body may be said in the source's settings, as for the generic providers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ringhook.reading.tables import Field
from ringhook.senders.providers import Provider, whole_payload
from ringhook.senders.providers._generic import GenericSource, items
from ringhook.senders.providers._generic import adapt as adapt_generic
from ringhook.senders.providers._url_token import UrlToken, with_query
from ringhook.senders.signatures import HeaderToken


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSource(GenericSource):
    """The settings of a tool."""

    header: str = Field(
        default="", description="the header with the secret, if another than this page says"
    )


def _in_header(name: str) -> HeaderToken:
    name = name.lower()
    return HeaderToken(header=name, prefix="Bearer " if name == "authorization" else "")


def tool(title: str, header: str = "authorization", **facts: Any) -> Provider:
    """A provider of this title, with the secret in this header or in the address.

    `facts` are the provider's own, as where its topic stands.
    """

    def adapt(provider: Provider, source: Any) -> Provider:
        schemes = (_in_header(source.header or header), UrlToken())
        return replace(adapt_generic(provider, source), schemes=schemes)

    usual = Provider(
        title=title,
        schemes=(_in_header(header), UrlToken()),
        read=with_query(),
        items=items,
        has_topics=False,
        identity=(whole_payload,),
        unmapped_status=422,
        settings=ToolSource,
        adapt=adapt,
    )
    return replace(usual, **facts)
