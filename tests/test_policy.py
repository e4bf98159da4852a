"""May this phone ring now: said in a person's words, and lawful whatever the call and the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.builders import ALICE, NOW, call

from ringhook import routes as routes_file
from ringhook import zones
from ringhook.calling_hours import parse_hours, permitted
from ringhook.policy import Consent, Defer, History, Ring, Suppress, decide, expiry
from ringhook.routes import Routes

CHICAGO, LONDON = "+13125550123", "+442079460123"


def routes(policy: str = "", head: str = "") -> Routes:
    """One route for call(), with these lines in its policy."""
    return routes_file.load(
        f"""
        countries = ["US", "GB", "AU", "BR"]
        {head}
        [sources.shop]
        provider = "shopify"
        [[routes]]
        name = "confirm-order"
        source = "shop"
        [routes.call]
        agent_id = 1042
        phone_number = "{{{{ phone }}}}"
        [routes.policy]
        {policy}
        {"" if "expires_after" in policy else 'expires_after = "30d"'}
        """
    )


def when(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("policy", "now", "fields", "kind", "reason"),
    [
        (
            "",
            "2026-11-25T10:00-06:00",
            {"phone_number": CHICAGO},
            Ring,
            "Wed 25 Nov 10:00 (America/Chicago) is within calling hours by country (table of ",
        ),
        (
            "",
            "2026-11-25T22:00-06:00",
            {"phone_number": CHICAGO},
            Defer,
            "until Fri 27 Nov 09:00 (America/Chicago): calling hours US 08:00\N{EN DASH}20:00",
        ),
        (
            'calling_hours = "09:00-20:00"',
            "2026-11-25T20:00-06:00",
            {"phone_number": CHICAGO},
            Defer,
            "until Thu 26 Nov 09:00 (America/Chicago): calling hours of the route 09:00",
        ),
        (
            'calling_hours = "any"',
            "2026-11-25T03:00-06:00",
            {"phone_number": CHICAGO},
            Ring,
            "at any hour, as the route says",
        ),
        (
            'calling_hours = "09:00-20:00"',
            "2026-11-25T10:00Z",
            {"phone_number": CHICAGO, "time_zone": "Europe/London"},
            Ring,
            "Wed 25 Nov 10:00 (Europe/London) is within",
        ),
        (
            'calling_hours = "09:00-20:00"\nexpires_after = "6h"',
            "2026-11-23T21:00Z",
            {"phone_number": LONDON, "occurred_at": when("2026-11-23T21:00Z")},
            Suppress,
            "cannot be made before it expires at 2026-11-24 03:00+00:00: until Tue 24 Nov 09:00",
        ),
        (
            'calling_hours = "any"\nexpires_after = "6h"',
            "2026-11-23T18:01Z",
            {},
            Suppress,
            "expired: the event is 6.0 h ago; expires_after is 6.0 h",
        ),
        (
            'calling_hours = "any"',
            "2026-11-23T12:00Z",
            {"ring_at": when("2026-11-23T12:10Z")},
            Defer,
            "waits until 2026-11-23 12:10+00:00, as the route says",
        ),
        (
            "",
            "2026-11-23T12:00Z",
            {"phone_number": "+33123456789"},
            Suppress,
            "the number is in FR; countries allows AU, BR, GB, US",
        ),
        (
            "",
            "2026-11-23T12:00Z",
            {"phone_number": "+19005550123"},
            Suppress,
            "a premium-rate number is never rung",
        ),
        ("", "2026-11-23T12:00Z", {"test": True}, Suppress, "a test event"),
        ("", "2026-11-23T12:00Z", {"route": "gone"}, Suppress, "route 'gone' is no longer in"),
    ],
)
def test_a_decision_is_said_as_a_person_would(
    policy: str, now: str, fields: dict[str, Any], kind: type, reason: str
) -> None:
    decision = decide(call(**fields), routes(policy), History(), when(now))

    assert isinstance(decision, kind), decision
    assert decision.reason.startswith(reason)


AT_ANY_HOUR = 'calling_hours = "any"'


@pytest.mark.parametrize(
    ("policy", "history", "reason"),
    [
        ("", History(do_not_call="asked by letter"), "do-not-call list: asked by letter"),
        ('consent = "recorded:calls"', History(), "no consent to 'calls' is recorded"),
        (
            'consent = "recorded:calls"',
            History(consents={"sms": Consent(granted=True, evidence="ticked")}),
            "no consent to 'calls' is recorded",
        ),
        (
            'consent = "recorded:calls"',
            History(consents={"calls": Consent(granted=False, evidence="said no")}),
            "refused or withdrawn: said no",
        ),
        (
            'max_calls = ["1/1h", "3/7d"]',
            History(rung={"call_0": NOW.timestamp() - 3599}),
            "max_calls 1/1h: the number was rung 1 times",
        ),
        (
            'max_calls = ["1/1h", "3/7d"]',
            History(rung={f"call_{n}0": NOW.timestamp() - n * 86400 for n in (1, 2, 3)}),
            "max_calls 3/7d: the number was rung 3 times",
        ),
    ],
)
def test_what_is_known_of_a_number_forbids_and_is_named(
    policy: str, history: History, reason: str
) -> None:
    decision = decide(call(), routes(f"{AT_ANY_HOUR}\n{policy}"), history, NOW)

    assert isinstance(decision, Suppress)
    assert reason in decision.reason


@pytest.mark.parametrize(
    ("policy", "history"),
    [
        ('consent = "recorded:calls"', History(consents={"calls": Consent(True, "ticked")})),
        ('max_calls = "1/1h"', History(rung={"call_0": NOW.timestamp() - 3601})),
        ('max_calls = "1/1h"', History(rung={"call_1": NOW.timestamp() - 60})),
    ],
    ids=["a consent to calls", "a call before the window", "the call's own earlier attempt"],
)
def test_what_is_known_of_a_number_allows(policy: str, history: History) -> None:
    assert isinstance(decide(call(), routes(f"{AT_ANY_HOUR}\n{policy}"), history, NOW), Ring)


def test_a_spent_budget_puts_off_to_the_next_day() -> None:
    budget = routes(AT_ANY_HOUR, head="max_calls_per_day = 3")

    assert isinstance(decide(call(), budget, History(today=2), NOW), Ring)
    decision = decide(call(), budget, History(today=3), NOW)
    assert isinstance(decision, Defer)
    assert decision.until == datetime(2026, 11, 24, tzinfo=UTC)


HOURS = ["default", "09:00-20:00", "00:00-00:30", "23:00-24:00", "12:00-13:00"]
NUMBERS = [ALICE, CHICAGO, LONDON, "+61412345678", "+5511961234567", "+19075550123"]
moments = st.integers(0, 3 * 366 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
spans = st.integers(0, 60 * 24 * 40).map(lambda minutes: timedelta(minutes=minutes))


@given(
    hours=st.sampled_from(HOURS),
    number=st.sampled_from(NUMBERS),
    now=moments,
    age=spans,
    wait=spans | st.none(),
    expires=st.integers(1, 60),
)
def test_nobody_is_rung_outside_the_hours_nor_too_late_and_every_wait_ends_well(
    hours: str, number: str, now: datetime, age: timedelta, wait: timedelta | None, expires: int
) -> None:
    loaded = routes(f'calling_hours = "{hours}"\nexpires_after = "{expires}d"')
    occurred = now - age
    asked = call(
        phone_number=number,
        occurred_at=occurred,
        received_at=occurred,
        ring_at=None if wait is None else occurred + wait,
    )
    policy = loaded.routes[0].policy
    where = zones.places(number)
    assume(not isinstance(where, zones.Nowhere))
    assert not isinstance(where, zones.Nowhere)

    match decide(asked, loaded, History(), now):
        case Ring():
            assert permitted(now, where.places, parse_hours(hours), "marketing")
            assert now >= (asked.ring_at or now)
            assert now <= expiry(asked, policy)
        case Defer(until):
            assert now < until <= expiry(asked, policy)
            # Asked again then, it is the time: nobody is put off again and again.
            assert isinstance(decide(asked, loaded, History(), until), Ring)
        case Suppress(reason):
            assert "expire" in reason or "no permitted hour" in reason
