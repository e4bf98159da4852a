"""Any sender that signs with an HMAC: the settings say how."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from ringhook.reading.tables import Field
from ringhook.senders.providers import Provider, whole_payload
from ringhook.senders.providers._generic import GenericSource, items
from ringhook.senders.providers._generic import adapt as adapt_generic
from ringhook.senders.signatures import TOLERANCE, Algorithm, Encoding, Hmac, KeyForm, TimeUnit

_SIGNED = {"body", "timestamp", "id", "method", "url"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacSource(GenericSource):
    """How the sender signs."""

    header: str = Field(description="the header that holds the signature")
    algorithm: Algorithm = Field(default="sha256", description="the hash")
    encoding: Encoding = Field(default="hex", description="how the signature is written")
    prefix: str = Field(default="", description="what stands before the signature, e.g. sha256=")
    separator: str = Field(
        default="", description="what separates several signatures in the header"
    )
    signed: str = Field(
        default="{body}",
        description="what is signed: {body}, with {timestamp}, {id}, {method} and {url} in place",
    )
    timestamp_header: str = Field(default="", description="the header that holds the signed time")
    timestamp_prefix: str = Field(
        default="", description="or what stands before it in the signature's header, e.g. t="
    )
    timestamp_unit: TimeUnit = Field(default="s", description="how the signed time is written")
    id_header: str = Field(default="", description="the header that holds a signed id")
    tolerance: int = Field(default=TOLERANCE, gt=0, description="how old, in seconds, it may be")
    key: KeyForm = Field(default="text", description="the form in which the secret is handed out")

    def __post_init__(self) -> None:
        """What is signed can be told. Raises ValueError."""
        names = set(re.findall(r"\{(\w*)\}", self.signed))
        if unknown := names - _SIGNED:
            message = (
                f"signed: there is no {{{min(unknown)}}}; there are {', '.join(sorted(_SIGNED))}"
            )
            raise ValueError(message)
        if "body" not in names:
            message = "signed: {body} is not in it, so anybody could change the body"
            raise ValueError(message)
        if ("timestamp" in names) != bool(self.timestamp_header or self.timestamp_prefix):
            message = (
                "signed: {timestamp} goes with timestamp_header or timestamp_prefix, both or none"
            )
            raise ValueError(message)
        if ("id" in names) != bool(self.id_header):
            message = "signed: {id} goes with id_header, both or none"
            raise ValueError(message)


def adapt(provider: Provider, source: Any) -> Provider:
    """Make the scheme that the settings describe."""
    scheme = Hmac(
        header=source.header.lower(),
        algorithm=source.algorithm,
        encoding=source.encoding,
        prefix=source.prefix,
        separator=source.separator,
        signed=source.signed,
        timestamp_header=source.timestamp_header.lower(),
        timestamp_prefix=source.timestamp_prefix,
        timestamp_unit=source.timestamp_unit,
        id_header=source.id_header.lower(),
        tolerance=source.tolerance,
        key=source.key,
    )
    return replace(adapt_generic(provider, source), schemes=(scheme,))


PROVIDER = Provider(
    title="HMAC",
    items=items,
    has_topics=False,
    identity=(whole_payload,),
    unmapped_status=422,
    settings=HmacSource,
    adapt=adapt,
)
