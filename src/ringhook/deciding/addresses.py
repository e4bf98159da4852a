"""Where a person lives, from what an event says of the address: read, or widened and named.

What cannot be read never narrows the answer and never vanishes: all of the country counts, and a
doubt says why. A state or a postal code without a country belongs to the country of the number.
addresses.json holds how parts of countries are written and what postal codes say;
`python -m ringhook_ops.tables.places` writes it and says where it is from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from ringhook.deciding.geography import (
    Place,
    clock_of,
    clocks,
    clocks_of_part,
    is_country,
    load,
    military,
    places_in,
    unique,
)
from ringhook.reading.countries import code_of, plain


@dataclass(frozen=True, slots=True)
class Address:
    """What an event says of where the person lives, as it came; "" and None are not known."""

    country: str | None = None
    province: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What an address says: its places, and sentences on what could not be read.

    Only one without doubts may take the place of what the number says.
    """

    places: tuple[Place, ...] = ()
    doubts: tuple[str, ...] = ()


# What people and programs write for "not known".
_NOTHING = re.compile(
    r"[\W_]*(n/a|none|null|nil|nan|undefined|unknown|empty"
    r"|not (set|provided|applicable|available))?[\W_]*",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"[,;:/|()\[\]_\u2013\u2014\-]|\d{4,}"
    r"|\b(?:state|province|commonwealth) of\b|\b(?:state|province)$",
    re.IGNORECASE,
)
_LONGEST = 60
# Neighbours under one calling code: a part of one is often written beside a number of the other.
_SIBLINGS = {"US": "CA", "CA": "US"}
# How long a postal code is without its lost zeros, and the shortest that can have lost them.
_FIGURES = {"AU": (4, 3), "BR": (8, 7), "ES": (5, 4), "FR": (5, 5), "MX": (5, 4), "PT": (4, 4)}
_FIGURES |= {"RU": (6, 6), "US": (5, 3)}


def read(address: Address, home: tuple[str, ...]) -> Reading:
    """Tell the places of an address for a number that is of the countries `home`."""
    country, province, postal = (
        _said(text) for text in (address.country, address.province, address.postal_code)
    )
    if not country:
        return _without_country(province, postal, home) if province or postal else Reading()
    code = code_of(country)
    if code and is_country(code):
        return _in_country(code, province, postal)
    doubt = f"the country {country!r} is not known"
    # A state may stand in the country's place, "Texas".
    if not province and any(_named(one, country)[0] for one in home):
        province = country
    found = _without_country(province, postal, home)
    everywhere = tuple(place for one in home for place in places_in(one))
    return Reading(found.places or everywhere, (doubt, *found.doubts))


def _said(text: str | None) -> str:
    said = " ".join((text or "").split())[:_LONGEST]
    return "" if _NOTHING.fullmatch(said) else said


def _without_country(province: str, postal: str, home: tuple[str, ...]) -> Reading:
    """Read a state or postal code as one of the number's country, else as a neighbour's."""
    readings = [_in_country(country, province, postal) for country in home]
    for reading in readings:
        if not reading.doubts:
            return reading
    siblings = [_SIBLINGS[country] for country in home if country in _SIBLINGS]
    beside = [_in_country(one, province, postal) for one in siblings if one not in home]
    readings += [reading for reading in beside if not reading.doubts]
    return Reading(
        unique(tuple(place for reading in readings for place in reading.places)),
        tuple(dict.fromkeys(doubt for reading in readings for doubt in reading.doubts)),
    )


def _in_country(country: str, province: str, postal: str) -> Reading:
    """Read an address in a country."""
    parts, unread = _named(country, province) if province else ((), False)
    coded = _coded(country, postal) if postal else ()
    doubts: list[str] = []
    found: list[Place] = []
    if unread:
        doubts.append(f"the province {province!r} is not known: all of {country} counts")
        found += places_in(country)
    if coded is None:
        doubts.append(f"the postal code {postal!r} is not one of {country}")
        found += () if parts else places_in(country)
    soldiers = {place.part for place in coded or () if place.part and military(place.part)}
    for part in dict.fromkeys((*parts, *sorted(soldiers))):
        if military(part):
            doubts.append(f"a military address ({part}) may be anywhere: a time_zone would tell")
            found += [Place(zone, country) for zone in military(part)]
        elif not any(place.part == part and place.country == country for place in coded or ()):
            here = clocks_of_part(country, part) or clocks(country)
            found += [Place(zone, country, part) for zone in here]
    for place in coded or ():
        # A code that tells a clock and no part is silent where a part is named.
        silent = parts and not place.part and place.country == country
        if not silent and place.part not in soldiers:
            found.append(place)
    return Reading(unique(tuple(found)) or places_in(country), tuple(doubts))


def _named(country: str, province: str) -> tuple[tuple[str, ...], bool]:
    """Tell the parts that a text names, and whether it should name one and does not."""
    names = _tables()["names"].get(country)
    if names is None:
        part = province.upper().removeprefix(f"{country}-")
        return ((part,) if part.isalnum() and part.isascii() and len(part) <= 3 else ()), False
    if part := names.get(plain(province)):
        return (part,), False
    pieces = [piece for piece in _BETWEEN.split(province) if plain(piece)]
    parts = dict.fromkeys(names[plain(piece)] for piece in pieces if plain(piece) in names)
    # "Texas USA" and "TX US": the country's name may follow without a comma.
    words = province.split()
    for end in range(len(words) - 1, 0, -1):
        if code_of(" ".join(words[end:])) == country:
            before = names.get(plain(" ".join(words[:end])))
            parts |= {before: None} if before else {}
    return tuple(parts), not parts


def _coded(country: str, postal: str) -> tuple[Place, ...] | None:
    """Tell the places that a postal code is of; None where it is no code of the country.

    Of countries whose codes are not known here nothing is told, as none of them changes a clock.
    """
    table = _tables()["postal"].get(country)
    if table is None:
        return ()
    code = re.sub(r"[\s\-.]", "", postal).upper()
    if country == "CA":
        if not re.fullmatch(r"[A-Z]\d[A-Z](\d[A-Z]\d)?", code, re.ASCII):
            return None
    else:
        full = _full(country, code)
        if full is None:
            return None
        code = full
    for size in range(len(code), 0, -1):
        if where := table.get(code[:size]):
            return _places(country, where)
    return None if country in {"US", "CA", "AU", "BR"} else ()


def _full(country: str, code: str) -> str | None:
    """Give the figures of a code with the zeros that a spreadsheet took from its beginning."""
    size, least = _FIGURES[country]
    if not re.fullmatch(r"\d+", code, re.ASCII):
        return None
    if country == "US" and len(code) in (7, 8, 9):  # with four more: 02134-1234
        return code.zfill(9)[:size]
    if country == "PT" and len(code) == 7:
        return code[:size]
    if country == "BR" and len(code) == 5:  # the first five of eight
        return code
    return code.zfill(size) if least <= len(code) <= size else None


def _places(country: str, where: str) -> tuple[Place, ...]:
    """Read "TX America/Denver": parts and clocks; "=CX" is a country of its own, "*" any part."""
    words = where.split()
    abroad = tuple(place for word in words if word[0] == "=" for place in places_in(word[1:]))
    if abroad:
        return abroad
    parts = [word for word in words if "/" not in word and word != "*"]
    zones = [word for word in words if "/" in word]
    found: list[Place] = []
    for part in parts:
        own = military(part) or clocks_of_part(country, part, rare=True)
        clocks_here = {clock_of(zone) for zone in own}
        known = [zone for zone in zones if clock_of(zone) in clocks_here] if own else zones
        here = known or military(part) or clocks_of_part(country, part) or clocks(country)
        found += [Place(zone, country, part) for zone in here]
    return tuple(found) if parts else tuple(Place(zone, country) for zone in zones)


@cache
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = load("addresses.json")
    return tables
