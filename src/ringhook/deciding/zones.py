"""Where a phone may be: its time zones, and whose law holds there.

A number does not say where it rings: people keep it when they move and carry it when they travel.
So the answer is a set of places, and a call must be allowed in each of them. Evidence, the most
trusted first: a time zone given for the person, an address, the number itself. An address that
agrees with the number replaces it; one that disagrees stands beside it, because either may be out
of date; and so for a time zone and an address. What cannot be read widens the answer and is named
as a doubt: it never narrows it, and never vanishes. Nothing known is an answer of its own
(`Nowhere`), never UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

from ringhook.deciding import addresses, prefixes, time_zones
from ringhook.deciding.addresses import Address
from ringhook.deciding.geography import Place, clock_of, country_of, places_in, unique

__all__ = ["Address", "Found", "Nowhere", "Place", "places"]


@dataclass(frozen=True, slots=True)
class Found:
    """Every place where the phone may be, at least one."""

    places: tuple[Place, ...]
    doubts: tuple[str, ...] = ()
    """Sentences on evidence that could not be read or was only half there, for the reason."""


@dataclass(frozen=True, slots=True)
class Nowhere:
    """No place can be told, and why: such a call must not ring."""

    reason: str


def places(
    number: str, time_zone: str | None = None, address: Address | None = None
) -> Found | Nowhere:
    """Tell every place where the phone with this E.164 number may be."""
    by_number = prefixes.places_of(number)
    home = tuple(dict.fromkeys(place.country for place in by_number))
    reading = addresses.read(address, home) if address else addresses.Reading()
    found = _together(number, by_number, reading)
    if not time_zone or not time_zone.strip():
        return _answer(found, reading.doubts)
    countries = frozenset(place.country for place in found)
    zones = time_zones.zones_meant(time_zone, countries)
    if zones:
        return _answer(_in_zones(zones, found, reading), reading.doubts)
    wide = unique(tuple(place for country in sorted(countries) for place in places_in(country)))
    all_of = f": all of {', '.join(sorted(countries))} counts" if countries else ""
    doubt = f"the time_zone {time_zone.strip()[:80]!r} is no clock that is known there{all_of}"
    return _answer(unique(found + wide), (*reading.doubts, doubt))


def _answer(found: tuple[Place, ...], doubts: tuple[str, ...]) -> Found | Nowhere:
    if found:
        return Found(found, doubts)
    named = "".join(f"; {doubt}" for doubt in doubts)
    return Nowhere(f"the number tells no country, and nothing else says where it is{named}")


def _together(
    number: str, by_number: tuple[Place, ...], reading: addresses.Reading
) -> tuple[Place, ...]:
    """Join an address with the number; it replaces what it agrees with, if it is beyond doubt."""
    if not by_number or not reading.places:
        return reading.places or by_number
    countries = {place.country for place in by_number}
    if not reading.doubts:
        if all(place.part is None and place.country in countries for place in reading.places) and (
            len(reading.places) == len(places_in(reading.places[0].country))
        ):
            return by_number  # it names no more than the country
        if _agree(reading.places, prefixes.places_of(number, rare=True)):
            return reading.places
    return unique(reading.places + by_number)


def _agree(by_address: tuple[Place, ...], by_number: tuple[Place, ...]) -> bool:
    """Tell whether the two may speak of one and the same place."""
    return any(
        clock_of(there.zone) == clock_of(here.zone)
        and there.country == here.country
        and (there.part is None or here.part in {None, there.part})
        for here in by_address
        for there in by_number
    )


def _in_zones(
    zones: tuple[str, ...], found: tuple[Place, ...], reading: addresses.Reading
) -> tuple[Place, ...]:
    """Put the clocks that the person is said to have under the rules of each place found.

    Without an address, a clock abroad means that the person lives there: its rules hold as well.
    An address that has another clock stands beside: either may be out of date.
    """
    laws = dict.fromkeys((place.country, place.part) for place in found)
    moved = [Place(zone, country, part) for zone in zones for country, part in laws]
    known = {country for country, _ in laws}
    sure = bool(reading.places) and not reading.doubts
    if not sure:
        abroad = [zone for zone in zones if country_of(zone) not in known]
        moved += [Place(zone, country_of(zone)) for zone in abroad]
    given = {clock_of(zone) for zone in zones}
    if sure and not given & {clock_of(place.zone) for place in reading.places}:
        moved += reading.places
    return unique(tuple(moved))
