"""Phone numbers: read out of what is a number and nothing else, and who is never rung."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.builders import ALICE, BOB

from ringhook.errors import UnmappedError
from ringhook.reading.phone import COUNTRIES, masked, objection, read

# Rows of: the kind, what was written, the region, the countries that may be rung, the number.
CASES = json.loads(Path(__file__).with_name("phone_numbers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("kind", "written", "region", "countries", "number"), CASES)
def test_what_is_written_is_the_number_that_was_meant_or_none(
    kind: str, written: Any, region: str | None, countries: str, number: str | None
) -> None:
    allowed = frozenset(countries.split())
    if number is not None:
        assert read(written, region, allowed).e164 == number
        return
    with pytest.raises(UnmappedError) as raised:
        read(written, region, allowed)
    # A number in a message would reach the logs.
    assert not re.search(r"\d{5,}|555[ -]?0123", str(raised.value))


@pytest.mark.parametrize(
    ("written", "region", "said"),
    [
        ("(415) 555-0123", None, "is a national number and there is no region for it$"),
        ("(415) 555-0123", "Narnia", "no region for it: 'Narnia' is no country that is known"),
        ("hello", "US", "it has no digits"),
        ("12", "US", "is not a number that exists in US"),
        ("+44 20 79", "US", "is not a number that exists under its country's code"),
        ("+49 30 901820 Tom", "DE", "has letters, and letters never become digits"),
        ("+1 415 555 0123 ext. 9", None, "has an extension, which cannot be dialled"),
        ("tel:5550123;phone-context=a.example", None, "is a local number of a network of its own"),
        ("415-555-0123 / 415-555-0199", "US", "has several numbers: which one is meant?"),
        ("4155550123, Tom", "US", "has letters, and letters never become digits"),
        ("pat1234567@example.com", None, "is an e-mail or SIP address"),
        ("https://wa.me/14155550123", None, "is a web address"),
        ("9.19876E+11", "IN", "whose last digits are lost"),
        ("2026-11-23", "NO", "is a date, not a phone number"),
        ("192.168.100.123", "DE", "is an address of the internet"),
        ("40.712776", "NO", "is a decimal fraction"),
        ("-4155550123", "US", "has a minus before it"),
        ("+1415555****", None, "has digits that are hidden"),
        ("1+4155550123", "US", "has a plus among its digits"),
        ("4155550123%", "US", "it has '%'"),
        ("1" * 201, "US", "is a text of 201 characters"),
        (919876000000, "IN", "looks rounded, as by a spreadsheet: send it as text"),
        (0.5, "IN", "is negative, a fraction or too large"),
        ("468123456", "SE", "one number with its country's code and another without"),
        (" 4155550123", "US", "without one it is never read"),
        (" 4792345678", "US", "a number with one and another number without"),
    ],
)
def test_a_refusal_says_what_was_seen(written: Any, region: str | None, said: str) -> None:
    with pytest.raises(UnmappedError, match=re.escape(said).replace(r"\$", "$")):
        read(written, region, frozenset({"US", "NO"}))


@pytest.mark.parametrize(
    ("written", "region", "note"),
    [
        ("447400123456", "US", "phone_number has its country's code and no plus"),
        (" 14155550123", "US", "phone_number began with a space for its plus: read as +1•••••0123"),
        ("4915112345678", "DE", "phone_number has its country's code and no plus"),
        ("+52 1 55 1234 5678", None, "phone_number is of before 2019-08-03: read as +5•••••5678"),
        ("+14155550123", "Narnia", "region 'Narnia' is no country that is known"),
    ],
)
def test_what_had_to_be_understood_is_noted(written: str, region: str | None, note: str) -> None:
    assert note in " ".join(read(written, region, frozenset({"US", "GB"})).notes)


@pytest.mark.parametrize("region", [None, "US", "United States", "GB"])
def test_a_plain_number_needs_no_note(region: str | None) -> None:
    assert read(ALICE, region, frozenset()).notes == ()
    assert read(BOB, region, frozenset()).notes == ()


EXAMPLES = {
    region: [
        number
        for kind in range(11)
        if (number := phonenumbers.example_number_for_type(region, kind))
        and phonenumbers.is_valid_number(number)
    ]
    for region in sorted(COUNTRIES)
}
FORMATS = phonenumbers.PhoneNumberFormat
DECORATED = ("{}", "tel:{}", "p:{}", "Phone: {}", "\u201c{}\u201d", "\u202a{}\u202c", "{},", "({})")


@pytest.mark.parametrize("region", EXAMPLES)
def test_every_regions_numbers_are_read_back_however_they_are_decorated(region: str) -> None:
    for number in EXAMPLES[region]:
        national = phonenumbers.format_number(number, FORMATS.NATIONAL)
        written: list[tuple[str, str | None]] = [(national, region)]
        written += [(phonenumbers.national_significant_number(number), region)]
        for form in (FORMATS.E164, FORMATS.INTERNATIONAL):
            text = phonenumbers.format_number(number, form)
            written += [(shape.format(text), None) for shape in DECORATED]
        written += [(phonenumbers.format_number(number, FORMATS.RFC3966), None)]
        e164 = phonenumbers.format_number(number, FORMATS.E164)
        assert {read(text, where, COUNTRIES).e164 for text, where in written} == {e164}


@pytest.mark.parametrize("region", EXAMPLES)
def test_a_number_that_lost_its_plus_is_never_another(region: str) -> None:
    for number in EXAMPLES[region]:
        e164 = phonenumbers.format_number(number, FORMATS.E164)
        assert {reads(f" {e164[1:]}", region), reads(e164[1:], region)} <= {e164, None}


@pytest.mark.parametrize("region", EXAMPLES)
def test_a_space_before_digits_never_makes_a_national_number(region: str) -> None:
    for number in EXAMPLES[region]:
        national = phonenumbers.format_number(number, FORMATS.NATIONAL)
        digits = re.sub(r"\D", "", national)
        assert {reads(f" {national}", region), reads(f" {digits}", region)} <= {f"+{digits}", None}


def reads(text: str, region: str) -> str | None:
    try:
        return read(text, region, COUNTRIES).e164
    except UnmappedError:
        return None


SHAPES = (
    *("+14155550123", "+1 (415) 555-0123", "+49 30 901820", "+44 20 7946 0123", "+47 92 34 56 78"),
    *(
        "0660 1234567",
        "(415) 555-0123",
        "030/901820",
        "4155550123",
        "06 12 34 56 78",
        "98765-43210",
    ),
    *("tel:+14155550123", "p:+14155550123", "+39 06 1234567", "0171 1234567", "+61 412 345 678"),
)
# These letters are nobody's: two are dashes in Japan, four cannot be seen.
LETTERS = st.characters(
    categories=["Lu", "Ll", "Lt", "Lm", "Lo"],
    exclude_characters="\u30fc\uff70\u115f\u1160\u3164\uffa0",
)
WORDS = st.text(LETTERS, min_size=1, max_size=8) | st.sampled_from(["x5", "ext 5", "Tom", "e", "o"])


@given(
    shape=st.sampled_from(SHAPES),
    at=st.integers(0, 30),
    word=WORDS,
    instead=st.booleans(),
    spaced=st.booleans(),
    region=st.sampled_from([None, "US", "DE", "AT", "GB", "NO", "FR", "IN"]),
)
@example(shape="+49 30 901820", at=30, word="Tom", instead=False, spaced=True, region="DE")
@example(shape="0660 1234567", at=30, word="Anna", instead=False, spaced=True, region="AT")
@example(shape="415", at=30, word="Park", instead=False, spaced=True, region="US")
def test_no_text_with_a_letter_in_the_digits_place_is_ever_a_number(
    *, shape: str, at: int, word: str, instead: bool, spaced: bool, region: str | None
) -> None:
    """From the first digit on, a letter ends it: instead of a digit, between two, or after all."""
    first = next(place for place, char in enumerate(shape) if char.isdigit())
    at = min(first + 1 + at, len(shape))
    put = f" {word} " if spaced else word
    text = shape[:at] + put + shape[at + instead :]
    with pytest.raises(UnmappedError):
        read(text, region, COUNTRIES)


@given(st.text(max_size=40) | st.from_regex(r"[ +]?[0-9 ()x./-]{1,30}"))
@pytest.mark.parametrize("region", [None, "US", "GB", "XX", ""])
def test_every_text_is_a_number_or_refused(region: str | None, text: str) -> None:
    try:
        number = read(text, region, COUNTRIES).e164
    except UnmappedError:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{5,14}", number)
    assert read(number, None, frozenset()).e164 == number
    objection(number, frozenset({"US"}))


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
        ("+33199000123", "the number is in FR; countries allows GB, RU, US, XK"),
        ("+14165550123", "the number is in CA; countries allows GB, RU, US, XK"),
        ("+18765550123", "the number is in JM"),
        ("+17875550123", "the number is in PR"),
        ("+447781123456", "the number is in GG"),
        ("+447797123456", "the number is in JE"),
        ("+447624123456", "the number is in IM"),
        ("+77011234567", "the number is in KZ"),
        ("+4779123456", "the number is in SJ"),
        ("+870773111632", "belongs to no country"),
        ("+80012345678", "a toll-free number is never rung"),
        ("+442079460123", None),
        ("+14155550123", None),
        ("+13575550123", None),
        ("+79161234567", None),
        ("+38344123456", None),
    ],
)
def test_who_is_not_rung_and_why(number: str, reason: str | None) -> None:
    said = objection(number, frozenset({"US", "GB", "RU", "XK"}))
    assert said == reason if reason is None else reason in str(said)


def test_a_new_area_code_belongs_to_its_country() -> None:
    assert objection("+13575550123", frozenset({"GB"})) == (
        "the number is in US; countries allows GB"
    )


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


@given(st.from_regex(r"\+?[0-9]{8,15}", fullmatch=True))
def test_masked_numbers_show_no_more_than_the_ends(number: str) -> None:
    assert len([char for char in masked(number) if char.isdigit()]) <= 5
