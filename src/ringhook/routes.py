"""`routes.toml`: the one file that a user edits, as models; checked whole, with lines and cures."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    InstanceOf,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from ringhook import enrichment, phone, providers
from ringhook.calling_hours import ClosedDays, Hours, Purpose, default_hours, parse_hours
from ringhook.errors import Problem, RoutesError
from ringhook.expressions import (
    Expression,
    Template,
    compile_expression,
    compile_template,
    parse_duration,
)
from ringhook.request import SOURCE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringhook.enrichment import Lookup
    from ringhook.providers import Provider, Source

NAME = SOURCE_NAME.pattern


def _template(value: Any) -> Any:
    return compile_template(value) if isinstance(value, str) else value


def _expression(value: Any) -> Any:
    if isinstance(value, str) and "{{" in value:
        message = "write the bare JMESPath here, without {{ }}"
        raise ValueError(message)
    return compile_expression(value) if isinstance(value, str) else value


def _duration(value: Any) -> Any:
    span = parse_duration(value) if isinstance(value, str) else None
    if span is None:
        message = "write a number with s, m, h or d, like '90s', '10m', '6h' or '3d'"
        raise ValueError(message)
    return span


_TEXT: dict[str, Any] = {"type": "string"}
TemplateText = Annotated[Template, BeforeValidator(_template), WithJsonSchema(_TEXT)]
ExpressionText = Annotated[Expression, BeforeValidator(_expression), WithJsonSchema(_TEXT)]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}[smhd]$"}),
]


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, strict=True
    )


class CallTemplate(_Table):
    """What the call is made of: fields of the payload, or text."""

    agent_id: TemplateText | int = Field(
        union_mode="left_to_right", description="the agent that speaks: its number"
    )
    phone_number: TemplateText = Field(description="whom to ring, e.g. {{ customer.phone }}")
    region: TemplateText | None = Field(
        default=None, description="country (ISO 3166, two letters) of numbers written without +"
    )
    time_zone: TemplateText | None = Field(
        default=None, description="the recipient's time zone, like Europe/Paris, where it is known"
    )
    country: TemplateText | None = Field(
        default=None, description="where the recipient lives: country (ISO 3166, two letters)"
    )
    province: TemplateText | None = Field(default=None, description="and state or province")
    postal_code: TemplateText | None = Field(default=None, description="and postal code")
    metadata: dict[str, TemplateText | int | FiniteFloat | bool] = Field(
        default_factory=dict, description="what the agent is told; nothing else reaches it"
    )
    account: str = Field(
        default="default", description="which API token makes the call, where there are several"
    )

    @field_validator("agent_id")
    @classmethod
    def _is_an_agent(cls, agent: Template | int) -> Template | int:
        written = agent.text if isinstance(agent, Template) and agent.is_literal else agent
        if not isinstance(written, Template) and not AGENT_ID.fullmatch(str(written)):
            message = f"{written!r} is not an agent's number: write it, or {{{{ JMESPath }}}}"
            raise ValueError(message)
        return agent


class RecordTemplate(_Table):
    """Whose do-not-call wish, or consent, an event tells."""

    phone_number: TemplateText = Field(description="whose")
    region: TemplateText | None = Field(
        default=None, description="country (ISO 3166, two letters) of numbers written without +"
    )
    purpose: str = Field(default="calls", pattern=f"^{NAME}$", description="consent to what")
    granted: ExpressionText | None = Field(
        default=None, description="JMESPath: whether the consent was given (else: withdrawn)"
    )
    text: TemplateText | None = Field(
        default=None, description="the words that were agreed to, or the name of their version"
    )
    expires_after: Duration | None = Field(
        default=None, description="how long a consent counts; left out: until it is withdrawn"
    )


class Cap(NamedTuple):
    """At most so many calls within a time; written `3/24h`."""

    calls: int
    window: timedelta
    text: str


def _caps(value: Any) -> Any:
    caps = []
    for text in value if isinstance(value, list) else [value]:
        count, _, window = text.partition("/") if isinstance(text, str) else ("", "", "")
        span = parse_duration(window)
        held = span is not None and timedelta(0) < span <= LONGEST_CAP
        if not re.fullmatch(r"[1-9][0-9]{0,5}", count) or span is None or not held:
            message = f"{text!r} is no cap: write '3/24h', with a time of 31d at most"
            raise ValueError(message)
        caps.append(Cap(int(count), span, text))
    return tuple(caps)


def _caps_or_none(value: Any) -> Any:
    return () if value == "none" else _caps(value)


def _gap(value: Any) -> Any:
    return None if value == "none" else _duration(value)


def _hours(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str | dict):
        message = "write 'default', 'any', '09:00-20:00', or a table by weekday"
        raise ValueError(message)  # noqa: TRY004 - pydantic reads ValueError
    named = (info.context or {}).get("calling_hours")
    tables = named.items() if isinstance(named, dict) else ()
    return parse_hours(value, {name: table for name, table in tables if isinstance(table, dict)})


def _country(code: str) -> str:
    if code not in phone.COUNTRIES:
        message = f"{code!r} is not a country's code of two capital letters, like 'US'"
        raise ValueError(message)
    return code


def _name_of_hours(name: str) -> str:
    if name in {"default", "any"}:
        message = f"{name!r} has a meaning of its own: give the table another name"
        raise ValueError(message)
    return name


def _table_of_hours(table: dict[str, Any]) -> dict[str, Any]:
    parse_hours(table)
    return table


def _consent(value: Any) -> Any:
    """The name of a recorded consent's purpose, or an expression over the payload."""
    recorded = re.fullmatch(rf"recorded:({NAME})", value) if isinstance(value, str) else None
    if recorded:
        return recorded[1]
    match = _LONE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        message = "write '{{ JMESPath }}' that must hold, or 'recorded:PURPOSE'"
        raise ValueError(message)
    return compile_expression(match[1])


# Of no more digits than every reader of JSON keeps.
AGENT_ID = re.compile(r"0*[1-9][0-9]{0,14}")
_LONE = re.compile(r"\s*\{\{(.*)\}\}\s*", re.DOTALL)
LONGEST_CAP = timedelta(days=31)
HoursSetting = Annotated[
    InstanceOf[Hours],
    BeforeValidator(_hours),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}),
]
HoursName = Annotated[str, AfterValidator(_name_of_hours)]
HoursTable = Annotated[dict[str, Any], AfterValidator(_table_of_hours)]
Caps = Annotated[
    tuple[Cap, ...],
    BeforeValidator(_caps_or_none),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}),
]
Gap = Annotated[
    timedelta | None,
    BeforeValidator(_gap),
    WithJsonSchema({"type": "string", "pattern": "^([0-9]{1,6}[smhd]|none)$"}),
]
ConsentSetting = Annotated[Expression | str, BeforeValidator(_consent), WithJsonSchema(_TEXT)]


class Policy(_Table):
    """When the call may be made."""

    purpose: Purpose = Field(
        default="marketing",
        description="what the call is for, which the law asks: 'marketing' (to sell), 'service'"
        " (about the person's own order, booking, enquiry or account), or 'collection' (a debt)",
    )
    calling_hours: HoursSetting = Field(
        default_factory=default_hours,
        description="when the phone may ring, in the recipient's time: 'default' (by place and"
        " purpose), '09:00-20:00', a table by weekday, or the name of one in [calling_hours], each"
        " cut to the law of the place; or 'any', which asks no law",
        json_schema_extra={"default": "default"},
    )
    after: Duration | None = Field(
        default=None, description="how long to wait after the event before ringing"
    )
    restart: bool = Field(
        default=False,
        description="a further event of the same key starts the wait anew",
    )
    at: TemplateText | None = Field(
        default=None, description="the time of an appointment, e.g. {{ start_time }}"
    )
    before: Duration | None = Field(
        default=None, description="how long before the appointment to ring"
    )
    once: bool = Field(
        default=False,
        description="an appointment that is moved after its reminder is not reminded of again",
    )
    cancelled_by: tuple[str, ...] = Field(
        default=(),
        strict=False,
        description="topics of the source, or names of routes, that end its waiting call",
    )
    max_calls: Caps = Field(
        default=_caps("3/24h"),
        description="at most so many calls to a number, over all routes: '3/24h', or a list, or"
        " 'none'; caps that the law of a place sets hold besides",
        json_schema_extra={"default": "3/24h"},
    )
    gap: Gap = Field(
        default=timedelta(minutes=15),
        description="how long after the last call to a number the next one rings at the earliest,"
        " over all routes; or 'none'",
        json_schema_extra={"default": "15m"},
    )
    consent: ConsentSetting | None = Field(
        default=None,
        description="{{ JMESPath }} that must hold, or 'recorded:PURPOSE' for a consent that a"
        " route with action = 'consent' recorded",
    )
    key: TemplateText | None = Field(
        default=None,
        description="one call per value of this, whatever the number of events; else one per event",
    )
    replaces: TemplateText | None = Field(
        default=None,
        description="the key of the call that this one takes the place of, where the sender gives"
        " what it moves a new id: that call ends",
    )
    expires_after: Duration = Field(
        default=timedelta(days=5),
        description="how long after the event, by the sender's clock, it is too late to ring",
        json_schema_extra={"default": "5d"},
    )
    on_uncertain: Literal["leave", "redial"] = Field(
        default="leave",
        description="when it cannot be learnt whether the phone rang: leave it, or ring (again)",
    )
    retention: Duration | None = Field(
        default=None,
        description="how long the ledger keeps its calls after their last change; else the stack's"
        " RetentionDays",
    )
    test_events: Literal["suppress", "ring"] = Field(
        default="suppress", description="whether events that the provider marks as tests ring"
    )

    @field_validator("key", "at", "replaces")
    @classmethod
    def _is_of_the_event(cls, template: Template | None) -> Template | None:
        if template is not None and template.is_literal:
            message = "is the same for every event: write {{ JMESPath }} over the payload"
            raise ValueError(message)
        return template

    @field_validator("expires_after")
    @classmethod
    def _is_a_while(cls, span: timedelta) -> timedelta:
        if not span:
            message = "must be more than nothing, or no call is ever made in time"
            raise ValueError(message)
        return span

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Which settings contradict others, and how to say so."""
        if self.at is not None and self.before is None:
            yield "at", "needs policy.before: how long before the appointment to ring"
        if self.before is not None and self.at is None:
            yield "before", "needs policy.at: the time of the appointment"
        if self.at is not None and self.after is not None:
            yield "after", "waits from the event, policy.at until an appointment: choose one"
        if self.restart and self.after is None:
            yield "restart", "needs policy.after: the wait to start anew"
        for name in ("restart", "cancelled_by", "replaces", "at"):
            if getattr(self, name) and self.key is None:
                yield name, "needs a policy.key: which call is meant"
        # A sender may send again until then, and the ledger is what tells that it does.
        if self.retention is not None and self.retention < self.expires_after:
            yield "retention", "is shorter than policy.expires_after: keep a call until then"


class Route(_Table):
    """The rule that turns an event into a call."""

    name: str = Field(pattern=f"^{NAME}$", description="how logs and the ledger call it")
    source: str = Field(description="the source whose events it takes")
    on: tuple[str, ...] | None = Field(
        default=None, strict=False, min_length=1, description="the topics; left out: all of them"
    )
    when: ExpressionText | None = Field(
        default=None, description="JMESPath over the payload that must hold"
    )
    action: Literal["call", "suppress", "consent"] = Field(
        default="call",
        description="ring; or put the number on the do-not-call list; or record a consent",
    )
    call: CallTemplate | None = None
    record: RecordTemplate | None = None
    policy: Policy = Field(default_factory=Policy)

    @model_validator(mode="after")
    def _is_whole(self) -> Route:
        """What goes together, and what does not."""
        for wrong, message in (
            (
                self.action == "call" and (self.call is None or self.record is not None),
                "a route that rings has [routes.call], and no [routes.record]",
            ),
            (
                self.action != "call" and (self.record is None or self.call is not None),
                f"action = {self.action!r} needs [routes.record], and no [routes.call]",
            ),
            (
                self.action == "consent" and (self.record is None or self.record.granted is None),
                "action = 'consent' needs `granted` in [routes.record]",
            ),
        ):
            if wrong:
                raise ValueError(message)
        return self


class Closed(_Table):
    """Days on which nobody of a country, or of a part of it, is rung."""

    country: Annotated[str, AfterValidator(_country)] = Field(
        description="country (ISO 3166, two letters)"
    )
    part: str | None = Field(
        default=None,
        pattern="^[A-Z0-9]{1,3}$",
        description="its state or province, as ISO 3166-2 has it after the country",
    )
    first: date = Field(alias="from", description="the first day, by the clock there")
    last: date = Field(alias="until", description="the last day")
    reason: str = Field(min_length=1, description="why, for who asks about a call")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Closed:
        if self.last < self.first:
            message = f"until {self.last} is before from {self.first}"
            raise ValueError(message)
        return self


class _File(_Table):
    """Which webhooks ring whom."""

    countries: frozenset[str] = Field(
        strict=False,
        min_length=1,
        description="countries (ISO 3166) this deployment may ring at all",
    )
    max_calls_per_day: int | None = Field(
        default=None, ge=1, description="at most so many calls a day (UTC), over all numbers"
    )
    require_consent: bool = Field(
        default=False, description="whether every route that rings must have policy.consent"
    )
    closures: tuple[Closed, ...] = Field(
        default=(), strict=False, description="days on which nobody of a country is rung"
    )
    calling_hours: dict[HoursName, HoursTable] = Field(
        default_factory=dict, description="named tables of hours, for policy.calling_hours"
    )
    sources: dict[Annotated[str, Field(pattern=f"^{NAME}$")], dict[str, Any]] = Field(
        min_length=1, description="who sends webhooks, by the name in /hooks/{name}"
    )
    routes: tuple[Route, ...] = Field(strict=False, description="what becomes a call")

    @field_validator("countries")
    @classmethod
    def _are_countries(cls, countries: frozenset[str]) -> frozenset[str]:
        return frozenset(map(_country, sorted(countries)))


@dataclass(frozen=True, slots=True)
class Connection:
    """A source with its provider, as its settings adapt it, and what it fetches for its events."""

    source: Source
    provider: Provider
    lookups: tuple[Lookup, ...] = ()


@dataclass(frozen=True, slots=True)
class Routes:
    """A whole, checked `routes.toml`. `warnings` are for the person who edits it."""

    countries: frozenset[str]
    sources: dict[str, Connection]
    routes: tuple[Route, ...]
    max_calls_per_day: int | None = None
    closures: tuple[ClosedDays, ...] = ()
    warnings: list[Problem] = field(default_factory=list)

    def of(self, source: str) -> tuple[Route, ...]:
        """The routes that take this source's events."""
        return tuple(route for route in self.routes if route.source == source)

    @property
    def need_a_ledger(self) -> list[str]:
        """The guards that the file states and that only a ledger can keep."""
        stated = ["max_calls_per_day"] if self.max_calls_per_day is not None else []
        for route in self.routes:
            policy = route.policy
            said = {
                "policy.max_calls": "max_calls" in policy.model_fields_set and policy.max_calls,
                "policy.gap": "gap" in policy.model_fields_set and policy.gap,
                "policy.consent": isinstance(policy.consent, str),
                "action": route.action != "call",
            }
            stated += [f"{name} of route {route.name}" for name, is_said in said.items() if is_said]
        return stated

    def named(self, name: str) -> Route | None:
        """The route of this name, if it is still there."""
        return next((route for route in self.routes if route.name == name), None)


def load(text: str) -> Routes:
    """Read and check the text of a `routes.toml`. Raises RoutesError with all that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        raise RoutesError([Problem(line, "", f"not TOML: {error}")]) from error
    try:
        file = _File.model_validate(document, context=document)
    except ValidationError as error:
        raise RoutesError(list(_problems(error, text))) from error
    sources, problems = _connect(file, text)
    warnings: list[Problem] = []
    for index, route in enumerate(file.routes):
        problems += _conflicts(file, index, text)
        warnings += _negations(route, index, text)
        if route.source in sources:
            wrong, doubtful = _topics(file, index, sources[route.source].provider, text)
            problems += wrong
            warnings += doubtful
        elif route.source not in file.sources:
            message = f"there is no source {route.source!r}{_nearest(route.source, file.sources)}"
            problems.append(_at(text, ("routes", index, "source"), message))
    for name, connection in sources.items():
        topics = {topic for lookup in connection.lookups for topic in lookup.topics}
        at = ("sources", name, "enrich", "on")
        warnings += _doubtful(sorted(topics), connection.provider, at, text)
    if problems:
        raise RoutesError(problems)
    closures = tuple(
        ClosedDays(one.country, one.part, one.first, one.last, one.reason) for one in file.closures
    )
    return Routes(file.countries, sources, file.routes, file.max_calls_per_day, closures, warnings)


def _connect(file: _File, text: str) -> tuple[dict[str, Connection], list[Problem]]:
    """Find each source's provider and let it read its settings."""
    sources: dict[str, Connection] = {}
    problems: list[Problem] = []
    for name, settings in file.sources.items():
        kind = settings.get("provider")
        try:
            provider = providers.find(str(kind))
        except KeyError:
            known = providers.names()
            message = (
                f"there is no provider {kind!r}{_nearest(str(kind), known)}: {', '.join(known)}"
            )
            if isinstance(kind, str) and kind in providers.SERVED_BY:
                message = f"{kind} is served by provider = {providers.SERVED_BY[kind]!r}"
            if kind is None:
                message = f"say which provider it is: {', '.join(known)}"
            problems.append(_at(text, ("sources", name, "provider"), message))
            continue
        try:
            source = provider.settings.model_validate(settings)
        except ValidationError as error:
            problems += _problems(error, text, ("sources", name))
            continue
        adapted = provider.adapt(provider, source)
        if source.zone:
            adapted = replace(adapted, zone=source.zone)
        lookups, wrong = _lookups(name, source, adapted, text)
        problems += wrong
        sources[name] = Connection(source, adapted, lookups)
    return sources, problems


def _lookups(
    name: str, source: Source, provider: Provider, text: str
) -> tuple[tuple[Lookup, ...], list[Problem]]:
    """What a source says of how the rest of its events is fetched: one way, or several in turn."""
    found: tuple[Lookup, ...] = ()
    problems: list[Problem] = []
    listed = isinstance(source.enrich, list)
    ways = source.enrich if listed else [source.enrich] if source.enrich is not None else []
    for index, written in enumerate(ways):
        place: tuple[str | int, ...] = ("sources", name, "enrich")
        place += (index,) if listed else ()
        try:
            found += enrichment.lookups(written, provider, tenant=source.tenant, source=name)
        except ValidationError as error:
            problems += _problems(error, text, place)
        except ValueError as error:
            place += ("url",) if isinstance(written, dict) else ()
            problems.append(_at(text, place, str(error)))
    return found, problems


def _conflicts(file: _File, index: int, text: str) -> Iterator[Problem]:
    route = file.routes[index]
    if any(other.name == route.name for other in file.routes[:index]):
        yield _at(text, ("routes", index, "name"), f"two routes are called {route.name!r}")
    if file.require_consent and route.action == "call" and route.policy.consent is None:
        message = "is missing, and require_consent is true"
        yield _at(text, ("routes", index, "policy", "consent"), message)
    for name, message in route.policy.conflicts():
        yield _at(text, ("routes", index, "policy", name), message)
    if both := set(route.on or ()) & set(route.policy.cancelled_by):
        message = f"{min(both)!r} is in policy.cancelled_by too, so it never rings: leave out one"
        yield _at(text, ("routes", index, "on"), message)
    place = ("routes", index, "policy", "cancelled_by")
    for other in file.routes:
        if other.name in route.policy.cancelled_by and other.policy.key is None:
            message = f"route {other.name!r} has no policy.key, so it cannot say which call to end"
            yield _at(text, place, message)


def _negations(route: Route, index: int, text: str) -> Iterator[Problem]:
    """The conditions in which a `!` takes less than it seems to."""
    conditions = {
        ("when",): route.when,
        ("policy", "consent"): route.policy.consent,
        ("record", "granted"): route.record and route.record.granted,
    }
    for place, condition in conditions.items():
        if isinstance(condition, Expression) and condition.negates_too_little:
            message = "`!` takes only what is next to it: !a.b is always null, write !(a.b)"
            yield _at(text, ("routes", index, *place), message)


def _topics(
    file: _File, index: int, provider: Provider, text: str
) -> tuple[list[Problem], list[Problem]]:
    """What is wrong, and what is doubtful, about the topics that a route waits for."""
    route = file.routes[index]
    wrong: list[Problem] = []
    doubtful: list[Problem] = []
    place = ("routes", index, "on")
    if route.on and not provider.has_topics:
        message = (
            f"source {route.source!r} has no topics, so this route is never reached:"
            " leave `on` out, or say where the topic is with the source's `topic`"
        )
        wrong.append(_at(text, place, message))
    for topic in route.on or ():
        reason = provider.never.get(topic)
        if reason and (route.action == "call" or topic in provider.privacy):
            message = f"{topic!r} never rings anybody ({reason}), so this route is never reached"
            wrong.append(_at(text, place, message))
        else:
            doubtful += _doubtful([topic], provider, place, text)
    names = {other.name for other in file.routes}
    ends = [one for one in route.policy.cancelled_by if one not in names]
    ending = ("routes", index, "policy", "cancelled_by")
    doubtful += _doubtful(ends, provider, ending, text)
    doubtful += _powerless(ends, provider, ending, text)
    if route.record:
        doubtful += _powerless(route.on or (), provider, place, text)
    return wrong, doubtful


def _powerless(
    topics: Iterable[str], provider: Provider, place: tuple[str | int, ...], text: str
) -> Iterator[Problem]:
    """The topics that may end nothing, for nobody signs them and no body tells them.

    Of one that the provider is not known to send, that is said instead.
    """
    for topic in topics if provider.hints_topics else ():
        if topic not in provider.shapes and (topic in provider.topics or not provider.topics):
            message = (
                f"nobody signs the topic {topic!r}, and what its body looks like is not known, so"
                " it has no effect here: name a route whose `when` says what the body holds"
            )
            yield _at(text, place, message)


def _doubtful(
    topics: Iterable[str], provider: Provider, place: tuple[str | int, ...], text: str
) -> Iterator[Problem]:
    """The topics that a provider is not known to send."""
    for topic in topics:
        if provider.topics and topic not in provider.topics:
            near = _nearest(topic, provider.topics)
            message = f"{provider.title} is not known to send {topic!r}{near}"
            yield _at(text, place, message)


def _nearest(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _problems(
    error: ValidationError, text: str, inside: tuple[str | int, ...] = ()
) -> Iterator[Problem]:
    """Pydantic's findings in the words of the file, each once, with its line."""
    seen = set()
    for finding in error.errors():
        # A union's branches stand in the place too ("int", "function-before[…]"): they are no keys.
        place = inside + tuple(p for p in finding["loc"] if not _is_branch(p))
        if place in seen or (finding["type"] == "too_short" and finding["input"]):
            continue
        seen.add(place)
        message = finding["msg"].removeprefix("Value error, ")
        yield _at(text, place, _WORDS.get(finding["type"], message))


# Pydantic speaks of Python's types; who edits the file writes TOML's.
_WORDS = {
    "bool_type": "must be true or false",
    "dataclass_exact_type": "must be text in quotes",
    "dict_type": "must be a table",
    "extra_forbidden": "there is no such key: remove it, or correct its name",
    "finite_number": "must be a finite number",
    "frozen_set_type": "must be a list, in [ ]",
    "int_type": "must be a whole number, without quotes",
    "missing": "is missing",
    "model_type": "must be a table",
    "string_type": "must be text in quotes",
    "too_short": "is empty: write one at least",
    "tuple_type": "must be a list, in [ ]",
}


def _is_branch(part: str | int) -> bool:
    return isinstance(part, str) and (
        part in {"int", "float", "bool", "[key]"} or part.startswith(("function-", "is-instance["))
    )


def _at(text: str, place: tuple[str | int, ...], message: str) -> Problem:
    return Problem(line_of(text, place), _spoken(place), message)


def _spoken(place: tuple[str | int, ...]) -> str:
    spoken = ""
    for part in place:
        spoken += f"[{part}]" if isinstance(part, int) else f"{'.' if spoken else ''}{part}"
    return spoken


_STRING_OR_COMMENT = re.compile(
    r'''"""(?:\\[\s\S]|[^\\])*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#.*'''
)
_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)


def line_of(text: str, place: tuple[str | int, ...]) -> int:
    """The line (from 1) where this key stands, or else the nearest table around it; 0 if none.

    The standard library's parser keeps no positions; this reads just the headers and keys.
    """
    best, best_length = 0, 0
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str | int, ...], int] = {}
    # Lines of a text of several are neither headers nor keys, whatever they look like.
    bare = _STRING_OR_COMMENT.sub(lambda m: "\n" * m[0].count("\n") or m[0], text)
    for number, line in enumerate(bare.split("\n"), start=1):
        if header := _HEADER.match(line):
            table = _resolve(_keys(header[2]), counts, new=header[1] == "[[")
            path = table
        elif key := _KEY.match(line):
            path = table + tuple(_keys(key[1]))
        else:
            continue
        # A dotted key or header that goes further down is where the table on its way begins.
        path = path[: len(place)]
        if path == place[: len(path)] and len(path) > best_length:
            best, best_length = number, len(path)
    return best


def _keys(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", dotted)]


def _resolve(
    names: list[str], counts: dict[tuple[str | int, ...], int], *, new: bool
) -> tuple[str | int, ...]:
    """A header's path with the index of each array of tables that it goes through."""
    path: tuple[str | int, ...] = ()
    for position, name in enumerate(names):
        path += (name,)
        if new and position == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (counts[path],)
    return path


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `routes.toml`, for editors: every provider's settings included."""
    schema = _File.model_json_schema()
    schema["$defs"]["Enrichment"] = enrichment.Enrichment.model_json_schema()
    options = []
    for name in providers.names():
        provider = providers.find(name)
        option = provider.settings.model_json_schema()
        option["title"] = provider.title
        option["properties"]["provider"] = {"const": name, "description": provider.title}
        if provider.enrich_hosts:
            table = {"$ref": "#/$defs/Enrichment"}
            option["properties"]["enrich"] |= enrichment.json_schema(provider, table)
        else:
            del option["properties"]["enrich"]
        options.append(option)
    schema["properties"]["sources"]["additionalProperties"] = {"oneOf": options}
    schema["properties"]["sources"].pop("patternProperties", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Ringhook routes",
    }
