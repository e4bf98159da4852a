"""A number has every clock of its prefix: all exchanges, against a table of the tests' own."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ringhook.deciding import geography, prefixes
from ringhook.deciding.law import parts_with_rules
from ringhook_ops.tables import places

# Which clocks the split codes have, by the letters of NANPA's report of 26 November 2025 and the
# municipalities of each side; a zone stands for its clock. An overlay has its parent's.
SPLIT = {
    "1": {
        "208 986": "America/Denver America/Los_Angeles",
        "219 574 812 930": "America/New_York America/Chicago",
        "236 250 257 672 778": "America/Vancouver America/Edmonton",
        "270 364 606": "America/New_York America/Chicago",
        "273 367 418 581": "America/Toronto America/Halifax",
        "308 402 531": "America/Chicago America/Denver",
        "423 729 931": "America/New_York America/Chicago",
        "448 850": "America/New_York America/Chicago",
        "458 541": "America/Los_Angeles America/Denver",
        "605 701": "America/Chicago America/Denver",
        "620 785": "America/Chicago America/Denver",
        "709 879": "America/St_Johns America/Halifax",
        "775": "America/Los_Angeles America/Denver",
        "807": "America/Toronto America/Winnipeg",
        "867": "America/Whitehorse America/Edmonton America/Winnipeg America/Toronto",
        "906": "America/New_York America/Chicago",
        "907": "America/Anchorage America/Adak",
        "915": "America/Chicago America/Denver",
        "928": "America/Phoenix America/Denver",
    },
    "55": {"81": "America/Recife", "97": "America/Manaus America/Rio_Branco"},
    "52": {"636 656 657": "America/Chihuahua America/Denver", "997": "America/Merida"},
    "61": {
        "7": "Australia/Brisbane",
        "8": "Australia/Adelaide Australia/Darwin Australia/Perth",
        "4": "Australia/Sydney Australia/Brisbane Australia/Adelaide Australia/Darwin"
        " Australia/Perth",
    },
    "62": {"8": "Asia/Jakarta Asia/Makassar Asia/Jayapura"},
    "34": {"6": "Europe/Madrid Atlantic/Canary"},
    "351": {"9": "Europe/Lisbon Atlantic/Azores"},
    "56": {"9": "America/Santiago America/Punta_Arenas"},
    "7": {"411": "Asia/Yakutsk Asia/Vladivostok"},
}
WIDTH = {"1": 10, "55": 11, "52": 10, "61": 9, "62": 11, "34": 9, "351": 9, "56": 9, "7": 10}
MOMENTS = [datetime(2027, month, 10, tzinfo=UTC) for month in (1, 4, 7, 10)]


def shown(zone: str) -> tuple[str, ...]:
    """Tell a clock by what it shows in each season."""
    return tuple(f"{at.astimezone(ZoneInfo(zone)):%H:%M}" for at in MOMENTS)


@pytest.mark.parametrize(
    ("calling_code", "area", "zones"),
    [
        (calling_code, area, zones)
        for calling_code, areas in SPLIT.items()
        for codes, zones in areas.items()
        for area in codes.split()
    ],
)
def test_every_exchange_of_a_split_code_has_all_its_clocks(
    calling_code: str, area: str, zones: str
) -> None:
    wanted = {shown(zone) for zone in zones.split()}
    for exchange in range(1000):
        number = f"+{calling_code}{area}{exchange:03}"
        number = number.ljust(WIDTH[calling_code] + len(calling_code) + 1, "1")
        known = {shown(place.zone) for place in prefixes.places_of(number)}
        # A few exchanges are one island's own: the Northern Territory, the Cocos Islands.
        assert wanted <= known or number.startswith(("+618", "+569")), number


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+14155552671", {"America/Los_Angeles"}),
        ("+919876543210", {"Asia/Kolkata"}),
        ("+971501234567", {"Asia/Dubai"}),
        ("+17875552671", {"America/Puerto_Rico"}),
        ("+16892345678", {"America/New_York"}),
        ("+14742345678", {"America/Edmonton"}),
        ("+13575552671", {"America/Los_Angeles"}),
        ("+5568912345678", {"America/Rio_Branco"}),
        ("+5591912345678", {"America/Belem"}),
        ("+526141234567", {"America/Chihuahua"}),
        ("+74011234567", {"Europe/Kaliningrad"}),
        ("+77012345678", {"Asia/Almaty"}),
        ("+38344123456", {"Europe/Belgrade"}),
        ("+61891621234", {"Indian/Cocos"}),
        ("+61891641234", {"Indian/Christmas"}),
        ("+79161234567", {"Europe/Moscow"}),
        ("+861391234567", {"Asia/Shanghai"}),
        ("+13345552671", {"America/Chicago"}),
    ],
)
def test_a_prefix_with_one_clock_has_that_alone(number: str, zones: set[str]) -> None:
    assert {place.zone for place in prefixes.places_of(number)} == zones


@pytest.mark.parametrize(
    ("number", "rare"),
    [
        ("+61412345678", "Indian/Cocos"),
        ("+61412345678", "Australia/Lord_Howe"),
        ("+6421123456", "Pacific/Chatham"),
        ("+79001234567", "Asia/Kamchatka"),
        ("+18085552671", "Pacific/Midway"),
        ("+861391234567", "Asia/Urumqi"),
    ],
)
def test_a_clock_that_hardly_anybody_has_is_left_out_until_it_is_asked_for(
    number: str, rare: str
) -> None:
    assert rare not in {place.zone for place in prefixes.places_of(number)}
    assert rare in {place.zone for place in prefixes.places_of(number, rare=True)}


def test_a_number_whose_prefix_is_not_known_may_be_anywhere_in_its_country() -> None:
    zones = {place.zone for place in prefixes.places_of("+18885552671")}
    assert zones >= {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"}


def test_a_states_clocks_go_with_its_law() -> None:
    """867 is three territories: Yukon's clock comes under Yukon's law alone."""
    found = prefixes.places_of("+18672345678")
    assert {place.part for place in found} == {"NT", "NU", "YT"}
    assert {place.part for place in found if place.zone == "America/Whitehorse"} == {"YT"}


def test_every_state_in_the_table_of_hours_has_area_codes() -> None:
    states = {part for where, *_ in geography.load("number_zones.json") for part in where.split()}
    assert {f"US-{part}" for part in parts_with_rules("US")} <= states


def test_no_prefix_is_in_two_rows() -> None:
    prefixes = [
        prefix for *_, codes in geography.load("number_zones.json") for prefix in codes.split()
    ]
    assert len(prefixes) == len(set(prefixes)) > 1164
    assert all(re.fullmatch(r"[1-9]\d{1,6}", prefix) for prefix in prefixes)


def test_the_files_are_those_that_the_pinned_libraries_make() -> None:
    for name, text in places.files_made().items():
        assert (places.TARGET / name).read_text(encoding="utf-8") == text, name
