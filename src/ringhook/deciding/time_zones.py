"""Time zones as people and systems write them: which zones are meant.

IANA names in any case and form (`america/new_york`, `us_slash_eastern`, old names), Windows names
("Eastern Standard Time"), what CLDR, Outlook and Rails show ("(GMT-05:00) Eastern Time (US &
Canada)"), letters (EST, PT) and plain offsets (UTC-5). Letters mean what people mean by them: EST
is the time of New York in summer too. What a word means depends on where the person may be: MST is
Denver's and Phoenix's in the US, Hermosillo's in Mexico; CST is China's for a number there.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from ringhook import clock
from ringhook.deciding.geography import clock_of, clocks, country_of, load
from ringhook.reading.countries import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

_OFFSET = r"[+\-\u2212\u2013]\s?\d{1,2}(?::?\d{2}|\.\d{1,2})?(?!\d)"
# "UTC-5", "(GMT+05:30)", "-0500", "Z"; and the same before a name.
_LEADING = re.compile(
    rf"\(?\s*(?:(?P<zero>UTC|GMT|Z|Zulu|Etc/(?:UTC|GMT|Zulu))\b)?\s*(?P<offset>{_OFFSET})?\s*\)?"
    r"(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_BETWEEN = re.compile(r"[,;/|()\[\]]| - ")
_LONGEST = 80
_DECIMAL = {"5": "30", "50": "30", "75": "45", "25": "15"}
# An offset is a place's if the place has it in any of these years: systems that write offsets
# often have old data.
_YEARS = range(2025, 2028)


@lru_cache(maxsize=512)  # strangers write what they like: it is bounded
def zones_meant(text: str, countries: frozenset[str]) -> tuple[str, ...]:
    """Give the zones that a text may mean for somebody of these countries; none if unreadable.

    An offset alone means every clock of the countries that has it at some time of the year.
    """
    written = text.strip()[:_LONGEST].replace("_slash_", "/")
    if named := _named(written):
        return _for(named, countries)
    leading = _LEADING.fullmatch(written)
    if leading is None:
        return ()
    rest = leading["rest"].strip()
    if rest and (named := _named(rest) or _pieces(rest)):
        return _for(named, countries)
    if leading["offset"] is None and (rest or leading["zero"] is None):
        return ()
    return _at(_minutes(leading["offset"] or "+0", written), countries)


def _named(name: str) -> tuple[str, ...]:
    """Look a name up, also without what stands in brackets at its end."""
    if re.search(_OFFSET + r"\)?$", name):
        return ()  # Etc/GMT+5 is no name: letters and figures have to be read together
    for form in (name, re.sub(r"\s*\([^()]*\)$", "", name)):
        if zones := _names().get(plain(form)):
            return tuple(zones.split())
    return ()


def _pieces(text: str) -> tuple[str, ...]:
    """Read a list of names, "Chennai, Kolkata, Mumbai": what all that are known mean."""
    names = (_names().get(plain(piece), "") for piece in _BETWEEN.split(text))
    return tuple(dict.fromkeys(zone for zones in names for zone in zones.split()))


def _for(zones: tuple[str, ...], countries: frozenset[str]) -> tuple[str, ...]:
    """Keep the zones of the person's countries, else those of the US, else all."""
    if len(zones) == 1:
        return zones
    for wanted in (countries, {"US"}):
        if here := [zone for zone in zones if country_of(zone) in wanted]:
            return tuple({clock_of(zone): zone for zone in reversed(here)}.values())
    return zones


def _minutes(offset: str, written: str) -> int:
    """Read "+05:30", "+0530" and "+5.5" as 330; Etc/GMT+5 is five hours behind, as POSIX has it."""
    figures = re.sub(r"[^\d.]", "", offset)
    hours, _, part = figures.partition(".")
    if len(hours) > 2:
        hours, part = hours[:-2], hours[-2:]
    minutes = int(_DECIMAL.get(part, part) or 0)
    behind = (offset[0] != "+") != written.lower().startswith("etc/")
    return (-1 if behind else 1) * (int(hours) * 60 + minutes)


def _at(minutes: int, countries: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        zone
        for country in sorted(countries)
        for zone in clocks(country)
        if minutes in _offsets(zone)
    )


@cache
def _offsets(zone: str) -> frozenset[int]:
    """Give the offsets that a zone has in `_YEARS`, in minutes."""
    tz = clock.zone(zone)
    moments = (datetime(year, month, 15, tzinfo=UTC) for year in _YEARS for month in range(1, 13))
    offsets = (moment.astimezone(tz).utcoffset() or timedelta(0) for moment in moments)
    return frozenset(int(offset.total_seconds() // 60) for offset in offsets)


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = load("zone_names.json")
    return names
