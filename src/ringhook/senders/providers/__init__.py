"""What a provider is: data about one kind of sender, in one file beside this one.

That file's docstring is for its users: the sender's page in docs/providers begins with it.
`find` imports only the provider that a source uses, so cold start does not grow with the catalogue.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import unquote_to_bytes
from zoneinfo import ZoneInfoNotFoundError

from ringhook import clock
from ringhook.errors import BadRequestError, MisfitError, UnmappedError
from ringhook.reading.expressions import Expression
from ringhook.reading.tables import Check, Field, Table
from ringhook.reading.text import tidy
from ringhook.reading.times import SKEW, parse_time
from ringhook.senders.request import Request, read_payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringhook.senders.enrichment import Enrichment
    from ringhook.senders.request import Reply
    from ringhook.senders.signatures import Scheme

# Senders that sign as others do, or as their user tells them to: which provider serves them.
SERVED_BY = {
    "airtable": "bearer",
    "amocrm": "kommo",
    "cf7": "contact-form-7",
    "clerk": "standard-webhooks",
    "erpnext": "frappe",
    "google-sheets": "google-forms",
    "make": "bearer",
    "n8n": "bearer",
    "resend": "standard-webhooks",
    "salesforce-flow": "header-token",
    "svix": "standard-webhooks",
    "zapier": "bearer",
}

_ANY_TIME = datetime.fromtimestamp(0, UTC)
# How a compressed body begins; the same content may be compressed to other bytes.
_GZIP = b"\x1f\x8b"

# Where something stands: a function of the request and of the event's part of its payload.
Locator = Callable[["Request", Any], Any]


TENANT = (
    "the account that this source is pinned to (shop domain, portal id, …):"
    " events of another one are refused"
)


def known_zone(name: str) -> str:
    """Take a time zone of the IANA, or nothing. Raises ValueError for anything else."""
    try:
        if name:
            clock.zone(name)
    except ZoneInfoNotFoundError:
        message = f"{name!r} is no time zone: write one like 'Europe/Paris' or 'Asia/Kolkata'"
        raise ValueError(message) from None
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Table):
    """One sender of webhooks, at `/hooks/{its name}`. A provider may add settings of its own."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    provider: str = Field(description="what kind of sender this is")
    tenant: str | None = Field(
        default=None,
        description=TENANT,
    )
    time_zone: Annotated[str, Check(known_zone)] = Field(
        default="",
        description="whose clock its times are by that name no zone, like Asia/Kolkata;"
        " left out: the one on the sender's page, or else UTC",
    )
    enrich: Any = Field(
        default=None,
        description="how what it leaves out of its events is fetched: the name of a ready way,"
        " a table, or a list of these",
    )

    @property
    def zone(self) -> tzinfo | None:
        """The time zone, where it is said."""
        return clock.zone(self.time_zone) if self.time_zone else None

    @property
    def advice(self) -> str:
        """What should be set otherwise, and why; "" if nothing."""
        return ""


@dataclass(frozen=True, slots=True)
class Event:
    """One verified webhook. `never` says why it must ring nobody, whatever a route says.

    `unmapped` says why no call can be made of it, though it can be told what it is.
    `asks`: what a person asks by it (to be forgotten, or what is known of them), and `numbers`
    theirs, as written; at least one, "" where the event does not tell. `hinted`: nobody signed the
    topic, and the body does not tell that it is of it, so that the topic may end nothing; `misfit`:
    why the body cannot be of it, so that nothing comes of it.
    """

    source: str
    topic: str
    event_id: str
    occurred_at: datetime
    payload: Any
    test: bool = False
    hinted: bool = False
    misfit: str = ""
    never: str = ""
    unmapped: str = ""
    asks: Literal["", "forget", "export"] = ""
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One kind of sender. Everything about it is data; a source's settings may adapt it (`adapt`).

    Places in what it sends are locators: functions of the request and the payload. Of identity,
    topic and time, only what its proof covers counts (`proven`).
    """

    title: str
    """Its name, as it writes it."""
    schemes: tuple[Scheme, ...] = ()
    """A request is held to the first of these that it carries."""
    greet: Callable[[Request], Reply | None] = lambda _request: None
    """Its answer to what only proves an address: a GET with a challenge, an unsigned ping.

    It is asked before anything is verified, so no secret is read for it.
    """
    tenant: Locator | None = None
    """Where the account stands that an event is of; a source may be pinned to one."""
    gets: bool = False
    """Whether it sends with GET, the event in the address."""
    read: Callable[[Request], Any] = read_payload
    """The payload of a verified request."""
    hides: tuple[str, ...] = ()
    """Where secrets stand in the payload (names with dots between): no route sees them."""
    challenge: Callable[[Any], Reply | None] = lambda _payload: None
    """Its answer to a verified payload that is no event."""
    items: Callable[[Any], list[Any]] = lambda payload: [payload]
    """The events in a payload that may hold many."""
    topic: Locator = lambda _request, _payload: ""
    """Where the topic stands. One that the proof does not cover is a hint."""
    has_topics: bool = True
    """Whether its events have topics at all, so that a route may name them."""
    topics: tuple[str, ...] = ()
    """Those that it is known to send, to catch a misspelt one."""
    shapes: Mapping[str, str] = field(default_factory=dict)
    """JMESPath, by topic: what its body must look like for a mere hint to be believed."""
    identity: tuple[Locator, ...] = ()
    """Where that stands which stays the same when an event is sent again."""
    alike: bool = False
    """Whether the identity is all that was signed: then another topic makes no other event."""
    occurred_at: Locator = lambda _request, _payload: None
    """Where it says when the event happened."""
    zone: tzinfo = UTC
    """Whose clock its times are by that name no zone; a source may say another."""
    test: Locator = lambda _request, _payload: False
    """Where it says that an event is only a test."""
    never: Mapping[str, str] = field(default_factory=dict)
    """By topic: what must ring nobody, and why."""
    never_when: Mapping[str, str] = field(default_factory=dict)
    """By JMESPath over the event's payload: what must ring nobody, and why."""
    privacy: Mapping[str, tuple[Literal["forget", "export"], str]] = field(default_factory=dict)
    """By topic: what a person asks for by it, and the JMESPath to a list of their numbers."""
    accepted: Reply | int | None = None
    """What it demands for success: the very answer, or its status. None: our own answer, 202.

    It is given for an event that no call can be made of, too.
    """
    unmapped_status: int = 202
    """What it is answered for an event that no call can be made of.

    202 where an error makes it send again or drop the webhook, 422 where somebody reads the answer.
    """
    enrich_hosts: tuple[str, ...] = ()
    """The hosts of its API, from which a source may fetch the rest; `*` stands for one name."""
    enrichments: Mapping[str, tuple[Enrichment, ...]] = field(default_factory=dict)
    """Ready ways to fetch it, by name."""
    settings: type[Source] = Source
    """What `[sources.NAME]` may say."""
    adapt: Callable[[Provider, Any], Provider] = lambda provider, _source: provider
    """The provider as the settings of a source make it."""
    ending: Callable[[Any, datetime], Mapping[str, Any]] | None = None
    """Of one that asks for no calls, and tells how they ended: what a payload says of that
    (`_endings.told`)."""

    def adapted(self, source: Source) -> Provider:
        """This provider, as a source's settings have it."""
        adapted = self.adapt(self, source)
        return replace(adapted, zone=source.zone) if source.zone else adapted

    def payload(self, request: Request) -> Any:
        """What a verified request says, without the secrets in it. Raises BadRequestError."""
        payload = self.read(request)
        for place in self.hides:
            _hide(payload, place.split("."))
        return payload

    def events(self, request: Request, payload: Any) -> list[Event]:
        """Every event that a verified request carries. Raises BadRequestError as `event` does."""
        return [self.event(request, item) for item in self.items(payload)]

    def event(self, request: Request, item: Any) -> Event:
        """Read one item of a verified request as an event.

        Raises BadRequestError if it is so far from the provider's form that it cannot be told what
        it is, and MisfitError for an erasure under a topic that is none, or the other way round.
        """
        try:
            return self._event(request, item)
        except UnmappedError as error:
            message = f"not what {self.title} sends: {error}"
            raise BadRequestError(message) from error

    def proven(self, request: Request) -> Request:
        """The request without what its sender's proof does not cover."""
        carried = [scheme for scheme in self.schemes if scheme.applies(request)]
        # One that carries no proof is taken for what it would be with one (`ringhook map`).
        return next((s.proven(request) for s in [*carried, *self.schemes]), request)

    @property
    def hints_topics(self) -> bool:
        """Whether one of its schemes does not sign the topic."""
        request = Request(
            source="", method="POST", url="", headers=_Every(), body=b"", received_at=_ANY_TIME
        )
        return bool(self.topic(request, {})) and not all(
            self.topic(scheme.proven(request), {}) for scheme in self.schemes
        )

    def tenants(self, request: Request, payload: Any) -> set[str]:
        """The accounts that the events of a request belong to, as texts."""
        if self.tenant is None:
            return set()
        return {str(self.tenant(request, item)) for item in self.items(payload)}

    def forbids(self, topic: str, payload: Any, now: datetime) -> str:
        """Why an event of this topic and payload must ring nobody; "" if it may."""
        never = self.never.get(topic, "")
        for expression, reason in self.never_when.items():
            if Expression(expression)(payload, now):
                never = never or reason
        return never

    def _event(self, request: Request, item: Any) -> Event:
        proven = self.proven(request)
        signed = tidy(str(self.topic(proven, item) or ""), 200)
        topic = signed or tidy(str(self.topic(request, item) or ""), 200)
        fits = bool(signed) or self._has_shape(topic, item, request.received_at)
        misfit = "" if fits else self._misfit(topic, item, request.received_at)
        asks, numbers = self._asked(topic if fits else "", request, item)
        identity = ["" if self.alike else signed, *(place(proven, item) for place in self.identity)]
        occurred_at, unmapped = self._when(proven, request, item)
        return Event(
            source=request.source,
            topic=topic,
            event_id="evt_" + digest(identity)[:32],
            occurred_at=occurred_at,
            payload=item,
            test=_is_true(self.test(request, item)),
            hinted=bool(topic) and not fits,
            misfit=misfit,
            never=self.forbids(topic, item, request.received_at),
            unmapped=unmapped,
            asks=asks,
            numbers=numbers,
        )

    def _when(self, proven: Request, request: Request, item: Any) -> tuple[datetime, str]:
        """When it happened, and what is wrong with the time that the sender names.

        A time that cannot be read is not now: what is a week old must not ring. One that nobody
        signed counts only where there is no other.
        """
        told = [self.occurred_at(one, item) for one in (proven, request)]
        named = next((one for one in told if not _is_blank(one)), None)
        if named is None:
            return request.received_at, ""
        moment = parse_time(named, self.zone)
        if moment is None:
            return request.received_at, f"the time of the event cannot be read: {_shape(named)}"
        # Nothing has happened later than it is heard of. But a clock that is a little ahead still
        # says in which order it happened, so what it says is kept.
        return (moment if moment <= request.received_at + SKEW else request.received_at), ""

    def _misfit(self, topic: str, item: Any, now: datetime) -> str:
        """Why the body cannot be of this topic, which nobody signed; "" where that is not known.

        Raises MisfitError if it is an erasure's or an export's body, or the topic is theirs.
        """
        private = any(self._has_shape(one, item, now) for one in self.privacy)
        if private or topic in self.privacy:
            what = "an erasure's or an export's" if private else f"not that of {topic!r}"
            message = f"nobody signed the topic, and the body is {what}"
            raise MisfitError(message, private=private)
        known = topic in self.shapes
        return f"nobody signed the topic {topic!r}, and the body is not of it" if known else ""

    def _has_shape(self, topic: str, item: Any, now: datetime) -> bool:
        shape = self.shapes.get(topic)
        return shape is not None and bool(Expression(shape)(item, now))

    def _asked(
        self, topic: str, request: Request, item: Any
    ) -> tuple[Literal["", "forget", "export"], tuple[str, ...]]:
        if topic not in self.privacy:
            return "", ()
        asks, place = self.privacy[topic]
        found = Expression(place)(item, request.received_at)
        numbers = found if isinstance(found, list) and found else [""]
        return asks, tuple(dict.fromkeys(str(number or "") for number in numbers))


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _is_true(marker: object) -> bool:
    """Whether a marker is true, as JSON or as text."""
    if isinstance(marker, str):
        return marker.strip().lower() in {"true", "1", "yes"}
    return bool(marker)


def _shape(value: object) -> str:
    """The form of a value, without its content, which may be personal."""
    if not isinstance(value, str):
        return f"a value of type {type(value).__name__}"
    shape = "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in value[:40])
    return f"a text like {tidy(shape, 40)!r}"


def _hide(payload: Any, place: list[str]) -> None:
    """Remove what stands at this place. In a list of events it is removed from each."""
    for part in payload if isinstance(payload, list) else [payload]:
        if isinstance(part, dict) and place[0] in part:
            if len(place) == 1:
                del part[place[0]]
            else:
                _hide(part[place[0]], place[1:])


class _Every(dict[str, str]):
    """The headers of a request that has every header."""

    def __contains__(self, _name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return name

    def get(self, name: str, _default: Any = None, /) -> Any:
        return name


def header(name: str) -> Locator:
    """What the request says in this header (lower-case)."""
    return lambda request, _payload: request.headers.get(name)


def body(expression: str) -> Locator:
    """What this JMESPath finds in the event's payload."""
    there = Expression(expression)
    return lambda request, payload: there(payload, request.received_at)


def first(*places: Locator) -> Locator:
    """The value of the first of these places that holds one."""
    return lambda request, payload: next(
        (value for place in places if (value := place(request, payload)) not in (None, "")), None
    )


def whole_payload(request: Request, payload: Any) -> str:
    """The event's whole content: for a sender that repeats it unchanged when it sends again.

    Where a declared charset decides how the bytes are read, it is the bytes that count: few senders
    sign that header, so whoever repeats a captured body may declare another one.
    """
    try:
        unquote_to_bytes(request.body).decode()
    except UnicodeDecodeError:
        if not request.body.startswith(_GZIP):
            return hashlib.sha256(request.body).hexdigest()
    return digest(payload)


def digest(value: Any) -> str:
    """A SHA-256 over JSON that does not depend on the order of keys or on white space."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def names() -> list[str]:
    """Every provider's name, in alphabetical order."""
    modules = (m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    return sorted(name.replace("_", "-") for name in modules)


def find(name: str) -> Provider:
    """The provider of this name. Raises KeyError if there is none."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise KeyError(name)
    path = f"{__name__}.{name.replace('-', '_')}"
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        raise KeyError(name) from error
    provider: Provider = module.PROVIDER
    return provider
