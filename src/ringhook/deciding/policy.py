"""May this phone ring now? A pure function of the call, its route, what is known and the time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from ringhook import clock
from ringhook.deciding import zones
from ringhook.deciding.calling_hours import (
    ANY,
    LIMIT,
    PlaceCap,
    caps_at,
    closure,
    consent_at,
    next_permitted,
    rests_on,
)
from ringhook.reading import phone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringhook.calls.call import Call
    from ringhook.calls.consents import Consent
    from ringhook.deciding.zones import Place
    from ringhook.routing.route_values import Cap
    from ringhook.routing.routes import Policy, Route, Routes

# A rule can put a call off to a moment that another forbids; so often at most.
_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a number: `rung` says when each call to it was made (epoch seconds).

    `do_not_call` is why it may not be rung at all; `today` counts the whole deployment's calls of
    the day (UTC); `version` is the ledger's; `forgotten_at` is when its person was erased (epoch
    seconds; 0: never).
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
    put off past its expiry is suppressed at once, so that every wait is bounded. What puts it off
    is asked of each moment that another rule puts it off to: then it rings at that moment, as far
    as is known now.
    """
    route = routes.named(call.route)
    if route is None:
        return Suppress(f"route {call.route!r} is no longer in routes.toml")
    where = _where(call)
    nowhere = where.reason if isinstance(where, zones.Nowhere) else ""
    places, doubts = ((), ()) if isinstance(where, zones.Nowhere) else (where.places, where.doubts)
    if reason := _forbidden(call, route, routes, history, now) or _unlawful(route, places, now):
        return Suppress(reason)
    expires_at = expiry(call, route.policy)
    if now > expires_at:
        age = _span(now - (call.appointment or call.occurred_at))
        what = "the appointment was" if call.appointment else "the event is"
        limit = _span(route.policy.expires_after)
        return Suppress(f"expired: {what} {age} ago; expires_after is {limit}")
    if nowhere and (route.policy.calling_hours != ANY or routes.closures):
        return Suppress(f"where the phone is cannot be told: {nowhere}")
    return _Moments(call, route, routes, history, places, doubts, expires_at, now).first()


def expiry(call: Call, policy: Policy) -> datetime:
    """When it is too late to ring: counted from the event, the wait, or the appointment."""
    if call.appointment:
        return call.appointment
    return max(call.occurred_at, call.ring_at or call.occurred_at) + policy.expires_after


def _where(call: Call) -> zones.Found | zones.Nowhere:
    known = call.country or call.province or call.postal_code
    address = zones.Address(call.country, call.province, call.postal_code) if known else None
    return zones.places(call.phone_number, time_zone=call.time_zone or None, address=address)


# --- what forbids a call for good ------------------------------------------------------------


def _forbidden(
    call: Call, route: Route, routes: Routes, history: History, now: datetime
) -> str | None:
    policy = route.policy
    if call.test and policy.test_events == "suppress":
        return 'a test event; test_events = "ring" would let it ring'
    if objection := phone.objection(call.phone_number, routes.countries):
        return objection
    if history.do_not_call:
        return f"the number is on the do-not-call list: {history.do_not_call}"
    return _without_consent(call, policy, history, now)


def _without_consent(call: Call, policy: Policy, history: History, now: datetime) -> str | None:
    if policy.consent is None:
        return None
    if not isinstance(policy.consent, str):
        return None if call.consent else f"no consent: {call.consent_evidence}"
    consent = history.consents.get(policy.consent)
    if consent is None:
        return f"no consent to {policy.consent!r} is recorded for the number"
    if not consent.granted:
        return f"consent to {policy.consent!r} was refused or withdrawn: {consent.evidence}"
    if consent.expires_at and now >= consent.expires_at:
        return f"consent to {policy.consent!r} expired at {_moment(consent.expires_at)}"
    return None


def _unlawful(route: Route, places: tuple[Place, ...], now: datetime) -> str | None:
    """Why the law lets nobody be called so there: it wants a consent that the route asks for."""
    if route.policy.consent is not None:
        return None
    rule = consent_at(places, route.policy.purpose, now)
    if rule is None or not rule.must:
        return None
    return f"{rule.text} ({rule.cite}), and the route asks for no consent: policy.consent"


# --- what puts it off ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Moments:
    """The moments at which a call may ring, as far as is known at `now`."""

    call: Call
    route: Route
    routes: Routes
    history: History
    places: tuple[Place, ...]
    doubts: tuple[str, ...]
    expires_at: datetime
    now: datetime

    def first(self) -> Decision:
        """The first of them: ring now, or then, or never if that is too late."""
        moment, reason = self.now, ""
        for _ in range(_ROUNDS):
            rules = (self._due, self._budget, self._spaced, self._capped, self._permitted)
            waits = [wait for rule in rules if (wait := rule(moment))]
            if not waits:
                break
            wait = max(waits, key=lambda one: one.until)
            moment, reason = wait.until, wait.reason
            if moment > self.expires_at:
                limit = _moment(self.expires_at)
                return Suppress(f"cannot be made before it expires at {limit}: {reason}")
        return Defer(moment, reason) if moment > self.now else Ring(self._allowed())

    def _due(self, moment: datetime) -> Defer | None:
        ring_at = self.call.ring_at
        if ring_at is None or moment >= ring_at:
            return None
        return Defer(ring_at, f"waits until {_moment(ring_at)}, as the route says")

    def _budget(self, moment: datetime) -> Defer | None:
        limit, made = self.routes.max_calls_per_day, self.history.today
        zone = self.routes.zone
        day, today = moment.astimezone(zone).date(), self.now.astimezone(zone).date()
        if limit is None or made < limit or day > today:
            return None
        tomorrow = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
        reason = f"max_calls_per_day: {made} calls were made today ({self.routes.time_zone})"
        return Defer(tomorrow, reason)

    def _rung(self) -> list[float]:
        """When other calls rang the number; the call's own earlier attempts do not count."""
        mine = self.call.call_id
        return sorted(at for call_id, at in self.history.rung.items() if call_id != mine)

    def _spaced(self, moment: datetime) -> Defer | None:
        gap, rung = self.route.policy.gap, self._rung()
        if gap is None or not rung or (free := _at(rung[-1]) + gap) <= moment:
            return None
        return Defer(free, f"gap {_span(gap)}: the number was rung at {_moment(_at(rung[-1]))}")

    def _capped(self, moment: datetime) -> Defer | None:
        """The moment at which every cap is open again: the route's, and those of each place."""
        purpose = self.route.policy.purpose
        caps: list[Cap | PlaceCap] = [*self.route.policy.max_calls]
        caps += caps_at(self.places, purpose)
        waits = [wait for cap in caps if (wait := self._under(cap, moment))]
        return max(waits, key=lambda one: one.until, default=None)

    def _under(self, cap: Cap | PlaceCap, moment: datetime) -> Defer | None:
        oldest = (moment - cap.window).timestamp()
        made = [at for at in self._rung() if at > oldest]
        if len(made) < cap.calls:
            return None
        law = f" ({cap.cite})" if isinstance(cap, PlaceCap) else ""
        reason = (
            f"max_calls {cap.text}{law}: the number was rung {len(made)} times within that time"
        )
        return Defer(_at(made[-cap.calls]) + cap.window, reason)

    def _permitted(self, moment: datetime) -> Defer | None:
        hours, purpose = self.route.policy.calling_hours, self.route.policy.purpose
        places, closed = self.places, self.routes.closures
        if not places or (hours == ANY and not closed):
            return None
        opens = next_permitted(
            moment, places, hours, purpose, closed, max(self.expires_at - moment, LIMIT)
        )
        if opens == moment:
            return None
        shut = closure(moment, places, hours, purpose, closed)
        why = f"{shut.text if shut else 'closed'}{self._doubts()}"
        if opens is None:
            return Defer(
                datetime.max.replace(tzinfo=UTC), f"no hour is permitted until then: {why}"
            )
        zone = shut.place.zone if shut else places[0].zone
        return Defer(opens, f"until {_wall(opens, zone)}: {why}")

    def _allowed(self) -> str:
        """Why the call may be made now: where the phone may be, and what lets it ring there."""
        hours, places = self.route.policy.calling_hours, self.places
        if hours == ANY or not places:
            return "at any hour, as the route says"
        # From the earliest clock there to the latest.
        walls = [self.now.astimezone(clock.zone(place.zone)) for place in places]
        local = [(wall.replace(tzinfo=None), str(wall.tzinfo)) for wall in walls]
        told = dict.fromkeys(_wall(self.now, zone) for _, zone in (min(local), max(local)))
        basis = rests_on(self.now, places, hours, self.route.policy.purpose)
        return f"{' to '.join(told)} is within calling hours {hours.text}; {basis}{self._doubts()}"

    def _doubts(self) -> str:
        return "".join(f"; {doubt}" for doubt in self.doubts)


def _at(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _span(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _wall(at: datetime, zone: str) -> str:
    return f"{at.astimezone(clock.zone(zone)):%a %d %b %H:%M} ({zone})"


def _moment(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="minutes")
