"""May this phone ring at this moment, and if not, when next?

Hours are kept in local time: by weekday, with any number of windows a day, and for public holidays.
A moment is permitted when it is so at every place where the phone may be (`zones.places`), under
every rule that holds there, on that place's own date. The opening time is part of a window, the
closing time is not. No window runs over midnight.

Where the clock changes, a window's edge that happens twice or never is taken as the later for the
opening and the earlier for the closing, so that no reading of the clock makes a call come too soon
or too late.

Public holidays are known for the years in `public_holidays.json`. A day beyond them, or of a
country whose holidays are not known, counts as one: what is closed on holidays stays closed, and
the closure says so.

The clock is passed in; the two data files beside this module are read once.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache, reduce
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringhook.zones import Place

Windows: TypeAlias = tuple[tuple[int, int], ...]
"""The open times of a day in order: minutes after local midnight, (540, 1200) is 09:00-20:00."""

Spans: TypeAlias = tuple[tuple[datetime, datetime], ...]
"""The same as moments, in UTC."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = 24 * 60
LIMIT = timedelta(days=14)
"""How far ahead a permitted moment is looked for, unless the caller says."""


class CallingHoursError(ValueError):
    """Hours that cannot be read; the text names what is wrong and the cure."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The hours of one row of the table, or of a route."""

    name: str
    """What a closure calls it: "US", "US-KY", "of the route"."""
    week: tuple[Windows, ...]
    """Monday first, as `date.weekday()` counts."""
    holidays: Windows
    cite: str = ""

    def windows(self, weekday: int, *, holiday: bool) -> Windows:
        """Give the windows of a day; a holiday only ever narrows its weekday."""
        windows = self.week[weekday]
        return _intersect(windows, self.holidays) if holiday else windows


@dataclass(frozen=True, slots=True)
class Hours:
    """When a route may ring."""

    text: str
    """How `ringhook check` says it."""
    rules: tuple[Rule, ...] | None
    """Those that hold everywhere: none for "any"; None for the table by country."""

    def rules_at(self, place: Place) -> tuple[Rule, ...]:
        """Give every rule that holds at a place: a moment must be in all of them."""
        return _rules_by_law(place.country, place.part) if self.rules is None else self.rules


@dataclass(frozen=True, slots=True)
class Closure:
    """Why a moment is not permitted: the place that stays closed the longest, and its rule."""

    place: Place
    text: str
    """As in: calling hours US 08:00-20:00 (America/Chicago), 47 CFR 64.1200(c)(1)."""


ANY = Hours("at any time", ())


def default_hours() -> Hours:
    """Give the hours by country, from `calling_hours.toml`."""
    return Hours(f"by country (table of {_table()[0]})", None)


def permitted(at: datetime, places: tuple[Place, ...], hours: Hours) -> bool:
    """Tell whether the phone may ring at this moment, wherever of these places it is."""
    return next_permitted(at, places, hours, timedelta(0)) is not None


def next_permitted(
    at: datetime, places: tuple[Place, ...], hours: Hours, limit: timedelta = LIMIT
) -> datetime | None:
    """Find the first permitted moment from `at` on, in UTC; None when the limit comes first.

    There may be none at all: a country wider than its hours are long has no common moment.
    """
    moment = at.astimezone(UTC)
    if hours.rules == ():
        return moment
    if not places:
        raise ValueError("no place is known where the phone may be: such a call must not ring")
    until = moment + limit
    while True:
        latest = moment
        for place in places:
            opening = _next_at(latest, place, hours, until)
            if opening is None:
                return None
            latest = opening
        if latest == moment:
            return moment
        moment = latest


def closure(at: datetime, places: tuple[Place, ...], hours: Hours) -> Closure | None:
    """Explain why the phone may not ring at this moment; None when it may."""
    moment = at.astimezone(UTC)
    if permitted(moment, places, hours):
        return None
    never = moment + LIMIT + timedelta(days=1)
    place = max(places, key=lambda place: _next_at(moment, place, hours, moment + LIMIT) or never)
    return Closure(place, _explain(moment, place, hours))


def holidays_known_until() -> date:
    """Give the last day of which it is known whether it is a public holiday."""
    return date.fromisoformat(_holidays()["known_until"])


# --- reading hours ---------------------------------------------------------------------------

_WINDOW = re.compile(r"(\d{1,2}):(\d{2})\s*[-\u2013]\s*(\d{1,2}):(\d{2})", re.ASCII)
_EXAMPLE = '"09:00-20:00"'


def parse_hours(
    setting: str | Mapping[str, Any], named: Mapping[str, Mapping[str, Any]] | None = None
) -> Hours:
    """Read a route's `calling_hours`.

    "default" is the table by country, "any" asks nothing, "09:00-20:00" holds on every day,
    holidays too, and another word is the name of a table in `named`. A table has days or ranges of
    days and `holidays`; each is a window, a list of windows, or "closed", which is also what a day
    that is not named is:

        { mon-fri = ["09:00-12:00", "13:00-20:00"], sat = "10:00-16:00", holidays = "closed" }
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
        raise CallingHoursError(f'"{setting}" is no hours: write {known} or {_EXAMPLE}')
    windows = _parse_windows(setting)
    rule = Rule("of the route", (windows,) * len(DAYS), windows)
    return Hours(f"every day {_say(windows)}", (rule,))


def _rule(name: str, table: Mapping[str, Any], cite: str = "") -> Rule:
    """Read a table by weekday."""
    by_day: dict[str, Windows] = {}
    for key, value in table.items():
        for day in _days(key):
            if day in by_day:
                raise CallingHoursError(f'"{key}" names {day} a second time: name each day once')
            by_day[day] = _parse_windows(value)
    if not any(windows for day, windows in by_day.items() if day != "holidays"):
        raise CallingHoursError(
            f"every weekday is closed, so no call could ever be made: write mon-fri = {_EXAMPLE}"
        )
    return Rule(name, tuple(by_day.get(day, ()) for day in DAYS), by_day.get("holidays", ()), cite)


def _days(key: str) -> tuple[str, ...]:
    """Read "sat", "mon-fri" or "holidays"."""
    if key == "holidays":
        return (key,)
    first, _, last = key.partition("-")
    last = last or first
    if first in DAYS and last in DAYS and DAYS.index(first) <= DAYS.index(last):
        return DAYS[DAYS.index(first) : DAYS.index(last) + 1]
    raise CallingHoursError(
        f'"{key}" is no day: write one of {", ".join(DAYS)}, a range such as mon-fri, or holidays'
    )


def _parse_windows(value: object) -> Windows:
    """Read "closed", a window or a list of windows; windows that touch become one."""
    if value == "closed":
        return ()
    texts = value if isinstance(value, list) else [value]
    windows = sorted(_parse_window(text) for text in texts)
    if not windows:
        raise CallingHoursError('an empty list is no hours: write "closed"')
    merged = windows[:1]
    for opening, closing in windows[1:]:
        before = merged[-1]
        if opening < before[1]:
            raise CallingHoursError(
                f"{_say((before,))} and {_say(((opening, closing),))} overlap: write one window"
            )
        if opening == before[1]:
            merged[-1] = (before[0], closing)
        else:
            merged.append((opening, closing))
    return tuple(merged)


def _parse_window(text: object) -> tuple[int, int]:
    found = _WINDOW.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        raise CallingHoursError(f'"{text}" is no window: write {_EXAMPLE} or "closed"')
    hours, minutes, last_hours, last_minutes = (int(group) for group in found.groups())
    opening, closing = hours * 60 + minutes, last_hours * 60 + last_minutes
    if max(minutes, last_minutes) > 59 or max(opening, closing) > MIDNIGHT:
        raise CallingHoursError(f'"{text}" has a time that no clock shows: the last is 24:00')
    if closing < opening:
        raise CallingHoursError(
            f'"{text}" ends before it begins: a window ends at 24:00 at the latest; write two,'
            f' "{_clock(opening)}-24:00" and "00:00-{_clock(closing)}", if the night is meant'
        )
    if closing == opening:
        raise CallingHoursError(f'"{text}" is empty: write "closed", or "00:00-24:00" for all day')
    return opening, closing


# --- the table by country --------------------------------------------------------------------


@cache
def _table() -> tuple[str, dict[str, Rule]]:
    """Read the version and the rules, by "US", "US-KY" and "*"."""
    text = (files("ringhook") / "calling_hours.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    rules = {
        where: _rule(
            where, {day: value for day, value in row.items() if day not in _ABOUT}, row["cite"]
        )
        for row in data["rows"]
        for where in row["applies_to"]
    }
    return data["version"], rules


_ABOUT = frozenset({"applies_to", "cite", "source", "certainty"})


@cache
def _rules_by_law(country: str, part: str | None) -> tuple[Rule, ...]:
    """Give the rule of the part, if it has one, and of the country, or of "*" in its name."""
    _, rules = _table()
    of_country = rules.get(country) or replace(rules["*"], name=country)
    of_part = rules.get(f"{country}-{part}")
    return (of_part, of_country) if of_part else (of_country,)


# --- public holidays -------------------------------------------------------------------------


@cache
def _holidays() -> dict[str, Any]:
    """Read {"known_until": "2028-12-31", "places": {"US": {"2026": "0101 …"}, "US-LA": …}, …}."""
    text = (files("ringhook") / "public_holidays.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


@lru_cache(maxsize=256)
def _holidays_of(country: str, part: str | None, year: int) -> frozenset[str] | None:
    """Give a year's holidays as "0101"; None when they are not known, as when there are none."""
    known = _holidays()["places"]
    of_country = known.get(country, {}).get(str(year))
    of_part = known.get(f"{country}-{part}", {}).get(str(year), "")
    return frozenset(f"{of_country} {of_part}".split()) if of_country else None


def _is_holiday(day: date, place: Place) -> bool:
    """Tell whether a day is a public holiday, or may be one for all that is known."""
    days = _holidays_of(place.country, place.part, day.year)
    return days is None or f"{day:%m%d}" in days


# --- time ------------------------------------------------------------------------------------


def _next_at(moment: datetime, place: Place, hours: Hours, until: datetime) -> datetime | None:
    """Find the first moment that one place permits, not after `until`; both are in UTC."""
    day = moment.astimezone(ZoneInfo(place.zone)).date()
    # The day after the last one in UTC is still the last one where the date is ahead.
    while day <= until.date() + timedelta(days=1):
        for opening, closing in _open_at(place, day, hours):
            if moment < closing:
                first = max(moment, opening)
                return first if first <= until else None
        day += timedelta(days=1)
    return None


def _open_at(place: Place, day: date, hours: Hours) -> Spans:
    """Give the moments of a local day that every rule of a place permits.

    Rules meet as moments, not as times on the wall: where the clock is set, an edge at 02:30 may
    come after one at 03:00.
    """
    holiday = _is_holiday(day, place)
    windows = (rule.windows(day.weekday(), holiday=holiday) for rule in hours.rules_at(place))
    return reduce(_intersect, (_open(place.zone, day, each) for each in windows))


Edge = TypeVar("Edge", int, datetime)


def _intersect(
    these: tuple[tuple[Edge, Edge], ...], those: tuple[tuple[Edge, Edge], ...]
) -> tuple[tuple[Edge, Edge], ...]:
    both = (
        (max(opening, other_opening), min(closing, other_closing))
        for opening, closing in these
        for other_opening, other_closing in those
    )
    return tuple(sorted(window for window in both if window[0] < window[1]))


@lru_cache(maxsize=1024)
def _open(zone: str, day: date, windows: Windows) -> Spans:
    """Give a local day's windows as moments in UTC; one that the clock skips is left out."""
    moments = (
        (max(_readings(zone, day, opening)), min(_readings(zone, day, closing)))
        for opening, closing in windows
    )
    return tuple((opening, closing) for opening, closing in moments if opening < closing)


def _readings(zone: str, day: date, minute: int) -> tuple[datetime, datetime]:
    """Give both moments that a wall clock's time can mean; they differ only where it is set."""
    wall = datetime.combine(day, time(), ZoneInfo(zone)) + timedelta(minutes=minute)
    return wall.replace(fold=0).astimezone(UTC), wall.replace(fold=1).astimezone(UTC)


# --- words -----------------------------------------------------------------------------------


def _explain(moment: datetime, place: Place, hours: Hours) -> str:
    """Name the first rule that closes a place at a moment, with its hours on that day."""
    day = moment.astimezone(ZoneInfo(place.zone)).date()
    holiday = _is_holiday(day, place)
    rule, windows = next(
        (rule, windows)
        for rule in hours.rules_at(place)
        for windows in (rule.windows(day.weekday(), holiday=holiday),)
        if not any(start <= moment < end for start, end in _open(place.zone, day, windows))
    )
    when = ""
    if windows != rule.week[day.weekday()]:
        known = _holidays_of(place.country, place.part, day.year) is not None
        unknown = f", and those of {place.country} in {day.year} are not known"
        when = " on public holidays" + (f", as {day}" if known else unknown)
    elif not windows:
        when = f" on {day:%A}s"
    cite = f", {rule.cite}" if rule.cite else ""
    return f"calling hours {rule.name} {_say(windows)}{when} ({place.zone}){cite}"


def _say(windows: Windows) -> str:
    """Write windows as a person would: 10:00-13:00 and 14:00-20:00, with a longer dash."""
    spans = (f"{_clock(opening)}\N{EN DASH}{_clock(closing)}" for opening, closing in windows)
    return " and ".join(spans) or "closed"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
