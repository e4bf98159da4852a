"""May a phone ring at a moment: read from the table by a second reader, minute by minute.

This knows nothing of `ringhook`: it reads the table that people read, and the file of holidays,
with its own eyes, looks at the clock on the wall there, and asks each row in turn. It plans
nothing: it answers for one moment.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "ops" / "ringhook_ops" / "tables" / "calling_hours.toml"
HOLIDAYS = ROOT / "src" / "ringhook" / "deciding" / "public_holidays.json"
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Spot(NamedTuple):
    """Where a phone may be."""

    zone: str
    country: str
    part: str | None = None


@cache
def rows() -> list[dict[str, Any]]:
    return list(tomllib.loads(TABLE.read_text("utf-8"))["rows"])


@cache
def clock(zone: str) -> ZoneInfo:
    """Take the clock from the tzdata wheel, whatever the operating system has."""
    with (files("tzdata") / "zoneinfo").joinpath(*zone.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=zone)


@cache
def holidays() -> tuple[frozenset[tuple[str, date]], list[tuple[date, date]]]:
    """Read every holiday as (place, day), and every Ramadan as (first, last)."""
    data = json.loads(HOLIDAYS.read_text("utf-8"))
    days = {
        (place, date(int(year), int(text[:2]), int(text[2:])))
        for place, years in data["places"].items()
        for year, *texts in (line.split() for line in years.split(";"))
        for text in texts
    }
    fasts = [text.split("/") for text in data["seasons"]["ramadan"]]
    return frozenset(days), [(date.fromisoformat(a), date.fromisoformat(b)) for a, b in fasts]


@cache
def edges(window: str) -> tuple[int, int]:
    if window in {"open", "closed"}:
        return (0, 1440) if window == "open" else (0, 0)
    first, last = (text.split(":") for text in window.split("-"))
    return int(first[0]) * 60 + int(first[1]), int(last[0]) * 60 + int(last[1])


def within(windows: str | Sequence[str], minute: int) -> bool:
    both = map(edges, [windows] if isinstance(windows, str) else windows)
    return any(first <= minute < last for first, last in both)


def open_on_the_wall(hours: Mapping[str, Any], wall: datetime, *, holiday: bool) -> bool:
    """Ask a table by weekday: the day's own windows, and on a holiday those of holidays too."""
    minute = wall.hour * 60 + wall.minute
    for key, windows in hours.items():
        first, _, last = key.partition("-")
        if first in WEEK and WEEK.index(first) <= wall.weekday() <= WEEK.index(last or first):
            by_day = within(windows, minute)
            return by_day and (not holiday or within(hours.get("holidays", "closed"), minute))
    return False


def is_holiday(day: date, spot: Spot, *, of_part: bool) -> bool:
    days, _ = holidays()
    return (spot.country, day) in days or (of_part and (f"{spot.country}-{spot.part}", day) in days)


def holds(row: Mapping[str, Any], day: date) -> bool:
    """Tell whether a row is in force: by its dates and its season, and if it has hours at all."""
    if "season" in row and not any(first <= day <= last for first, last in holidays()[1]):
        return False
    if day < row.get("from", date.min) or day >= row.get("until", date.max):
        return False
    return any(key.partition("-")[0] in WEEK for key in row)


def row_allows(row: Mapping[str, Any], where: str, moment: datetime, spot: Spot) -> bool:
    if not holds(row, moment.astimezone(clock(spot.zone)).date()):
        return True
    wall = moment.astimezone(clock(row.get("clock", spot.zone)))
    # A country's law means the country's holidays; a state's, and our caution, the state's too.
    of_part = row["kind"] == "default" or where != spot.country
    return open_on_the_wall(row, wall, holiday=is_holiday(wall.date(), spot, of_part=of_part))


@cache
def reaching(spot: Spot, purpose: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Give the rows for a place, with the name by which each reaches it."""
    return [
        (where, row)
        for where in (f"{spot.country}-{spot.part}", spot.country, "*")
        for row in rows()
        if where in row["applies_to"] and purpose in row["purpose"] and row["kind"] == kind
    ]


def law_allows(moment: datetime, spot: Spot, purpose: str) -> bool:
    """Ask the law: every row that reaches the place."""
    return all(
        row_allows(row, where, moment, spot) for where, row in reaching(spot, purpose, "law")
    )


def default_allows(moment: datetime, spot: Spot, purpose: str) -> bool:
    """Ask our caution: the rows that have the nearest name."""
    found = reaching(spot, purpose, "default")
    nearest = found[0][0]
    return all(row_allows(row, where, moment, spot) for where, row in found if where == nearest)


def allows(
    moment: datetime, spots: Sequence[Spot], setting: str | Mapping[str, Any], purpose: str
) -> bool:
    """Tell whether a route with these hours may ring: everywhere, by law and by its own hours."""
    moment = moment.astimezone(UTC)
    if setting == "any":
        return True
    for spot in spots:
        if not law_allows(moment, spot, purpose):
            return False
        if isinstance(setting, str):
            if not default_allows(moment, spot, purpose):
                return False
            continue
        wall = moment.astimezone(clock(spot.zone))
        if not open_on_the_wall(setting, wall, holiday=is_holiday(wall.date(), spot, of_part=True)):
            return False
    return True


def clock_is_set_near(moment: datetime, spots: Sequence[Spot]) -> bool:
    """Tell whether a clock that counts is set within a day and a half."""
    marks = [moment.timestamp() + hours * 3600 for hours in (-36, 36)]
    zones = {spot.zone for spot in spots} | {row["clock"] for row in rows() if "clock" in row}
    return any(
        len({datetime.fromtimestamp(mark, clock(zone)).utcoffset() for mark in marks}) > 1
        for zone in zones
    )
