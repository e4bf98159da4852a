"""Any sender that can be given no more than an address: the secret is in it.

The address is `…/hooks/NAME/SECRET`, or `…/hooks/NAME?token=SECRET` where the sender takes no
longer path. Neither is written to any log. Fields that the sender writes into the address, as
`&phone=…`, are read with the body's; with GET they are the event. Whoever sees the address can send
what they like, so it is a secret like a password: give it to one sender, and change it when a
person who knew it leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ringhook.reading.tables import Field
from ringhook.senders.providers import Provider, whole_payload
from ringhook.senders.providers._generic import GenericSource, items
from ringhook.senders.providers._generic import adapt as adapt_generic
from ringhook.senders.providers._url_token import PARAMETER, UrlToken, with_query


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlTokenSource(GenericSource):
    """The settings of a sender with a secret in its address."""

    parameter: str = Field(
        default=PARAMETER, min_length=1, description="the parameter that holds the secret"
    )


def adapt(provider: Provider, source: Any) -> Provider:
    """Take the parameter's name from the settings."""
    return replace(
        adapt_generic(provider, source),
        schemes=(UrlToken(source.parameter),),
        read=with_query(source.parameter),
    )


PROVIDER = Provider(
    title="Secret in the address",
    schemes=(UrlToken(),),
    gets=True,
    read=with_query(),
    items=items,
    has_topics=False,
    identity=(whole_payload,),
    unmapped_status=422,
    settings=UrlTokenSource,
    adapt=adapt,
)
