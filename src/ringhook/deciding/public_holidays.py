"""Which days are public holidays, and when Ramadan is.

From `public_holidays.json`, which `python -m ringhook_ops.tables.holidays` computes. A day of which
nothing is known (a country that the file lacks, a year beyond it) is an ordinary day; `known` tells
it apart, so that a decision can say so.
"""

from __future__ import annotations

import json
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any


def is_holiday(day: date, country: str, part: str | None) -> bool:
    """Tell whether a day is a holiday of a country or of its part ("TX"; None: not known)."""
    text = f"{day:%m%d}"
    return text in _days(country, day.year) or bool(
        part and text in _days(f"{country}-{part}", day.year)
    )


def is_known(country: str, year: int) -> bool:
    """Tell whether the holidays of a country in a year are known."""
    return bool(_days(country, year))


def in_season(day: date, season: str) -> bool:
    """Tell whether a day is within a season of the file, or may be: the moon decides Ramadan."""
    return any(first <= day <= last for first, last in _seasons(season))


def known_until(country: str | None = None) -> date:
    """Give the last day whose holidays are known, of a country or of all that are known at all."""
    head = date.fromisoformat(_data()["known_until"])
    if country is None:
        return head
    years = [year for year in range(head.year + 1) if is_known(country, year)]
    return date(max(years), 12, 31) if years else date.min


@cache
def _data() -> dict[str, Any]:
    """Read {"known_until": …, "seasons": {…}, "places": {"US": "2026 0101 …;2027 …", …}}.

    One string a place, cut up when it is asked for: a cold start reads fifteen years of all
    countries in half a millisecond.
    """
    text = Path(__file__).with_name("public_holidays.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


@lru_cache(maxsize=512)
def _days(place: str, year: int) -> frozenset[str]:
    """Give a year's holidays as "0101"; none when there are none or they are not known."""
    for line in _data()["places"].get(place, "").split(";"):
        told, *days = line.split(" ")
        if told == str(year):
            return frozenset(days)
    return frozenset()


@cache
def _seasons(season: str) -> tuple[tuple[date, date], ...]:
    pairs = (span.split("/") for span in _data()["seasons"][season])
    return tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in pairs)
