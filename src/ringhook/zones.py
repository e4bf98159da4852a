"""Where a phone may be: its time zones, and whose law holds there.

A number does not say where it rings: people keep it when they move and carry it when they travel.
So the answer is a set of places, and a call must be allowed in each of them. Evidence, the most
trusted first: a time zone given for the person, an address, the number itself. An address that
agrees with the number replaces it; one that disagrees stands beside it, because either may be out
of date. Nothing known is an answer of its own (`Nowhere`), never UTC.

Sources: zones by country and their old names from the tzdata wheel; zones by number from
`phonenumbers`, of which only `timezone` and `tzdata` are used (its other data do not ship); zones
by state and states by postal code and area code from the tables below, which are public knowledge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from phonenumbers import (
    NumberParseException,
    is_valid_number,
    national_significant_number,
    parse,
    region_code_for_number,
)
from phonenumbers.timezone import time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA


@dataclass(frozen=True, slots=True)
class Place:
    """One place where the recipient may be: the clock on the wall and whose rules hold."""

    zone: str
    """A canonical IANA name, "America/Chicago"."""
    country: str
    """ISO 3166-1 alpha-2, "US"."""
    part: str | None = None
    """The state or province where known, as ISO 3166-2 has it after the country: "TX"."""


@dataclass(frozen=True, slots=True)
class Address:
    """What an event says of where the person lives, as it came; "" and None are not known."""

    country: str | None = None
    province: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Nowhere:
    """No place can be told, and why: such a call must not ring."""

    reason: str


def places(
    number: str, time_zone: str | None = None, address: Address | None = None
) -> tuple[Place, ...] | Nowhere:
    """Tell every place where the phone with this E.164 number may be, at least one.

    What is given but cannot be read (a zone, a country) gives Nowhere rather than being passed
    over: the person may be where it meant to say.
    """
    by_number = _places_by_number(number)
    by_address = _places_by_address(address) if address else ()
    if isinstance(by_address, Nowhere):
        return by_address
    if address and not time_zone and _country(address) == "US" and _parts(address) & _MILITARY:
        return Nowhere("a military address (AA, AE, AP) may be anywhere: give a time_zone")
    if _adds_nothing(by_address, by_number):
        found = by_number
    elif _agree(by_address, by_number):
        found = by_address
    else:
        found = _unique(by_address + by_number)
    if time_zone:
        return _in_zone(time_zone, found, with_address=bool(by_address))
    return found or Nowhere(
        "neither a time zone nor an address is given, and the number tells no country"
    )


def _adds_nothing(by_address: tuple[Place, ...], by_number: tuple[Place, ...]) -> bool:
    """Tell whether an address names no more than the country that the number is of anyway."""
    countries = {place.country for place in by_number}
    return all(place.part is None and place.country in countries for place in by_address)


def _agree(by_address: tuple[Place, ...], by_number: tuple[Place, ...]) -> bool:
    """Tell whether the two may speak of one and the same place; no number has nothing to say."""
    return not by_number or any(
        there.zone == here.zone
        and there.country == here.country
        and there.part in {None, here.part}
        for here in by_address
        for there in by_number
    )


def _in_zone(
    time_zone: str, found: tuple[Place, ...], *, with_address: bool
) -> tuple[Place, ...] | Nowhere:
    """Put the clock of the zone given under the rules of each place found.

    Without an address, a zone abroad means that the person lives there: its rules hold as well.
    """
    zone = _zone_names().get(time_zone.strip().lower())
    if zone is None:
        return Nowhere(
            f"time_zone {time_zone!r} is no place's time: give an IANA name such as America/Chicago"
        )
    country = _country_of_zone()[zone]
    moved = tuple(Place(zone, place.country, place.part) for place in found)
    if not with_address and country not in {place.country for place in found}:
        moved += (Place(zone, country),)
    return _unique(moved)


def _places_by_address(address: Address) -> tuple[Place, ...] | Nowhere:
    country = _country(address)
    if not country:
        return ()
    if country not in _zones_by_country():
        return Nowhere(f"country {address.country!r} is no ISO 3166 code: give two letters, as US")
    known = _PARTS.get(country, {})
    return _unique(
        tuple(
            Place(zone, country, part)
            for part in sorted(_parts(address) - _MILITARY) or (None,)
            for zone in (known[part][1] if part in known else _zones_by_country()[country])
        )
    )


def _country(address: Address) -> str:
    country = (address.country or "").strip().upper()
    return "GB" if country == "UK" else country


def _parts(address: Address) -> set[str]:
    """Tell the part of the country by its name and by the postal code: two, if they disagree."""
    country = _country(address)
    by_name = _part_by_name(country, address.province or "")
    by_code = _part_by_postal_code(country, (address.postal_code or "").strip().upper())
    return {part for part in (by_name, by_code) if part}


def _part_by_name(country: str, province: str) -> str | None:
    """Read "TX", "US-TX" or "Texas"; a name is known only where the zones of the part are."""
    wanted = province.strip().upper().removeprefix(f"{country}-")
    known = _PARTS.get(country)
    if known is None:
        return wanted if wanted.isalnum() and len(wanted) <= _LONGEST_PART else None
    if wanted in known or (country == "US" and wanted in _MILITARY):
        return wanted
    return next((code for code, (name, _) in known.items() if name.upper() == wanted), None)


def _part_by_postal_code(country: str, code: str) -> str | None:
    """Read the first characters; a code that has lost its leading zeros tells nothing."""
    if country == "US" and re.match(r"\d{5}", code, re.ASCII):
        prefix = int(code[:3])
        return next((part for first, last, part in _US_ZIPS if first <= prefix <= last), None)
    if country == "CA":
        return _CA_POSTAL.get(code[:1])
    if country == "AU" and re.fullmatch(r"\d{4}", code, re.ASCII):
        return _AU_POSTAL.get(code[:1])
    return None


def _places_by_number(number: str) -> tuple[Place, ...]:
    """Tell the places of a number; none when it is no valid number or of no one country."""
    try:
        parsed = parse(number)
    except NumberParseException:
        return ()
    country = region_code_for_number(parsed) if is_valid_number(parsed) else None
    if country not in _zones_by_country():
        return ()
    area = national_significant_number(parsed)[:3]
    if country == "CA" and area == _NORTHERN_AREA:
        zones = tuple(zone for part in ("NT", "NU", "YT") for zone in _PARTS["CA"][part][1])
        return _unique(tuple(Place(zone, "CA") for zone in zones))
    part = _STATE_OF_AREA.get(area) if country == "US" else None
    by_region = tuple(
        zone
        for region in (country, *_SAME_NUMBERS.get(country, ()))
        for zone in _zones_by_country()[region]
    )
    raw = time_zones_for_number(parsed)
    by_prefix = tuple(_zone_names().get(zone.lower(), zone) for zone in raw)
    # `phonenumbers` keeps one zone for each offset, be it a neighbour's (Kaliningrad is
    # "Europe/Bucharest"), and leaves some out (Easter Island). So where it knows no more than the
    # calling code, or names a zone that the country does not have, every zone of the country stays.
    narrow = raw != TIMEZONE_DATA.get(str(parsed.country_code)) and set(by_prefix) <= set(by_region)
    return _unique(
        tuple(Place(zone, country, part) for zone in (by_prefix if narrow else by_region))
    )


def _unique(found: tuple[Place, ...]) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(found))


@cache
def _country_of_zone() -> dict[str, str]:
    """Read which country each zone is of: {"America/Chicago": "US", …}; only these are places."""
    rows = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines()
    cells = (row.split("\t") for row in rows if row and not row.startswith("#"))
    return {zone: country for country, _, zone, *_ in cells}


@cache
def _zones_by_country() -> dict[str, tuple[str, ...]]:
    zones: dict[str, tuple[str, ...]] = {}
    for zone, country in _country_of_zone().items():
        zones[country] = (*zones.get(country, ()), zone)
    return zones


@cache
def _zone_names() -> dict[str, str]:
    """Read every name of a place's zone, old ones too, in lower case: {"us/pacific": "America/…"}.

    UTC, GMT and Etc/… are left out: they are nobody's time of day, but what systems write when they
    know none.
    """
    places_zones = _country_of_zone()
    names = {zone.lower(): zone for zone in places_zones}
    rows = (files("tzdata") / "zoneinfo" / "tzdata.zi").read_text(encoding="utf-8").splitlines()
    for row in rows:
        if row.startswith("L "):
            _, zone, old = row.split(" ")
            if zone in places_zones:
                names.setdefault(old.lower(), zone)
    return names


# --- tables ----------------------------------------------------------------------------------

_LONGEST_PART = 3

# Post for the US forces has a state of its own, that may be anywhere in the world.
_MILITARY = frozenset({"AA", "AE", "AP"})

# Mobile numbers of these territories are the mother country's.
_SAME_NUMBERS = {"AU": ("CC", "CX")}

# 867 is all three northern territories of Canada, and a mobile in any of them.
_NORTHERN_AREA = "867"

# The parts of the countries where the part tells the zone: code -> (name, zones). A part that two
# clocks divide has both, and the decision takes the narrower of the two.
_PARTS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "US": {
        "AL": ("Alabama", ("America/Chicago",)),
        "AK": ("Alaska", ("America/Anchorage", "America/Adak")),
        "AZ": ("Arizona", ("America/Phoenix", "America/Denver")),
        "AR": ("Arkansas", ("America/Chicago",)),
        "CA": ("California", ("America/Los_Angeles",)),
        "CO": ("Colorado", ("America/Denver",)),
        "CT": ("Connecticut", ("America/New_York",)),
        "DE": ("Delaware", ("America/New_York",)),
        "DC": ("District of Columbia", ("America/New_York",)),
        "FL": ("Florida", ("America/New_York", "America/Chicago")),
        "GA": ("Georgia", ("America/New_York",)),
        "HI": ("Hawaii", ("Pacific/Honolulu",)),
        "ID": ("Idaho", ("America/Boise", "America/Los_Angeles")),
        "IL": ("Illinois", ("America/Chicago",)),
        "IN": ("Indiana", ("America/Indiana/Indianapolis", "America/New_York", "America/Chicago")),
        "IA": ("Iowa", ("America/Chicago",)),
        "KS": ("Kansas", ("America/Chicago", "America/Denver")),
        "KY": ("Kentucky", ("America/New_York", "America/Chicago")),
        "LA": ("Louisiana", ("America/Chicago",)),
        "ME": ("Maine", ("America/New_York",)),
        "MD": ("Maryland", ("America/New_York",)),
        "MA": ("Massachusetts", ("America/New_York",)),
        "MI": ("Michigan", ("America/Detroit", "America/New_York", "America/Menominee")),
        "MN": ("Minnesota", ("America/Chicago",)),
        "MS": ("Mississippi", ("America/Chicago",)),
        "MO": ("Missouri", ("America/Chicago",)),
        "MT": ("Montana", ("America/Denver",)),
        "NE": ("Nebraska", ("America/Chicago", "America/Denver")),
        "NV": ("Nevada", ("America/Los_Angeles", "America/Denver")),
        "NH": ("New Hampshire", ("America/New_York",)),
        "NJ": ("New Jersey", ("America/New_York",)),
        "NM": ("New Mexico", ("America/Denver",)),
        "NY": ("New York", ("America/New_York",)),
        "NC": ("North Carolina", ("America/New_York",)),
        "ND": ("North Dakota", ("America/Chicago", "America/Denver")),
        "OH": ("Ohio", ("America/New_York",)),
        "OK": ("Oklahoma", ("America/Chicago",)),
        "OR": ("Oregon", ("America/Los_Angeles", "America/Boise")),
        "PA": ("Pennsylvania", ("America/New_York",)),
        "RI": ("Rhode Island", ("America/New_York",)),
        "SC": ("South Carolina", ("America/New_York",)),
        "SD": ("South Dakota", ("America/Chicago", "America/Denver")),
        "TN": ("Tennessee", ("America/Chicago", "America/New_York")),
        "TX": ("Texas", ("America/Chicago", "America/Denver")),
        "UT": ("Utah", ("America/Denver",)),
        "VT": ("Vermont", ("America/New_York",)),
        "VA": ("Virginia", ("America/New_York",)),
        "WA": ("Washington", ("America/Los_Angeles",)),
        "WV": ("West Virginia", ("America/New_York",)),
        "WI": ("Wisconsin", ("America/Chicago",)),
        "WY": ("Wyoming", ("America/Denver",)),
        "AS": ("American Samoa", ("Pacific/Pago_Pago",)),
        "GU": ("Guam", ("Pacific/Guam",)),
        "MP": ("Northern Mariana Islands", ("Pacific/Saipan",)),
        "PR": ("Puerto Rico", ("America/Puerto_Rico",)),
        "VI": ("Virgin Islands", ("America/St_Thomas",)),
    },
    "CA": {
        "AB": ("Alberta", ("America/Edmonton",)),
        "BC": ("British Columbia", ("America/Vancouver", "America/Creston", "America/Edmonton")),
        "MB": ("Manitoba", ("America/Winnipeg",)),
        "NB": ("New Brunswick", ("America/Moncton",)),
        "NL": ("Newfoundland and Labrador", ("America/St_Johns", "America/Goose_Bay")),
        "NS": ("Nova Scotia", ("America/Halifax",)),
        "NT": ("Northwest Territories", ("America/Edmonton", "America/Inuvik")),
        "NU": ("Nunavut", ("America/Iqaluit", "America/Rankin_Inlet", "America/Cambridge_Bay")),
        "ON": ("Ontario", ("America/Toronto", "America/Atikokan", "America/Winnipeg")),
        "PE": ("Prince Edward Island", ("America/Halifax",)),
        "QC": ("Quebec", ("America/Toronto", "America/Halifax", "America/Blanc-Sablon")),
        "SK": ("Saskatchewan", ("America/Regina", "America/Edmonton")),
        "YT": ("Yukon", ("America/Whitehorse",)),
    },
    "AU": {
        "ACT": ("Australian Capital Territory", ("Australia/Sydney",)),
        "NSW": (
            "New South Wales",
            ("Australia/Sydney", "Australia/Broken_Hill", "Australia/Lord_Howe"),
        ),
        "NT": ("Northern Territory", ("Australia/Darwin",)),
        "QLD": ("Queensland", ("Australia/Brisbane",)),
        "SA": ("South Australia", ("Australia/Adelaide",)),
        "TAS": ("Tasmania", ("Australia/Hobart",)),
        "VIC": ("Victoria", ("Australia/Melbourne",)),
        "WA": ("Western Australia", ("Australia/Perth", "Australia/Eucla")),
    },
}

# Which state the first three digits of a ZIP code are of: (first, last, state), in order, the first
# that fits. Lone prefixes that lie within another state's range come before it.
_US_ZIPS = (
    (5, 5, "NY"), (6, 7, "PR"), (8, 8, "VI"), (9, 9, "PR"), (10, 27, "MA"), (28, 29, "RI"),
    (30, 38, "NH"), (39, 49, "ME"), (55, 55, "MA"), (50, 59, "VT"), (60, 69, "CT"),
    (70, 89, "NJ"), (90, 99, "AE"), (100, 149, "NY"), (150, 196, "PA"), (197, 199, "DE"),
    (201, 201, "VA"), (200, 205, "DC"), (206, 219, "MD"), (220, 246, "VA"), (247, 268, "WV"),
    (270, 289, "NC"), (290, 299, "SC"), (300, 319, "GA"), (340, 340, "AA"), (320, 349, "FL"),
    (350, 369, "AL"), (370, 385, "TN"), (386, 397, "MS"), (398, 399, "GA"), (400, 427, "KY"),
    (430, 459, "OH"), (460, 479, "IN"), (480, 499, "MI"), (500, 528, "IA"), (530, 549, "WI"),
    (550, 567, "MN"), (569, 569, "DC"), (570, 577, "SD"), (580, 588, "ND"), (590, 599, "MT"),
    (600, 629, "IL"), (630, 658, "MO"), (660, 679, "KS"), (680, 693, "NE"), (700, 714, "LA"),
    (716, 729, "AR"), (733, 733, "TX"), (730, 749, "OK"), (750, 799, "TX"), (800, 816, "CO"),
    (820, 831, "WY"), (832, 838, "ID"), (840, 847, "UT"), (850, 865, "AZ"), (870, 884, "NM"),
    (885, 885, "TX"), (889, 898, "NV"), (900, 961, "CA"), (962, 966, "AP"), (967, 968, "HI"),
    (969, 969, "GU"), (970, 979, "OR"), (980, 994, "WA"), (995, 999, "AK"),
)  # fmt: skip

# X is both northern territories of the east; only the address can say which, so neither is named.
_CA_POSTAL = {
    "A": "NL", "B": "NS", "C": "PE", "E": "NB", "G": "QC", "H": "QC", "J": "QC", "K": "ON",
    "L": "ON", "M": "ON", "N": "ON", "P": "ON", "R": "MB", "S": "SK", "T": "AB", "V": "BC",
    "Y": "YT",
}  # fmt: skip

_AU_POSTAL = {
    "0": "NT", "1": "NSW", "2": "NSW", "3": "VIC", "4": "QLD", "5": "SA", "6": "WA", "7": "TAS",
    "8": "VIC", "9": "QLD",
}  # fmt: skip

# The area codes of the states that calling_hours.toml has a row for; the others need none, as
# federal hours hold there.
_AREA_CODES = {
    "AL": "205 251 256 334 659 938",
    "CA": "209 213 279 310 323 341 350 357 369 408 415 424 442 510 530 559 562 619 626 628 650 657"
    " 661 669 707 714 738 747 760 805 818 820 831 837 840 858 909 916 925 949 951",
    "CT": "203 475 860 959",
    "FL": "239 305 321 324 352 386 407 448 561 645 656 689 727 728 754 772 786 813 850 863 904 941"
    " 954",
    "IL": "217 224 309 312 331 447 464 618 630 708 730 773 779 815 847 861 872",
    "KY": "270 364 502 606 859",
    "LA": "225 318 337 457 504 985",
    "MA": "339 351 413 508 617 774 781 857 978",
    "MD": "227 240 301 410 443 667",
    "ME": "207",
    "MI": "231 248 269 313 517 586 616 679 734 810 906 947 989",
    "MN": "218 320 507 612 651 763 924 952",
    "MS": "228 471 601 662 769",
    "NM": "505 575",
    "NV": "702 725 775",
    "OK": "405 539 572 580 918",
    "OR": "458 503 541 971",
    "PA": "215 223 267 272 412 445 484 570 582 610 717 724 814 835 878",
    "RI": "401",
    "SD": "605",
    "TX": "210 214 254 281 325 346 361 409 430 432 469 512 621 682 713 726 737 806 817 830 832 903"
    " 915 936 940 945 956 972 979",
    "UT": "385 435 801",
    "WA": "206 253 360 425 509 564",
    "WY": "307",
}
_STATE_OF_AREA = {area: part for part, areas in _AREA_CODES.items() for area in areas.split()}
