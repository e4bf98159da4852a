"""What `routes.toml` asks for: its routes, sources and rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from ringhook import clock
from ringhook.reading.expressions import Template
from ringhook.reading.tables import Check, Field, Table
from ringhook.routing.route_values import (
    AGENT_ID,
    NAME,
    Caps,
    ConsentSetting,
    Duration,
    ExpressionText,
    FiniteNumber,
    Gap,
    HoursSetting,
    TemplateText,
    WrittenHours,
    read_caps,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from ringhook.deciding.calling_hours import ClosedDays, Hours
    from ringhook.errors import Problem
    from ringhook.routing.notify import Notify
    from ringhook.senders.enrichment import Lookup
    from ringhook.senders.providers import Provider, Source


def _agent(agent: Template | int) -> Template | int:
    written = agent.text if isinstance(agent, Template) and agent.is_literal else agent
    if not isinstance(written, Template) and not AGENT_ID.fullmatch(str(written)):
        message = f"{written!r} is not an agent's number: write it, or {{{{ JMESPath }}}}"
        raise ValueError(message)
    return agent


def _waits(waits: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
    if not all(waits):
        message = "must be more than nothing: a line that is busy is so for a while"
        raise ValueError(message)
    return waits


def _of_the_event(template: Template) -> Template:
    if template.is_literal:
        message = "is the same for every event: write {{ JMESPath }} over the payload"
        raise ValueError(message)
    return template


def _while(span: timedelta) -> timedelta:
    if not span:
        message = "must be more than nothing, or no call is ever made in time"
        raise ValueError(message)
    return span


def _time_to_end(span: timedelta) -> timedelta:
    if not timedelta(minutes=1) <= span <= timedelta(days=14):
        message = "must be from 1m, so that a call can be over, to 14d"
        raise ValueError(message)
    return span


OfTheEvent = Annotated[TemplateText, Check(_of_the_event)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTemplate(Table):
    """What the call is made of: fields of the payload, or text."""

    agent_id: Annotated[TemplateText | int, Check(_agent)] = Field(
        description="the agent that speaks: its number"
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
    metadata: dict[str, TemplateText | int | FiniteNumber | bool] = Field(
        default_factory=dict, description="what the agent is told; nothing else reaches it"
    )
    account: str = Field(
        default="default", description="which API token makes the call, where there are several"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTemplate(Table):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Redial(Table):
    """When a call is made again of which nobody had anything."""

    on: tuple[Literal["no_answer", "busy", "voicemail"], ...] = Field(
        strict=False,
        min_length=1,
        description="the outcomes after which it is; what was rejected, failed or is unknown is not"
        " rung again",
    )
    after: Annotated[tuple[Duration, ...], Check(_waits)] = Field(
        strict=False,
        min_length=1,
        description="how long after one attempt the next one follows, for each that may follow",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Table):
    """When the call may be made."""

    purpose: Literal["marketing", "service", "collection"] = Field(
        default="marketing",
        description="what the call is for, which the law asks: 'marketing' (to sell), 'service'"
        " (about the person's own order, booking, enquiry or account), or 'collection' (a debt)",
    )
    written_hours: HoursSetting = Field(
        default=WrittenHours('"default"'),
        alias="calling_hours",
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
    at: OfTheEvent | None = Field(
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
        default=read_caps("3/24h"),
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
    key: OfTheEvent | None = Field(
        default=None,
        description="one call per value of this, whatever the number of events; else one per event",
    )
    replaces: OfTheEvent | None = Field(
        default=None,
        description="the key of the call that this one takes the place of, where the sender gives"
        " what it moves a new id: that call ends",
    )
    expires_after: Annotated[Duration, Check(_while)] = Field(
        default=timedelta(days=5),
        description="how long after the event, by the sender's clock, it is too late to ring",
        json_schema_extra={"default": "5d"},
    )
    on_uncertain: Literal["leave", "redial"] = Field(
        default="leave",
        description="when it cannot be learnt whether the phone rang: leave it, or ring (again)",
    )
    redial: Redial | None = Field(
        default=None,
        description="when the call is made again after nobody answered, by the whole policy",
    )
    outcome_deadline: Annotated[Duration, Check(_time_to_end)] = Field(
        default=timedelta(hours=6),
        description="how long after it rang it is asked how a call ended; then that is unknown",
        json_schema_extra={"default": "6h"},
    )
    retention: Duration | None = Field(
        default=None,
        description="how long the ledger keeps its calls after their last change; else the stack's"
        " RetentionDays",
    )
    test_events: Literal["suppress", "ring"] = Field(
        default="suppress", description="whether events that the provider marks as tests ring"
    )

    @property
    def calling_hours(self) -> Hours:
        """When the phone may ring."""
        return self.written_hours.hours

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
        if self.redial and sum(self.redial.after, timedelta()) > self.expires_after:
            yield "redial", "waits longer than policy.expires_after: the last attempt is too late"
        # A sender may send again until then, and the ledger is what tells that it does.
        if self.retention is not None and self.retention < self.expires_after:
            yield "retention", "is shorter than policy.expires_after: keep a call until then"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Table):
    """The rule that turns an event into a call."""

    name: str = Field(pattern=f"^{NAME}$", description="how logs and the ledger call it")
    was: str | None = Field(
        default=None,
        pattern=f"^{NAME}$",
        description="the name that it had first: its calls under that name stay its own",
    )
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
    notify: tuple[str, ...] | None = Field(
        default=None,
        strict=False,
        max_length=10,
        description="which of [notify.NAME] are told how its calls end; left out: those with"
        " default = true",
    )

    @property
    def first_name(self) -> str:
        """By what its calls are known, whatever it is called now."""
        return self.was or self.name

    def __post_init__(self) -> None:
        """What goes together, and what does not. Raises ValueError."""
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


@dataclass(frozen=True, slots=True)
class Connection:
    """A source with its provider, as its settings adapt it, and what it fetches for its events."""

    source: Source
    provider: Provider
    lookups: tuple[Lookup, ...] = ()


@dataclass(frozen=True, slots=True)
class Routes:
    """A whole, checked `routes.toml`. `warnings` are for the person who edits it.

    `stated`: what each route says of its policy, where the rest is left to what we think best.
    """

    countries: frozenset[str]
    sources: dict[str, Connection]
    routes: tuple[Route, ...]
    max_calls_per_day: int | None = None
    time_zone: str = "UTC"
    closures: tuple[ClosedDays, ...] = ()
    notify: dict[str, Notify] = field(default_factory=dict)
    stated: dict[str, frozenset[str]] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)

    _by_source: dict[str, list[Route]] = field(init=False, repr=False, compare=False)
    _ended_by: dict[str, list[Route]] = field(init=False, repr=False, compare=False)
    _by_name: dict[str, Route] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look through all routes once, so that an event looks through its own source's alone."""
        by_source: dict[str, list[Route]] = {}
        ended_by: dict[str, list[Route]] = {}
        by_name = {route.was: route for route in reversed(self.routes) if route.was}
        by_name |= {route.name: route for route in reversed(self.routes)}
        for route in self.routes:
            by_source.setdefault(route.source, []).append(route)
            ends = route.policy.cancelled_by
            tell = {by_name[name].source for name in ends if name in by_name}
            for source in tell | {route.source} if ends else ():
                ended_by.setdefault(source, []).append(route)
        object.__setattr__(self, "_by_source", by_source)
        object.__setattr__(self, "_ended_by", ended_by)
        object.__setattr__(self, "_by_name", by_name)

    @property
    def zone(self) -> tzinfo:
        """The clock by which this deployment's days begin."""
        return clock.zone(self.time_zone)

    def of(self, source: str) -> Sequence[Route]:
        """The routes that take this source's events."""
        return self._by_source.get(source, ())

    def ended_by(self, source: str) -> Sequence[Route]:
        """The routes whose waiting calls this source's events may end."""
        return self._ended_by.get(source, ())

    @property
    def need_a_ledger(self) -> list[str]:
        """The guards that the file states and that only a ledger can keep."""
        stated = ["max_calls_per_day"] if self.max_calls_per_day is not None else []
        for route in self.routes:
            policy = route.policy
            keys = self.stated.get(route.name, frozenset())
            said = {
                "policy.max_calls": "max_calls" in keys and policy.max_calls,
                "policy.gap": "gap" in keys and policy.gap,
                "policy.consent": isinstance(policy.consent, str),
                "action": route.action != "call",
            }
            stated += [f"{name} of route {route.name}" for name, is_said in said.items() if is_said]
        return stated

    def told_of(self, route: Route) -> tuple[str, ...]:
        """Whom to tell how the calls of this route end, by name."""
        if route.notify is not None:
            return route.notify
        return tuple(name for name, one in self.notify.items() if one.default)

    def named(self, name: str) -> Route | None:
        """The route that has this name, or had it, if it is still there."""
        return self._by_name.get(name)
