"""Sequences in which a call once rang after it was cancelled, or was lost though it never rang."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from msgspec.structs import replace
from tests import builders
from tests.builders import ALICE, BOB, ORDER, ROUTES, at, call
from tests.memory_ledger import MemoryLedger
from tests.test_dialing import LEASE, REDIAL, Desk, new_desk

from ringhook.calls import lifecycle
from ringhook.calls.answers import Answer, Initiated
from ringhook.calls.call import Call
from ringhook.calls.item import Item
from ringhook.calls.messages import Cancel
from ringhook.clients.ledger import Ledger
from ringhook.clients.unleashx import UnleashX
from ringhook.errors import RoutesError
from ringhook.ringing.attempts import Dialing, Result
from ringhook.ringing.book import Book
from ringhook.ringing.breaker import Breaker
from ringhook.routing import routes_file
from ringhook.routing.mapping import map_event
from ringhook.senders.providers import Event

REMINDER = ROUTES.replace(
    'policy.key = "{{ id }}"',
    'policy.key = "{{ id }}"\npolicy.at = "{{ starts }}"\npolicy.before = "1h"',
)


@pytest.fixture
def desk(aws: None) -> Iterator[Desk]:
    one = new_desk()
    one.memory = MemoryLedger()
    with one.sandbox:
        yield one


@pytest.fixture
def real(aws: None) -> Iterator[Desk]:
    """A desk whose ledger is a table."""
    one = new_desk()
    with one.sandbox:
        yield one


class During(UnleashX):
    """The API; while it is asked, something is told."""

    def __init__(self, url: str, tell: Callable[[], object]) -> None:
        super().__init__(url, 5)
        self.tell = tell

    def call(self, call: Call, token: str, ringing: int = 1) -> Answer:
        self.tell()
        return super().call(call, token, ringing)


def later(seconds: float, **fields: Any) -> Call:
    """A later event of the same key."""
    fields = {"event_id": f"evt_{seconds}", "received_at": at(seconds)} | fields
    return call(occurred_at=at(seconds), **fields)


def cancel(seconds: float) -> Cancel:
    return builders.cancel(
        event_id=f"evt_{seconds}", occurred_at=at(seconds), received_at=at(seconds)
    )


def appointment(hours: float, told_at: float = 0, **fields: Any) -> Call:
    """A reminder an hour before an appointment in so many hours."""
    moment = at(hours * 3600)
    return later(told_at, appointment=moment, ring_at=at(hours * 3600 - 3600), **fields)


def ring_out(desk: Desk, call_id: str = "call_1", limit: float = 10 * 86_400) -> Item | None:
    """Let the clock run until nothing more is to be done about the call."""
    book: Book = desk.dialing().book
    end = desk.clock + limit
    while (item := book.read(call_id)) and item.due_at is not None and item.due_at <= end:
        if item.awaits_outcome:
            break
        desk.clock = max(desk.clock, item.due_at)
        desk.wake(call_id)
    return item


# Busy states do not forget what they are told.


@pytest.mark.parametrize("do", ["503", "429", "401"])
def test_a_cancel_while_the_api_is_asked_ends_a_call_that_did_not_ring(desk: Desk, do: str) -> None:
    desk.sandbox.misbehave({"phone_number": ALICE, "do": do})
    desk.take(call(), desk.dialing(During(desk.sandbox.url, lambda: desk.take(cancel(1)))))
    item = ring_out(desk)
    assert item
    assert item.status == "cancelled"
    assert desk.dials() == 1


def test_a_cancel_while_the_api_is_asked_is_too_late_for_one_that_rang(desk: Desk) -> None:
    api = During(desk.sandbox.url, lambda: desk.take(cancel(1)))
    assert desk.take(call(), desk.dialing(api)).status == "initiated"


def test_an_opt_out_while_the_api_is_asked_holds_for_what_is_asked_next(desk: Desk) -> None:
    stop = builders.suppress()
    desk.sandbox.misbehave({"phone_number": ALICE, "do": "503"})
    desk.take(call(), desk.dialing(During(desk.sandbox.url, lambda: desk.take(stop))))
    item = ring_out(desk)
    assert item
    assert item.status == "suppressed"
    assert desk.dials() == 1


def test_a_cancel_of_a_call_of_which_nothing_was_heard_keeps_it_from_being_made_again(
    desk: Desk,
) -> None:
    desk.routes = routes_file.load(REDIAL)
    desk.sandbox.misbehave({"phone_number": ALICE, "do": "cut"})
    assert desk.take(call()).status == "uncertain"
    desk.take(cancel(5))
    item = ring_out(desk)
    assert item
    assert item.status == "cancelled"
    assert desk.dials() == 1


def test_an_appointment_that_moves_while_the_api_refuses_is_called_at_its_new_time_alone(
    desk: Desk,
) -> None:
    desk.routes = routes_file.load(REMINDER)
    moved = appointment(5, told_at=3600 + 1)
    desk.take(appointment(2))
    desk.clock += 3600
    desk.sandbox.misbehave({"phone_number": ALICE, "do": "503"})
    desk.wake("call_1", desk.dialing(During(desk.sandbox.url, lambda: desk.take(moved))))
    item = ring_out(desk)
    assert item
    assert (item.status, item.asked_at) == ("initiated", at(4 * 3600))
    assert desk.dials() == 2


def test_an_appointment_that_moved_after_its_first_time_was_not_permitted_is_called(
    desk: Desk,
) -> None:
    desk.routes = routes_file.load(REMINDER)
    desk.clock += 3 * 3600
    assert desk.take(appointment(2)).status == "suppressed"
    desk.take(appointment(5, told_at=3 * 3600))
    item = ring_out(desk)
    assert item
    assert item.status == "initiated"


@pytest.mark.parametrize(("once", "dials"), [("", 2), ("policy.once = true\n", 1)])
def test_an_appointment_that_moves_after_its_reminder_is_reminded_of_again(
    desk: Desk, once: str, dials: int
) -> None:
    desk.routes = routes_file.load(REMINDER.replace("policy.before", once + "policy.before"))
    desk.take(appointment(2))
    ring_out(desk)
    assert desk.dials() == 1
    desk.take(appointment(2, told_at=3700))
    ring_out(desk)
    assert desk.dials() == 1
    desk.take(appointment(9, told_at=3800))
    ring_out(desk)
    assert desk.dials() == dials


def test_of_two_changes_with_one_time_the_later_arrival_holds(desk: Desk) -> None:
    desk.routes = routes_file.load(REMINDER)
    desk.take(appointment(2))
    desk.take(replace(appointment(5), event_id="evt_9", received_at=at(1)))
    item = ring_out(desk)
    assert item
    assert item.asked_at == at(4 * 3600)
    assert desk.dials() == 1


def test_a_clock_a_year_ahead_does_not_make_deaf_to_what_comes_after(desk: Desk) -> None:
    desk.routes = routes_file.load(REMINDER)
    ahead = replace(appointment(2), occurred_at=at(366 * 86_400))
    desk.take(ahead)
    desk.take(appointment(5, told_at=60))
    item = ring_out(desk)
    assert item
    assert item.asked_at == at(4 * 3600)


def test_a_cancel_older_than_the_order_does_not_end_it(desk: Desk) -> None:
    desk.take(later(600, ring_at=at(1200)))
    desk.take(cancel(60))
    item = ring_out(desk)
    assert item
    assert item.status == "initiated"


def test_a_newer_event_keeps_the_wait_that_the_api_asked_for_and_no_other() -> None:
    until, now = at(600).timestamp(), at(10).timestamp()
    for status, due_at in (("queued", until), ("deferred", now)):
        waits = builders.item(status=status, due_at=until)  # type: ignore[arg-type]
        after = lifecycle.asked(waits, later(10), None, now)
        assert after
        assert (after.call.event_id, after.due_at) == ("evt_10", due_at)


def test_a_key_that_was_cancelled_rings_for_a_newer_event_and_for_no_older(desk: Desk) -> None:
    desk.take(call(ring_at=at(1200)))
    assert desk.take(cancel(60)).status == "cancelled"
    assert desk.take(later(30)).status == "cancelled"
    assert desk.take(call()).status == "cancelled"
    assert desk.take(later(120)).status == "initiated"
    assert desk.dials() == 1


# What is provable is neither uncertain nor lost.


class Flaky:
    """DynamoDB's client, of which one operation fails after, or instead of, taking effect."""

    def __init__(self, client: Any, operation: str, fault: Exception, *, done: bool) -> None:
        self.client, self.operation, self.fault, self.done = client, operation, fault, done
        self.times = 1

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        if name != self.operation or self.times == 0:
            return method

        def failing(**asked: Any) -> Any:
            self.times -= 1
            if self.done:
                method(**asked)
            raise self.fault

        return failing


LOST = ReadTimeoutError(endpoint_url="https://dynamodb")
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "TransactWriteItems")
CONFLICT = ClientError(
    {
        "Error": {"Code": "TransactionCanceledException"},
        "CancellationReasons": [{"Code": "ConditionalCheckFailed"}],
    },
    "TransactWriteItems",
)


def over(real: Desk, client: Flaky, api: UnleashX | None = None) -> Dialing:
    book = Ledger(client, real.table, timedelta(days=90))  # type: ignore[arg-type]  # a client's like
    return real.dialing(api, book=book)


@pytest.mark.parametrize("fault", [LOST, CONFLICT], ids=["lost", "retried by boto"])
def test_a_claim_whose_answer_was_lost_is_known_for_its_own_and_rings(
    real: Desk, fault: Exception
) -> None:
    flaky = Flaky(real.dynamodb, "transact_write_items", fault, done=True)
    assert real.take(call(), over(real, flaky)).status == "initiated"
    assert real.dials() == 1


def test_a_claim_that_was_throttled_leaves_nothing_half_done(real: Desk) -> None:
    flaky = Flaky(real.dynamodb, "transact_write_items", THROTTLED, done=False)
    with pytest.raises(Exception, match="does not answer"):
        real.take(call(), over(real, flaky))
    assert real.ledger().read("call_1") is None
    assert real.take(call()).status == "initiated"


def test_a_claim_of_which_nothing_can_be_learnt_is_known_not_to_have_asked(real: Desk) -> None:
    flaky = Flaky(real.dynamodb, "transact_write_items", LOST, done=True)
    dialing = over(real, flaky)
    reads = Flaky(real.dynamodb, "batch_get_item", LOST, done=True)
    seen: list[Result] = []
    first = real.dynamodb.batch_get_item
    flaky.batch_get_item = lambda **asked: (  # type: ignore[attr-defined]
        first(**asked) if flaky.times else reads.batch_get_item(**asked)
    )
    seen.append(real.take(call(), dialing))
    assert seen[0].heard is not None
    assert real.dials() == 0
    again = real.dialing().take(call(), lease_until=real.clock + LEASE, heard=seen[0].heard)
    assert again.status == "initiated"
    assert real.dials() == 1


def test_an_answer_that_cannot_be_written_is_carried_to_where_it_can(real: Desk) -> None:
    flaky = Flaky(real.dynamodb, "update_item", THROTTLED, done=False)
    result = real.take(call(), over(real, flaky))
    assert isinstance(result.heard.answer, Initiated) if result.heard else False
    again = real.dialing().wake("call_1", lease_until=real.clock + LEASE, heard=result.heard)
    assert again.status == "initiated"
    assert real.dials() == 1


def test_a_token_refused_while_no_newer_can_be_read_is_no_silence(desk: Desk) -> None:
    dialing = desk.dialing()
    dialing.tokens.get()
    desk.clock += 60
    desk.set_token("no JSON")
    desk.sandbox.misbehave({"phone_number": ALICE, "do": "401"})
    result = desk.take(later(60), dialing)
    assert result.status == "queued"
    desk.set_token(json.dumps({"default": "sandbox-token"}))
    item = ring_out(desk)
    assert item
    assert item.status == "initiated"
    assert desk.dials() == 2


def test_an_empty_account_is_asked_once_and_its_calls_ring_when_it_is_filled(desk: Desk) -> None:
    class Empty(UnleashX):
        asked = 0

        def call(self, call: Call, token: str, ringing: int = 1) -> Answer:
            from ringhook.calls.answers import AccountRefused

            self.asked += 1
            return AccountRefused("insufficient balance", cause="credit")

    api = Empty(desk.sandbox.url, 5)
    dialing = desk.dialing(api)
    for n in range(20):
        one = call(call_id=f"call_{n}", phone_number=f"+14155550{n + 100}")
        assert desk.take(one, dialing).status == "queued"
    assert api.asked == 1
    for n in range(20):
        item = ring_out(desk, f"call_{n}")
        assert item
        assert item.status == "initiated"


def test_a_server_error_keeps_its_count_for_a_phone_that_may_have_rung(desk: Desk) -> None:
    capped = 'policy.key = "{{ id }}"\npolicy.max_calls = "1/24h"'
    desk.routes = routes_file.load(ROUTES.replace('policy.key = "{{ id }}"', capped))
    desk.sandbox.misbehave({"phone_number": ALICE, "do": "500"})
    desk.take(call())
    assert desk.take(call(call_id="call_2")).status == "suppressed"
    assert desk.dials() == 1


def test_a_call_that_an_outage_left_uncertain_can_be_replayed(desk: Desk) -> None:
    desk.sandbox.misbehave({"phone_number": ALICE, "do": "500"})
    desk.take(call())
    item = ring_out(desk)
    assert item
    assert item.status == "uncertain"
    desk.clock = at(3600).timestamp()
    desk.dialing().replay(item.call)
    item = ring_out(desk)
    assert item
    assert item.status == "initiated"
    assert desk.dials() == 2


def test_a_refused_number_that_is_corrected_is_rung(desk: Desk) -> None:
    desk.sandbox.misbehave({"phone_number": ALICE, "do": "refuse"})
    assert desk.take(call()).status == "refused"
    assert desk.take(later(60)).status == "refused"
    assert desk.take(later(120, phone_number=BOB)).status == "initiated"
    assert (desk.dials(ALICE), desk.dials(BOB)) == (1, 1)


def test_what_the_ledger_cannot_hold_is_told_at_once(real: Desk) -> None:
    for number, value in enumerate((10**40, 1e300, 1.23456789e-200)):
        one = call(call_id=f"call_{number}", metadata={"n": value})
        result = real.take(one)
        assert result.status == "unmapped"
        assert "cannot hold" in result.reason
    assert real.dials() == 0


def test_copies_of_an_event_share_one_wake(desk: Desk) -> None:
    first = desk.take(call(ring_at=at(600)))
    copies = [desk.take(call(ring_at=at(600))) for _ in range(50)]
    assert first.again_at == at(600).timestamp()
    assert {copy.again_at for copy in copies} == {None}


# It can be stopped.


@pytest.mark.parametrize("what", ["all", "route:confirm-order", "source:shop", "account:default"])
def test_what_is_stopped_asks_nothing_and_rings_when_it_goes_on(real: Desk, what: str) -> None:
    real.ledger().stop(what, "a fire", at(0))
    assert real.take(call()).status == "queued"
    assert "a fire" in real.item()["reason"]
    assert real.dials() == 0
    real.ledger().resume(what, at(1))
    item = ring_out(real)
    assert item
    assert item.status == "initiated"
    assert real.clock <= at(300).timestamp()


def test_what_is_stopped_past_its_time_is_not_rung_any_more(real: Desk) -> None:
    real.ledger().stop("all", "a fire", at(0))
    real.take(call())
    item = ring_out(real)
    assert item
    assert item.status == "suppressed"
    assert real.dials() == 0


def test_another_route_goes_on(real: Desk) -> None:
    real.ledger().stop("route:another", "wrong text", at(0))
    assert real.take(call()).status == "initiated"


def test_a_route_of_which_half_of_the_calls_fail_stops_itself(real: Desk) -> None:
    ledger = real.ledger()
    breaker = Breaker(ledger, 20)
    for n in range(19):
        breaker.saw("default", "confirm-order", failed=n % 2 == 0, now=real.clock)
    assert ledger.stops() == {}
    breaker.saw("default", "confirm-order", failed=True, now=real.clock)
    assert list(ledger.stops()) == ["route:confirm-order"]
    assert real.take(call()).status == "queued"


def test_a_route_of_which_most_calls_ring_does_not(real: Desk) -> None:
    breaker = Breaker(real.ledger(), 20)
    for n in range(300):
        breaker.saw("default", "confirm-order", failed=n % 3 == 0, now=real.clock)
    assert real.ledger().stops() == {}


# Renaming a route loses no call of it, and makes none twice.


def test_a_renamed_route_keeps_its_calls(desk: Desk) -> None:
    desk.take(call(ring_at=at(600)))
    renamed = ROUTES.replace(
        'name = "confirm-order"', 'name = "confirm-cash-order"\nwas = "confirm-order"'
    )
    desk.routes = routes_file.load(renamed)
    item = ring_out(desk)
    assert item
    assert item.status == "initiated"
    event = Event("shop", "orders/create", "evt_1", at(0), json.loads(json.dumps(ORDER)))
    before, after = (
        [one.call_id for one in map_event(event, file, now=at(0)) if isinstance(one, Call)]
        for file in (routes_file.load(ROUTES), desk.routes)
    )
    assert before == after != []


def test_no_two_routes_have_had_one_name() -> None:
    twice = ROUTES.replace('name = "new-phone"', 'name = "new-phone"\nwas = "confirm-order"')
    with pytest.raises(RoutesError, match="another route is, or was, called 'confirm-order'"):
        routes_file.load(twice)


class Counting:
    """DynamoDB's client; it counts what it is asked."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)

        def counted(**arguments: Any) -> Any:
            self.asked.append(name)
            return method(**arguments)

        return counted


def test_an_ordinary_call_takes_three_requests_to_the_ledger(real: Desk) -> None:
    counting = Counting(real.dynamodb)
    book = Ledger(counting, real.table, timedelta(days=90))  # type: ignore[arg-type]  # a client's like
    assert real.take(call(), real.dialing(book=book)).status == "initiated"
    assert counting.asked == ["batch_get_item", "transact_write_items", "update_item"]


def test_an_appointment_that_moves_on_is_not_reminded_of_more_often_than_the_cap_allows(
    desk: Desk,
) -> None:
    desk.routes = routes_file.load(REMINDER)
    for moved in range(4):
        desk.clock = at(moved * 10_800).timestamp()
        desk.take(appointment(moved * 3 + 1.5, told_at=moved * 10_800))
        item = ring_out(desk)
    assert desk.dials() == 3
    assert item
    assert item.status == "suppressed"


def test_what_may_have_rung_keeps_its_gap_before_it_is_redialled(desk: Desk) -> None:
    desk.routes = routes_file.load(REDIAL)
    desk.sandbox.misbehave({"phone_number": ALICE, "do": "500"})
    desk.take(call())
    began = desk.clock
    ring_out(desk)
    assert desk.dials() == 2
    assert desk.clock - began >= 900


def test_an_account_that_stays_empty_is_tried_less_and_less_often(desk: Desk) -> None:
    for _ in range(200):
        desk.sandbox.misbehave({"phone_number": "*", "do": "401"})
    desk.take(call())
    end = at(6 * 3600).timestamp()
    while (item := desk.dialing().book.read("call_1")) and item.due_at and item.due_at < end:
        desk.clock = item.due_at
        desk.wake("call_1")
    assert 30 < desk.dials() < 60
