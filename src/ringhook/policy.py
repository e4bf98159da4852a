"""May this phone ring now? A pure function of the call, its route, what is known and the time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ringhook import clock, phone, zones
from ringhook.calling_hours import ANY, LIMIT, closure, next_permitted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringhook.calls import Call
    from ringhook.routes import Policy, Route, Routes


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person said of being called for a purpose, and how it is known."""

    granted: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a number: `rung` says when each call to it was made (epoch seconds).

    `do_not_call` is why it may not be rung at all; `forgotten_at` is when its person was erased
    (epoch seconds; 0: never); `today` counts the whole deployment's calls of the day (UTC);
    `version` is the ledger's.
    """

    do_not_call: str = ""
    consents: Mapping[str, Consent] = field(default_factory=dict)
    rung: Mapping[str, float] = field(default_factory=dict)
    today: int = 0
    version: int = 0
    forgotten_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Defer:
    """Ring at `until` (and ask again then), because."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Suppress:
    """Never ring for this call, because."""

    reason: str


Decision = Ring | Defer | Suppress


def decide(call: Call, routes: Routes, history: History, now: datetime) -> Decision:
    """Hold a call to its route's policy as it stands at the moment of dialling.

    What forbids the call for good is asked before what only puts it off; and a call that would be
    put off past its expiry is suppressed at once, so that every wait is bounded.
    """
    route = routes.named(call.route)
    if route is None:
        return Suppress(f"route {call.route!r} is no longer in routes.toml")
    if reason := _forbidden(call, route, routes, history):
        return Suppress(reason)
    expires_at = expiry(call, route.policy)
    if now > expires_at:
        age = _spoken(now - (call.appointment or call.occurred_at))
        what = "the appointment was" if call.appointment else "the event is"
        limit = _spoken(route.policy.expires_after)
        return Suppress(f"expired: {what} {age} ago; expires_after is {limit}")
    hours = _until_permitted(call, route.policy, now)
    if isinstance(hours, Suppress):
        return hours
    put_off = (_until_due(call, now), hours, _until_budget(routes, history, now))
    waits = [one for one in put_off if isinstance(one, Defer)]
    if isinstance(hours, Ring) and not waits:
        return _capped(route.policy, call, history, now) or hours
    wait = max(waits, key=lambda one: one.until)
    if wait.until > expires_at:
        return Suppress(f"cannot be made before it expires at {_moment(expires_at)}: {wait.reason}")
    return wait


def expiry(call: Call, policy: Policy) -> datetime:
    """When it is too late to ring: counted from the event, the wait, or the appointment."""
    if call.appointment:
        return call.appointment
    return max(call.occurred_at, call.ring_at or call.occurred_at) + policy.expires_after


def _forbidden(call: Call, route: Route, routes: Routes, history: History) -> str | None:
    policy = route.policy
    if call.test and policy.test_events == "suppress":
        return 'a test event; test_events = "ring" would let it ring'
    if objection := phone.objection(call.phone_number, routes.countries):
        return objection
    if history.do_not_call:
        return f"the number is on the do-not-call list: {history.do_not_call}"
    return _without_consent(call, policy, history)


def _without_consent(call: Call, policy: Policy, history: History) -> str | None:
    if policy.consent is None:
        return None
    if isinstance(policy.consent, str):
        consent = history.consents.get(policy.consent)
        if consent is None:
            return f"no consent to {policy.consent!r} is recorded for the number"
        if not consent.granted:
            return f"consent to {policy.consent!r} was refused or withdrawn: {consent.evidence}"
        return None
    return None if call.consent else f"no consent: {call.consent_evidence}"


def _until_due(call: Call, now: datetime) -> Defer | None:
    if call.ring_at is None or now >= call.ring_at:
        return None
    return Defer(call.ring_at, f"waits until {_moment(call.ring_at)}, as the route says")


def _until_permitted(call: Call, policy: Policy, now: datetime) -> Decision:
    hours = policy.calling_hours
    if hours == ANY:
        return Ring("at any hour, as the route says")
    # A wait that is over may end in a closed hour: what counts is the later of now and due.
    moment = max(now, call.ring_at or now)
    where = zones.places(
        call.phone_number,
        time_zone=call.time_zone or None,
        address=zones.Address(call.country, call.province, call.postal_code)
        if call.country or call.province or call.postal_code
        else None,
    )
    if isinstance(where, zones.Nowhere):
        return Suppress(f"where the phone is cannot be told: {where.reason}")
    doubts = "".join(f"; {doubt}" for doubt in where.doubts)
    shut = closure(moment, where.places, hours, "marketing")
    if shut is None:
        # Where the phone may be, from the earliest clock there to the latest.
        walls = [moment.astimezone(clock.zone(place.zone)) for place in where.places]
        local = [(wall.replace(tzinfo=None), str(wall.tzinfo)) for wall in walls]
        clocks = dict.fromkeys(_clock(moment, zone) for _, zone in (min(local), max(local)))
        return Ring(f"{' to '.join(clocks)} is within calling hours {hours.text}{doubts}")
    opens = next_permitted(moment, where.places, hours, "marketing")
    if opens is None:
        return Suppress(f"no permitted hour comes within {LIMIT.days} days: {shut.text}{doubts}")
    return Defer(opens, f"until {_clock(opens, shut.place.zone)}: {shut.text}{doubts}")


def _until_budget(routes: Routes, history: History, now: datetime) -> Defer | None:
    if routes.max_calls_per_day is None or history.today < routes.max_calls_per_day:
        return None
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    reason = f"max_calls_per_day: {history.today} calls were made today (UTC)"
    return Defer(tomorrow, reason)


def _capped(policy: Policy, call: Call, history: History, now: datetime) -> Suppress | None:
    """Whether any cap is reached; the call's own earlier attempts do not count against it."""
    for cap in policy.max_calls:
        oldest = (now - cap.window).timestamp()
        made = sum(at > oldest for call_id, at in history.rung.items() if call_id != call.call_id)
        if made >= cap.calls:
            return Suppress(
                f"max_calls {cap.text}: the number was rung {made} times within that time"
            )
    return None


def _spoken(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _clock(at: datetime, zone: str) -> str:
    return f"{at.astimezone(clock.zone(zone)):%a %d %b %H:%M} ({zone})"


def _moment(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="minutes")
