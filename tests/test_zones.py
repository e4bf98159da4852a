"""Where a phone may be: what is believed, what is doubted and what is never guessed."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringhook import clock
from ringhook.deciding.zones import Address, Found, Nowhere, Place, places

NEW_YORK = "+12125552671"
SAN_FRANCISCO = "+14155552671"
TORONTO = "+14165550123"
AU_MOBILE = "+61491570156"
RU_MOBILE = "+79001234567"
ALL_OF_THE_US = {
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
}


def found(number: str, time_zone: str | None = None, address: Address | None = None) -> Found:
    answer = places(number, time_zone, address)
    assert not isinstance(answer, Nowhere), answer.reason
    return answer


def clocks(number: str, time_zone: str | None = None, address: Address | None = None) -> set[str]:
    return {place.zone for place in found(number, time_zone, address).places}


def laws(
    number: str, time_zone: str | None = None, address: Address | None = None
) -> set[tuple[str, str | None]]:
    return {(place.country, place.part) for place in found(number, time_zone, address).places}


# --- the number ------------------------------------------------------------------------------


def test_a_number_has_the_law_of_its_area_codes_state() -> None:
    assert laws("+15025552671") == {("US", "KY")}
    assert laws(TORONTO) == {("CA", "ON")}
    assert laws("+19025552671") == {("CA", "NS"), ("CA", "PE")}


def test_a_number_of_several_countries_has_its_own() -> None:
    assert found("+447797712345").places == (Place("Europe/Jersey", "JE"),)
    assert found("+447400123456").places == (Place("Europe/London", "GB"),)
    assert found("+262692123456").places == (Place("Indian/Reunion", "RE"),)


@pytest.mark.parametrize("number", ["+999123456789", "not a number", "", "+1", "+80012345678"])
def test_nothing_known_is_an_answer_of_its_own(number: str) -> None:
    assert isinstance(places(number), Nowhere)
    assert isinstance(places(number, "", Address("", "", "")), Nowhere)
    assert isinstance(places(number, "Mars/Base", Address("Narnia")), Nowhere)
    assert clocks(number, None, Address("GB")) == {"Europe/London"}
    assert laws(number, "Europe/London") == {("GB", None)}


# --- the address -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        Address("US", "NY"),
        Address("us", " new york "),
        Address("United States", "N.Y."),
        Address("USA", "US-NY"),
        Address("US", None, "10001-0001"),
        Address("US", "NY", "10001"),
        Address(None, "NY", "10001"),
        Address("n/a", "New York", ""),
    ],
)
def test_an_address_that_agrees_with_the_number_replaces_it(address: Address) -> None:
    assert found(NEW_YORK, None, address) == Found((Place("America/New_York", "US", "NY"),))


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        (Address("CA", "AB"), "America/Edmonton"),
        (Address("Canada", None, "T2P 1A1"), "America/Edmonton"),
        (Address("AU", "Queensland"), "Australia/Brisbane"),
        (Address("AU", None, "4000"), "Australia/Brisbane"),
        (Address("UK"), "Europe/London"),
        (Address("GB", "ENG"), "Europe/London"),
        (Address("US", "HI"), "Pacific/Honolulu"),
        (Address("Kosovo"), "Europe/Belgrade"),
    ],
)
def test_an_address_that_disagrees_stands_beside_the_number(address: Address, zone: str) -> None:
    assert clocks(NEW_YORK, None, address) == {"America/New_York", zone}


def test_a_postal_code_that_disagrees_with_the_state_adds_its_own() -> None:
    assert laws(NEW_YORK, None, Address("US", "NY", "40202")) == {("US", "KY"), ("US", "NY")}


def test_an_address_in_another_state_does_not_silence_the_state_of_the_number() -> None:
    """A Connecticut number with a New York address shares the clock, not the law."""
    assert laws("+12035552671", None, Address("US", "NY")) == {("US", "NY"), ("US", "CT")}


def test_an_address_of_the_same_country_alone_adds_nothing() -> None:
    assert found(NEW_YORK, None, Address("US")) == found(NEW_YORK)
    assert found(RU_MOBILE, None, Address("Russia")) == found(RU_MOBILE)


def test_an_address_narrows_a_mobile_that_may_be_anywhere_in_its_country() -> None:
    assert clocks(AU_MOBILE, None, Address("AU", "NSW", "2000")) == {"Australia/Sydney"}
    assert clocks(RU_MOBILE, None, Address("RU", None, "690000")) == {"Asia/Vladivostok"}
    assert clocks(RU_MOBILE, None, Address("RU", "Kaliningrad")) == {"Europe/Kaliningrad"}


def test_a_clock_that_hardly_anybody_has_counts_where_the_address_points_there() -> None:
    assert "Indian/Christmas" not in clocks(AU_MOBILE)
    assert "Indian/Christmas" in clocks(AU_MOBILE, None, Address("AU", "WA", "6798"))
    assert "Indian/Christmas" in clocks(AU_MOBILE, None, Address("CX"))
    assert clocks(AU_MOBILE, None, Address("AU", "NSW", "2898")) == {"Australia/Lord_Howe"}
    assert "Australia/Lord_Howe" not in clocks(AU_MOBILE, None, Address("AU", "NSW"))
    assert clocks(AU_MOBILE, "Australia/Lord_Howe") == {"Australia/Lord_Howe"}


# --- what cannot be read, or is only half there ------------------------------------------------


@pytest.mark.parametrize("province", ["Boston", "Narnia", "12"])
def test_a_state_that_cannot_be_read_widens_to_all_of_the_country_and_is_named(
    province: str,
) -> None:
    answer = found(NEW_YORK, None, Address("US", province))
    assert {place.zone for place in answer.places} == ALL_OF_THE_US
    assert ("US", "NY") in {(place.country, place.part) for place in answer.places}
    assert answer.doubts == (f"the province {province!r} is not known: all of US counts",)


def test_a_state_that_cannot_be_read_widens_even_beside_a_postal_code() -> None:
    answer = found(NEW_YORK, None, Address("US", "Honolulu", "10001"))
    assert {place.zone for place in answer.places} == ALL_OF_THE_US
    assert answer.doubts


@pytest.mark.parametrize("country", ["XX", "Narnia", "1"])
def test_a_country_that_cannot_be_read_widens_to_all_of_the_numbers_and_is_named(
    country: str,
) -> None:
    answer = found(NEW_YORK, None, Address(country))
    assert {place.zone for place in answer.places} == ALL_OF_THE_US
    assert answer.doubts == (f"the country {country!r} is not known",)


def test_a_state_beside_a_country_that_cannot_be_read_stands_beside_the_number() -> None:
    answer = found(NEW_YORK, None, Address("Narnia", "CA"))
    assert {place.zone for place in answer.places} == {"America/New_York", "America/Los_Angeles"}
    assert answer.doubts


def test_a_state_in_the_place_of_the_country_is_read_and_named() -> None:
    answer = found(NEW_YORK, None, Address("Texas"))
    assert ("US", "TX") in {(place.country, place.part) for place in answer.places}
    assert answer.doubts == ("the country 'Texas' is not known",)


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        (Address(None, "HI", "96813"), "Pacific/Honolulu"),
        (Address(None, "Calif.", None), "America/Los_Angeles"),
        (Address(None, None, "96813"), "Pacific/Honolulu"),
    ],
)
def test_a_state_or_zip_without_a_country_belongs_to_the_numbers(
    address: Address, zone: str
) -> None:
    assert found(NEW_YORK, None, address).doubts == ()
    assert clocks(NEW_YORK, None, address) == {"America/New_York", zone}


def test_a_part_without_a_country_that_fits_the_neighbour_alone_counts_there_as_well() -> None:
    for address in (Address(None, "Manitoba"), Address(None, None, "R2C 0A1")):
        assert clocks(NEW_YORK, None, address) == ALL_OF_THE_US | {"America/Winnipeg"}
        assert found(NEW_YORK, None, address).doubts


@pytest.mark.parametrize("postal_code", ["XX1 2YY", "00000", "123456"])
def test_a_postal_code_that_cannot_be_read_widens_and_is_named(postal_code: str) -> None:
    answer = found(NEW_YORK, None, Address("US", None, postal_code))
    assert {place.zone for place in answer.places} == ALL_OF_THE_US
    assert answer.doubts == (f"the postal code {postal_code!r} is not one of US",)


def test_words_for_not_known_are_no_evidence() -> None:
    for word in ("N/A", "none", "null", "-", "Unknown", " "):
        assert found(NEW_YORK, None, Address(word, word, word)) == found(NEW_YORK)


@pytest.mark.parametrize("address", [Address("US", "AE"), Address("US", None, "09012")])
def test_a_military_address_may_be_abroad_and_a_time_zone_tells(address: Address) -> None:
    answer = found(NEW_YORK, None, address)
    assert {place.zone for place in answer.places} >= {"America/New_York", "Europe/Berlin"}
    assert "military" in answer.doubts[0]
    assert clocks(NEW_YORK, "Asia/Bahrain", address) == {"Asia/Bahrain"}


# --- the time zone given -----------------------------------------------------------------------


def test_the_zone_given_for_a_person_is_believed_over_the_number() -> None:
    assert clocks(AU_MOBILE, "Australia/Perth") == {"Australia/Perth"}
    assert clocks(NEW_YORK, "us/pacific") == {"America/Los_Angeles"}
    assert clocks(NEW_YORK, "America/Chicago", Address("US", "TX")) == {"America/Chicago"}


def test_the_zone_and_an_address_that_disagree_stand_side_by_side() -> None:
    both = clocks(AU_MOBILE, "Australia/Perth", Address("AU", "NSW", "2000"))
    assert both == {"Australia/Perth", "Australia/Sydney"}


def test_the_zone_keeps_the_law_of_the_number() -> None:
    """A Miami number on Eastern time is still called by Florida's law."""
    assert laws("+13055552671", "EST") == {("US", "FL")}


def test_a_zone_abroad_brings_its_own_law_unless_an_address_says_where_the_person_lives() -> None:
    assert laws(NEW_YORK, "Europe/London") == {("US", "NY"), ("GB", None)}
    assert laws(TORONTO, "America/New_York", Address("CA", "ON", "M4B 1B3")) == {("CA", "ON")}


@pytest.mark.parametrize("time_zone", ["UTC", "GMT", "Etc/Unknown", "Mars/Base", "+05:30", "?"])
def test_what_is_no_clock_of_the_country_widens_and_is_named(time_zone: str) -> None:
    answer = found(NEW_YORK, time_zone)
    assert {place.zone for place in answer.places} == ALL_OF_THE_US
    assert repr(time_zone) in answer.doubts[0]
    assert "all of US counts" in answer.doubts[0]


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
    answer = places(number, time_zone, address)
    if isinstance(answer, Nowhere):
        assert answer.reason
        assert isinstance(places(number), Nowhere)
    else:
        assert answer.places
        assert len(set(answer.places)) == len(answer.places)
        for place in answer.places:
            assert clock.zone(place.zone).key == place.zone


@given(number=st.sampled_from([NEW_YORK, AU_MOBILE, RU_MOBILE]), text=st.text(min_size=1))
def test_evidence_that_cannot_be_read_never_narrows(number: str, text: str) -> None:
    before = {place.zone for place in found(number).places}
    for answer in (
        found(number, text),
        found(number, None, Address(text)),
        found(number, None, Address(None, text)),
        found(number, None, Address(None, None, text)),
    ):
        if answer.doubts:
            assert {place.zone for place in answer.places} >= before


def test_the_data_of_phonenumbers_that_do_not_ship_are_not_imported() -> None:
    gone = "geodata carrierdata tzdata timezone"
    code = (
        "import sys\n"
        f"for name in '{gone}'.split(): sys.modules['phonenumbers.' + name] = None\n"
        "from ringhook.deciding.zones import places\n"
        "print(places('+14155550123').places[0].zone)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "America/Los_Angeles"
