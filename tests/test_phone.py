"""Phone numbers: E.164 or refused with the reason, and who is never rung."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import ALICE, BOB

from ringhook.errors import UnmappedError
from ringhook.phone import COUNTRIES, masked, objection, to_e164


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("+14155550123", None, ALICE),
        ("+1 (415) 555-0123", None, ALICE),
        ("+1.415.555.0123", None, ALICE),
        ("tel:+1-415-555-0123", None, ALICE),
        (" +14155550123\n", None, ALICE),
        ("+14155550123", "GB", ALICE),
        ("(415) 555-0123", "US", ALICE),
        ("4155550123", "CA", ALICE),
        ("14155550123", "US", ALICE),
        ("020 7946 0123", "GB", BOB),
        ("+44 (0)20 7946 0123", None, BOB),
        ("0044 20 7946 0123", "FR", BOB),
        ("011 44 20 7946 0123", "US", BOB),
        ("06-12345678", "NL", "+31612345678"),
        ("02 5550 1234", "AU", "+61255501234"),
    ],
)
def test_a_number_is_made_e164(written: str, region: str | None, number: str) -> None:
    assert to_e164(written, region) == number


@pytest.mark.parametrize(
    ("written", "region", "said"),
    [
        ("(415) 555-0123", None, "is a national number and there is no region for it"),
        ("4155550123", None, "is a national number"),
        # A Kuwaiti number without its country: with a plus before it, it would be Peru.
        ("51091234", None, "is a national number"),
        ("5109123456", None, "is a national number"),
        ("0044 20 7946 0123", None, "is a national number"),
        ("hello", None, "it has no digits"),
        ("hello", "US", "is not a phone number"),
        ("+", None, "is not a phone number"),
        ("+999123456789", None, "is not"),
        ("12", "US", "is not a number that exists in US"),
        ("+1 415 555", None, r"is not a number that exists under \+1$"),
        ("+44 20 79", "US", r"is not a number that exists under \+44$"),
        ("011 44 20 79", "US", r"is not a number that exists under \+44$"),
        ("911", "US", "is not a number that exists in US$"),
        ("020 7946 0123", "US", "is not a number that exists in US"),
        ("+1 415 555 0123 ext. 9", None, "has an extension"),
        ("415-555-0123", "us", "region 'us' is no country's code"),
        ("415-555-0123", "USA", "region 'USA' is no country's code"),
        ("+14155550123", "United States of America and more", "is no country's code"),
        ("+1 415 555 0123 and +44 20 7946 0123", None, "is not"),
        ("+" + "1" * 500, None, "is not a phone number"),
    ],
)
def test_a_number_is_refused_with_the_reason_and_never_guessed(
    written: str, region: str | None, said: str
) -> None:
    with pytest.raises(UnmappedError, match=said) as raised:
        to_e164(written, region)
    assert "5550123" not in str(raised.value)
    assert "555-0123" not in str(raised.value)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+18005550123", "a toll-free number is never rung"),
        ("+448081570123", "a toll-free number is never rung"),
        ("+19005550123", "a premium-rate number is never rung"),
        ("+449098790123", "a premium-rate number is never rung"),
        ("+491801234567", "a shared-cost number is never rung"),
        ("+447640123456", "a pager is never rung"),
        ("+447012345678", "a forwarded personal number, billed like premium rate is never rung"),
        ("+33199000123", "the number is in FR; countries allows GB, US"),
        ("+14165550123", "the number is in CA; countries allows GB, US"),
        ("+18765550123", "the number is in JM; countries allows GB, US"),
        ("+442079460123", None),
        ("+14155550123", None),
        ("+870773111632", "belongs to no country"),
        ("+80012345678", "a toll-free number is never rung"),
    ],
)
def test_who_is_not_rung_and_why(number: str, reason: str | None) -> None:
    said = objection(number, frozenset({"US", "GB"}))
    assert said == reason if reason is None else reason in str(said)


def test_countries_are_codes_of_two_capital_letters() -> None:
    assert {"US", "GB", "IN", "KW", "PE"} <= COUNTRIES
    assert all(len(country) == 2 and country.isupper() for country in COUNTRIES)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (ALICE, "+1•••••0123"),
        (BOB, "+4•••••0123"),
        ("(415) 555-0123", "•••••0123"),
        ("5550123", "•••••••"),
        ("", ""),
        ("my number is 4155550123", "•••••0123"),
    ],
)
def test_a_log_shows_a_number_masked(number: str, shown: str) -> None:
    assert masked(number) == shown


@given(st.text(max_size=40) | st.from_regex(r"\+?[0-9 ()x.-]{1,30}"))
@pytest.mark.parametrize("region", [None, "US", "GB", "XX", ""])
def test_every_text_is_a_number_or_refused(region: str | None, text: str) -> None:
    try:
        number = to_e164(text, region)
    except UnmappedError:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{5,14}", number)
    assert to_e164(number, None) == number
    objection(number, frozenset({"US"}))


@given(st.from_regex(r"\+?[0-9]{8,15}", fullmatch=True))
def test_masked_numbers_show_no_more_than_the_ends(number: str) -> None:
    assert len([char for char in masked(number) if char.isdigit()]) <= 5
