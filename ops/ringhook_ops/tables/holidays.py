"""Compute the public holidays that calling hours look at, and write them beside the package.

They are computed here, once, and shipped as one small file: the `holidays` library is 14 MB and
costs every cold start a tenth of a second. Run it each autumn, and after an upgrade of `holidays`:

    python -m ringhook_ops.tables.holidays
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import holidays
from holidays.calendars.islamic import _IslamicLunar

TARGET = Path(__file__).parents[3] / "src" / "ringhook" / "deciding" / "public_holidays.json"
UNTIL = 2040
"""The last year; a few countries, whose calendar is proclaimed year by year, end sooner."""

# A part of these countries is asked for by its own rule (US states) or has days of its own that
# an address can tell. Elsewhere the rules speak of national holidays.
BY_PART = ("AU", "CA", "CH", "DE", "ES", "US")

# No number tells which nation of the United Kingdom it is in, and what all four share lacks Easter
# Monday and the August holiday, so a holiday of any of them is one for all; the islands keep
# their own days as well.
KINGDOM = ("GB", "GG", "IM", "JE")


def public_holidays(first: int, last: int) -> dict[str, str]:
    """Give the holidays of these years: {"US": "2026 0101 0119 …;2027 0101 …", "US-LA": …}.

    The key of a part ("US-LA") holds only the days that its country does not have. A year of which
    the library knows nothing is left out.
    """
    span = range(first, last + 1)
    days: dict[str, set[date]] = {}
    for country in holidays.list_supported_countries(include_aliases=False):
        if len(country) == 2:
            days[country] = _days(country, None, span)
    britain = set().union(*(_days("GB", nation, span) for nation in _parts("GB")))
    for country in KINGDOM:
        days[country] |= britain
    for country in BY_PART:
        for part in _parts(country):
            if extra := _days(country, part, span) - days[country]:
                days[f"{country}-{part}"] = extra
    days["US-PA"] |= _of_pennsylvania(span)
    return {place: _written(found, span) for place, found in sorted(days.items()) if found}


def _of_pennsylvania(years: range) -> set[date]:
    """Give what Act 73 of 2019 adds: Good Friday, Flag Day and Election Day."""
    england = holidays.country_holidays("GB", subdiv="ENG", years=years)
    found = {day for day, name in england.items() if name == "Good Friday"}
    for year in years:
        november = date(year, 11, 1)
        first_monday = november + timedelta(days=-november.weekday() % 7)
        found |= {date(year, 6, 14), first_monday + timedelta(days=1)}
    return found


def ramadan(first: int, last: int) -> list[str]:
    """Give every Ramadan that begins in these years, as "2027-02-07/2027-03-09".

    By the Umm al-Qura calendar, with a day before and a day after: the moon decides.
    """
    calendar, day = _IslamicLunar(), timedelta(days=1)
    years = range(first, last + 1)
    begins = {begin for year in years for begin, _ in calendar.ramadan_beginning_dates(year)}
    feasts = {feast for year in (*years, last + 1) for feast, _ in calendar.eid_al_fitr_dates(year)}
    # The feast ends the fast, so it is the day after it.
    return [
        f"{begin - day}/{min(feast for feast in feasts if feast > begin)}"
        for begin in sorted(begins)
        if begin.year in years
    ]


def _written(found: set[date], years: range) -> str:
    by_year = ((year, sorted(day for day in found if day.year == year)) for year in years)
    return ";".join(
        " ".join([str(year), *(f"{day:%m%d}" for day in days)]) for year, days in by_year if days
    )


def _parts(country: str) -> tuple[str, ...]:
    """Name the parts of a country that have an ISO 3166-2 code."""
    parts = holidays.list_supported_countries(include_aliases=False)[country]
    return tuple(part for part in parts if len(part) in (2, 3) and part.isupper())


def _days(country: str, part: str | None, years: Iterable[int]) -> set[date]:
    """Find the holidays, and the neighbours of those that wait for the moon to be sighted.

    The library warns of years in which it lacks some (India's after 2035): those are not known.
    """
    years = tuple(years)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            named = holidays.country_holidays(country, part, years=years, language="en_US")
    except UserWarning:
        if len(years) == 1:
            return set()
        return set().union(*(_days(country, part, (year,)) for year in years))
    found: set[date] = set()
    for day, name in named.items():
        found.add(day)
        if "(estimated)" in name:
            found |= {day - timedelta(days=1), day + timedelta(days=1)}
    return {day for day in found if day.year in years}


def render(first: int, last: int) -> str:
    """Give the file's text: one line a place, so that a change is read as what it changes."""
    head = {
        "source": f"holidays {version('holidays')}",
        "known_from": f"{first}-01-01",
        "known_until": f"{last}-12-31",
        "seasons": {"ramadan": ramadan(first, last)},
    }
    lines = [f'  "{key}": {json.dumps(value)}' for key, value in head.items()]
    places = ",\n".join(
        f'    "{place}": {json.dumps(dates)}'
        for place, dates in public_holidays(first, last).items()
    )
    return "{\n" + ",\n".join(lines) + ',\n  "places": {\n' + places + "\n  }\n}\n"


if __name__ == "__main__":
    TARGET.write_text(render(datetime.now(UTC).year, UNTIL), encoding="utf-8")
