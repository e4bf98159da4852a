"""Phone numbers: E.164 or refused, and which of them nobody should ever be rung on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from phonenumbers import phonenumberutil as phonenumbers
from phonenumbers.phonenumber import CountryCodeSource, PhoneNumber
from phonenumbers.phonenumberutil import NumberParseException, PhoneNumberType

from ringhook.errors import RegionlessError, UnmappedError
from ringhook.reading import number_text
from ringhook.reading.countries import code_of
from ringhook.reading.number_text import Written

# Types that cost the caller, or that no person carries: ITU-T E.164 numbers classified by
# Google's libphonenumber metadata. Personal numbers (UK 070) are billed like premium ones.
_NOT_A_PERSON = {
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.TOLL_FREE: "a toll-free number",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.UAN: "a company's universal access number",
    PhoneNumberType.VOICEMAIL: "a voicemail access number",
    PhoneNumberType.PERSONAL_NUMBER: "a forwarded personal number, billed like premium rate",
}
COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)
# What stands before a slash is a number of its own from so many digits on, else an area code.
_WHOLE = 7
_WHOLE_ABROAD = 9
# A spreadsheet keeps so many zeros of a number that it has rounded.
_ROUNDED = "00000"
_LARGEST = 10**15
_SEVERAL = "has several numbers: which one is meant?"


@dataclass(frozen=True, slots=True)
class Reading:
    """The number that was meant, and what had to be understood to read it."""

    e164: str
    notes: tuple[str, ...] = ()


class _Change(NamedTuple):
    """A change of a numbering plan: what a number was, and what it became."""

    code: int
    since: str
    was: str
    now: str


def read(written: str | float, region: str | None, countries: frozenset[str]) -> Reading:
    """Read what stands where a phone number should; nothing is guessed.

    `region` says which country a national number is of, as the sender writes it (code or name).
    `countries` (ISO 3166 alpha-2) may be rung: a number without its plus is read as another
    country's only where it is of one of these. What can be read as two numbers is none.
    Raises UnmappedError saying what was seen, the digits masked.
    """
    text = _as_text(written)
    known = code_of(region) if region else None
    country = known if known in COUNTRIES else None
    strange = f"{region[:20]!r} is no country that is known" if region and not country else ""
    try:
        found = _read_all(number_text.numbers(text), country, countries)
    except UnmappedError as error:
        because = f": {strange}" if strange and isinstance(error, RegionlessError) else ""
        message = f"phone_number {masked(text)!r} {error}{because}"
        raise UnmappedError(message) from error
    notes = (f"region {strange}: the number names its own",) if strange else ()
    return Reading(found.e164, found.notes + notes)


def objection(e164: str, countries: frozenset[str]) -> str | None:
    """Why this number must not be rung by a deployment for `countries`; None if it may."""
    parsed = phonenumbers.parse(e164)
    if kind := _NOT_A_PERSON.get(phonenumbers.number_type(parsed)):
        return f"{kind} is never rung"
    country = _country(parsed)
    if country not in countries:
        named = "belongs to no country" if country in (None, "001") else f"is in {country}"
        return f"the number {named}; countries allows {', '.join(sorted(countries))}"
    return None


def masked(number: str) -> str:
    """The number as a log may show it: `+1•••••0123`; short texts show nothing."""
    digits = re.sub(r"[^0-9]", "", number)
    if len(digits) < 8:
        return "•" * len(digits)
    head = number.strip()[:2] if number.strip().startswith("+") else ""
    return f"{head}•••••{digits[-4:]}"


def _as_text(written: str | float) -> str:
    """A number as its digits: of JSON, or with the `.0` that tables put behind it.

    Raises UnmappedError for one whose last digits were rounded off.
    """
    if isinstance(written, str):
        return re.sub(r"^([ +]*\d{7,15})\.0(\s*)$", r"\1\2", written)
    if not (0 < written < _LARGEST and written == int(written)):
        message = "phone_number is negative, a fraction or too large, not a phone number"
        raise UnmappedError(message)
    text = str(int(written))
    if text.endswith(_ROUNDED):
        message = (
            f"phone_number {masked(text)!r} looks rounded, as by a spreadsheet: send it as text"
        )
        raise UnmappedError(message)
    return text


def _read_all(
    written: tuple[Written, ...], region: str | None, countries: frozenset[str]
) -> Reading:
    """Read what may be one number, written several times."""
    if len(written) == 1:
        return _read(written[0], region, countries)
    try:
        found = [_read(number, region, countries) for number in written]
    except UnmappedError as error:
        raise UnmappedError(_SEVERAL) from error
    if len({reading.e164 for reading in found}) > 1:
        raise UnmappedError(_SEVERAL)
    return found[0]


def _read(written: Written, region: str | None, countries: frozenset[str]) -> Reading:
    """Read one number. An UnmappedError's message continues a sentence that begins with it."""
    number = _one(written, region)
    if number.plus:
        if found := _international(number.digits):
            return found
        message = "is not a number that exists under its country's code"
        raise UnmappedError(message)
    prefixed = number.digits.startswith("00")
    abroad = _abroad(number, region, countries)
    if number.lost:
        return _after_a_lost_plus(number.digits, region, abroad, countries)
    if region is None:
        if abroad and prefixed:
            return abroad
        raise RegionlessError("is a national number and there is no region for it")
    national = _national(number.digits, region)
    if abroad is None:
        if national:
            return national
        message = f"is not a number that exists in {region}"
        raise UnmappedError(message)
    own = _code(abroad.e164) == _code_of_region(region)
    if national is None:
        return abroad if own or prefixed else _without_its_plus(abroad)
    if own and abroad.e164 != national.e164:
        return _with_its_code(abroad, national)
    # A number of the region that it is said to be of, though it would be one abroad as well.
    return national


def _abroad(number: Written, region: str | None, countries: frozenset[str]) -> Reading | None:
    """The number with a plus put before it: of an allowed country, or of the region's own plan."""
    found = _international(number.digits.removeprefix("00"))
    if found is None or _country(phonenumbers.parse(found.e164)) in countries:
        return found
    own = region is not None and _code(found.e164) == _code_of_region(region)
    return found if own and not number.lost else None


def _one(number: Written, region: str | None) -> Written:
    """The number; refused if the text holds two, with a slash or a gap between them."""
    least = _WHOLE_ABROAD if number.plus else _WHOLE
    for at in (*number.slashes, *number.gaps):
        head, rest = number.digits[:at], number.digits[at:]
        known = _international(head) if number.plus else _national(head, region)
        if at >= least and known and (at in number.slashes or _national(rest, region)):
            if head != rest:
                raise UnmappedError(_SEVERAL)
            return Written(head, number.plus, number.lost)
    return number


def _after_a_lost_plus(
    digits: str, region: str | None, abroad: Reading | None, countries: frozenset[str]
) -> Reading:
    """A number with a space where its plus may have been: as `+…`, or not at all."""
    regions = [region] if region else sorted(countries)
    if abroad is None:
        message = (
            "begins with a space, where a form may have lost a plus: with one it is no number of "
            "an allowed country, and without one it is never read"
        )
        raise UnmappedError(message)
    if any((here := _national(digits, one)) and here.e164 != abroad.e164 for one in regions):
        message = (
            "begins with a space, where a form may have lost a plus: it is a number with one and "
            "another number without"
        )
        raise UnmappedError(message)
    note = f"phone_number began with a space for its plus: read as {masked(abroad.e164)}"
    return Reading(abroad.e164, (*abroad.notes, note))


def _with_its_code(abroad: Reading, national: Reading) -> Reading:
    """Choose where the digits begin with the region's own code, and are a number either way.

    A mobile number whose country writes a trunk prefix before it, which is not there, has its code
    (4915112345678 in Germany): read nationally it would be a landline, and longer than any.
    """
    mobile = phonenumbers.number_type(phonenumbers.parse(abroad.e164)) == PhoneNumberType.MOBILE
    landline = phonenumbers.number_type(phonenumbers.parse(national.e164))
    if not mobile or landline == PhoneNumberType.MOBILE:
        message = "is one number with its country's code and another without: write a plus"
        raise UnmappedError(message)
    return _without_its_plus(abroad)


def _without_its_plus(abroad: Reading) -> Reading:
    note = f"phone_number has its country's code and no plus: read as {masked(abroad.e164)}"
    return Reading(abroad.e164, (*abroad.notes, note))


def _international(digits: str) -> Reading | None:
    """The number of these digits after a plus, if there is one."""
    try:
        return _reading(phonenumbers.parse(f"+{digits}"))
    except NumberParseException:
        return None


def _national(digits: str, region: str | None) -> Reading | None:
    """The number that a phone in this region reaches by these digits, if there is one."""
    if region is None:
        return None
    try:
        parsed = phonenumbers.parse(digits, region, keep_raw_input=True)
    except NumberParseException:
        return None
    if parsed.country_code_source == CountryCodeSource.FROM_NUMBER_WITHOUT_PLUS_SIGN:
        return None
    return _reading(parsed)


def _reading(parsed: PhoneNumber) -> Reading | None:
    """The number as it is today, if it exists: where its plan has changed, under the new one."""
    if _exists(parsed):
        return Reading(_e164(parsed))
    number = phonenumbers.national_significant_number(parsed)
    for change in _changes().get(parsed.country_code or 0, ()):
        if found := re.fullmatch(change.was, number):
            now = phonenumbers.parse(f"+{change.code}{found.expand(change.now)}")
            if _exists(now):
                e164 = _e164(now)
                note = f"phone_number is of before {change.since}: read as {masked(e164)}"
                return Reading(e164, (note,))
    return None


def _exists(parsed: PhoneNumber) -> bool:
    return phonenumbers.is_valid_number(parsed) or _country_of_area(parsed) is not None


def _country(parsed: PhoneNumber) -> str | None:
    return phonenumbers.region_code_for_number(parsed) or _country_of_area(parsed)


def _country_of_area(parsed: PhoneNumber) -> str | None:
    """The country of a North American area code that libphonenumber does not know."""
    number = phonenumbers.national_significant_number(parsed)
    if parsed.country_code != 1 or not re.fullmatch(r"\d{3}[2-9]\d{6}", number):
        return None
    return _new_area_codes().get(number[:3])


def _e164(parsed: PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _code(e164: str) -> int:
    return phonenumbers.parse(e164).country_code or 0


def _code_of_region(region: str) -> int:
    return phonenumbers.country_code_for_region(region)


@cache
def _changes() -> dict[int, list[_Change]]:
    changes: dict[int, list[_Change]] = {}
    for row in json.loads(_table("numbering.json"))["renumbered"]:
        change = _Change(row["code"], row["since"], row["was"], row["now"])
        changes.setdefault(change.code, []).append(change)
    return changes


@cache
def _new_area_codes() -> dict[str, str]:
    codes: dict[str, str] = json.loads(_table("area_codes.json"))
    return codes


def _table(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
