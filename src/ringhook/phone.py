"""Phone numbers: E.164 or refused, and which of them nobody should ever be rung on."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import CountryCodeSource, NumberParseException, PhoneNumberType

from ringhook.errors import UnmappedError

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


def to_e164(number: str, region: str | None) -> str:
    """Make a written number E.164; `region` (ISO 3166 alpha-2) is where it is dialled from.

    A national number without a region is refused, never guessed. Raises UnmappedError.
    """
    text = number.strip()
    if region and region not in COUNTRIES:
        message = f"region {region[:20]!r} is no country's code of two capital letters (ISO 3166)"
        raise UnmappedError(message)
    if not re.search(r"\d", text):
        message = "phone_number is not a phone number: it has no digits"
        raise UnmappedError(message)
    if not text.removeprefix("tel:").startswith("+") and not region:
        message = (
            f"phone_number {masked(text)!r} is a national number and there is no region for it"
        )
        raise UnmappedError(message)
    try:
        # Keeping what was written tells whether the number names its country itself.
        parsed = phonenumbers.parse(text, region, keep_raw_input=True)
    except NumberParseException as error:
        message = f"phone_number {masked(text)!r} is not a phone number"
        raise UnmappedError(message) from error
    if parsed.extension:
        message = f"phone_number {masked(text)!r} has an extension, which cannot be dialled"
        raise UnmappedError(message)
    if not phonenumbers.is_valid_number(parsed):
        national = parsed.country_code_source == CountryCodeSource.FROM_DEFAULT_COUNTRY
        where = f"in {region}" if national else f"under +{parsed.country_code}"
        message = f"phone_number {masked(text)!r} is not a number that exists {where}"
        raise UnmappedError(message)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def objection(e164: str, countries: frozenset[str]) -> str | None:
    """Why this number must not be rung by a deployment for `countries`; None if it may."""
    parsed = phonenumbers.parse(e164)
    if kind := _NOT_A_PERSON.get(phonenumbers.number_type(parsed)):
        return f"{kind} is never rung"
    country = phonenumbers.region_code_for_number(parsed)
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
