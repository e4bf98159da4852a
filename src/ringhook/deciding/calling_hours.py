"""May this phone ring at this moment, and if not, when next?

Hours are kept in local time: by weekday, with any number of windows a day, and for public holidays.
A moment is permitted when it is so at every place where the phone may be (`zones.places`), under
every rule that holds there, on that place's own date.

Three things may close a moment: the law of the place for the purpose of the call, our own default
hours or the route's hours instead of them, and the closures of the route file. Every setting but
"any" is cut to the law.

Where the clock changes, a window's edge that happens twice or never is taken as the later for the
opening and the earlier for the closing, so that no reading of the clock makes a call come too soon
or too late.

The clock is passed in; the data files beside this module are read once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ringhook import clock
from ringhook.deciding.closed_days import ClosedDays
from ringhook.deciding.law import (
    Basis,
    ConsentRule,
    PlaceCap,
    Purpose,
    Rule,
    caps_at,
    consent_at,
    default_at,
    parts_with_rules,
    rules_at,
    table_version,
)
from ringhook.deciding.public_holidays import is_known
from ringhook.deciding.public_holidays import known_until as holidays_known_until
from ringhook.deciding.windows import (
    ALL_DAY,
    DAYS,
    EXAMPLE,
    CallingHoursError,
    Spans,
    Windows,
    intersect,
    parse_week,
    parse_windows,
    say,
)
from ringhook.deciding.zones import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "ANY",
    "DAYS",
    "LIMIT",
    "Basis",
    "CallingHoursError",
    "ClosedDays",
    "Closure",
    "ConsentRule",
    "Hours",
    "PlaceCap",
    "Purpose",
    "caps_at",
    "closure",
    "consent_at",
    "default_hours",
    "holidays_known_until",
    "longest_closure",
    "next_permitted",
    "parse_hours",
    "permitted",
    "rests_on",
]

LIMIT = timedelta(days=14)
"""How far ahead a permitted moment is looked for, unless the caller says."""

_DAY = timedelta(days=1)
_YEAR = 366


@dataclass(frozen=True, slots=True)
class Hours:
    """When a route may ring."""

    text: str
    """How `ringhook check` says it."""
    rules: tuple[Rule, ...] | None
    """Its own, which hold everywhere: none for "any"; None for our defaults by place."""

    def rules_at(self, place: Place, purpose: Purpose) -> tuple[Rule, ...]:
        """Give every rule that holds at a place, the law first: a moment must be in all of them."""
        if self.rules == ():
            return ()
        law = rules_at(place.country, place.part, purpose)
        own = self.rules
        return law + (default_at(place.country, place.part, purpose) if own is None else own)


@dataclass(frozen=True, slots=True)
class Closure:
    """Why a moment is not permitted: the place that stays closed the longest, and its rule."""

    place: Place
    text: str
    """As in: calling hours US 08:00-21:00 (America/Chicago), law for marketing: 47 CFR …."""
    basis: Basis


ANY = Hours("at any time", ())


def default_hours() -> Hours:
    """Give the hours by place and purpose, from the table of `law`."""
    return Hours(f"by country (table of {table_version()})", None)


def permitted(
    at: datetime,
    places: tuple[Place, ...],
    hours: Hours,
    purpose: Purpose,
    closed: tuple[ClosedDays, ...] = (),
) -> bool:
    """Tell whether the phone may ring at this moment, wherever of these places it is."""
    return next_permitted(at, places, hours, purpose, closed, timedelta(0)) is not None


def next_permitted(
    at: datetime,
    places: tuple[Place, ...],
    hours: Hours,
    purpose: Purpose,
    closed: tuple[ClosedDays, ...] = (),
    limit: timedelta = LIMIT,
) -> datetime | None:
    """Find the first permitted moment from `at` on, in UTC; None when the limit comes first.

    There may be none at all: a country wider than its hours are long has no common moment.
    """
    moment = at.astimezone(UTC)
    if hours.rules == () and not closed:
        return moment
    if not places:
        raise ValueError("no place is known where the phone may be: such a call must not ring")
    until, asked = moment + limit, _Question(hours, purpose, closed)
    while True:
        latest = moment
        for place in places:
            opening = _next_at(latest, place, asked, until)
            if opening is None:
                return None
            latest = opening
        if latest == moment:
            return moment
        moment = latest


def closure(
    at: datetime,
    places: tuple[Place, ...],
    hours: Hours,
    purpose: Purpose,
    closed: tuple[ClosedDays, ...] = (),
) -> Closure | None:
    """Explain why the phone may not ring at this moment; None when it may."""
    moment = at.astimezone(UTC)
    if permitted(moment, places, hours, purpose, closed):
        return None
    until, asked = moment + LIMIT, _Question(hours, purpose, closed)
    never = until + _DAY
    place = max(places, key=lambda place: _next_at(moment, place, asked, until) or never)
    return _explain(moment, place, asked)


def rests_on(at: datetime, places: tuple[Place, ...], hours: Hours, purpose: Purpose) -> str:
    """Say what a permitted moment rests on: the law of each place, and our own hours or none."""
    if hours.rules == ():
        return "any hour, as the route says: no law was asked"
    told = dict.fromkeys(_rests_on(at, place, hours, purpose) for place in places)
    more = f" and {len(told) - 2} more" if len(told) > 3 else ""
    return "; ".join(list(told)[: 2 if more else 3]) + more


def longest_closure(
    countries: Iterable[str], purpose: Purpose, hours: Hours, after: date
) -> timedelta:
    """Find the longest time without a permitted moment at one place of these countries.

    Looks at the year after `after`, in each country and in each of its parts that has a rule.
    """
    return max(
        _longest_at(country, part, _Question(hours, purpose, ()), after)
        for country in countries
        for part in (None, *parts_with_rules(country))
    )


# --- reading hours ---------------------------------------------------------------------------


def parse_hours(
    setting: str | Mapping[str, Any], named: Mapping[str, Mapping[str, Any]] | None = None
) -> Hours:
    """Read a route's `calling_hours`.

    "default" is the table by place and purpose, "any" asks nothing, "09:00-20:00" holds on every
    day, holidays too, and another word is the name of a table in `named`. A table has days or
    ranges of days and `holidays`; each is a window, a list of windows, "open", or "closed", which
    is also what a day that is not named is:

        { mon-fri = ["09:00-12:00", "13:00-20:00"], sat = "10:00-16:00", holidays = "closed" }

    Raises CallingHoursError.
    """
    if not isinstance(setting, str):
        return Hours("by the route's own table", (_rule("of the route", setting),))
    if setting == "default":
        return default_hours()
    if setting == "any":
        return ANY
    if setting in (named or {}):
        table = (named or {})[setting]
        return Hours(f'as table "{setting}" says', (_rule(f'"{setting}"', table),))
    if not any(character.isdigit() for character in setting):
        known = ", ".join(f'"{name}"' for name in ("default", "any", *(named or {})))
        raise CallingHoursError(f'"{setting}" is no hours: write {known} or {EXAMPLE}')
    windows = parse_windows(setting)
    rule = Rule("of the route", (windows,) * len(DAYS), windows, "route")
    return Hours(f"every day {say(windows)}", (rule,))


def _rule(name: str, table: Mapping[str, Any]) -> Rule:
    week, holidays = parse_week(table)
    return Rule(name, week, holidays, "route")


# --- time ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of every place."""

    hours: Hours
    purpose: Purpose
    closed: tuple[ClosedDays, ...]


def _next_at(moment: datetime, place: Place, asked: _Question, until: datetime) -> datetime | None:
    """Find the first moment that one place permits, not after `until`; both are in UTC."""
    day = moment.astimezone(clock.zone(place.zone)).date()
    # The day after the last one in UTC is still the last one where the date is ahead.
    last = until.date() + _DAY
    while day <= last:
        for opening, closing in _spans(place, day, asked):
            if moment < closing:
                first = max(moment, opening)
                return first if first <= until else None
        day += _DAY
    return None


def _spans(place: Place, day: date, asked: _Question) -> Spans:
    """Give the moments of a local day that a place permits."""
    if asked.closed and any(one.covers(place, day) for one in asked.closed):
        return ()
    return _open_at(place, day, asked.hours, asked.purpose)


@lru_cache(maxsize=4096)
def _open_at(place: Place, day: date, hours: Hours, purpose: Purpose) -> Spans:
    """Give the moments of a local day that every rule of a place permits.

    Rules meet as moments, not as times on the wall: where the clock is set, an edge at 02:30 may
    come after one at 03:00.
    """
    rules = (rule for rule in hours.rules_at(place, purpose) if rule.in_force(day))
    spans = [_open_under(rule, place, day) for rule in rules]
    return reduce(intersect, spans) if spans else _open(place.zone, day, ALL_DAY)


def _open_under(rule: Rule, place: Place, day: date) -> Spans:
    """Give the moments of a place's day that one rule permits, by the clock that it means."""
    if not rule.clock:
        return _open(place.zone, day, rule.windows(day, place))
    # The other clock may be a day behind or ahead.
    return tuple(
        span
        for near in (day - _DAY, day, day + _DAY)
        for span in _open(rule.clock, near, rule.windows(near, place))
    )


def _open(zone: str, day: date, windows: Windows) -> Spans:
    """Give a local day's windows as moments in UTC; one that the clock skips is left out."""
    midnight = _unbroken(zone, day)
    if midnight is not None:
        return tuple(
            (midnight + timedelta(minutes=opening), midnight + timedelta(minutes=closing))
            for opening, closing in windows
        )
    moments = (
        (max(_readings(zone, day, opening)), min(_readings(zone, day, closing)))
        for opening, closing in windows
    )
    return tuple((opening, closing) for opening, closing in moments if opening < closing)


@lru_cache(maxsize=16384)
def _unbroken(zone: str, day: date) -> datetime | None:
    """Give the moment at which a local day begins; None if the clock is set on that day."""
    first = datetime.combine(day, time(), clock.zone(zone))
    edges = (first, first + _DAY)
    offsets = {edge.replace(fold=fold).utcoffset() for edge in edges for fold in (0, 1)}
    return first.astimezone(UTC) if len(offsets) == 1 else None


def _readings(zone: str, day: date, minute: int) -> tuple[datetime, datetime]:
    """Give both moments that a wall clock's time can mean; they differ only where it is set."""
    wall = datetime.combine(day, time(), clock.zone(zone)) + timedelta(minutes=minute)
    return wall.replace(fold=0).astimezone(UTC), wall.replace(fold=1).astimezone(UTC)


def _longest_at(country: str, part: str | None, asked: _Question, after: date) -> timedelta:
    """Find the longest time between two permitted moments at one place, in the year to come."""
    clock_names = (rule.clock for rule in rules_at(country, part, asked.purpose) if rule.clock)
    place = Place(next(clock_names, "UTC"), country, part)
    days = (after + timedelta(days=number) for number in range(_YEAR))
    spans = [span for day in days for span in _spans(place, day, asked)]
    gaps = (opening - closing for (_, closing), (opening, _) in pairwise(spans))
    return max(gaps, default=timedelta(days=_YEAR))


# --- words -----------------------------------------------------------------------------------


def _explain(moment: datetime, place: Place, asked: _Question) -> Closure:
    """Name what keeps a place closed the longest, with its hours on that day.

    Of two that open at the same moment the law is named: but where our caution waits for longer,
    it is not given out as law.
    """
    day = moment.astimezone(clock.zone(place.zone)).date()
    for one in asked.closed:
        if one.covers(place, day):
            where = f"{one.country}-{one.part}" if one.part else one.country
            text = f"{where} is closed from {one.first} to {one.last}: {one.reason}"
            return Closure(place, text, "closure")
    shut = [
        rule
        for rule in asked.hours.rules_at(place, asked.purpose)
        if rule.in_force(day) and not _within(moment, _open_under(rule, place, day))
    ]
    if not shut:
        return Closure(place, f"no hour of {day} is open under every rule", "law")
    rule = max(shut, key=lambda rule: _opens(moment, rule, place, day))
    return Closure(place, _say_rule(rule, place, day, asked.purpose), rule.basis)


def _within(moment: datetime, spans: Spans) -> bool:
    return any(start <= moment < end for start, end in spans)


def _opens(moment: datetime, rule: Rule, place: Place, day: date) -> datetime:
    """Find when one rule alone would open."""
    for number in range(LIMIT.days):
        near = day + timedelta(days=number)
        spans = _open_under(rule, place, near) if rule.in_force(near) else ((moment, moment),)
        for opening, closing in spans:
            if closing > moment or not rule.in_force(near):
                return opening
    return moment + LIMIT


def _say_rule(rule: Rule, place: Place, day: date, purpose: Purpose) -> str:
    """Write: calling hours US closed on Sundays (America/Chicago), our default for marketing."""
    windows = rule.windows(day, place)
    when = ""
    if windows != rule.week[day.weekday()]:
        when = f" on public holidays, as {day}"
    elif rule.season:
        when = f" in {rule.season.title()}"
    elif not windows:
        when = f" on {day:%A}s"
    zone = f"{rule.clock}, at {place.zone}" if rule.clock else place.zone
    return f"calling hours {rule.name} {say(windows)}{when} ({zone}){_say_basis(rule, purpose)}"


def _say_basis(rule: Rule, purpose: Purpose) -> str:
    if rule.basis == "law":
        return f", law for {purpose}: {rule.cite}"
    if rule.basis == "caution":
        return f", our default for {purpose}" + (f" ({rule.cite})" if rule.cite else "")
    return ""


def _rests_on(at: datetime, place: Place, hours: Hours, purpose: Purpose) -> str:
    day = at.astimezone(clock.zone(place.zone)).date()
    rules = [rule for rule in hours.rules_at(place, purpose) if rule.in_force(day)]
    told = [
        f"{_SAID[rule.basis]} {say(rule.windows(day, place))}"
        + (f" ({rule.cite})" if rule.cite else "")
        for rule in rules
    ]
    if all(rule.basis != "law" for rule in rules):
        told.insert(0, "no law speaks")
    if not is_known(place.country, day.year):
        told.append(f"holidays of {place.country} in {day.year} are not known")
    where = f"{place.country}-{place.part}" if place.part else place.country
    return f"{purpose} in {where}: {', '.join(told)}"


_SAID = {"law": "law", "caution": "our default", "route": "the route's"}
