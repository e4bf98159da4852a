"""What the table says of hours, caps and consent, and that what ships is what people read."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from importlib.resources import files
from typing import Any, get_args

import pytest
from tests.oracles import hours as oracle

from ringhook import clock
from ringhook.deciding.calling_hours import (
    Purpose,
    caps_at,
    consent_at,
    default_hours,
    holidays_known_until,
    longest_closure,
    parse_hours,
    permitted,
)
from ringhook.deciding.law import default_at, rules_at, table_version
from ringhook.deciding.zones import Place
from ringhook_ops.tables import calling_hours, holidays

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


def at(country: str, part: str | None = None) -> tuple[Place, ...]:
    return (Place("UTC", country, part),)


# --- the table -------------------------------------------------------------------------------

KEYS = {
    "applies_to", "purpose", "kind", "voice", "from", "until", "season", "clock", "holidays",
    "caps", "consent", "consent_text", "cite", "source", "certainty",
}  # fmt: skip


def spoken(row: dict[str, Any]) -> str:
    return f"{'/'.join(row['applies_to'][:3])} {'/'.join(row['purpose'])} {row['kind']}"


@pytest.mark.parametrize("row", oracle.rows(), ids=spoken)
def test_every_row_says_what_it_is_for_what_it_rests_on_and_how_sure_that_is(
    row: dict[str, Any],
) -> None:
    days = {key for key in row if key.partition("-")[0] in oracle.WEEK}
    assert set(row) - days <= KEYS
    assert row["kind"] in {"law", "default"}
    assert row["purpose"]
    assert set(row["purpose"]) <= set(PURPOSES)
    assert row["certainty"] in {"text", "second", "weak", "own"}
    assert row["source"]
    assert all(re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?|\*", one) for one in row["applies_to"])
    assert row.get("voice", "automated") == "automated"
    assert row.get("season", "ramadan") == "ramadan"
    # What holidays do is said, not left to be guessed.
    assert bool(days) == ("holidays" in row)
    assert days or "caps" in row or "consent" in row
    assert ("consent" in row) == ("consent_text" in row)
    if row["kind"] == "law":
        assert row["cite"], "a law has a name"
    else:
        assert "consent" not in row, "our caution asks for none"
        assert not {"from", "until"} & set(row), "some default must hold on every day"


def test_each_place_and_purpose_has_one_default() -> None:
    seen: set[tuple[str, str]] = set()
    for row in oracle.rows():
        if row["kind"] == "default" and "season" not in row:
            pairs = {(where, purpose) for where in row["applies_to"] for purpose in row["purpose"]}
            assert not pairs & seen, pairs & seen
            seen |= pairs
    assert {("*", purpose) for purpose in PURPOSES} <= seen


@pytest.mark.parametrize("purpose", PURPOSES)
def test_our_default_leaves_some_hour_that_the_law_leaves_too(purpose: Purpose) -> None:
    for row in oracle.rows():
        for where in set(row["applies_to"]) - {"*"}:
            country, _, part = where.partition("-")
            days = [default_at(country, part or None, purpose)[0].week[2]]
            days += [rule.week[2] for rule in rules_at(country, part or None, purpose)]
            opening, closing = max(day[0][0] for day in days), min(day[-1][1] for day in days)
            assert closing - opening >= 4 * 60, where


def test_what_ships_is_the_table_that_people_read() -> None:
    """When this fails, run `python -m ringhook_ops.tables.calling_hours`."""
    shipped = (files("ringhook.deciding") / "calling_hours.json").read_text("utf-8")
    assert shipped == calling_hours.render(calling_hours.TABLE.read_text("utf-8"))
    assert date.fromisoformat(table_version()) <= datetime.now(UTC).date()


# --- caps ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "part", "purpose", "caps"),
    [
        ("US", "FL", "marketing", {"3/24h"}),
        ("US", "OK", "marketing", {"3/24h"}),
        ("US", "MD", "marketing", {"3/24h"}),
        ("US", "OR", "marketing", {"3/24h"}),
        ("US", "ME", "marketing", {"1/8h"}),
        ("AE", None, "marketing", {"1/1d", "2/7d"}),
        ("CO", None, "marketing", {"1/1d"}),
        ("VN", None, "marketing", {"1/24h"}),
        ("FR", None, "marketing", {"4/30d"}),
        ("US", "MA", "collection", {"2/7d", "7/7d"}),
        ("TH", None, "collection", {"1/1d"}),
        ("CL", None, "collection", {"1/7d"}),
        ("US", "FL", "service", set()),
        ("FR", None, "service", set()),
        ("IN", None, "marketing", set()),
    ],
)
def test_a_place_caps_the_calls_to_a_number_by_purpose(
    country: str, part: str | None, purpose: Purpose, caps: set[str]
) -> None:
    found = caps_at(at(country, part), purpose)
    assert {cap.text.partition(" in ")[0] for cap in found} == caps
    assert all(cap.cite for cap in found)


def test_a_cap_is_a_number_and_a_time_and_says_whose_it_is() -> None:
    (cap,) = caps_at(at("US", "ME"), "marketing")
    assert (cap.calls, cap.window) == (1, timedelta(hours=8))
    assert (cap.text, cap.cite, cap.basis) == ("1/8h in US-ME", "10 M.R.S. 1498(3)", "law")
    assert {cap.basis for cap in caps_at(at("IT"), "collection")} == {"caution"}


def test_a_phone_that_may_be_in_several_places_keeps_the_caps_of_all_each_once() -> None:
    where = at("US", "FL") + at("US", "ME") + at("US", "FL")
    texts = [cap.text for cap in caps_at(where, "marketing")]
    assert texts == ["3/24h in US-FL", "1/8h in US-ME"]


# --- consent ---------------------------------------------------------------------------------


def test_france_wants_consent_since_its_law_and_others_ask_for_it() -> None:
    rule = consent_at(at("FR"), "marketing")
    assert rule is not None
    assert rule.must
    assert rule.text.startswith("FR: ")
    assert "L.223-1" in rule.cite
    before = datetime(2026, 8, 10, 12, tzinfo=UTC)
    assert consent_at(at("FR"), "marketing", before) is None
    assert consent_at(at("FR"), "marketing", before + timedelta(days=1)) == rule


@pytest.mark.parametrize("country", ["US", "CA", "GB", "DE", "IN", "AE", "SA", "VN"])
def test_elsewhere_the_law_asks_for_consent_to_marketing_and_we_warn(country: str) -> None:
    rule = consent_at(at(country), "marketing")
    assert rule is not None
    assert not rule.must
    assert consent_at(at(country), "service") is None


def test_what_must_be_comes_before_what_is_asked_for() -> None:
    rule = consent_at(at("DE") + at("FR"), "marketing")
    assert rule is not None
    assert rule.must


# --- how long a closure lasts ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("countries", "purpose", "hours", "at_least", "at_most"),
    [
        pytest.param(["IN"], "marketing", "default", 12, 14, id="a night"),
        pytest.param(["FR"], "marketing", "default", 86, 120, id="a long weekend"),
        pytest.param(["IN", "FR"], "marketing", "default", 86, 120, id="the longest of several"),
        pytest.param(["US"], "service", "00:00-24:00", 0, 0, id="never closed"),
        pytest.param(["US"], "marketing", "00:00-24:00", 62, 96, id="a state's law is looked at"),
    ],
)
def test_the_longest_closure_counts_nights_weekends_and_holidays(
    countries: list[str], purpose: Purpose, hours: str, at_least: int, at_most: int
) -> None:
    found = longest_closure(countries, purpose, parse_hours(hours), date(2026, 11, 25))
    assert timedelta(hours=at_least) <= found <= timedelta(hours=at_most)


def test_hours_that_never_meet_the_law_are_closed_for_the_whole_year() -> None:
    night = parse_hours("22:00-23:00")
    assert longest_closure(["IN"], "marketing", night, date(2026, 11, 25)) == timedelta(days=366)
    assert default_hours() != night


# --- moments that the rules were read for ----------------------------------------------------

NEW_YORK, CHICAGO, DENVER = "America/New_York", "America/Chicago", "America/Denver"
MOMENTS: list[tuple[str, str, str, Purpose, bool]] = [
    ("US-ME", NEW_YORK, "2026-11-24T18:00", "marketing", False),
    ("US-ME", NEW_YORK, "2026-11-24T16:59", "marketing", True),
    ("US-ME", NEW_YORK, "2026-11-28T11:00", "marketing", False),
    ("US-ME", NEW_YORK, "2026-11-28T11:00", "service", True),
    ("US-UT", DENVER, "2028-07-24T11:00", "marketing", False),
    ("US-UT", DENVER, "2026-11-26T11:00", "marketing", False),
    ("US-UT", DENVER, "2026-11-29T11:00", "marketing", False),
    ("US-RI", NEW_YORK, "2027-08-09T11:00", "marketing", False),
    ("US-SD", CHICAGO, "2026-11-28T11:00", "marketing", False),
    ("US-SD", CHICAGO, "2026-11-24T08:59", "marketing", False),
    ("US-OR", "America/Los_Angeles", "2026-11-24T20:10", "marketing", False),
    ("US-PA", NEW_YORK, "2026-11-24T19:10", "marketing", False),
    ("US-FL", NEW_YORK, "2027-07-13T20:30", "marketing", False),
    ("US-MS", CHICAGO, "2027-07-13T08:30", "marketing", False),
    ("US-MS", CHICAGO, "2027-01-13T08:30", "marketing", True),
    ("US-CA", "America/Los_Angeles", "2026-11-24T08:30", "marketing", False),
    ("US-KY", NEW_YORK, "2026-11-24T09:30", "marketing", False),
    ("US", NEW_YORK, "2026-11-29T13:00", "service", True),
    ("US", NEW_YORK, "2026-11-29T13:00", "marketing", False),
    ("US", NEW_YORK, "2026-11-26T13:00", "service", True),
    ("CA-ON", "America/Toronto", "2026-11-24T21:15", "marketing", True),
    ("CA-ON", "America/Toronto", "2026-11-28T19:00", "service", False),
    ("CA-BC", "America/Vancouver", "2026-11-24T22:00", "marketing", False),
    ("GB", "Europe/London", "2026-12-28T12:00", "marketing", False),
    ("GB", "Europe/London", "2026-11-29T14:00", "service", True),
    ("JE", "Europe/Jersey", "2026-11-24T12:00", "marketing", True),
    ("FR", "Europe/Paris", "2026-11-28T11:00", "service", True),
    ("FR", "Europe/Paris", "2026-11-24T13:30", "marketing", False),
    ("GF", "America/Cayenne", "2026-11-24T13:30", "marketing", False),
    ("GP", "America/Guadeloupe", "2026-11-24T14:30", "marketing", True),
    ("NO", "Europe/Oslo", "2026-11-28T11:00", "marketing", False),
    ("SA", "Asia/Riyadh", "2026-11-22T11:00", "marketing", True),
    ("SA", "Asia/Riyadh", "2026-11-27T11:00", "marketing", False),
    ("SA", "Asia/Riyadh", "2027-02-15T11:30", "marketing", False),
    ("SA", "Asia/Riyadh", "2027-02-15T12:30", "marketing", True),
    ("AE", "Asia/Dubai", "2026-11-27T18:30", "marketing", False),
    ("AE", "Asia/Dubai", "2026-11-28T11:00", "service", True),
    ("AE", "Asia/Dubai", "2026-11-29T11:00", "marketing", False),
    ("EG", "Africa/Cairo", "2026-11-29T11:00", "marketing", True),
    ("EG", "Africa/Cairo", "2026-11-27T11:00", "service", False),
    ("IN", "Asia/Kolkata", "2026-11-24T19:30", "marketing", True),
    ("IN", "Asia/Kolkata", "2026-11-24T09:30", "marketing", False),
    ("IN", "Asia/Kolkata", "2026-11-29T11:00", "marketing", True),
    ("IN", "Asia/Kolkata", "2026-11-24T11:00", "service", True),
    ("IN", "Asia/Kolkata", "2026-11-29T09:30", "service", True),
    ("IN", "Asia/Kolkata", "2026-11-25T22:00", "service", False),
    ("IN", "Asia/Kolkata", "2026-11-25T19:30", "collection", False),
    ("VN", "Asia/Ho_Chi_Minh", "2026-11-25T17:30", "marketing", False),
    ("VN", "Asia/Ho_Chi_Minh", "2026-11-25T17:30", "service", True),
    ("ID", "Asia/Jakarta", "2026-11-25T18:30", "marketing", False),
    ("AU-NSW", "Australia/Sydney", "2026-11-29T14:00", "service", True),
    ("AU-NSW", "Australia/Sydney", "2026-11-28T17:30", "marketing", False),
    ("MY", "Asia/Kuala_Lumpur", "2026-11-29T11:00", "marketing", False),
    ("MY-02", "Asia/Kuala_Lumpur", "2026-11-29T11:00", "marketing", True),
    ("MY-02", "Asia/Kuala_Lumpur", "2026-11-27T11:00", "marketing", False),
    ("CO", "America/Bogota", "2026-11-27T17:30", "marketing", True),
    ("CO", "America/Bogota", "2026-11-28T15:30", "marketing", False),
    ("MX", "America/Cancun", "2026-11-24T20:15", "marketing", False),
    ("PE", "America/Lima", "2026-11-28T11:00", "collection", False),
    ("TH", "Asia/Bangkok", "2026-11-28T18:30", "collection", False),
    ("PT", "Europe/Lisbon", "2026-11-24T08:30", "service", False),
    ("IL", "Asia/Jerusalem", "2026-11-28T11:00", "service", False),
    ("XK", "Europe/Belgrade", "2026-11-24T12:00", "marketing", True),
    ("KZ", "Asia/Almaty", "2026-11-24T10:30", "marketing", True),
]


@pytest.mark.parametrize(
    ("where", "zone", "local", "purpose", "may"),
    [pytest.param(*row, id=" ".join((row[0], row[3], row[2]))) for row in MOMENTS],
)
def test_a_moment_is_judged_as_the_rules_were_read(
    where: str, zone: str, local: str, purpose: Purpose, may: bool
) -> None:
    country, _, part = where.partition("-")
    moment = datetime.fromisoformat(local).replace(tzinfo=clock.zone(zone))
    place = Place(zone, country, part or None)
    assert permitted(moment, (place,), default_hours(), purpose) is may


# --- holidays --------------------------------------------------------------------------------


def test_the_holidays_are_those_that_the_library_computes() -> None:
    text = (files("ringhook.deciding") / "public_holidays.json").read_text("utf-8")
    data = json.loads(text)
    first = date.fromisoformat(data["known_from"]).year
    assert data["source"] == f"holidays {version('holidays')}"
    assert text == holidays.render(first, holidays.UNTIL)


def test_the_holidays_are_known_for_years_to_come() -> None:
    """When this fails, run `python -m ringhook_ops.tables.holidays` and release."""
    assert holidays_known_until() >= datetime.now(UTC).date() + timedelta(days=3 * 365)
    for country in ("US", "GB", "FR", "AU", "AE", "SA"):
        assert holidays_known_until(country) == holidays_known_until()
    assert holidays_known_until("IN") < holidays_known_until()
    assert holidays_known_until("UA") == date.min


@pytest.mark.parametrize(
    ("place", "day"),
    [
        ("US-UT", "2028-07-24"),
        ("US-RI", "2027-08-09"),
        ("US-LA", "2027-02-09"),
        ("US-PA", "2027-06-14"),
        ("US-PA", "2027-11-02"),
        ("US-PA", "2027-03-26"),
        ("US", "2026-11-26"),
        ("GB", "2026-12-28"),
        ("AU", "2027-03-29"),
        ("AE", "2027-03-09"),
        ("AE", "2027-03-08"),
        ("AE", "2027-03-10"),
    ],
)
def test_days_that_a_rule_hangs_on_are_holidays(place: str, day: str) -> None:
    assert (place, date.fromisoformat(day)) in oracle.holidays()[0]


def test_the_page_of_the_table_is_current() -> None:
    """When this fails, run `python -m ringhook_ops.tables.calling_hours`."""
    text = calling_hours.TABLE.read_text("utf-8")
    assert calling_hours.PAGE.read_text("utf-8") == calling_hours.page(text)
