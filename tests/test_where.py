"""Moments at which a phone sleeps in a place that only careful evidence tells, by our hours.

Each was once rung too early, too late, or never. `at` is the time on a wall that shows the offset.
"""

from datetime import datetime, timedelta

import pytest

from ringhook.deciding.calling_hours import default_hours, next_permitted, permitted
from ringhook.deciding.zones import Address, Nowhere, Place, places

ASLEEP = [
    ("El Paso, 915", "2026-11-24T08:30-07:00", "+19155552671", None),
    ("El Paso by ZIP", "2026-11-24T09:10-06:00", "+15125552671", Address("US", "TX", "79901")),
    ("the panhandle's overlay", "2026-11-24T07:30-06:00", "+14485552671", None),
    ("Kentucky's overlay, either side", "2026-11-24T10:15-05:00", "+13645552671", None),
    ("Evansville", "2026-11-24T08:30-05:00", "+18124222671", None),
    ("southern Indiana's overlay", "2026-11-24T08:30-05:00", "+19305552671", None),
    ("Cookeville", "2026-11-24T08:30-05:00", "+19315262671", None),
    ("eastern Tennessee's overlay", "2026-11-24T07:10-05:00", "+17295552671", None),
    ("Rapid City", "2026-11-24T09:30-06:00", "+16053422671", None),
    ("Rapid City by ZIP", "2026-11-24T08:30-07:00", "+16053422671", Address("US", "SD", "57701")),
    ("Scottsbluff", "2026-11-24T08:30-06:00", "+13086322671", None),
    ("Idaho's overlay", "2026-11-24T08:30-07:00", "+19865552671", None),
    ("Iron Mountain", "2026-11-24T08:30-05:00", "+19067742671", None),
    ("the Navajo Nation in summer", "2027-07-13T07:30-07:00", "+19285552671", None),
    ("Gary", "2026-11-24T07:30-06:00", "+12195552671", None),
    ("Goodland", "2026-11-24T07:30-07:00", "+17855552671", None),
    (
        "California, written Calif.",
        "2026-11-24T08:30-05:00",
        "+12125552671",
        Address("US", "Calif."),
    ),
    ("a moved New Yorker", "2026-11-24T10:30-05:00", "+12125552671", Address("US", "CA", "90001")),
    ("Hawaii, no country", "2026-11-24T08:30-05:00", "+12125552671", Address(None, "HI", "96813")),
    ("British Columbia", "2026-11-24T22:00-07:00", "+16042345678", None),
    ("Alberta", "2026-11-24T21:45-06:00", "+14032345678", None),
    ("Yukon", "2026-11-24T09:30-05:00", "+18672345678", None),
    ("Saskatchewan's overlay", "2026-11-24T08:30-06:00", "+14742345678", None),
    ("Acre", "2026-11-24T09:30-03:00", "+5568912345678", None),
    ("Manaus", "2026-11-24T09:30-03:00", "+5592912345678", None),
    ("Recife", "2026-11-25T08:10-03:00", "+5581912345678", None),
    ("Christmas Island", "2026-11-24T09:10+08:00", "+61412345678", Address("AU", "WA", "6798")),
    ("Perth, a Saturday in Sydney", "2026-11-28T17:30+11:00", "+61412345678", None),
]
AWAKE = [
    ("Elizabethtown", "2026-11-24T12:30-05:00", "+12707652671", None),
    ("New York, country USA", "2026-11-24T12:00-05:00", "+12125552671", Address("USA", "NY")),
    ("Sydney by address", "2026-11-24T09:30+11:00", "+61412345678", Address("AU", "NSW", "2000")),
    ("Brisbane", "2026-11-24T09:30+10:00", "+61731234567", None),
    ("an Australian mobile", "2026-11-24T12:30+11:00", "+61412345678", None),
    ("an Indonesian mobile", "2026-11-24T11:00+07:00", "+6281212345678", None),
    ("Moscow's own mobile code", "2026-11-24T12:00+03:00", "+79161234567", None),
    ("a Kazakh mobile", "2026-11-24T12:00+05:00", "+77012345678", None),
    ("a Kosovar mobile", "2026-11-24T12:00+01:00", "+38344123456", None),
    ("Jersey", "2026-11-24T12:00+00:00", "+447797712345", None),
]


def where(number: str, time_zone: str | None, address: Address | None) -> tuple[Place, ...]:
    found = places(number, time_zone, address)
    assert not isinstance(found, Nowhere)
    return found.places


@pytest.mark.parametrize(("what", "at", "number", "address"), ASLEEP)
def test_nobody_is_rung_at_night_for_want_of_looking(
    what: str, at: str, number: str, address: Address | None
) -> None:
    moment, here = datetime.fromisoformat(at), where(number, None, address)
    assert not permitted(moment, here, default_hours(), "marketing"), what
    assert next_permitted(moment, here, default_hours(), "marketing"), what


@pytest.mark.parametrize(("what", "at", "number", "address"), AWAKE)
def test_a_phone_is_rung_where_every_clock_allows(
    what: str, at: str, number: str, address: Address | None
) -> None:
    moment = datetime.fromisoformat(at)
    assert permitted(moment, where(number, None, address), default_hours(), "marketing"), what


def test_a_time_zone_means_what_people_mean_by_it() -> None:
    """In July EST is New York's summer time; Florida closes at 20:00."""
    miami = where("+13055552671", "EST", None)
    evening = datetime.fromisoformat("2027-07-13T20:30-04:00")
    assert not permitted(evening, miami, default_hours(), "marketing")
    assert permitted(evening - timedelta(hours=8), miami, default_hours(), "marketing")
    noon = datetime.fromisoformat("2026-11-24T12:00-05:00")
    windows = where("+12125552671", "Eastern Standard Time", None)
    assert permitted(noon, windows, default_hours(), "marketing")
