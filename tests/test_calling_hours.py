"""May this phone ring now, and if not, when next: examples from the table, and laws."""

import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from importlib.metadata import version
from importlib.resources import files
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ringhook import calling_hours
from ringhook.calling_hours import (
    ANY,
    LIMIT,
    CallingHoursError,
    Hours,
    closure,
    default_hours,
    holidays_known_until,
    next_permitted,
    parse_hours,
    permitted,
)
from ringhook.zones import Nowhere, Place, places
from ringhook_ops import build_holidays

MINUTE = timedelta(minutes=1)
ZONE_OF = {
    "US": "America/Chicago",
    "CA": "America/Toronto",
    "IN": "Asia/Kolkata",
    "GB": "Europe/London",
    "AU": "Australia/Sydney",
    "FR": "Europe/Paris",
    "AE": "Asia/Dubai",
    "IT": "Europe/Rome",
    "ES": "Europe/Madrid",
    "ZA": "Africa/Johannesburg",
    "IE": "Europe/Dublin",
    "DE": "Europe/Berlin",
    "SG": "Asia/Singapore",
    "NG": "Africa/Lagos",
}


def here(country: str, part: str | None = None) -> tuple[Place, ...]:
    return (Place(ZONE_OF[country], country, part),)


def local(text: str, zone: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def allowed_on(day: str, where: tuple[Place, ...], hours: Hours) -> str:
    """Ask every ten minutes, and write what a local day allows: "10:00-13:00 14:00-20:00"."""
    zone = ZoneInfo(where[0].zone)
    clocks = [time(n // 6, n % 6 * 10) for n in range(24 * 6)]
    wall = (datetime.combine(date.fromisoformat(day), clock, zone) for clock in clocks)
    answers = [False, *(permitted(at, where, hours) for at in wall), False]
    texts = [*(f"{clock:%H:%M}" for clock in clocks), "24:00"]
    edges = [text for text, (was, now) in zip(texts, pairwise(answers), strict=True) if was != now]
    return " ".join(map("-".join, zip(edges[::2], edges[1::2], strict=True)))


# --- the table -------------------------------------------------------------------------------

# An ordinary Wednesday, Saturday and Sunday of 2027, and a holiday of the country on a weekday.
ROWS = [
    ("US", None, "08:00-20:00", "08:00-20:00", "", "2027-01-18", ""),
    ("CA", None, "09:00-21:30", "10:00-18:00", "10:00-18:00", "2027-07-01", "10:00-18:00"),
    ("IN", None, "10:00-19:00", "10:00-19:00", "", "2027-01-26", ""),
    ("GB", None, "09:00-20:00", "09:00-17:00", "", "2027-03-29", ""),
    ("AU", None, "09:00-20:00", "09:00-17:00", "", "2027-01-26", ""),
    ("FR", None, "10:00-13:00 14:00-20:00", "", "", "2027-07-14", ""),
    ("AE", None, "09:00-18:00", "", "09:00-18:00", "2027-12-02", ""),
    ("IT", None, "10:00-19:00", "10:00-19:00", "", "2027-06-02", ""),
    ("ES", None, "10:00-15:00 16:00-20:00", "", "", "2027-10-12", ""),
    ("ZA", None, "08:00-20:00", "09:00-13:00", "", "2027-06-16", ""),
    ("IE", None, "09:00-20:00", "", "", "2027-03-17", ""),
    ("DE", None, "09:00-20:00", "", "", "2027-05-17", ""),
    ("SG", None, "09:00-20:00", "", "", "2027-08-09", ""),
    ("NG", None, "10:00-18:00", "", "", "2027-10-01", ""),
    ("US", "AL", "08:00-20:00", "08:00-20:00", "", "2027-01-18", ""),
    ("US", "LA", "08:00-20:00", "08:00-20:00", "", "2027-02-09", ""),
    ("US", "MS", "08:00-20:00", "08:00-20:00", "", "2027-01-18", ""),
    ("US", "FL", "08:00-20:00", "08:00-20:00", "", "2027-01-18", ""),
    ("US", "OK", "08:00-20:00", "08:00-20:00", "", "2027-01-18", ""),
    ("US", "MA", "08:00-20:00", "08:00-20:00", "", "2027-01-18", ""),
    ("US", "MD", "08:00-20:00", "08:00-20:00", "", "2027-01-18", ""),
    ("US", "WA", "08:00-20:00", "08:00-20:00", "", "2027-01-18", ""),
    ("US", "CT", "09:00-20:00", "09:00-20:00", "", "2027-01-18", ""),
    ("US", "NV", "09:00-20:00", "09:00-20:00", "", "2027-01-18", ""),
    ("US", "KY", "10:00-20:00", "10:00-20:00", "", "2027-01-18", ""),
    ("US", "IL", "09:00-20:00", "09:00-20:00", "", "2027-01-18", ""),
    ("US", "MI", "09:00-20:00", "09:00-20:00", "", "2027-01-18", ""),
    ("US", "MN", "09:00-20:00", "09:00-20:00", "", "2027-01-18", ""),
    ("US", "NM", "09:00-20:00", "09:00-20:00", "", "2027-01-18", ""),
    ("US", "TX", "09:00-20:00", "09:00-20:00", "", "2027-01-18", ""),
    ("US", "PA", "08:00-20:00", "08:00-12:00", "", "2027-01-18", ""),
    ("US", "RI", "09:00-18:00", "10:00-17:00", "", "2027-01-18", ""),
    ("US", "NY", "08:00-20:00", "08:00-20:00", "", "2027-01-18", ""),
]


@pytest.mark.parametrize(
    ("country", "part", "weekday", "saturday", "sunday", "holiday", "on_holiday"),
    [pytest.param(*row, id=f"{row[0]}-{row[1]}" if row[1] else row[0]) for row in ROWS],
)
def test_each_row_of_the_table_allows_its_hours_and_no_others(
    country: str,
    part: str | None,
    weekday: str,
    saturday: str,
    sunday: str,
    holiday: str,
    on_holiday: str,
) -> None:
    where, hours = here(country, part), default_hours()
    assert allowed_on("2027-09-15", where, hours) == weekday
    assert allowed_on("2027-09-18", where, hours) == saturday
    assert allowed_on("2027-09-19", where, hours) == sunday
    assert allowed_on(holiday, where, hours) == on_holiday


def test_every_row_says_what_it_rests_on_and_is_tried_above() -> None:
    table = tomllib.loads((files("ringhook") / "calling_hours.toml").read_text("utf-8"))
    tried = {f"{row[0]}-{row[1]}" if row[1] else row[0] for row in ROWS} | {"*"}
    named: set[str] = set()
    for row in table["rows"]:
        assert row["cite"]
        assert row["source"]
        assert row["certainty"] in {"high", "med", "low"}
        assert tried & set(row["applies_to"]), row["applies_to"]
        assert not named & set(row["applies_to"]), "a place has one row"
        named |= set(row["applies_to"])
    assert date.fromisoformat(table["version"]) <= datetime.now(UTC).date()


@pytest.mark.parametrize("country", ["GG", "JE", "IM"])
def test_the_channel_islands_and_man_follow_the_rules_of_gb(country: str) -> None:
    where = (Place("Europe/London", country),)
    assert allowed_on("2027-09-18", where, default_hours()) == "09:00-17:00"
    assert allowed_on("2027-03-29", where, default_hours()) == ""


def test_a_holiday_of_a_state_closes_that_state_alone() -> None:
    mardi_gras = local("2027-02-09T12:00", "America/Chicago")
    assert not permitted(mardi_gras, here("US", "LA"), default_hours())
    assert permitted(mardi_gras, here("US", "AL"), default_hours())


# --- exactness -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("07:59:59.999999", False),
        ("08:00:00", True),
        ("19:59:59.999999", True),
        ("20:00:00", False),
    ],
)
def test_the_opening_time_is_in_and_the_closing_time_is_out(clock: str, expected: bool) -> None:
    at = local(f"2027-09-15T{clock}", "America/Chicago")
    assert permitted(at, here("US"), default_hours()) is expected


def test_a_permitted_moment_is_its_own_next() -> None:
    at = local("2027-09-15T12:34:56.789", "America/Chicago")
    assert next_permitted(at, here("US"), default_hours()) == at


def test_friday_night_waits_for_monday_over_a_closed_weekend() -> None:
    at = local("2027-09-17T20:00", "Europe/Paris")
    expected = local("2027-09-20T10:00", "Europe/Paris")
    found = next_permitted(at, here("FR"), default_hours())
    assert found == expected
    assert found.tzinfo is UTC


def test_lunch_in_france_waits_for_the_afternoon() -> None:
    at = local("2027-09-15T13:00", "Europe/Paris")
    expected = local("2027-09-15T14:00", "Europe/Paris")
    assert next_permitted(at, here("FR"), default_hours()) == expected


def test_saturday_night_in_the_us_waits_for_monday_and_past_a_holiday() -> None:
    at = local("2027-01-16T20:30", "America/Chicago")
    expected = local("2027-01-19T08:00", "America/Chicago")
    assert next_permitted(at, here("US"), default_hours()) == expected


def test_an_australian_mobile_is_rung_when_all_of_australia_and_its_islands_allow() -> None:
    """Sydney closes at 20:00 (+10:00), the Cocos Islands open at 09:00 (+06:30)."""
    where = places("+61491570156")
    assert not isinstance(where, Nowhere)
    at = local("2027-06-16T00:00", "Australia/Sydney")
    opening = next_permitted(at, where, default_hours())
    assert opening == local("2027-06-16T09:00", "Indian/Cocos")
    closing = local("2027-06-16T20:00", "Australia/Lord_Howe")
    assert permitted(closing - MINUTE, where, default_hours())
    assert not permitted(closing, where, default_hours())


def test_a_country_wider_than_its_hours_has_no_moment_and_says_so_by_none() -> None:
    where = places("+79161234567")
    assert not isinstance(where, Nowhere)
    at = local("2027-09-15T12:00", "Europe/Moscow")
    assert next_permitted(at, where, default_hours()) is None
    assert closure(at, where, default_hours()) is not None
    assert next_permitted(at, where, parse_hours("08:00-21:00")) is not None


def test_the_date_is_each_places_own() -> None:
    """When it is Friday in Pago Pago it is already Saturday on Kiritimati, 25 hours ahead."""
    weekdays = parse_hours({"mon-fri": "00:00-24:00"})
    samoa, line = Place("Pacific/Pago_Pago", "AS"), Place("Pacific/Kiritimati", "KI")
    at = local("2027-09-17T23:30", "Pacific/Pago_Pago")
    assert permitted(at, (samoa,), weekdays)
    assert not permitted(at, (line,), weekdays)
    assert not permitted(at, (samoa, line), weekdays)
    both = next_permitted(at, (samoa, line), weekdays)
    assert both == local("2027-09-20T00:00", "Pacific/Pago_Pago")


def test_a_day_that_the_date_line_took_away_has_no_hours() -> None:
    """Samoa went from 29 to 31 December 2011."""
    where = (Place("Pacific/Apia", "WS"),)
    at = local("2011-12-29T20:00", "Pacific/Apia")
    expected = local("2011-12-31T09:00", "Pacific/Apia")
    assert next_permitted(at, where, parse_hours("09:00-20:00")) == expected


def test_nothing_known_of_the_place_is_never_let_through() -> None:
    with pytest.raises(ValueError, match="no place is known"):
        permitted(datetime(2027, 9, 15, 12, tzinfo=UTC), (), default_hours())


# --- when the clock is set -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", "2027-03-14"),
        ("America/New_York", "2027-11-07"),
        ("Europe/London", "2027-03-28"),
        ("Europe/London", "2027-10-31"),
        ("Australia/Lord_Howe", "2027-04-04"),
        ("Australia/Lord_Howe", "2027-10-03"),
        ("America/Santiago", "2027-04-04"),
        ("America/Santiago", "2027-09-05"),
        ("Africa/Cairo", "2027-04-30"),
        ("America/Havana", "2027-11-07"),
    ],
)
def test_an_ordinary_window_keeps_its_wall_clock_on_the_day_the_clock_is_set(
    zone: str, day: str
) -> None:
    where, hours = (Place(zone, "US"),), parse_hours("09:00-20:00")
    assert allowed_on(day, where, hours) == "09:00-20:00"


@pytest.mark.parametrize(
    ("day", "window", "opens", "closes"),
    [
        pytest.param(
            "2027-03-14", "02:30-05:00", "07:30+00:00", "09:00+00:00", id="opens in the gap"
        ),
        pytest.param(
            "2027-03-14", "01:00-02:30", "06:00+00:00", "06:30+00:00", id="closes in the gap"
        ),
        pytest.param(
            "2027-11-07", "01:30-05:00", "06:30+00:00", "10:00+00:00", id="opens in the fold"
        ),
        pytest.param(
            "2027-11-07", "00:30-01:30", "04:30+00:00", "05:30+00:00", id="closes in the fold"
        ),
        pytest.param(
            "2027-11-07", "00:30-05:00", "04:30+00:00", "10:00+00:00", id="spans the fold"
        ),
    ],
)
def test_an_edge_that_happens_twice_or_never_opens_later_and_closes_earlier(
    day: str, window: str, opens: str, closes: str
) -> None:
    where, hours = (Place("America/New_York", "US"),), parse_hours(window)
    opening, closing = (datetime.fromisoformat(f"{day}T{clock}") for clock in (opens, closes))
    midnight = local(f"{day}T00:00", "America/New_York")
    assert next_permitted(midnight, where, hours) == opening
    assert permitted(closing - MINUTE, where, hours)
    assert not permitted(closing, where, hours)


def test_a_window_within_the_gap_is_left_out() -> None:
    where, hours = (Place("America/New_York", "US"),), parse_hours("02:10-02:50")
    at = local("2027-03-14T00:00", "America/New_York")
    assert next_permitted(at, where, hours) == local("2027-03-15T02:10", "America/New_York")


# --- holidays --------------------------------------------------------------------------------


def test_beyond_the_years_known_what_is_closed_on_holidays_stays_closed() -> None:
    noon = datetime.combine(holidays_known_until(), time(18), UTC)
    after = noon + timedelta(days=8 - noon.weekday())
    assert next_permitted(after, here("US"), default_hours()) is None
    why = closure(after, here("US"), default_hours())
    assert why is not None
    assert "public holidays, and those of US in" in why.text
    assert "are not known" in why.text
    assert next_permitted(after, here("US"), parse_hours("09:00-20:00")) is not None


def test_a_country_whose_holidays_are_not_known_is_closed_until_a_route_says_otherwise() -> None:
    where = (Place("Europe/Kyiv", "UA"),)
    at = local("2027-09-15T12:00", "Europe/Kyiv")
    why = closure(at, where, default_hours())
    assert why is not None
    assert "those of UA in 2027 are not known" in why.text
    assert permitted(at, where, parse_hours({"mon-fri": "10:00-18:00", "holidays": "10:00-18:00"}))


def test_the_holidays_are_those_that_the_library_computes() -> None:
    text = (files("ringhook") / "public_holidays.json").read_text("utf-8")
    first = date.fromisoformat(json.loads(text)["known_from"]).year
    assert json.loads(text)["source"] == f"holidays {version('holidays')}"
    assert text == build_holidays.render(first, build_holidays.YEARS)


def test_the_holidays_are_known_for_a_year_to_come() -> None:
    """When this fails, run `python -m ringhook_ops.build_holidays` and release."""
    assert holidays_known_until() >= datetime.now(UTC).date() + timedelta(days=365)


def test_a_holiday_that_waits_for_the_moon_closes_the_days_around_it() -> None:
    eid = date(2027, 3, 9)
    for day in (eid - timedelta(days=1), eid, eid + timedelta(days=1)):
        at = local(f"{day}T12:00", "Asia/Dubai")
        assert not permitted(at, here("AE"), default_hours())


def test_a_holiday_never_widens_its_weekday() -> None:
    hours = parse_hours({"mon-fri": "09:00-18:00", "holidays": "08:00-12:00"})
    assert allowed_on("2027-01-18", here("US"), hours) == "09:00-12:00"
    sunday = "2027-07-04"
    assert allowed_on(sunday, here("US"), hours) == ""


# --- what a route may say --------------------------------------------------------------------


def test_default_is_the_table_by_country_and_says_which() -> None:
    assert parse_hours("default") == default_hours()
    assert parse_hours("default").text == "by country (table of 2026-11-23)"


def test_any_asks_nothing() -> None:
    at = local("2027-12-25T03:00", "America/Chicago")
    assert parse_hours("any") is ANY
    assert permitted(at, here("US"), ANY)
    assert closure(at, here("US"), ANY) is None


@pytest.mark.parametrize(
    "text", ["09:00-20:00", "9:00-20:00", " 09:00 - 20:00 ", "09:00\u201320:00"]
)
def test_one_window_holds_on_every_day(text: str) -> None:
    hours = parse_hours(text)
    assert hours.text == "every day 09:00\u201320:00"
    for day in ("2027-09-15", "2027-09-19", "2027-12-25"):
        assert allowed_on(day, here("FR"), hours) == "09:00-20:00"


def test_a_table_names_days_ranges_and_several_windows_and_the_rest_is_closed() -> None:
    hours = parse_hours(
        {
            "mon-thu": ["13:00-18:00", "09:00-12:00"],
            "fri": ["09:00-12:00", "12:00-15:00"],
            "sat": "closed",
            "holidays": "10:00-11:00",
        }
    )
    assert allowed_on("2027-09-16", here("US"), hours) == "09:00-12:00 13:00-18:00"
    assert allowed_on("2027-09-17", here("US"), hours) == "09:00-15:00"
    assert allowed_on("2027-09-18", here("US"), hours) == ""
    assert allowed_on("2027-09-19", here("US"), hours) == ""
    assert allowed_on("2027-01-18", here("US"), hours) == "10:00-11:00"


def test_all_day_is_all_day() -> None:
    assert allowed_on("2027-09-15", here("US"), parse_hours("00:00-24:00")) == "00:00-24:00"


def test_a_named_table_is_looked_up_by_its_name() -> None:
    hours = parse_hours("office", {"office": {"mon-fri": "09:00-17:00"}})
    assert allowed_on("2027-09-15", here("US"), hours) == "09:00-17:00"
    assert hours.text == 'as table "office" says'


@pytest.mark.parametrize(
    ("setting", "names", "cure"),
    [
        ("offfice", '"offfice"', '"default", "any", "office" or "09:00-20:00"'),
        ("9-20", '"9-20"', '"09:00-20:00"'),
        ("09:00-20:60", '"09:00-20:60"', "24:00"),
        ("09:00-24:01", '"09:00-24:01"', "24:00"),
        ("22:00-06:00", '"22:00-06:00"', '"22:00-24:00" and "00:00-06:00"'),
        ("09:00-09:00", '"09:00-09:00"', '"closed"'),
        ("closed", '"closed"', '"default"'),
        ("", '""', '"default"'),
        ({"mon-fri": "noon"}, '"noon"', '"09:00-20:00"'),
        ({"mon-fri": 9}, '"9"', '"09:00-20:00"'),
        ({"mon-fri": []}, "empty list", '"closed"'),
        ({"monday": "09:00-20:00"}, '"monday"', "mon, tue"),
        ({"fri-mon": "09:00-20:00"}, '"fri-mon"', "mon-fri"),
        ({"mon-fri": "09:00-20:00", "fri": "09:00-12:00"}, '"fri" names fri', "each day once"),
        ({"mon": ["09:00-12:00", "11:00-14:00"]}, "overlap", "one window"),
        ({"mon-sun": "closed"}, "every weekday is closed", "mon-fri"),
        ({"holidays": "09:00-12:00"}, "every weekday is closed", "mon-fri"),
        ({}, "every weekday is closed", "mon-fri"),
    ],
)
def test_hours_that_cannot_be_read_are_named_with_the_cure(
    setting: str | dict[str, Any], names: str, cure: str
) -> None:
    with pytest.raises(CallingHoursError) as caught:
        parse_hours(setting, {"office": {"mon-fri": "09:00-17:00"}})
    assert names in str(caught.value)
    assert cure in str(caught.value)


# --- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "where", "text"),
    [
        (
            "2027-09-15T21:00",
            here("US"),
            "calling hours US 08:00\u201320:00 (America/Chicago), 47 CFR 64.1200(c)(1)",
        ),
        (
            "2027-09-19T12:00",
            here("US"),
            "calling hours US closed on Sundays (America/Chicago), 47 CFR 64.1200(c)(1)",
        ),
        (
            "2027-01-18T12:00",
            here("US"),
            (
                "calling hours US closed on public holidays, as 2027-01-18 (America/Chicago),"
                " 47 CFR 64.1200(c)(1)"
            ),
        ),
        (
            "2027-09-15T09:00",
            here("US", "KY"),
            "calling hours US-KY 10:00\u201321:00 (America/Chicago), state law as listed in 2025",
        ),
        (
            "2027-09-15T13:30",
            here("FR"),
            (
                "calling hours FR 10:00\u201313:00 and 14:00\u201320:00 (Europe/Paris),"
                " Décret 2022-1313"
            ),
        ),
        (
            "2027-09-15T20:00",
            here("NG"),
            "calling hours NG 10:00\u201318:00 (Africa/Lagos), a cautious default",
        ),
    ],
)
def test_a_closure_is_said_as_a_person_would(at: str, where: tuple[Place, ...], text: str) -> None:
    why = closure(local(at, where[0].zone), where, default_hours())
    assert why is not None
    assert why.text == text


def test_a_closure_names_the_place_that_opens_last() -> None:
    where = (Place("America/New_York", "US"), Place("America/Los_Angeles", "US"))
    why = closure(local("2027-09-15T06:00", "America/New_York"), where, default_hours())
    assert why is not None
    assert why.place.zone == "America/Los_Angeles"


def test_a_routes_own_hours_are_said_to_be_its_own() -> None:
    at = local("2027-09-15T21:00", "America/Chicago")
    why = closure(at, here("US"), parse_hours("09:00-20:00"))
    assert why is not None
    assert why.text == "calling hours of the route 09:00\u201320:00 (America/Chicago)"


# --- laws ------------------------------------------------------------------------------------

# Half and quarter hours, both hemispheres, a half-hour summer time, both sides of the date line,
# clocks set at midnight, and a country that fasts without summer time.
ZONES = [
    "America/Adak",
    "America/Havana",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
]


@st.composite
def a_day(draw: st.DrawFn) -> str | list[str]:
    edges = sorted(draw(st.sets(st.integers(0, 24 * 60), min_size=2, max_size=4)))
    clocks = [f"{edge // 60:02}:{edge % 60:02}" for edge in edges[: len(edges) // 2 * 2]]
    return list(map("-".join, zip(clocks[::2], clocks[1::2], strict=True)))


hours_of_a_route = st.dictionaries(
    st.sampled_from([*calling_hours.DAYS, "holidays"]), a_day() | st.just("closed"), max_size=8
).filter(lambda table: any(day != "holidays" and table[day] != "closed" for day in table))
all_hours = hours_of_a_route.map(parse_hours) | st.builds(default_hours)
some_places = st.lists(
    st.builds(
        Place,
        st.sampled_from(ZONES),
        st.sampled_from(["US", "CA", "FR", "GB", "IN", "NG"]),
        st.none() | st.sampled_from(["KY", "LA", "PA"]),
    ),
    min_size=1,
    max_size=4,
    unique=True,
).map(tuple)


def transitions(zone: str, year: int) -> list[datetime]:
    """Find the hours in which the clock of a zone is set."""
    hours = (datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(365 * 24))
    offsets = [(at, at.astimezone(ZoneInfo(zone)).utcoffset()) for at in hours]
    return [at for (at, offset), (_, after) in pairwise(offsets) if offset != after]


NEAR_A_CHANGE = sorted({at for zone in ZONES for at in transitions(zone, 2027)})
moments = st.datetimes(
    datetime.fromisoformat("2026-01-02"),
    datetime.fromisoformat("2028-12-01"),
    timezones=st.just(UTC),
) | st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(NEAR_A_CHANGE),
    st.integers(-36 * 60, 36 * 60),
)


def on_the_wall(at: datetime, place: Place, table: Mapping[str, str | list[str]]) -> bool:
    """Read a wall clock and a table as a person would, knowing nothing of how it is computed."""
    wall = at.astimezone(ZoneInfo(place.zone))
    day = table.get(calling_hours.DAYS[wall.weekday()], "closed")
    clock = f"{wall:%H:%M}"
    return day != "closed" and any(
        window[:5] <= clock < window[6:] for window in ([day] if isinstance(day, str) else day)
    )


@given(at=moments, where=some_places, table=hours_of_a_route)
def test_never_permitted_outside_a_window_on_any_wall_clock(
    at: datetime, where: tuple[Place, ...], table: dict[str, str | list[str]]
) -> None:
    if permitted(at, where, parse_hours(table)):
        assert all(on_the_wall(at, place, table) for place in where)


@given(at=moments, where=some_places, table=hours_of_a_route)
def test_away_from_changes_of_the_clock_and_holidays_every_moment_in_the_windows_is_permitted(
    at: datetime, where: tuple[Place, ...], table: dict[str, str | list[str]]
) -> None:
    always_holiday_hours = {**table, "holidays": "00:00-24:00"}
    day = timedelta(days=1)
    for place in where:
        zone = ZoneInfo(place.zone)
        assume((at - day).astimezone(zone).utcoffset() == (at + day).astimezone(zone).utcoffset())
    expected = all(on_the_wall(at, place, table) for place in where)
    assert permitted(at, where, parse_hours(always_holiday_hours)) is expected


@settings(deadline=None, max_examples=40)
@given(at=moments, where=some_places, hours=all_hours)
def test_the_next_permitted_moment_is_permitted_and_no_earlier_minute_is(
    at: datetime, where: tuple[Place, ...], hours: Hours
) -> None:
    horizon = timedelta(days=2)
    found = next_permitted(at, where, hours, horizon)
    if found is not None:
        assert at <= found <= at + horizon
        assert permitted(found, where, hours)
        assert next_permitted(found, where, hours) == found
    before = at
    while before < (found or at + horizon):
        assert not permitted(before, where, hours)
        # Whole minutes after the first: every edge is on one.
        before = before.replace(second=0, microsecond=0) + MINUTE


@given(at=moments, where=some_places, more=some_places, hours=all_hours)
def test_more_places_only_ever_narrow(
    at: datetime, where: tuple[Place, ...], more: tuple[Place, ...], hours: Hours
) -> None:
    both = permitted(at, where + more, hours)
    assert both is (permitted(at, where, hours) and permitted(at, more, hours))
    alone, together = (next_permitted(at, each, hours) for each in (where, where + more))
    assert together is None or (alone is not None and alone <= together)


@given(at=moments, where=some_places, hours=all_hours)
def test_a_closure_is_given_exactly_when_a_moment_is_not_permitted(
    at: datetime, where: tuple[Place, ...], hours: Hours
) -> None:
    why = closure(at, where, hours)
    assert (why is None) is permitted(at, where, hours)
    if why is not None:
        assert not permitted(at, (why.place,), hours)
        assert why.place.zone in why.text


@given(at=moments, where=some_places, hours=all_hours, days=st.integers(0, 20))
def test_a_longer_limit_finds_the_same_moment_or_one_more(
    at: datetime, where: tuple[Place, ...], hours: Hours, days: int
) -> None:
    limit = timedelta(days=days)
    found, later = (next_permitted(at, where, hours, each) for each in (limit, limit + LIMIT))
    assert found == later if found else later is None or later > at + limit


@given(at=moments, where=some_places, hours=all_hours, offset=st.sampled_from(ZONES))
def test_the_zone_in_which_the_moment_is_told_does_not_matter(
    at: datetime, where: tuple[Place, ...], hours: Hours, offset: str
) -> None:
    told = at.astimezone(ZoneInfo(offset))
    assert next_permitted(told, where, hours) == next_permitted(at, where, hours)


@given(text=st.text(max_size=14) | st.from_regex(r"\d?\d:\d\d-\d?\d:\d\d", fullmatch=True))
def test_any_text_is_hours_or_a_named_error(text: str) -> None:
    try:
        assert parse_hours(text).text
    except CallingHoursError as error:
        told = str(error)
    else:
        told = text
    assert text.strip() in told
