"""Where a phone may be: what is believed, what is doubted and what is never guessed."""

import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringhook import zones
from ringhook.law import parts_with_rules
from ringhook.zones import Address, Nowhere, Place, places

NEW_YORK = "+12125550123"
SAN_FRANCISCO = "+14155550123"
AU_MOBILE = "+61491570156"
RU_MOBILE = "+79161234567"


def clocks(number: str, time_zone: str | None = None, address: Address | None = None) -> set[str]:
    found = places(number, time_zone, address)
    assert not isinstance(found, Nowhere), found.reason
    return {place.zone for place in found}


def laws(
    number: str, time_zone: str | None = None, address: Address | None = None
) -> set[tuple[str, str | None]]:
    found = places(number, time_zone, address)
    assert not isinstance(found, Nowhere), found.reason
    return {(place.country, place.part) for place in found}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param(SAN_FRANCISCO, {"America/Los_Angeles"}, id="area code"),
        pytest.param("+19075550123", {"America/Anchorage", "America/Adak"}, id="two clocks"),
        pytest.param("+919876543210", {"Asia/Kolkata"}, id="an old name of the zone"),
        pytest.param("+971501234567", {"Asia/Dubai"}, id="one clock"),
        pytest.param("+447400123456", {"Europe/London"}, id="GB without the islands"),
        pytest.param("+17875550123", {"America/Puerto_Rico"}, id="+1 outside the US"),
    ],
)
def test_a_number_has_the_zones_of_its_prefix_in_its_own_country(
    number: str, expected: set[str]
) -> None:
    assert clocks(number) == expected


@pytest.mark.parametrize(
    ("number", "among"),
    [
        pytest.param(
            AU_MOBILE,
            {
                "Australia/Adelaide",
                "Australia/Brisbane",
                "Australia/Eucla",
                "Australia/Lord_Howe",
                "Australia/Perth",
                "Australia/Sydney",
                "Indian/Christmas",
                "Indian/Cocos",
            },
            id="AU mobile",
        ),
        pytest.param(RU_MOBILE, {"Europe/Kaliningrad", "Asia/Kamchatka"}, id="RU mobile"),
        pytest.param("+56961234567", {"America/Santiago", "Pacific/Easter"}, id="CL mobile"),
        pytest.param("+34612345678", {"Europe/Madrid", "Atlantic/Canary"}, id="ES mobile"),
        pytest.param("+351912345678", {"Europe/Lisbon", "Atlantic/Azores"}, id="PT mobile"),
        pytest.param("+18675550123", {"America/Whitehorse", "America/Iqaluit"}, id="CA north"),
    ],
)
def test_a_mobile_that_may_be_anywhere_in_its_country_has_all_its_clocks(
    number: str, among: set[str]
) -> None:
    assert clocks(number) >= among


def test_a_russian_mobile_is_not_in_kazakhstan() -> None:
    assert "Asia/Almaty" not in clocks(RU_MOBILE)
    assert laws(RU_MOBILE) == {("RU", None)}


def test_an_area_code_tells_a_state_with_hours_of_its_own() -> None:
    assert laws("+15025550123") == {("US", "KY")}
    assert laws(NEW_YORK) == {("US", None)}


def test_every_state_in_the_table_has_area_codes() -> None:
    assert set(parts_with_rules("US")) == set(zones._AREA_CODES)


def test_no_area_code_is_of_two_states() -> None:
    codes = [code for codes in zones._AREA_CODES.values() for code in codes.split()]
    assert len(codes) == len(set(codes))
    assert all(len(code) == 3 for code in codes)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(Address("US", "NY"), id="code"),
        pytest.param(Address("us", " new york "), id="name"),
        pytest.param(Address("US", "US-NY"), id="ISO 3166-2"),
        pytest.param(Address("US", None, "10001-0001"), id="postal code"),
        pytest.param(Address("US", "NY", "10001"), id="both"),
    ],
)
def test_an_address_that_agrees_with_the_number_replaces_it(address: Address) -> None:
    assert places(NEW_YORK, None, address) == (Place("America/New_York", "US", "NY"),)


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        (Address("CA", "AB"), "America/Edmonton"),
        (Address("CA", None, "T2P 1A1"), "America/Edmonton"),
        (Address("AU", "Queensland"), "Australia/Brisbane"),
        (Address("AU", None, "4000"), "Australia/Brisbane"),
        (Address("UK"), "Europe/London"),
        (Address("GB", "ENG"), "Europe/London"),
        (Address("US", "HI"), "Pacific/Honolulu"),
    ],
)
def test_an_address_that_disagrees_stands_beside_the_number(address: Address, zone: str) -> None:
    assert clocks(NEW_YORK, None, address) == {"America/New_York", zone}


def test_a_postal_code_that_disagrees_with_the_state_adds_its_own() -> None:
    address = Address("US", "NY", "40202")
    assert laws(NEW_YORK, None, address) == {("US", "KY"), ("US", "NY")}


def test_an_address_in_another_state_does_not_silence_the_state_of_the_number() -> None:
    """A Connecticut number with a New York address shares the clock, not the law."""
    assert laws("+12035550123", None, Address("US", "NY")) == {("US", "NY"), ("US", "CT")}


def test_an_address_of_the_same_country_alone_adds_nothing() -> None:
    assert places(NEW_YORK, None, Address("US")) == places(NEW_YORK)


@pytest.mark.parametrize("postal_code", ["2134", "n/a", "", "XX1 2YY"])
def test_a_postal_code_that_cannot_be_read_adds_nothing(postal_code: str) -> None:
    """2134 may be 02134 without its zero, which read as it stands would be another state."""
    assert places(NEW_YORK, None, Address("US", None, postal_code)) == places(NEW_YORK)


def test_the_zone_given_for_a_person_is_believed_over_all_else() -> None:
    assert clocks(AU_MOBILE, "Australia/Perth", Address("AU", "NSW")) == {"Australia/Perth"}
    assert clocks(NEW_YORK, "us/pacific") == {"America/Los_Angeles"}


def test_a_zone_abroad_brings_its_own_law_unless_an_address_says_where_the_person_lives() -> None:
    assert laws(NEW_YORK, "Europe/London") == {("US", None), ("GB", None)}
    assert laws("+14165550123", "America/New_York", Address("CA", "ON")) == {("CA", "ON")}


@pytest.mark.parametrize(
    "time_zone", ["UTC", "Etc/UTC", "GMT", "Etc/GMT+5", "Etc/Unknown", "Mars/Base", "+05:30", "?"]
)
def test_what_is_no_places_zone_is_an_error_and_not_passed_over(time_zone: str) -> None:
    found = places(NEW_YORK, time_zone)
    assert isinstance(found, Nowhere)
    assert time_zone in found.reason
    assert "America/Chicago" in found.reason


@pytest.mark.parametrize("country", ["XX", "United States", "USA", "1"])
def test_a_country_that_cannot_be_read_is_an_error(country: str) -> None:
    found = places(NEW_YORK, None, Address(country))
    assert isinstance(found, Nowhere)
    assert country in found.reason


@pytest.mark.parametrize("number", ["+447700900123", "+999123456789", "not a number", "", "+1"])
def test_nothing_known_is_an_answer_of_its_own(number: str) -> None:
    assert isinstance(places(number), Nowhere)
    assert isinstance(places(number, "", Address("", "", "")), Nowhere)
    assert clocks(number, None, Address("GB")) == {"Europe/London"}
    assert laws(number, "Europe/London") == {("GB", None)}


@pytest.mark.parametrize("address", [Address("US", "AE"), Address("US", None, "09012")])
def test_a_military_address_needs_a_time_zone(address: Address) -> None:
    assert isinstance(places(NEW_YORK, None, address), Nowhere)
    assert places(NEW_YORK, "Europe/Berlin", address) == (Place("Europe/Berlin", "US"),)


def test_the_channel_islands_and_man_keep_their_own_name() -> None:
    """+44 7911 may be any of them; the table of hours sends them to the rules of GB."""
    assert laws("+447911123456") <= {("GB", None), ("GG", None), ("IM", None), ("JE", None)}


@pytest.mark.parametrize("country", sorted(zones._PARTS))
def test_every_zone_in_the_tables_exists_and_is_canonical(country: str) -> None:
    for _, its_zones in zones._PARTS[country].values():
        assert its_zones
        for zone in its_zones:
            assert zone in zones._country_of_zone()
            assert ZoneInfo(zone).key == zone


def test_every_postal_code_is_of_a_state_in_the_table() -> None:
    states = {part for _, _, part in zones._US_ZIPS}
    assert states == set(zones._PARTS["US"]) - {"AS", "MP"} | zones._MILITARY
    assert set(zones._CA_POSTAL.values()) == set(zones._PARTS["CA"]) - {"NT", "NU"}
    assert set(zones._AU_POSTAL.values()) == set(zones._PARTS["AU"]) - {"ACT"}


texts = st.none() | st.text(max_size=12) | st.sampled_from(["US", "CA", "NY", "10001", "UTC", "GB"])


@given(
    number=st.text(max_size=16)
    | st.integers(10**6, 10**15).map("+{}".format)
    | st.sampled_from([NEW_YORK, AU_MOBILE, RU_MOBILE]),
    time_zone=texts | st.sampled_from(["Europe/Paris", "Asia/Calcutta"]),
    address=st.none() | st.builds(Address, texts, texts, texts),
)
def test_any_text_gives_real_places_or_a_reason(
    number: str, time_zone: str | None, address: Address | None
) -> None:
    found = places(number, time_zone, address)
    if isinstance(found, Nowhere):
        assert found.reason
    else:
        assert found
        assert len(set(found)) == len(found)
        assert all(place.zone in zones._country_of_zone() for place in found)


def test_the_data_of_phonenumbers_that_do_not_ship_are_not_imported() -> None:
    code = (
        "import sys\n"
        "sys.modules['phonenumbers.geodata'] = sys.modules['phonenumbers.carrierdata'] = None\n"
        "from ringhook.zones import places\n"
        "print(places('+14155550123')[0].zone)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "America/Los_Angeles"
