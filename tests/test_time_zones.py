"""Time zones as people and systems write them."""

import pytest

from ringhook.deciding.time_zones import zones_meant

US = frozenset({"US"})
EASTERN, CENTRAL = "America/New_York", "America/Chicago"
PACIFIC = "America/Los_Angeles"


@pytest.mark.parametrize(
    ("text", "zones"),
    [
        ("America/New_York", {EASTERN}),
        ("america/new_york", {EASTERN}),
        ("America/New York", {EASTERN}),
        ("america_slash_new_york", {EASTERN}),
        ("US/Eastern", {EASTERN}),
        ("us_slash_eastern", {EASTERN}),
        ("Asia/Calcutta", {"Asia/Kolkata"}),
        ("Eastern Standard Time", {EASTERN}),
        ("Eastern Daylight Time", {EASTERN}),
        ("eastern time", {EASTERN}),
        ("Eastern", {EASTERN}),
        ("Eastern Time (US & Canada)", {EASTERN}),
        ("(GMT-05:00) Eastern Time (US & Canada)", {EASTERN}),
        ("(UTC-05:00) Eastern Time (US & Canada)", {EASTERN}),
        ("(GMT -5:00) Eastern Time (US & Canada), Bogota, Lima", {EASTERN}),
        ("UTC-05:00 Eastern Time", {EASTERN}),
        ("EST", {EASTERN}),
        ("edt", {EASTERN}),
        ("ET", {EASTERN}),
        ("EST5EDT", {EASTERN}),
        ("EST/EDT", {EASTERN}),
        ("Eastern Time (ET)", {EASTERN}),
        ("America/Chicago (CDT)", {CENTRAL}),
        ("CST", {CENTRAL}),
        ("PST", {PACIFIC}),
        ("PT", {PACIFIC}),
        ("Pacific Standard Time", {PACIFIC}),
        ("MST", {"America/Denver", "America/Phoenix"}),
        ("Mountain Time (US & Canada)", {"America/Denver", "America/Phoenix"}),
        ("US Mountain Standard Time", {"America/Phoenix"}),
        ("Arizona", {"America/Phoenix"}),
        ("HST", {"Pacific/Honolulu"}),
        ("Hawaiian Standard Time", {"Pacific/Honolulu"}),
        ("(GMT-10:00) Hawaii", {"Pacific/Honolulu"}),
        ("AKST", {"America/Anchorage"}),
        ("Pacific Standard Time (Mexico)", {"America/Tijuana"}),
        ("India Standard Time", {"Asia/Kolkata"}),
        ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", {"Asia/Kolkata"}),
        ("W. Europe Standard Time", {"Europe/Berlin"}),
        ("Los Angeles", {PACIFIC}),
        # An offset is every clock that has it at some time of the year.
        ("UTC-5", {EASTERN, CENTRAL}),
        ("-0500", {EASTERN, CENTRAL}),
        ("GMT-05:00", {EASTERN, CENTRAL}),
        ("(UTC-05:00)", {EASTERN, CENTRAL}),
        ("-5", {EASTERN, CENTRAL}),
        ("Etc/GMT+5", {EASTERN, CENTRAL}),
        ("UTC-10", {"Pacific/Honolulu"}),
    ],
)
def test_a_time_zone_for_somebody_in_the_us(text: str, zones: set[str]) -> None:
    meant = set(zones_meant(text, US))
    assert meant >= zones
    if "Asia" not in str(zones) and "Europe" not in str(zones):
        assert meant == zones


@pytest.mark.parametrize(
    ("text", "country", "zones"),
    [
        ("IST", "IN", {"Asia/Kolkata"}),
        ("IST", "IE", {"Europe/Dublin"}),
        ("IST", "IL", {"Asia/Jerusalem"}),
        ("CST", "CN", {"Asia/Shanghai"}),
        ("CST", "MX", {"America/Mexico_City", "America/Matamoros", "America/Ciudad_Juarez"}),
        ("BST", "GB", {"Europe/London"}),
        ("GMT", "GB", {"Europe/London"}),
        ("UTC+0", "GB", {"Europe/London"}),
        ("UTC", "IS", {"Atlantic/Reykjavik"}),
        ("GMT+5:30", "IN", {"Asia/Kolkata"}),
        ("+5.5", "IN", {"Asia/Kolkata"}),
        ("+05:45", "NP", {"Asia/Kathmandu"}),
        ("AEST", "AU", {"Australia/Sydney", "Australia/Brisbane"}),
        ("EST", "AU", {"Australia/Sydney", "Australia/Brisbane"}),
        ("AWST", "AU", {"Australia/Perth"}),
        ("AST", "SA", {"Asia/Riyadh"}),
        ("AST", "PR", {"America/Puerto_Rico"}),
        ("PST", "PH", {"Asia/Manila"}),
        ("PST", "CA", {"America/Vancouver"}),
        ("EST", "PA", {"America/Panama"}),
        ("WIB", "ID", {"Asia/Jakarta"}),
        ("BRT", "BR", {"America/Sao_Paulo"}),
        ("MSK", "RU", {"Europe/Moscow"}),
        ("SGT", "SG", {"Asia/Singapore"}),
        ("CET", "DE", {"Europe/Berlin"}),
        ("CEST", "FR", {"Europe/Paris"}),
        ("NZDT", "NZ", {"Pacific/Auckland"}),
        ("GST", "AE", {"Asia/Dubai"}),
        ("Brasilia", "BR", {"America/Sao_Paulo"}),
    ],
)
def test_letters_mean_the_clock_of_the_persons_country(
    text: str, country: str, zones: set[str]
) -> None:
    assert set(zones_meant(text, frozenset({country}))) == zones


def test_letters_of_no_clock_there_are_the_us_ones_or_all() -> None:
    assert zones_meant("EST", frozenset({"IN"})) == (EASTERN,)
    assert set(zones_meant("IST", US)) == {"Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"}


@pytest.mark.parametrize("text", ["UTC", "GMT", "Etc/UTC", "Z", "UTC+0", "+05:30", "UTC+14"])
def test_an_offset_that_no_clock_of_the_country_has_is_unread(text: str) -> None:
    assert zones_meant(text, US) == ()


@pytest.mark.parametrize("text", ["?", "Mars/Base", "Etc/Unknown", "local", "-99:99", "5", "(())"])
def test_what_is_no_time_zone_is_unread(text: str) -> None:
    assert zones_meant(text, US) == ()
