"""What a sender leaves out of its events, and from which address it is fetched: pure.

Some senders send ids and no people. Whoever can make them send an event chooses the ids, and the
request for the rest carries a credential: so no payload may lead it anywhere but where the template
says. Host, path and parameters are the template's; a value fills its own place in them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ringhook.errors import LaterError, UnmappedError
from ringhook.reading import urls
from ringhook.reading.expressions import Template, compile_template
from ringhook.reading.tables import Field, Table
from ringhook.reading.times import wait_for

if TYPE_CHECKING:
    from ringhook.routing.routes import Route, Routes
    from ringhook.senders.providers import Event, Provider

_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_TENANT = "https://{tenant}/"
# Not now, but perhaps later: the credential may be renewed, the load may pass.
_PASSING = frozenset({401, 408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrichment(Table):
    """How to fetch what an event leaves out: one GET, answered with JSON."""

    url: str = Field(
        description="where: an address at the provider's own API, with {{ JMESPath }} over the"
        " payload in its path or its parameters; {credential} in its path, where the API wants it"
        " there and in no header"
    )
    into: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$",
        description="where the answer is put: with 'contact', {{ contact.… }} finds it",
    )
    on: tuple[str, ...] = Field(
        default=(), strict=False, description="the topics that need it; left out: all of them"
    )
    credential: str = Field(
        default="",
        description="the credential's key in the credentials secret; left out: the source's name",
    )
    header: str = Field(
        default="Authorization: Bearer {credential}",
        pattern=r"^[A-Za-z0-9-]+: [ -~]*\{credential\}[ -~]*$",
        description="the header that it is sent in",
    )


@dataclass(frozen=True, slots=True)
class Lookup:
    """An enrichment as a source has it: checked, and bound to one host."""

    into: str
    topics: tuple[str, ...]
    host: str
    url: Template
    credential: str
    header: str

    def takes(self, topic: str) -> bool:
        """Whether events of this topic need it."""
        return not self.topics or topic in self.topics

    def address(self, payload: Any, now: datetime) -> str:
        """The address for this payload: its values percent-encoded, each within its own place.

        Raises UnmappedError if a value is missing, or could be taken for more than a value.
        """
        return urls.fill(self.url, payload, now)

    def vouched(self, address: str, credential: str) -> str:
        """The address with the credential in it, where its API wants it there.

        Raises UnavailableError if it could be taken for more than a part of the path.
        """
        # Two parts at most, such as a user and a code.
        return urls.vouched(address, credential, self.credential, parts=2)

    @property
    def by_address(self) -> bool:
        """Whether the credential stands in the address and in no header."""
        return urls.CREDENTIAL in str(self.url.text)

    def headers(self, credential: str) -> dict[str, str]:
        """What the request says of whoever asks."""
        if self.by_address:
            return {}
        name, _, value = self.header.partition(": ")
        return {name: value.replace("{credential}", credential)}


def lookups(
    written: object, provider: Provider, *, tenant: str | None, source: str
) -> tuple[Lookup, ...]:
    """What one `enrich` of a source asks for: a ready one by its name, or the user's own table.

    Raises ValueError, or pydantic's ValidationError, saying what is wrong and what would be right.
    """
    if isinstance(written, dict):
        from ringhook.reading import checked  # noqa: PLC0415 - for who checks a file

        tables: tuple[Enrichment, ...] = (checked.read(Enrichment, written),)
    elif isinstance(written, str) and written in provider.enrichments:
        tables = provider.enrichments[written]
    else:
        known = ", ".join(map(repr, provider.enrichments))
        cure = f"write {known}, or" if known else "write"
        message = (
            f"{provider.title} has no ready way {written!r}: {cure} a table with `url` and `into`"
        )
        raise ValueError(message)
    return tuple(_lookup(table, provider, tenant, source) for table in tables)


def is_thin(event: Event, routes: Routes) -> bool:
    """Whether the routes need more than the event holds, so that something is fetched first."""
    lookups = routes.sources[event.source].lookups
    usable = not (event.never or event.unmapped or event.misfit)
    lacks = usable and any(lookup.takes(event.topic) for lookup in lookups)
    return lacks and bool(_takers(event, routes))


def gives_up_at(event: Event, routes: Routes) -> float:
    """When fetching is given up (epoch seconds): no route would ring for the event after that."""
    waits = [
        (route.policy.after.total_seconds() if route.policy.after else 0)
        + route.policy.expires_after.total_seconds()
        for route in _takers(event, routes)
    ]
    return event.occurred_at.timestamp() + max(waits, default=0)


def put(payload: Any, into: str, answer: Any) -> dict[str, Any]:
    """The payload with the answer put in. What the sender had put there itself is replaced."""
    if not isinstance(payload, dict):
        message = "the payload is not an object, so nothing can be put into it"
        raise UnmappedError(message)
    return {**payload, into: answer}


def read_answer(status: int, data: bytes, retry_after: str | None) -> Any:
    """Read the API's answer, which must be a JSON object or list.

    Raises LaterError if asking again later may help, and UnmappedError if it never will.
    """
    if status in _PASSING or status >= 500:
        message = f"HTTP {status}"
        raise LaterError(message, wait_for(retry_after, datetime.now(UTC)))
    if not 200 <= status < 300:
        what = "it wants to send us elsewhere" if 300 <= status < 400 else "it says no"
        message = f"HTTP {status}: {what}"
        raise UnmappedError(message)
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict | list):
        message = "the answer is not a JSON object or list"
        raise UnmappedError(message)
    return answer


def json_schema(provider: Provider, table: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of `enrich` for this provider's sources, given the one of a table."""
    ready = [{"enum": list(provider.enrichments)}] if provider.enrichments else []
    one = [*ready, table]
    return {"anyOf": [*one, {"type": "array", "items": {"anyOf": one}}]}


def _takers(event: Event, routes: Routes) -> list[Route]:
    """The routes that may ring or cancel for this event, as far as its topic tells."""
    return [
        route
        for route in routes.of(event.source)
        if route.on is None or event.topic in (*route.on, *route.policy.cancelled_by)
    ]


def _lookup(table: Enrichment, provider: Provider, tenant: str | None, source: str) -> Lookup:
    text = table.url
    allowed = ", ".join(provider.enrich_hosts)
    if not allowed:
        message = f"{provider.title} has no API of its own that more could be fetched from"
        raise ValueError(message)
    if text.startswith(_TENANT):
        if tenant is None:
            message = f"needs the source's `tenant`: its own host, like {allowed}"
            raise ValueError(message)
        text = f"https://{tenant}/{text.removeprefix(_TENANT)}"
    url = compile_template(text)
    host = urls.host_of(url)
    if not _HOST.fullmatch(host) or not any(_is(host, one) for one in provider.enrich_hosts):
        message = f"must begin with https:// and a host of {provider.title}, written out: {allowed}"
        raise ValueError(message)
    urls.check_literals(url)
    return Lookup(table.into, table.on, host, url, table.credential or source, table.header)


def _is(host: str, allowed: str) -> bool:
    """Whether this host is the one allowed; `*` stands for one name in front."""
    name, dot, domain = host.partition(".")
    return host == allowed or (bool(name) and f"*{dot}{domain}" == allowed)
