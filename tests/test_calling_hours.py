"""May this phone ring now, and if not, when next: examples, words, and laws against an oracle."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles import hours as oracle

from ringhook.deciding.calling_hours import (
    ANY,
    DAYS,
    LIMIT,
    CallingHoursError,
    ClosedDays,
    Hours,
    Purpose,
    closure,
    default_hours,
    next_permitted,
    parse_hours,
    permitted,
    rests_on,
)
from ringhook.deciding.zones import Nowhere, Place, places

MINUTE = timedelta(minutes=1)
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
ZONE_OF = {
    "US": "America/Chicago",
    "FR": "Europe/Paris",
    "AE": "Asia/Dubai",
    "IN": "Asia/Kolkata",
    "NG": "Africa/Lagos",
    "SA": "Asia/Riyadh",
}


def here(country: str, part: str | None = None) -> tuple[Place, ...]:
    return (Place(ZONE_OF[country], country, part),)


def local(text: str, zone: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def allowed_on(
    day: str, where: tuple[Place, ...], hours: Hours, purpose: Purpose = "service"
) -> str:
    """Ask every ten minutes, and write what a local day allows: "10:00-13:00 14:00-20:00"."""
    zone = ZoneInfo(where[0].zone)
    clocks = [time(n // 6, n % 6 * 10) for n in range(24 * 6)]
    wall = (datetime.combine(date.fromisoformat(day), clock, zone) for clock in clocks)
    answers = [False, *(permitted(at, where, hours, purpose) for at in wall), False]
    texts = [*(f"{clock:%H:%M}" for clock in clocks), "24:00"]
    edges = [text for text, (was, now) in zip(texts, pairwise(answers), strict=True) if was != now]
    return " ".join(map("-".join, zip(edges[::2], edges[1::2], strict=True)))


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
    assert permitted(at, here("US"), default_hours(), "marketing") is expected


def test_a_permitted_moment_is_its_own_next() -> None:
    at = local("2027-09-15T12:34:56.789", "America/Chicago")
    assert next_permitted(at, here("US"), default_hours(), "marketing") == at


def test_friday_night_waits_for_monday_over_a_closed_weekend() -> None:
    at = local("2027-09-17T20:00", "Europe/Paris")
    expected = local("2027-09-20T10:00", "Europe/Paris")
    found = next_permitted(at, here("FR"), default_hours(), "marketing")
    assert found == expected
    assert found.tzinfo is UTC


def test_lunch_in_france_waits_for_the_afternoon() -> None:
    at = local("2027-09-15T13:00", "Europe/Paris")
    expected = local("2027-09-15T14:00", "Europe/Paris")
    assert next_permitted(at, here("FR"), default_hours(), "marketing") == expected


def test_saturday_night_in_the_us_waits_for_monday_and_past_a_holiday() -> None:
    at = local("2027-01-16T20:30", "America/Chicago")
    expected = local("2027-01-19T08:00", "America/Chicago")
    assert next_permitted(at, here("US"), default_hours(), "marketing") == expected


def test_a_phone_that_may_be_at_either_end_of_a_country_is_rung_when_both_allow() -> None:
    """Sydney closes at 20:00 (+10:00), Perth opens at 09:00 (+08:00)."""
    where = (Place("Australia/Sydney", "AU"), Place("Australia/Perth", "AU"))
    at = local("2027-06-16T00:00", "Australia/Sydney")
    opening = next_permitted(at, where, default_hours(), "marketing")
    assert opening == local("2027-06-16T09:00", "Australia/Perth")
    closing = local("2027-06-16T20:00", "Australia/Sydney")
    assert permitted(closing - MINUTE, where, default_hours(), "marketing")
    assert not permitted(closing, where, default_hours(), "marketing")


@pytest.mark.parametrize("number", ["+79001234567", "+79161234567", "+77012345678", "+38344123456"])
@pytest.mark.parametrize("purpose", PURPOSES)
def test_mobiles_of_wide_countries_have_an_hour_in_common(number: str, purpose: Purpose) -> None:
    found = places(number)
    assert not isinstance(found, Nowhere)
    at = local("2027-09-15T00:00", "Europe/Moscow")
    assert next_permitted(at, found.places, default_hours(), purpose) is not None


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_russian_mobile_that_may_be_anywhere_has_an_hour_of_its_own(purpose: Purpose) -> None:
    where = tuple(Place(zone, "RU") for zone in ("Europe/Kaliningrad", "Asia/Kamchatka"))
    at = local("2027-09-15T13:00", "Europe/Moscow")
    assert next_permitted(at, where, default_hours(), purpose) is not None


def test_a_country_wider_than_its_hours_has_no_moment_and_says_so_by_none() -> None:
    where = (Place("America/New_York", "US"), Place("Pacific/Guam", "US"))
    hours, at = parse_hours("10:00-18:00"), local("2027-09-15T12:00", "America/New_York")
    assert next_permitted(at, where, hours, "service") is None
    assert closure(at, where, hours, "service") is not None


def test_the_date_is_each_places_own() -> None:
    """When it is Friday in Pago Pago it is already Saturday on Kiritimati, 25 hours ahead."""
    weekdays = parse_hours({"mon-fri": "00:00-24:00"})
    samoa, line = Place("Pacific/Pago_Pago", "AS"), Place("Pacific/Kiritimati", "KI")
    at = local("2027-09-17T23:30", "Pacific/Pago_Pago")
    assert permitted(at, (samoa,), weekdays, "service")
    assert not permitted(at, (line,), weekdays, "service")
    assert not permitted(at, (samoa, line), weekdays, "service")
    both = next_permitted(at, (samoa, line), weekdays, "service")
    assert both == local("2027-09-20T00:00", "Pacific/Pago_Pago")


def test_a_day_that_the_date_line_took_away_has_no_hours() -> None:
    """Samoa went from 29 to 31 December 2011."""
    where = (Place("Pacific/Apia", "WS"),)
    at = local("2011-12-29T20:00", "Pacific/Apia")
    expected = local("2011-12-31T09:00", "Pacific/Apia")
    assert next_permitted(at, where, parse_hours("09:00-20:00"), "service") == expected


def test_nothing_known_of_the_place_is_never_let_through() -> None:
    with pytest.raises(ValueError, match="no place is known"):
        permitted(datetime(2027, 9, 15, 12, tzinfo=UTC), (), default_hours(), "marketing")


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
    assert next_permitted(midnight, where, hours, "service") == opening
    assert permitted(closing - MINUTE, where, hours, "service")
    assert not permitted(closing, where, hours, "service")


def test_a_window_within_the_gap_is_left_out() -> None:
    where, hours = (Place("America/New_York", "US"),), parse_hours("02:10-02:50")
    at = local("2027-03-14T00:00", "America/New_York")
    assert next_permitted(at, where, hours, "service") == local(
        "2027-03-15T02:10", "America/New_York"
    )


# --- holidays ---------------------------------------------------------------------------------


def test_a_holiday_never_widens_its_weekday() -> None:
    hours = parse_hours({"mon-fri": "09:00-18:00", "holidays": "08:00-12:00"})
    assert allowed_on("2027-01-18", here("US"), hours) == "09:00-12:00"
    sunday = "2027-07-04"
    assert allowed_on(sunday, here("US"), hours) == ""


# --- what a route may say --------------------------------------------------------------------


def test_default_is_the_table_by_country_and_says_which() -> None:
    assert parse_hours("default") == default_hours()
    assert parse_hours("default").text.startswith("by country (table of 2026-")


def test_any_asks_nothing() -> None:
    at = local("2027-12-25T03:00", "America/Chicago")
    assert parse_hours("any") is ANY
    assert permitted(at, here("US"), ANY, "service")
    assert closure(at, here("US"), ANY, "service") is None


@pytest.mark.parametrize(
    "text", ["09:00-20:00", "9:00-20:00", " 09:00 - 20:00 ", "09:00\u201320:00"]
)
def test_one_window_holds_on_every_day(text: str) -> None:
    hours = parse_hours(text)
    assert hours.text == "every day 09:00\u201320:00"
    for day in ("2027-09-15", "2027-09-19", "2027-12-25"):
        assert allowed_on(day, here("NG"), hours, "marketing") == "09:00-20:00"


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
    assert allowed_on("2027-09-15", here("US"), parse_hours({"wed": "open"})) == "00:00-24:00"


def test_a_law_of_a_country_means_its_own_holidays_and_our_caution_a_states_too() -> None:
    """The Ekka closes Brisbane; the standard speaks of national holidays."""
    where = (Place("Australia/Brisbane", "AU", "QLD"),)
    assert allowed_on("2027-08-11", where, default_hours(), "marketing") == ""
    every_day = parse_hours({"mon-sun": "08:00-21:00", "holidays": "open"})
    assert allowed_on("2027-08-11", where, every_day, "marketing") == "09:00-20:00"
    assert allowed_on("2027-03-29", where, every_day, "marketing") == ""


def test_open_holidays_change_nothing() -> None:
    hours = parse_hours({"mon-fri": "09:00-18:00", "holidays": "open"})
    assert allowed_on("2027-01-18", here("US"), hours) == "09:00-18:00"


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


# --- what the law takes away -----------------------------------------------------------------


@pytest.mark.parametrize("setting", ["07:00-23:00", "default", {"mon-sun": "open"}])
def test_whatever_hours_a_route_has_they_are_cut_to_the_law_of_its_purpose(setting: Any) -> None:
    hours = parse_hours(setting)
    for clock, expected in [("07:59", False), ("08:00", setting != "default"), ("21:00", False)]:
        at = local(f"2027-09-15T{clock}", "Asia/Kolkata")
        assert permitted(at, here("IN"), hours, "collection") is (expected and clock < "19:00")
    night = local("2027-09-15T22:30", "Asia/Kolkata")
    assert permitted(night, here("IN"), hours, "service") is (setting != "default")
    assert not permitted(night, here("IN"), hours, "marketing")
    assert permitted(night, here("IN"), ANY, "marketing")


def test_a_route_may_widen_our_caution_up_to_the_law() -> None:
    sunday = local("2027-09-19T20:30", "America/Chicago")
    assert not permitted(sunday, here("US"), default_hours(), "marketing")
    assert permitted(sunday, here("US"), parse_hours("08:00-22:00"), "marketing")
    assert not permitted(sunday, here("US", "LA"), parse_hours("08:00-22:00"), "marketing")


def test_a_law_holds_from_its_first_day_on() -> None:
    hours, where = parse_hours("08:00-21:00"), (Place("America/New_York", "US", "PA"),)
    assert allowed_on("2026-10-15", where, hours, "marketing") == "08:00-21:00"
    assert allowed_on("2026-10-19", where, hours, "marketing") == "09:00-19:00"
    assert allowed_on("2026-10-18", where, hours, "marketing") == ""


def test_ramadan_has_hours_of_its_own_and_the_moon_a_day_on_either_side() -> None:
    hours = parse_hours("08:00-24:00")
    for day, expected in [
        ("2027-02-06", "09:00-22:00"),
        ("2027-02-07", "12:00-22:00"),
        ("2027-03-09", "12:00-22:00"),
        ("2027-03-10", "09:00-22:00"),
    ]:
        assert allowed_on(day, here("SA"), hours, "marketing") == expected


def test_a_law_that_means_another_clock_is_read_on_that_clock() -> None:
    """Mississippi writes Central Standard Time: in summer an hour behind the clock on the wall."""
    hours, where = parse_hours("06:00-22:00"), here("US", "MS")
    assert allowed_on("2027-01-13", where, hours, "marketing") == "08:00-20:00"
    assert allowed_on("2027-07-14", where, hours, "marketing") == "09:00-21:00"


# --- closures of the route file --------------------------------------------------------------

STORM = ClosedDays("US", "FL", date(2027, 9, 14), date(2027, 9, 16), "hurricane Ida")


def test_a_closed_state_is_not_rung_on_those_days_and_is_afterwards() -> None:
    florida, noon = (Place("America/New_York", "US", "FL"),), "2027-09-15T12:00"
    at = local(noon, "America/New_York")
    why = closure(at, florida, default_hours(), "marketing", (STORM,))
    assert why is not None
    assert why.basis == "closure"
    assert why.text == "US-FL is closed from 2027-09-14 to 2027-09-16: hurricane Ida"
    opens = next_permitted(at, florida, default_hours(), "marketing", (STORM,))
    assert opens == local("2027-09-17T08:00", "America/New_York")


def test_a_closure_of_a_state_holds_where_the_state_is_not_known_and_not_in_another() -> None:
    at = local("2027-09-15T12:00", "America/Chicago")
    assert not permitted(at, here("US"), default_hours(), "service", (STORM,))
    assert permitted(at, here("US", "TX"), default_hours(), "service", (STORM,))


def test_a_closure_of_a_country_holds_in_all_of_it_whatever_the_hours() -> None:
    mourning = ClosedDays("US", None, STORM.first, STORM.last, "mourning")
    at = local("2027-09-15T12:00", "America/Chicago")
    for hours in (ANY, default_hours(), parse_hours("open-hours", {"open-hours": {"wed": "open"}})):
        assert not permitted(at, here("US", "TX"), hours, "service", (mourning,))


# --- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "where", "purpose", "basis", "text"),
    [
        pytest.param(
            "2027-09-15T21:30",
            here("US"),
            "marketing",
            "law",
            "calling hours US 08:00\u201321:00 (America/Chicago),"
            " law for marketing: 47 CFR 64.1200(c)(1)",
            id="the law",
        ),
        pytest.param(
            "2027-09-15T20:30",
            here("US"),
            "marketing",
            "caution",
            "calling hours US 08:00\u201320:00 (America/Chicago),"
            " our default for marketing (as the stricter states have it)",
            id="our own hour",
        ),
        pytest.param(
            "2027-09-18T21:30",
            here("US"),
            "marketing",
            "caution",
            "calling hours US 08:00\u201320:00 (America/Chicago),"
            " our default for marketing (as the stricter states have it)",
            id="closed by both, and by our own for longer",
        ),
        pytest.param(
            "2027-09-19T12:00",
            here("US"),
            "marketing",
            "caution",
            "calling hours US closed on Sundays (America/Chicago),"
            " our default for marketing (as the stricter states have it)",
            id="our own day",
        ),
        pytest.param(
            "2027-01-18T12:00",
            here("US", "LA"),
            "marketing",
            "law",
            "calling hours US-LA closed on public holidays, as 2027-01-18 (America/Chicago),"
            " law for marketing: LPSC General Order R-29617 s. V(A)",
            id="a holiday by law",
        ),
        pytest.param(
            "2027-09-15T13:30",
            here("FR"),
            "marketing",
            "law",
            "calling hours FR 10:00\u201313:00 and 14:00\u201320:00 (Europe/Paris),"
            " law for marketing: Code de la consommation D.223-9",
            id="two windows",
        ),
        pytest.param(
            "2027-02-10T10:00",
            here("SA"),
            "marketing",
            "law",
            "calling hours SA 12:00\u201322:00 in Ramadan (Asia/Riyadh),"
            " law for marketing: CST regulations on spam messages and calls",
            id="a season",
        ),
        pytest.param(
            "2027-07-14T21:00",
            here("US", "MS"),
            "marketing",
            "law",
            "calling hours US-MS 08:00\u201320:00 (Etc/GMT+6, at America/Chicago),"
            " law for marketing: Miss. Code 77-3-723",
            id="another clock",
        ),
        pytest.param(
            "2027-09-15T22:00",
            here("NG"),
            "service",
            "caution",
            "calling hours NG 08:00\u201320:00 (Africa/Lagos), our default for service",
            id="no law speaks",
        ),
    ],
)
def test_a_closure_is_said_as_a_person_would_and_never_gives_our_caution_out_as_law(
    at: str, where: tuple[Place, ...], purpose: Purpose, basis: str, text: str
) -> None:
    why = closure(local(at, where[0].zone), where, default_hours(), purpose)
    assert why is not None
    assert why.text == text
    assert why.basis == basis


def test_a_closure_names_the_place_that_opens_last() -> None:
    where = (Place("America/New_York", "US"), Place("America/Los_Angeles", "US"))
    at = local("2027-09-15T06:00", "America/New_York")
    why = closure(at, where, default_hours(), "marketing")
    assert why is not None
    assert why.place.zone == "America/Los_Angeles"


def test_a_routes_own_hours_are_said_to_be_its_own() -> None:
    at = local("2027-09-15T20:30", "America/Chicago")
    why = closure(at, here("US"), parse_hours("09:00-20:00"), "marketing")
    assert why is not None
    assert why.text == "calling hours of the route 09:00\u201320:00 (America/Chicago)"
    assert why.basis == "route"


@pytest.mark.parametrize(
    ("where", "hours", "purpose", "text"),
    [
        (
            here("IN"),
            default_hours(),
            "service",
            (
                "service in IN: no law speaks,"
                " our default 09:00\u201321:00 (9 and 21 are the old night limits of TRAI)"
            ),
        ),
        (
            here("IN"),
            default_hours(),
            "marketing",
            (
                "marketing in IN: law 10:00\u201321:00 (TCCCPR 2018 (TRAI), promotional traffic),"
                " our default 10:00\u201321:00"
            ),
        ),
        (
            here("US", "FL"),
            parse_hours("09:00-19:00"),
            "marketing",
            (
                "marketing in US-FL: law 08:00\u201320:00 (Fla. Stat. 501.616(6)),"
                " law 08:00\u201321:00 (47 CFR 64.1200(c)(1)), the route's 09:00\u201319:00"
            ),
        ),
        (here("US"), ANY, "marketing", "any hour, as the route says: no law was asked"),
    ],
)
def test_what_a_permitted_moment_rests_on_tells_law_from_caution(
    where: tuple[Place, ...], hours: Hours, purpose: Purpose, text: str
) -> None:
    at = local("2027-09-15T12:00", where[0].zone)
    assert rests_on(at, where, hours, purpose) == text


def test_beyond_the_holidays_that_are_known_a_day_is_an_ordinary_day_with_a_note() -> None:
    for zone, country, day in [
        ("Europe/Kyiv", "UA", "2027-09-15"),
        ("America/Chicago", "US", "2041-12-25"),
    ]:
        at, where = local(f"{day}T12:00", zone), (Place(zone, country),)
        assert permitted(at, where, default_hours(), "marketing")
        note = f"holidays of {country} in {day[:4]} are not known"
        assert note in rests_on(at, where, default_hours(), "marketing")


# --- laws, against the oracle ----------------------------------------------------------------

# Half and quarter hours, both hemispheres, a half-hour summer time, both sides of the date line,
# clocks set at midnight, and a country that fasts without summer time.
ZONES = [
    "America/Adak",
    "America/Havana",
    "America/Los_Angeles",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Riyadh",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
]
NAMED = sorted({where for row in oracle.rows() for where in row["applies_to"]} - {"*"})

STATES = ["AU-QLD", "CA-ON", "DE-BY", "ES-MD"]


@st.composite
def a_day(draw: st.DrawFn) -> str | list[str]:
    edges = sorted(draw(st.sets(st.integers(0, 24 * 60), min_size=2, max_size=4)))
    clocks = [f"{edge // 60:02}:{edge % 60:02}" for edge in edges[: len(edges) // 2 * 2]]
    return list(map("-".join, zip(clocks[::2], clocks[1::2], strict=True)))


Setting = str | Mapping[str, Any]
tables_of_a_route = st.dictionaries(
    st.sampled_from([*DAYS, "holidays"]),
    a_day() | st.sampled_from(["closed", "open"]),
    max_size=8,
).filter(lambda table: any(day != "holidays" and table[day] != "closed" for day in table))
all_settings: st.SearchStrategy[Setting] = tables_of_a_route | st.just("default")
purposes = st.sampled_from(PURPOSES)


def spot(named: str, zone: str) -> Place:
    """Any law on any clock: a mobile keeps its country wherever its owner lives."""
    country, _, part = named.partition("-")
    return Place(zone, country, part or None)


all_spots = st.builds(spot, st.sampled_from([*NAMED, *STATES, "ZW"]), st.sampled_from(ZONES))
some_places = st.lists(all_spots, min_size=1, max_size=4, unique=True).map(tuple)


def transitions(zone: str, year: int) -> list[datetime]:
    """Find the hours in which the clock of a zone is set."""

    def offset(at: datetime) -> timedelta | None:
        return at.astimezone(ZoneInfo(zone)).utcoffset()

    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(366)]
    hours = [
        first + timedelta(hours=n)
        for first, last in pairwise(days)
        if offset(first) != offset(last)
        for n in range(24)
    ]
    return [at for at in hours if offset(at) != offset(at + timedelta(hours=1))]


NEAR_A_CHANGE = sorted({at for zone in ZONES for at in transitions(zone, 2027)})
ANNOUNCED = [datetime(2026, 10, 18, tzinfo=UTC), datetime(2027, 2, 7, tzinfo=UTC)]
moments = st.datetimes(
    datetime.fromisoformat("2026-01-02"),
    datetime.fromisoformat("2042-12-01"),
    timezones=st.just(UTC),
) | st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from([*NEAR_A_CHANGE, *ANNOUNCED]),
    st.integers(-36 * 60, 36 * 60),
)


def seen(where: tuple[Place, ...]) -> list[oracle.Spot]:
    return [oracle.Spot(place.zone, place.country, place.part) for place in where]


@given(at=moments, where=some_places, setting=all_settings, purpose=purposes)
def test_the_oracle_agrees_on_every_moment_and_where_a_clock_is_set_we_are_the_stricter(
    at: datetime, where: tuple[Place, ...], setting: Setting, purpose: Purpose
) -> None:
    ours = permitted(at, where, parse_hours(setting), purpose)
    theirs = oracle.allows(at, seen(where), setting, purpose)
    if oracle.clock_is_set_near(at, seen(where)):
        assert theirs or not ours
    else:
        assert ours is theirs


@given(at=moments, where=some_places, setting=all_settings, purpose=purposes)
def test_the_next_permitted_moment_is_so_to_the_oracle_and_no_minute_before_is(
    at: datetime, where: tuple[Place, ...], setting: Setting, purpose: Purpose
) -> None:
    horizon = timedelta(days=1)
    hours = parse_hours(setting)
    found = next_permitted(at, where, hours, purpose, (), horizon)
    if found is not None:
        assert at <= found <= at + horizon
        assert oracle.allows(found, seen(where), setting, purpose)
        assert next_permitted(found, where, hours, purpose) == found
    if oracle.clock_is_set_near(at, seen(where)):
        return
    before = at
    while before < (found or at + horizon):
        assert not oracle.allows(before, seen(where), setting, purpose)
        # Whole minutes after the first: every edge is on one.
        before = before.replace(second=0, microsecond=0) + MINUTE


@given(at=moments, where=some_places, purpose=purposes)
def test_every_setting_but_any_keeps_the_law(
    at: datetime, where: tuple[Place, ...], purpose: Purpose
) -> None:
    for setting in ("default", "00:00-24:00"):
        if permitted(at, where, parse_hours(setting), purpose):
            assert all(oracle.law_allows(at, one, purpose) for one in seen(where))


@given(at=moments, where=some_places, more=some_places, setting=all_settings, purpose=purposes)
def test_more_places_only_ever_narrow(
    at: datetime,
    where: tuple[Place, ...],
    more: tuple[Place, ...],
    setting: Setting,
    purpose: Purpose,
) -> None:
    hours = parse_hours(setting)
    both = permitted(at, where + more, hours, purpose)
    assert both is (permitted(at, where, hours, purpose) and permitted(at, more, hours, purpose))
    alone, together = (next_permitted(at, each, hours, purpose) for each in (where, where + more))
    assert together is None or (alone is not None and alone <= together)


@given(at=moments, where=some_places, setting=all_settings, purpose=purposes)
def test_a_closure_is_given_exactly_when_a_moment_is_not_permitted_and_never_misquotes_the_law(
    at: datetime, where: tuple[Place, ...], setting: Setting, purpose: Purpose
) -> None:
    hours = parse_hours(setting)
    why = closure(at, where, hours, purpose)
    assert (why is None) is permitted(at, where, hours, purpose)
    if why is None:
        return
    assert not permitted(at, (why.place,), hours, purpose)
    assert ("law for" in why.text) == (why.basis == "law")
    one = oracle.Spot(why.place.zone, why.place.country, why.place.part)
    if why.basis == "law" and not oracle.clock_is_set_near(at, [one]):
        assert not oracle.law_allows(at, one, purpose)


@given(at=moments, where=some_places, setting=all_settings, days=st.integers(0, 20))
def test_a_longer_limit_finds_the_same_moment_or_one_more(
    at: datetime, where: tuple[Place, ...], setting: Setting, days: int
) -> None:
    limit, hours = timedelta(days=days), parse_hours(setting)
    found, later = (
        next_permitted(at, where, hours, "marketing", (), each) for each in (limit, limit + LIMIT)
    )
    assert found == later if found else later is None or later > at + limit


@given(at=moments, where=some_places, setting=all_settings, offset=st.sampled_from(ZONES))
def test_the_zone_in_which_the_moment_is_told_does_not_matter(
    at: datetime, where: tuple[Place, ...], setting: Setting, offset: str
) -> None:
    told, hours = at.astimezone(ZoneInfo(offset)), parse_hours(setting)
    ours, theirs = (next_permitted(each, where, hours, "marketing") for each in (at, told))
    assert ours == theirs


@given(text=st.text(max_size=14) | st.from_regex(r"\d?\d:\d\d-\d?\d:\d\d", fullmatch=True))
def test_any_text_is_hours_or_a_named_error(text: str) -> None:
    try:
        assert parse_hours(text).text
    except CallingHoursError as error:
        told = str(error)
    else:
        told = text
    assert text.strip() in told
