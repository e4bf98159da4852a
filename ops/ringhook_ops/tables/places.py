"""Write what the functions know of places and clocks, as small files beside the package.

Countries and their clocks come from the tzdata wheel, the names of parts from `pycountry`, ZIP
codes from `zipcodes`, names of time zones from tzdata, CLDR (`babel`) and Windows (`tzlocal`);
`tables/number_zones.json` and `tables/places.toml` hold the rest, with their sources. Run it after
an upgrade of tzdata, of phonenumbers or of one of them:

    python -m ringhook_ops.tables.places

Two zones of one country are one clock when they show the same time from now until `UNTIL`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import phonenumbers
import pycountry
import zipcodes
from babel import Locale
from babel.core import get_global
from tzlocal.windows_tz import tz_win

from ringhook import clock
from ringhook.reading.countries import plain

TABLES = Path(__file__).parent
TARGET = Path(__file__).parents[3] / "src" / "ringhook"
SINCE, UNTIL = datetime(2026, 11, 24, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
# The abbreviations that a zone has shown in these years are names of it.
NAMED_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
MILITARY = {"AA", "AE", "AP"}
# The countries of which a part is read by its name: those where it tells a clock, a law or a day.
BY_PART = ("AU", "BR", "CA", "DE", "ES", "ID", "MX", "PT", "RU", "US")
# A ZIP code whose first three figures are on two clocks is believed itself, except where nearly
# all the others disagree with it (mistakes of the list) and in Arizona, where the clock changes
# from one reservation to the next.
OUTLIERS = 0.15


def files_made() -> dict[str, str]:
    """Give the text of each file by its name."""
    hand = tomllib.loads((TABLES / "places.toml").read_text(encoding="utf-8"))
    numbers = json.loads((TABLES / "number_zones.json").read_text(encoding="utf-8"))["prefixes"]
    parts = _parts(hand, numbers)
    return {
        "reading/area_codes.json": _rows(_area_codes(numbers)),
        "deciding/number_zones.json": _number_zones(numbers),
        "deciding/places.json": _json(
            {
                "source": f"tzdata {version('tzdata')}",
                "countries": _countries(hand),
                "rare": hand["rare"],
                "parts": parts,
                "military": hand["military"],
            }
        ),
        "deciding/addresses.json": _json({"names": _names(hand, parts), "postal": _postal(hand)}),
        "deciding/zone_names.json": _rows(_zone_names(hand)),
    }


def _json(tables: dict[str, Any]) -> str:
    """Write a table of tables with a line for each row, so that a change is read as one."""
    blocks = (
        f"{json.dumps(name)}: {_rows(table) if isinstance(table, dict) else json.dumps(table)}"
        for name, table in tables.items()
    )
    return "{\n" + ",\n".join(block.rstrip() for block in blocks) + "\n}\n"


def _rows(table: dict[str, Any]) -> str:
    rows = (
        f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in sorted(table.items())
    )
    return "{\n" + ",\n".join(rows) + "\n}\n"


# --- countries and clocks --------------------------------------------------------------------


@cache
def _zone_tab() -> dict[str, str]:
    """Read which country each zone is of."""
    rows = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines()
    cells = (row.split("\t") for row in rows if row and not row.startswith("#"))
    return {zone: country for country, _, zone, *_ in cells}


@cache
def _signature(zone: str) -> tuple[int, ...]:
    """Give a zone's offset on every day, in minutes."""
    tz = clock.zone(zone)
    steps = (SINCE + timedelta(days=day) for day in range((UNTIL - SINCE).days))
    return tuple(int(_offset(step.astimezone(tz)).total_seconds() // 60) for step in steps)


def _offset(moment: datetime) -> timedelta:
    offset = moment.utcoffset()
    return offset if offset is not None else timedelta(0)


def _countries(hand: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Give each country's clocks, each by the zone that stands for it, and the zones like it."""
    zones: dict[str, list[str]] = defaultdict(list)
    for country, names in hand["names"].items():
        zones[country] += names.split()
    for zone, country in (_zone_tab() | {hand["also"]["XK"]: "RS"}).items():
        if zone not in zones[country]:
            zones[country].append(zone)
    zones |= {country: names.split() for country, names in hand["also"].items()}
    countries: dict[str, dict[str, str]] = {}
    for country, names in zones.items():
        clocks: dict[tuple[int, ...], list[str]] = {}
        rare = hand["rare"].get(country, "").split()
        # A zone that hardly anybody has stands for no other.
        for zone in sorted(names, key=lambda zone: zone in rare):
            clocks.setdefault(_signature(zone), []).append(zone)
        countries[country] = {first: " ".join(others) for first, *others in clocks.values()}
    return countries


def _number_zones(numbers: dict[str, Any]) -> str:
    """Write [places, zones, rare zones, prefixes] for all prefixes that are answered alike."""
    alike: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for prefix, row in numbers.items():
        where = " ".join(re.findall(r"\b[A-Z]{2}(?:-[A-Z0-9]+)?\b", row["region"].split("(")[0]))
        # What is not a place's official clock, though people live by it, counts as a rare one.
        rare = (*row.get("rare", ()), *row.get("unofficial", ()))
        alike[where, " ".join(row["zones"]), " ".join(rare)].append(prefix.removeprefix("+"))
    rows = (json.dumps([*key, " ".join(sorted(codes))]) for key, codes in sorted(alike.items()))
    return "[\n" + ",\n".join(rows) + "\n]\n"


def _area_codes(numbers: dict[str, Any]) -> dict[str, str]:
    """Give the country of each North American area code that libphonenumber does not know yet.

    Those that are only assigned (`status`) are left out: no call from there is possible.
    """
    islands = {
        metadata.leading_digits or ""
        for region in phonenumbers.region_codes_for_country_code(1)
        if (metadata := phonenumbers.PhoneMetadata.metadata_for_region(region))
    }
    found = {}
    for prefix, row in numbers.items():
        code = prefix.removeprefix("+1")
        if not re.fullmatch(r"\+1\d{3}", prefix) or "status" in row:
            continue
        if any(re.fullmatch(digits, code) for digits in islands):
            continue
        if not phonenumbers.is_valid_number(phonenumbers.parse(f"{prefix}2345678")):
            found[code] = row["region"][:2]
    return found


# --- addresses -------------------------------------------------------------------------------


def _parts(hand: dict[str, Any], numbers: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Give the clocks of a country's parts: {"US": {"NY": "America/New_York"}}."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for country, zones in hand["parts"].items():
        for zone, parts in zones.items():
            for part in parts.split():
                found[country][part].append(zone)
    # A row of several parts does not say which of them has which clock.
    for row in sorted(numbers.values(), key=lambda row: " " in row["region"]):
        places = re.findall(r"\b([A-Z]{2})-([A-Z0-9]+)", row["region"])
        for country, part in places:
            here = found[country][part]
            if (
                country in BY_PART
                and country not in hand["parts"]
                and (len(places) < 2 or not here)
            ):
                here += [zone for zone in row["zones"] if zone not in here]
    for country, zone in hand["parts_else"].items():
        for one in _subdivisions(country):
            found[country].setdefault(one.code.partition("-")[2], [zone])
    return {
        country: {part: " ".join(zones) for part, zones in sorted(parts.items())}
        for country, parts in found.items()
    }


def _subdivisions(country: str) -> list[Any]:
    # The library has annotations, but not on this function.
    found: list[Any] = pycountry.subdivisions.get(country_code=country)  # type: ignore[no-untyped-call]
    # Regions before their provinces, where both have one name.
    return sorted(found, key=lambda one: (one.parent_code or "", one.code))


def _names(hand: dict[str, Any], parts: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Give every way to write a part, made plain: {"US": {"ny": "NY", "new york": "NY"}}."""
    names: dict[str, dict[str, str]] = {}
    for country in BY_PART:
        known = names.setdefault(country, {})
        for part in parts.get(country, ()):
            known[plain(part)] = part
        for part, words in hand["also_called"].get(country, {}).items():
            known |= {plain(word): part for word in words.split(",")}
        for one in _subdivisions(country):
            part = one.code.partition("-")[2]
            for name in (*re.split(r"[\[\]]", one.name), *_english(one.name), part):
                if plain(name):
                    known.setdefault(plain(name), part)
    names["US"] |= {code.lower(): code for code in MILITARY}
    return {country: dict(sorted(known.items())) for country, known in names.items()}


def _english(name: str) -> Iterable[str]:
    """Give the English forms of a Russian name: Tverskaya oblast' is Tver and Tver Oblast."""
    kind = re.fullmatch(r"(.+?)(?:sk|ck)(?:aya|iy|oy) (?:oblast'|kray)", name)
    respublika = re.fullmatch(r"(.+), Respublika|Respublika (.+)", name)
    stems = respublika.groups() if respublika else ()
    if kind:
        stems = (kind[1], f"{kind[1]}sk")
    for form in ("{}", "{} Oblast", "{} Krai", "{} Region", "{} Republic", "Republic of {}"):
        yield from (form.format(stem) for stem in stems if stem)


def _postal(hand: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Give what the beginning of a postal code says: {"US": {"799": "TX America/Denver"}}."""
    postal = {
        country: {
            prefix: where for span, where in spans.items() for prefix in _prefixes(country, span)
        }
        for country, spans in hand["postal"].items()
    }
    return postal | {"US": _zip_codes(hand)}


def _prefixes(country: str, span: str) -> Iterable[str]:
    """Write a range of codes as the prefixes that cover it: 2600-2618 as 260, 2610 … 2618."""
    first, _, last = span.partition("-")
    if not last or country == "CA":
        return [span]
    size = len(first)
    start, end = int(first), int(last)
    found = []
    while start <= end:
        zeros = 0
        while start % 10 ** (zeros + 1) == 0 and start + 10 ** (zeros + 1) - 1 <= end:
            zeros += 1
        found.append(f"{start:0{size}}"[: size - zeros])
        start += 10**zeros
    return found


def _zips() -> list[dict[str, str]]:
    # The library has annotations, but not on this function.
    rows: list[dict[str, str]] = zipcodes.list_all()  # type: ignore[no-untyped-call]
    return rows


def _zip_codes(hand: dict[str, Any]) -> dict[str, str]:
    """Give the state and clocks of the first three figures, and of more where they differ."""
    states: dict[str, list[str]] = defaultdict(list)
    clocks: dict[str, dict[str, str]] = defaultdict(dict)
    alike = _alike(hand)
    for row in _zips():
        code, zone = row["zip_code"], alike.get(row["timezone"])
        if zone or row["zip_code_type"] == "MILITARY":
            states[code[:3]].append(row["state"])
        if zone:
            clocks[code[:3]][code] = zone
    table: dict[str, str] = {}
    for prefix, found in states.items():
        common = [state for state in dict.fromkeys(found) if found.count(state) * 10 > len(found)]
        where = " ".join(sorted(MILITARY & set(common)) or common)
        zones = list(clocks[prefix].values())
        table[prefix] = " ".join([where, *sorted(set(zones))])
        if len(set(zones)) > 1 and where != "AZ":
            sure = {zone for zone in zones if zones.count(zone) > OUTLIERS * len(zones)}
            table |= {
                code: f"{where} {zone}"
                for code, zone in _shortened(clocks[prefix]).items()
                if zone in sure
            }
    return table


def _shortened(codes: dict[str, str]) -> dict[str, str]:
    """Give four figures for the five where all that begin so are on one clock."""
    tens: dict[str, set[str]] = defaultdict(set)
    for code, zone in codes.items():
        tens[code[:4]].add(zone)
    return {code[:4] if len(tens[code[:4]]) == 1 else code: zone for code, zone in codes.items()}


# --- names of time zones ---------------------------------------------------------------------


def _zone_names(hand: dict[str, Any]) -> dict[str, str]:
    """Give the zones that a name may mean, made plain: {"eastern time": "America/New_York …"}."""
    names: dict[str, dict[str, None]] = defaultdict(dict)
    for name, zones in _all_names(hand):
        names[plain(name)] |= dict.fromkeys(zones)
    for nobodys in ("", "utc", "gmt", "z", "local", "unknown"):
        names.pop(nobodys, None)
    alike = _alike(hand)
    rare = {zone for zones in hand["rare"].values() for zone in zones.split()}

    def meant(zones: Iterable[str]) -> Iterable[str]:
        """Name each clock once, and none that is rare."""
        return dict.fromkeys(alike[zone] for zone in zones if zone not in rare)

    return {
        name: " ".join(zones if len(zones) == 1 else meant(zones)) for name, zones in names.items()
    }


def _all_names(hand: dict[str, Any]) -> Iterable[tuple[str, Iterable[str]]]:
    """Give each name with zones that it means; a name may come several times."""
    for zone in _zone_tab():
        own = {zone, zone.rpartition("/")[2], *_abbreviations(zone), *_cldr_names(zone)}
        yield from ((name, (zone,)) for name in sorted(own))
    rows = (files("tzdata") / "zoneinfo" / "tzdata.zi").read_text(encoding="utf-8").splitlines()
    links = (row.split(" ")[1:] for row in rows if row.startswith("L "))
    for zone, name in links:
        # A place of its own keeps its name, though its data are another's: Bahrain is not Qatar.
        if zone in _zone_tab() and name not in _zone_tab():
            yield from ((form, (zone,)) for form in (name, name.rpartition("/")[2]))
    yield from ((windows, (zone,)) for zone, windows in tz_win.items() if zone in _zone_tab())
    for words, zones in hand["time_zones"].items():
        yield from ((word, zones.split()) for word in words.split(","))


def _alike(hand: dict[str, Any]) -> dict[str, str]:
    """Give the zone that stands for each zone."""
    return {
        zone: first
        for clocks in _countries(hand).values()
        for first, others in clocks.items()
        for zone in (first, *others.split())
    } | {hand["also"]["XK"]: hand["also"]["XK"]}


def _abbreviations(zone: str) -> set[str]:
    """Give the letters that the zone's clock has been called by: {"EST", "EDT", "ET"}."""
    tz = clock.zone(zone)
    days = int((UNTIL - NAMED_SINCE) / timedelta(days=7))
    shown = {(NAMED_SINCE + timedelta(days=7 * day)).astimezone(tz).tzname() for day in range(days)}
    return {name for name in shown if name and name.isalpha()}


def _cldr_names(zone: str) -> set[str]:
    """Give what CLDR calls the zone's time in English: {"Eastern Time", "ET", …}, and its city."""
    english = Locale("en")
    metazone = get_global("meta_zones").get(zone)
    info = english.meta_zones.get(metazone, {}) if metazone else {}
    names = {name for kind in ("long", "short") for name in dict(info.get(kind, {})).values()}
    city = dict(english.time_zones.get(zone, {})).get("city")
    return {name for name in {*names, city or ""} if name and name != "∅∅∅"}


def main() -> None:
    """Write the files."""
    for name, text in files_made().items():
        (TARGET / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
