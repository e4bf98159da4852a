"""What the law, and our own caution, say of calls: hours, caps and consent, by place and purpose.

From `calling_hours.json`, which `python -m ringhook_ops.tables.calling_hours` makes of the table
that people read, `calling_hours.toml` beside that script. A row is *law* (it binds, and all rows
that reach a place bind together) or *default* (our caution: the one row that is nearest to the
place holds). A default is never given out as law.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ringhook.deciding.public_holidays import in_season, is_holiday
from ringhook.deciding.windows import DAYS, intersect, parse_week

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ringhook.deciding.windows import Week, Windows
    from ringhook.deciding.zones import Place

Purpose: TypeAlias = Literal["marketing", "service", "collection"]
"""What a call is for: to sell; about the person's own order, booking or enquiry; for a debt."""

Basis: TypeAlias = Literal["law", "caution", "route", "closure"]
"""What closes a moment: a law, our own caution, the route's hours, or its file's closures."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The hours of one row of the table, or of a route."""

    name: str
    """What a closure calls it: "US", "US-KY", "of the route"."""
    week: Week
    holidays: Windows
    """What is left of a weekday's windows on a public holiday."""
    basis: Basis
    cite: str = ""
    clock: str = ""
    """The zone whose clock is meant; "" is the place's own."""
    first: date = date.min
    until: date = date.max
    """In force from `first` on and no longer on `until`."""
    season: str = ""
    """Where given, the rule holds on the days of this season alone ("ramadan")."""
    by_part: bool = True
    """Whether holidays of a state count, or the country's alone."""

    def in_force(self, day: date) -> bool:
        """Tell whether the rule holds on a day."""
        return self.first <= day < self.until and (not self.season or in_season(day, self.season))

    def windows(self, day: date, place: Place) -> Windows:
        """Give the windows of a day; a holiday only ever narrows its weekday."""
        windows = self.week[day.weekday()]
        part = place.part if self.by_part else None
        if is_holiday(day, place.country, part):
            return intersect(windows, self.holidays)
        return windows


@dataclass(frozen=True, slots=True)
class PlaceCap:
    """How often a place lets a number be called for a purpose."""

    calls: int
    window: timedelta
    text: str
    """As in: 3/24h in US-FL."""
    cite: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """What a place's law says of consent to a call."""

    must: bool
    """Whether a call without it may not be made at all; else it is asked for, and we warn."""
    text: str
    cite: str


def rules_at(country: str, part: str | None, purpose: Purpose) -> tuple[Rule, ...]:
    """Give the hours of the law at a place, none where the law does not speak."""
    return _rules(country, part, purpose, "law")


def default_at(country: str, part: str | None, purpose: Purpose) -> tuple[Rule, ...]:
    """Give our own hours for a place, never none: those of its part, its country, or of "*"."""
    return _rules(country, part, purpose, "default")


def caps_at(places: Iterable[Place], purpose: Purpose) -> tuple[PlaceCap, ...]:
    """Give the caps of every place, each once."""
    caps = (
        PlaceCap(
            calls=int(calls),
            window=_span(window),
            text=f"{calls}/{window} in {where}",
            cite=row["cite"],
            basis=_BASIS[row["kind"]],
        )
        for place in places
        for where, row in _rows_at(place.country, place.part, purpose)
        for calls, _, window in (cap.partition("/") for cap in row.get("caps", ()))
    )
    return tuple(dict.fromkeys(caps))


def consent_at(
    places: Iterable[Place], purpose: Purpose, at: datetime | None = None
) -> ConsentRule | None:
    """Give what the law of these places says of consent: what must be before what is asked for.

    A rule counts from its first day on; without a moment, as if that had come.
    """
    day = at.date() if at else date.max - timedelta(days=1)
    rules = [
        ConsentRule(row["consent"] == "must", f"{where}: {row['consent_text']}", row["cite"])
        for place in places
        for where, row in _rows_at(place.country, place.part, purpose)
        if "consent" in row and _date(row, "from", date.min) <= day < _date(row, "until", date.max)
    ]
    return max(rules, key=lambda rule: rule.must, default=None)


def table_version() -> str:
    """Give the day of the table, as in 2026-11-25."""
    version: str = _table()["version"]
    return version


def parts_with_rules(country: str) -> tuple[str, ...]:
    """Name the parts of a country that have a row of their own."""
    return tuple(sorted(where[3:] for where in _table()["index"] if where[:3] == f"{country}-"))


_BASIS: dict[str, Basis] = {"law": "law", "default": "caution"}


@cache
def _table() -> dict[str, Any]:
    """Read {"version": …, "rows": [{…}], "index": {"US-KY": [3, 17], "*": …}}."""
    text = Path(__file__).with_name("calling_hours.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


@cache
def _rows_at(
    country: str, part: str | None, purpose: Purpose
) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Give the rows for a place and a purpose, those of the part first, each with its name."""
    table = _table()
    return tuple(
        (where, table["rows"][number])
        for where in ((f"{country}-{part}", country) if part else (country,))
        for number in table["index"].get(where, ())
        if purpose in table["rows"][number]["purpose"]
    )


@cache
def _rules(
    country: str, part: str | None, purpose: Purpose, kind: Literal["law", "default"]
) -> tuple[Rule, ...]:
    found = tuple(
        rule
        for where, row in _rows_at(country, part, purpose)
        if row["kind"] == kind and (rule := _rule(where, row))
    )
    if kind == "law":
        return found
    if found:
        return tuple(rule for rule in found if rule.name == found[0].name)
    everywhere = (row for _, row in _rows_at("*", None, purpose))
    return tuple(rule for row in everywhere if (rule := _rule(country, row)))


def _rule(where: str, row: dict[str, Any]) -> Rule | None:
    """Read a row's hours; None when it has caps or consent alone."""
    hours = {key: value for key, value in row.items() if key == "holidays" or key[:3] in DAYS}
    if not hours:
        return None
    week, holidays = parse_week(hours)
    return Rule(
        name=where,
        week=week,
        holidays=holidays,
        basis=_BASIS[row["kind"]],
        cite=row["cite"],
        clock=row.get("clock", ""),
        first=_date(row, "from", date.min),
        until=_date(row, "until", date.max),
        season=row.get("season", ""),
        by_part=row["kind"] == "default" or "-" in where,
    )


def _date(row: dict[str, Any], key: str, otherwise: date) -> date:
    return date.fromisoformat(row[key]) if key in row else otherwise


def _span(text: str) -> timedelta:
    """Read "8h" or "30d"."""
    number, unit = int(text[:-1]), text[-1]
    return timedelta(hours=number) if unit == "h" else timedelta(days=number)
