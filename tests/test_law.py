"""What the table says of hours, caps and consent, and that what ships is what people read."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from importlib.resources import files
from typing import Any, get_args

import pytest
from tests.oracles import hours as oracle

from ringhook.calling_hours import (
    Purpose,
    caps_at,
    consent_at,
    default_hours,
    holidays_known_until,
    longest_closure,
    parse_hours,
)
from ringhook.law import default_at, rules_at, table_version
from ringhook.zones import Place
from ringhook_ops import build_calling_hours, build_holidays

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
    """When this fails, run `python -m ringhook_ops.build_calling_hours`."""
    shipped = (files("ringhook") / "calling_hours.json").read_text("utf-8")
    assert shipped == build_calling_hours.render(build_calling_hours.TABLE.read_text("utf-8"))
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


# --- holidays --------------------------------------------------------------------------------


def test_the_holidays_are_those_that_the_library_computes() -> None:
    text = (files("ringhook") / "public_holidays.json").read_text("utf-8")
    data = json.loads(text)
    first = date.fromisoformat(data["known_from"]).year
    assert data["source"] == f"holidays {version('holidays')}"
    assert text == build_holidays.render(first, build_holidays.UNTIL)


def test_the_holidays_are_known_for_years_to_come() -> None:
    """When this fails, run `python -m ringhook_ops.build_holidays` and release."""
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
