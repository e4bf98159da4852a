"""Countries, their parts and their clocks, as places.json has them.

Zones of one country that show the same time are one clock, and one of them stands for all: Detroit
is America/New_York. `python -m ringhook_ops.tables.places` writes the file and says where it is
from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """One place where the recipient may be: the clock on the wall and whose rules hold."""

    zone: str
    """A canonical IANA name, "America/Chicago"."""
    country: str
    """ISO 3166-1 alpha-2, "US"."""
    part: str | None = None
    """The state or province where known, as ISO 3166-2 has it after the country: "TX"."""


def load(name: str) -> Any:
    """Read a data file of the package."""
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def is_country(code: str) -> bool:
    """Tell whether people live there: whether it has a clock."""
    return code in _tables()["countries"]


@cache
def clocks(country: str, *, rare: bool = False) -> tuple[str, ...]:
    """Give the clocks of a country; those that hardly anybody there has only if `rare`."""
    return _common(country, tuple(_tables()["countries"].get(country, {})), rare=rare)


@cache
def clocks_of_part(country: str, part: str, *, rare: bool = False) -> tuple[str, ...]:
    """Give the clocks of a state or province; none where they are not known."""
    every = _tables()["parts"].get(country, {}).get(part, "").split()
    return _common(country, tuple(every), rare=rare)


def _common(country: str, zones: tuple[str, ...], *, rare: bool) -> tuple[str, ...]:
    seldom = () if rare else _tables()["rare"].get(country, "").split()
    return tuple(zone for zone in zones if zone not in seldom) or zones


def military(part: str) -> tuple[str, ...]:
    """Give the clocks where most post for the US forces with this "state" goes, AE; else none."""
    return tuple(_tables()["military"].get(part, "").split())


def places_in(country: str, *, rare: bool = False) -> tuple[Place, ...]:
    """Give the places of a country of which no more is known."""
    return tuple(Place(zone, country) for zone in clocks(country, rare=rare))


def clock_of(zone: str) -> str:
    """Give the zone that stands for all that show the same time in its country."""
    return _zones()[zone][1]


def country_of(zone: str) -> str:
    """Give the country that a zone is of."""
    return _zones()[zone][0]


def unique(places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Leave out what has the clock and the law of an earlier one."""
    first: dict[tuple[str, str, str | None], Place] = {}
    for place in places:
        first.setdefault((clock_of(place.zone), place.country, place.part), place)
    return tuple(first.values())


@cache
def _zones() -> dict[str, tuple[str, str]]:
    zones: dict[str, tuple[str, str]] = {}
    for country, of_country in _tables()["countries"].items():
        for first, others in of_country.items():
            for zone in (first, *others.split()):
                zones.setdefault(zone, (country, first))
    return zones


@cache
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = load("places.json")
    return tables
