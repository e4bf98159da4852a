"""Compute the public holidays that calling hours look at, and write them beside the package.

They are computed here, once, and shipped as one small file: the `holidays` library is 14 MB and
costs every cold start a tenth of a second. Run it each autumn, and after an upgrade of `holidays`:

    python -m ringhook_ops.build_holidays
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import holidays

TARGET = Path(__file__).parents[2] / "src" / "ringhook" / "public_holidays.json"
YEARS = 3

# A part of these countries is asked for by its own rule (US states) or has days of its own that
# an address can tell (Canada, Germany). Elsewhere the rules speak of national holidays.
BY_PART = ("CA", "DE", "US")

# No number tells which nation of the United Kingdom it is in, and what all four share lacks Easter
# Monday and the August holiday, so a holiday of any of them is one for all; the islands keep
# their own days as well.
KINGDOM = ("GB", "GG", "IM", "JE")


def public_holidays(first: int, years: int) -> dict[str, dict[str, str]]:
    """Give the holidays from year `first` on: {"US": {"2026": "0101 0119 …"}, "US-LA": …}.

    The key of a part ("US-LA") holds only the days that its country does not have.
    """
    span = range(first, first + years)
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
    return {
        place: {
            str(year): " ".join(f"{day:%m%d}" for day in sorted(found) if day.year == year)
            for year in span
        }
        for place, found in sorted(days.items())
    }


def _parts(country: str) -> tuple[str, ...]:
    """Name the parts of a country that have an ISO 3166-2 code."""
    parts = holidays.list_supported_countries(include_aliases=False)[country]
    return tuple(part for part in parts if len(part) in (2, 3) and part.isupper())


def _days(country: str, part: str | None, years: range) -> set[date]:
    """Find the holidays, and the neighbours of those that wait for the moon to be sighted."""
    found: set[date] = set()
    for day, name in holidays.country_holidays(
        country, subdiv=part, years=years, language="en_US"
    ).items():
        found.add(day)
        if "(estimated)" in name:
            found |= {day - timedelta(days=1), day + timedelta(days=1)}
    return {day for day in found if day.year in years}


def render(first: int, years: int) -> str:
    """Give the file's text: one line a place, so that a change is read as what it changes."""
    head = {
        "source": f"holidays {version('holidays')}",
        "known_from": f"{first}-01-01",
        "known_until": f"{first + years - 1}-12-31",
    }
    lines = [f'  "{key}": {json.dumps(value)}' for key, value in head.items()]
    places = ",\n".join(
        f'    "{place}": {json.dumps(dates)}'
        for place, dates in public_holidays(first, years).items()
    )
    return "{\n" + ",\n".join(lines) + ',\n  "places": {\n' + places + "\n  }\n}\n"


if __name__ == "__main__":
    TARGET.write_text(render(datetime.now(UTC).year, YEARS), encoding="utf-8")
