"""May this phone ring now: said in a person's words, and lawful whatever the call and the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, call
from tests.oracles.policy import INDIA, Facts, first_moment, forbidden

from ringhook.calls.consents import Consent
from ringhook.deciding.policy import Defer, History, Ring, Suppress, decide
from ringhook.routing import routes_file
from ringhook.routing.routes import Routes

CHICAGO, LONDON = "+13125550123", "+442079460123"


def routes(policy: str = "", head: str = "") -> Routes:
    """One route for call(), with these lines in its policy."""
    return routes_file.load(
        f"""
        countries = ["US", "GB", "AU", "BR", "IN", "FR"]
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
            {"phone_number": "+4930901820"},
            Suppress,
            "the number is in DE; countries allows AU, BR, FR, GB, IN, US",
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
            'consent = "recorded:calls"',
            History(consents={"calls": Consent(True, "ticked", expires_at=NOW)}),
            "consent to 'calls' expired at 2026-11-23 12:00+00:00",
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
    ("policy", "ago", "until", "reason"),
    [
        ('max_calls = ["1/1h", "3/7d"]', [3599], 1, "max_calls 1/1h: the number was rung 1 times"),
        (
            'max_calls = ["1/1h", "3/7d"]',
            [86_400, 2 * 86_400, 3 * 86_400],
            4 * 86_400,
            "max_calls 3/7d: the number was rung 3 times within that time",
        ),
        ("", [1], 899, "gap 15 min: the number was rung at 2026-11-23 11:59+00:00"),
        ('gap = "2h"', [3600], 3600, "gap 2.0 h: the number was rung at"),
        ("", [3600, 7200, 10_800], 75_600, "max_calls 3/24h: the number was rung 3 times"),
    ],
)
def test_a_number_that_was_rung_is_rung_again_once_caps_and_gap_allow_it(
    policy: str, ago: list[int], until: int, reason: str
) -> None:
    rung = {f"call_{at}0": NOW.timestamp() - at for at in ago}

    decision = decide(call(), routes(f"{AT_ANY_HOUR}\n{policy}"), History(rung=rung), NOW)

    assert isinstance(decision, Defer), decision
    assert (decision.until - NOW).total_seconds() == until
    assert decision.reason.startswith(reason)


def test_without_caps_and_gap_a_number_is_rung_again_at_once() -> None:
    switched_off = routes(f'{AT_ANY_HOUR}\nmax_calls = "none"\ngap = "none"')
    rung = {f"call_{n}0": NOW.timestamp() - n for n in range(20)}

    assert isinstance(decide(call(), switched_off, History(rung=rung), NOW), Ring)


def test_a_cap_that_opens_too_late_ends_the_call() -> None:
    capped = routes(f'{AT_ANY_HOUR}\nmax_calls = "1/2d"\nexpires_after = "1d"')
    decision = decide(call(), capped, History(rung={"call_0": NOW.timestamp() - 60}), NOW)

    assert isinstance(decision, Suppress)
    assert "before it expires" in decision.reason
    assert "max_calls 1/2d" in decision.reason


def test_ten_calls_in_a_hundred_minutes_ring_a_phone_in_florida_three_times() -> None:
    florida, noon = "+13055550123", when("2026-11-24T12:00-05:00")
    loaded = routes('purpose = "marketing"\nmax_calls = "none"\ngap = "none"')
    rung: dict[str, float] = {}

    for number in range(10):
        now = noon + timedelta(minutes=10 * number)
        asked = call(call_id=f"call_{number}0", phone_number=florida, occurred_at=now)
        decision = decide(asked, loaded, History(rung=rung), now)
        if isinstance(decision, Ring):
            rung[asked.call_id] = now.timestamp()
        else:
            assert "3/24h in US-FL" in decision.reason

    assert len(rung) == 3


def test_three_orders_in_one_second_ring_at_least_a_gap_apart() -> None:
    now, rung = NOW, dict[str, float]()
    for number in range(3):
        asked = call(call_id=f"call_{number}0")
        decision = decide(asked, routes(AT_ANY_HOUR), History(rung=rung), now)
        while isinstance(decision, Defer):
            now = decision.until
            decision = decide(asked, routes(AT_ANY_HOUR), History(rung=rung), now)
        assert isinstance(decision, Ring)
        rung[asked.call_id] = now.timestamp()

    assert [at - NOW.timestamp() for at in rung.values()] == [0, 900, 1800]


PARIS = "+33142278186"


@pytest.mark.parametrize(
    ("policy", "now", "fields", "rings"),
    [
        ("", "2026-11-24T11:00+01:00", {}, False),
        ("", "2026-08-10T11:00+02:00", {}, True),
        ('consent = "{{ agreed }}"', "2026-11-24T11:00+01:00", {"consent": True}, True),
        ('purpose = "service"', "2026-11-24T11:00+01:00", {}, True),
    ],
    ids=["marketing", "before the law", "with consent", "a service"],
)
def test_marketing_in_france_rings_nobody_without_a_consent_since_august_2026(
    policy: str, now: str, fields: dict[str, Any], *, rings: bool
) -> None:
    at = when(now)
    asked = call(phone_number=PARIS, occurred_at=at, received_at=at, **fields)
    decision = decide(asked, routes(policy), History(), at)

    assert isinstance(decision, Ring) == rings, decision
    if not rings:
        assert isinstance(decision, Suppress)
        assert "L.223-1" in decision.reason


@pytest.mark.parametrize(
    ("purpose", "now", "rings"),
    [
        ("marketing", "2026-11-24T09:30+05:30", False),
        ("marketing", "2026-11-22T10:00+05:30", True),
        ("service", "2026-11-24T09:30+05:30", True),
        ("collection", "2026-11-24T19:00+05:30", False),
    ],
)
def test_an_indian_phone_rings_in_the_hours_of_the_purpose(
    purpose: str, now: str, *, rings: bool
) -> None:
    at = when(now)
    asked = call(phone_number="+919876543210", occurred_at=at, received_at=at)

    decision = decide(asked, routes(f'purpose = "{purpose}"'), History(), at)

    assert isinstance(decision, Ring) == rings, decision


def test_a_decision_says_whether_it_rests_on_law_or_on_our_own_caution() -> None:
    at = when("2026-11-24T20:30-06:00")
    asked = call(phone_number=CHICAGO, occurred_at=at, received_at=at)

    ours = decide(asked, routes('purpose = "marketing"'), History(), at)
    law = decide(asked, routes('calling_hours = "00:00-24:00"'), History(), at.replace(hour=4))

    assert "our default for marketing" in ours.reason
    assert "47 CFR" not in ours.reason
    assert "law for marketing: 815 ILCS 305/15" in law.reason


@pytest.mark.parametrize(
    ("policy", "history"),
    [
        ('consent = "recorded:calls"', History(consents={"calls": Consent(True, "ticked")})),
        ('max_calls = "1/1h"', History(rung={"call_0": NOW.timestamp() - 3600})),
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


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("Asia/Kolkata", datetime(2026, 11, 23, 18, 30, tzinfo=UTC)),
        ("Pacific/Honolulu", datetime(2026, 11, 24, 10, tzinfo=UTC)),
    ],
)
def test_a_day_of_the_budget_ends_at_the_deployment_s_own_midnight(
    zone: str, midnight: datetime
) -> None:
    budget = routes(AT_ANY_HOUR, head=f'max_calls_per_day = 3\ntime_zone = "{zone}"')
    decision = decide(call(), budget, History(today=3), NOW)
    assert isinstance(decision, Defer)
    assert decision.until == midnight
    assert zone in decision.reason


WINDOWS = [(540, 1200), (0, 1440), (660, 720), (1200, 1440), (0, 600)]
DAY = 1440
minutes = st.integers(29_400_000, 30_400_000)  # from the end of 2025 to the autumn of 2027


# Else almost every example would be forbidden for good.
seldom = st.sampled_from([False] * 7 + [True])


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    now = draw(minutes)
    ago = st.integers(0, 3 * DAY)
    occurred = now - draw(ago)
    first = (now + INDIA) // DAY + draw(st.integers(-1, 2))
    return Facts(
        now=now,
        occurred_at=occurred,
        purpose=draw(st.sampled_from(["marketing", "service", "collection"])),
        hours=draw(st.sampled_from([*WINDOWS, None])),
        expires_after=draw(st.integers(1, 4)) * DAY,
        ring_at=draw(st.none() | st.integers(0, 2 * DAY).map(lambda wait: occurred + wait)),
        gap=draw(st.sampled_from([None, 1, 15, 240])),
        caps=draw(st.sampled_from([(), ((1, 60),), ((3, DAY),), ((2, 120), (3, 2 * DAY))])),
        rung=tuple(draw(st.lists(ago.map(lambda before: now - before), max_size=5, unique=True))),
        rung_before=draw(st.none() | ago.map(lambda before: now - before)),
        appointment=draw(st.none() | st.integers(-60, 2 * DAY).map(lambda ahead: now + ahead)),
        do_not_call=draw(seldom),
        is_test=draw(seldom),
        asks_consent=draw(st.booleans()),
        consent=draw(
            st.just((True, None))
            | st.none()
            | st.tuples(st.booleans(), st.integers(-60, DAY).map(lambda ahead: now + ahead))
        ),
        made_today=draw(st.integers(0, 4)),
        a_day=draw(st.sampled_from([None, 1, 3])),
        closed=draw(st.none() | st.just((first, first + draw(st.integers(0, 1))))),
    )


def _file(facts: Facts) -> Routes:
    def written(minute: int) -> str:
        return f"{minute // 60:02}:{minute % 60:02}"

    def day(number: int) -> str:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=number):%Y-%m-%d}"

    hours = "any" if facts.hours is None else "-".join(map(written, facts.hours))
    caps = [f"{calls}/{window}m" for calls, window in facts.caps] or "none"
    closures = [
        {"country": "IN", "from": day(facts.closed[0]), "until": day(facts.closed[1])}
        if facts.closed
        else {"country": "US", "from": "2026-01-01", "until": "2027-12-31"}
    ]
    head = "".join(
        f"[[closures]]\ncountry = '{one['country']}'\nfrom = {one['from']}\n"
        f"until = {one['until']}\nreason = 'mourning'\n"
        for one in closures
    )
    budget = f"max_calls_per_day = {facts.a_day}" if facts.a_day else ""
    gap = f"{facts.gap}m" if facts.gap else "none"
    return routes(
        f"""
        purpose = "{facts.purpose}"
        calling_hours = "{hours}"
        expires_after = "{facts.expires_after}m"
        gap = "{gap}"
        max_calls = {caps!r}
        {'consent = "recorded:calls"' if facts.asks_consent else ""}
        """,
        head=f"{budget}\n{head}",
    )


def _consents(facts: Facts) -> dict[str, Consent]:
    if facts.consent is None:
        return {}
    granted, until = facts.consent
    ends = None if until is None else datetime.fromtimestamp(until * 60, UTC)
    return {"calls": Consent(granted, "said so", expires_at=ends)}


@settings(max_examples=400)
@given(facts())
def test_a_call_rings_at_the_first_moment_that_every_promise_allows_and_at_no_other(
    facts: Facts,
) -> None:
    def moment(minute: int) -> datetime:
        return datetime.fromtimestamp(minute * 60, UTC)

    asked = call(
        phone_number="+919876543210",
        occurred_at=moment(facts.occurred_at),
        received_at=moment(facts.occurred_at),
        ring_at=None if facts.ring_at is None else moment(facts.ring_at),
        appointment=None if facts.appointment is None else moment(facts.appointment),
        test=facts.is_test,
    )
    rung = {f"call_{number}0": at * 60.0 for number, at in enumerate(facts.rung)}
    if facts.rung_before is not None:
        rung[asked.call_id] = facts.rung_before * 60.0
    history = History(
        do_not_call="STOP" if facts.do_not_call else "",
        consents=_consents(facts),
        rung=rung,
        today=facts.made_today,
    )
    first = first_moment(facts)

    match decide(asked, _file(facts), history, moment(facts.now)):
        case Ring():
            assert first == facts.now
        case Defer(until):
            assert first is not None
            assert until == moment(first)
        case Suppress(reason):
            assert first is None
            assert forbidden(facts) or "expire" in reason
