"""Where the numbers of a prefix are: number_zones.json, instead of libphonenumber's own answer.

libphonenumber knows the zones of some exchanges and gives the rest of a split area code the
commonest one, and some of its answers are wrong. Here a prefix has every clock of its area; the
longest that fits is taken. A number whose prefix is not there may be anywhere in its country.

The facts with their sources are in ops/ringhook_ops/tables/number_zones.json.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from phonenumbers import phonenumberutil as phonenumbers

from ringhook.deciding.geography import (
    Place,
    clock_of,
    clocks,
    clocks_of_part,
    country_of,
    is_country,
    load,
    places_in,
    unique,
)

_LONGEST = 7


@lru_cache(maxsize=1024)
def places_of(number: str, *, rare: bool = False) -> tuple[Place, ...]:
    """Give every place where an E.164 number is at home; none where it is of no one country.

    Clocks that hardly anybody with such a number has count only if `rare`.
    """
    if not re.fullmatch(r"\+[1-9]\d{1,14}", number, re.ASCII):
        return ()
    for size in range(_LONGEST, 0, -1):
        if row := _rows().get(number[1 : size + 1]):
            where, zones, seldom = row
            return _in_row(number, where.split(), zones.split() + seldom.split() * rare)
    countries = _countries(number)
    return unique(tuple(p for country in countries for p in places_in(country, rare=rare)))


def _in_row(number: str, where: list[str], zones: list[str]) -> tuple[Place, ...]:
    """Put each zone under the law of each place that has it."""
    named = [place.partition("-") for place in where]
    several = {country for country, _, _ in named}
    one = several & set(_countries(number)) if len(several) > 1 else several
    found: list[Place] = []
    for country, _, part in named:
        if country not in (one or several):
            continue
        here = clocks_of_part(country, part, rare=True) or clocks(country, rare=True)
        known = {clock_of(zone) for zone in here}
        # A zone abroad is one that shares the country's numbers: the Cocos Islands Australia's.
        own = [zone for zone in zones if clock_of(zone) in known or country_of(zone) not in several]
        # Jersey has a zone of its own, where the row of +44 names London.
        elsewhere = clocks(country) if len(several) > 1 else zones
        found += [Place(zone, country, part or None) for zone in own or elsewhere]
    return unique(tuple(found))


def _countries(number: str) -> tuple[str, ...]:
    """Tell the country of a number, or those that its calling code is of in the main."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    country = phonenumbers.region_code_for_number(parsed)
    if not country:
        country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        if country == "US":
            return "US", "CA"
        if country == "RU":
            return "RU", "KZ"
    return (country,) if is_country(country) else ()


@cache
def _rows() -> dict[str, tuple[str, str, str]]:
    """Read {"1208": ("US-ID", "America/Boise America/Los_Angeles", "rare zones")}."""
    return {
        prefix: (where, zones, rare)
        for where, zones, rare, prefixes in load("number_zones.json")
        for prefix in prefixes.split()
    }
