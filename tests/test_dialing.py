"""One call, from its first message to its end, over the real ledger and a real HTTP API.

Time is a number that the tests set: a process may die, and an outage may last for hours.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_secretsmanager import SecretsManagerClient
from tests.builders import (
    ALICE,
    BOB,
    NOW,
    ROUTES,
    OneAtATime,
    at,
    call,
    cancel,
    consent,
    export,
    forget,
    suppress,
)
from tests.conftest import create_table, unique
from tests.memory_ledger import MemoryLedger

from ringhook.calls.answers import Answer, Found, Unreadable
from ringhook.calls.call import Call
from ringhook.calls.messages import Asked, Cancel, Wish
from ringhook.clients.ledger import Ledger
from ringhook.clients.secret_store import SecretStore
from ringhook.clients.unleashx import UnleashX
from ringhook.errors import UnavailableError
from ringhook.ringing.attempts import Dialing, Result
from ringhook.ringing.book import NoLedger
from ringhook.routing import routes_file
from ringhook.routing.routes import Routes
from ringhook_ops.sandbox.server import TOKEN, Sandbox

LEASE = 60.0
# So many waits are enough for anything here to end.
ENOUGH = 200
REDIAL = ROUTES.replace(
    'policy.key = "{{ id }}"', 'policy.key = "{{ id }}"\npolicy.on_uncertain = "redial"'
)


class CrashError(BaseException):
    """The process dies."""


class Dying(UnleashX):
    """The API, asked by a process that dies before it asks, or after."""

    def __init__(self, url: str, timeout: float, *, asks: bool) -> None:
        super().__init__(url, timeout)
        self.asks = asks

    def call(self, call: Call, token: str, ringing: int = 1) -> Answer:
        if self.asks:
            super().call(call, token, ringing)
        raise CrashError


# Only what hangs takes as long; a machine that stalls for less is not taken for it.
API_TIMEOUT = 2.0


@dataclass
class Desk:
    """A ledger, an API and a token; each `dialing` is what a new process has of them."""

    sandbox: Sandbox
    dynamodb: DynamoDBClient
    secretsmanager: SecretsManagerClient
    table: str
    tokens: str
    # Where not this table: hours of simulation ask too much of moto.
    memory: MemoryLedger | None = None
    clock: float = field(default_factory=NOW.timestamp)
    routes: Routes = field(default_factory=lambda: routes_file.load(ROUTES))

    def dialing(self, api: UnleashX | None = None, **parts: Any) -> Dialing:
        book = self.memory or self.ledger()
        store = SecretStore(self.secretsmanager, self.tokens, lambda: self.clock)
        return Dialing(
            api=api or UnleashX(self.sandbox.url, API_TIMEOUT),
            book=parts.pop("book", book),
            routes=self.routes,
            tokens=store,
            clock=lambda: self.clock,
            jitter=lambda: 1.0,
            **parts,
        )

    def take(self, asked: Asked, dialing: Dialing | None = None) -> Result:
        dialing = dialing or self.dialing()
        if not isinstance(asked, Call):
            return dialing.change(asked)
        return dialing.take(asked, lease_until=self.clock + LEASE)

    def wake(self, call_id: str, dialing: Dialing | None = None) -> Result:
        return (dialing or self.dialing()).wake(call_id, lease_until=self.clock + LEASE)

    def run(self, asked: Call | Cancel, dialing: Dialing | None = None) -> Result:
        """Take a call and take it up again whenever that is asked for, until it has ended."""
        result = self.take(asked, dialing)
        for _ in range(ENOUGH):
            item = (self.memory or self.ledger()).read(asked.call_id)
            if item is None or item.due_at is None or item.awaits_outcome:
                return result
            self.clock = max(self.clock, item.due_at)
            result = self.wake(asked.call_id, dialing)
        pytest.fail("the call does not end")

    def ledger(self) -> Ledger:
        return Ledger(self.dynamodb, self.table, timedelta(days=90))

    def item(self, call_id: str = "call_1") -> dict[str, Any]:
        found = self.dynamodb.get_item(TableName=self.table, Key={"pk": {"S": f"call#{call_id}"}})
        plain = TypeDeserializer().deserialize
        return {name: plain(value) for name, value in found["Item"].items()}

    def dials(self, number: str | None = None) -> int:
        """How often the API was asked to ring (this number)."""
        return sum(
            request["path"].endswith("/agents/call")
            and number in (None, request["body"]["phone_number"])
            for request in self.sandbox.requests()
        )

    def looks(self) -> int:
        return sum("/executions/list" in request["path"] for request in self.sandbox.requests())

    def set_token(self, text: str) -> None:
        self.secretsmanager.put_secret_value(SecretId=self.tokens, SecretString=text)


def new_desk(**options: Any) -> Desk:
    """A desk in the AWS account of the test; its sandbox goes by its clock."""
    secretsmanager = boto3.client("secretsmanager")
    secret = secretsmanager.create_secret(
        Name=unique("tokens"), SecretString=json.dumps({"default": TOKEN})
    )
    sandbox = Sandbox(now=lambda: datetime.fromtimestamp(one.clock, UTC), **options)
    one = Desk(sandbox, boto3.client("dynamodb"), secretsmanager, create_table(), secret["ARN"])
    return one


@pytest.fixture
def desk(aws: None) -> Iterator[Desk]:
    one = new_desk()
    with one.sandbox:
        yield one


@pytest.fixture
def quick(desk: Desk) -> Desk:
    """A desk with its ledger in memory."""
    desk.memory = MemoryLedger()
    return desk


def test_a_call_rings_and_its_item_tells_all(desk: Desk) -> None:
    result = desk.run(call())
    [request] = desk.sandbox.requests()
    item = desk.item()
    assert request["body"] == {
        "agent_id": 1042,
        "phone_number": ALICE,
        "metadata": {"order": "#1001", "call_id": "call_1"},
    }
    assert request["headers"]["token"] == TOKEN
    assert result.status == item["status"] == "initiated"
    assert result.execution_id == item["execution_id"] != ""
    assert item["source"] == "shop"
    assert item["route"] == "confirm-order"
    assert item["correlation_id"] == "request-1"
    assert [d["status"] for d in item["decisions"]] == ["calling", "initiated"]
    [attempt] = item["attempts"]
    assert (attempt["n"], attempt["answer"], attempt["at"]) == (1, "Initiated", NOW.isoformat())
    # It is asked for its outcome first.
    assert item["due_at"] == NOW.timestamp() + 45
    assert item["expires_at"] == int((NOW + timedelta(days=90, seconds=45)).timestamp())
    assert "owner" not in item


@pytest.mark.parametrize(
    ("do", "status", "dials", "looks"),
    [
        ("refuse", "refused", 1, 0),
        ("401", "initiated", 2, 0),
        ("429", "initiated", 2, 0),
        ("503", "initiated", 2, 0),
        ("500", "uncertain", 1, 7),
        ("rubbish", "uncertain", 1, 7),
        ("cut", "uncertain", 1, 7),
        ("hang", "uncertain", 1, 7),
        ("hang_after_call", "initiated", 1, 1),
    ],
)
def test_each_misbehaviour_ends_as_it_must_with_as_many_requests_as_it_may(
    desk: Desk, do: str, status: str, dials: int, looks: int
) -> None:
    desk.sandbox.misbehave({"phone_number": ALICE, "do": do})
    assert desk.run(call()).status == status
    assert desk.item()["status"] == status
    assert (desk.dials(), desk.looks()) == (dials, looks)


@pytest.mark.parametrize("do", ["500", "rubbish", "cut", "hang"])
def test_an_unheard_call_is_made_again_only_where_the_route_says_so(desk: Desk, do: str) -> None:
    desk.routes = routes_file.load(REDIAL)
    desk.sandbox.misbehave({"phone_number": ALICE, "do": do})
    assert desk.run(call()).status == "initiated"
    assert (desk.dials(), desk.looks()) == (2, 3)


def test_a_call_that_rang_unheard_is_not_made_again_even_if_the_route_redials(desk: Desk) -> None:
    desk.routes = routes_file.load(REDIAL)
    desk.sandbox.misbehave({"phone_number": ALICE, "do": "hang_after_call"})
    assert desk.run(call()).status == "initiated"
    assert desk.dials() == 1


def test_an_api_that_is_never_heard_is_not_redialled_past_the_expiry(quick: Desk) -> None:
    quick.routes = routes_file.load(REDIAL.replace('"6h"', '"10m"'))
    quick.sandbox.misbehave({"phone_number": ALICE, "do": "500", "times": 10_000})
    assert quick.run(call()).status == "suppressed"
    assert quick.clock <= NOW.timestamp() + 700


def test_the_list_of_executions_is_looked_at_again_over_hours(quick: Desk) -> None:
    quick.sandbox.misbehave({"phone_number": ALICE, "do": "cut"})
    result = quick.take(call())
    looks = []
    while result.again_at is not None:
        quick.clock = result.again_at
        looks.append(round(quick.clock - NOW.timestamp()))
        result = quick.wake("call_1")
    assert looks == [10, 40, 150, 600, 3600, 21_600]
    assert result.status == "uncertain"


def test_a_wake_that_comes_too_early_asks_nothing(desk: Desk) -> None:
    desk.sandbox.misbehave({"phone_number": ALICE, "do": "503"})
    first = desk.take(call())
    assert desk.wake("call_1").again_at == first.again_at
    # A copy has nothing woken: whoever put the call off has.
    assert desk.take(call()).again_at is None
    assert desk.dials() == 1


@pytest.mark.parametrize(
    ("order", "seconds"),
    [
        ({"do": "503"}, 5),
        ({"do": "503", "retry_after": 120}, 120),
        ({"do": "429", "retry_after": 30}, 30),
        ({"do": "429", "retry_after": 1}, 5),
    ],
)
def test_a_temporary_refusal_is_waited_out_as_long_as_the_api_asks(
    desk: Desk, order: dict[str, Any], seconds: float
) -> None:
    desk.sandbox.misbehave({"phone_number": "*", **order})
    result = desk.take(call())
    assert result.again_at is not None
    assert (result.status, result.again_at - desk.clock) == ("queued", seconds)


def test_waits_double_up_to_a_quarter_of_an_hour(quick: Desk) -> None:
    quick.sandbox.misbehave({"phone_number": "*", "do": "503", "times": 10})
    waits = []
    result = quick.take(call())
    while result.again_at is not None:
        waits.append(result.again_at - quick.clock)
        quick.clock = result.again_at
        result = quick.wake("call_1")
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


def test_jitter_takes_up_to_half_of_a_wait(desk: Desk) -> None:
    desk.sandbox.misbehave({"phone_number": "*", "do": "503"})
    dialing = desk.dialing()
    result = desk.take(call(), replace(dialing, jitter=lambda: 0.0))
    assert result.again_at is not None
    assert result.again_at - desk.clock == 2.5


def test_an_outage_of_hours_ends_with_one_call(quick: Desk) -> None:
    quick.sandbox.misbehave({"phone_number": "*", "do": "503", "times": 10_000})
    result = quick.take(call())
    while quick.clock < NOW.timestamp() + 5 * 3600:
        assert result.again_at is not None
        quick.clock = result.again_at
        result = quick.wake("call_1")
    assert quick.dials() < 40
    quick.sandbox.clear()
    assert quick.run(call()).status == "initiated"
    assert quick.dials() == 1


def test_an_outage_past_the_expiry_ends_the_call_unrung(quick: Desk) -> None:
    quick.sandbox.misbehave({"phone_number": "*", "do": "503", "times": 10_000})
    result = quick.run(call())
    assert result.status == "suppressed"
    assert result.reason.startswith("expired")
    assert quick.clock < NOW.timestamp() + 7 * 3600


def test_an_api_that_nobody_answers_for_is_a_temporary_refusal(desk: Desk) -> None:
    gone = Sandbox()
    gone.server_close()
    result = desk.take(call(), desk.dialing(UnleashX(gone.url, 1)))
    assert result.status == "queued"
    assert "cannot be reached" in result.reason


def test_a_rotated_token_is_used_without_a_deployment(aws: None) -> None:
    desk = new_desk(tokens=("new",))
    desk.set_token('{"default": "old"}')
    with desk.sandbox:
        dialing = desk.dialing()
        assert dialing.tokens.get() == {"default": "old"}
        desk.set_token('{"default": "new"}')
        desk.clock += 20
        assert desk.take(call(occurred_at=at(20)), dialing).status == "initiated"
        assert [r["headers"]["token"] for r in desk.sandbox.requests()] == ["old", "new"]
        # The next call starts with the new one.
        assert desk.take(call(call_id="call_2", phone_number=BOB), dialing).status == "initiated"
        assert desk.dials() == 3


def test_a_rejected_token_is_asked_with_once_and_waits_for_its_correction(aws: None) -> None:
    desk = new_desk(tokens=("right",))
    with desk.sandbox:
        result = desk.take(call())
        assert result.status == "queued"
        assert "cannot ring, and its calls wait" in result.reason
        assert desk.dials() == 1
        desk.set_token('{"default": "right"}')
        assert desk.run(call()).status == "initiated"


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", "{}", '{"default": ""}', '{"default": 7}', '{"other": "x"}']
)
def test_without_a_token_nothing_is_claimed_and_the_call_waits(desk: Desk, text: str) -> None:
    if text:
        desk.set_token(text)
    else:
        desk.secretsmanager.delete_secret(SecretId=desk.tokens, ForceDeleteWithoutRecovery=True)
    result = desk.take(call())
    assert (result.status, result.again_at) == ("queued", desk.clock + 5)
    desk.secretsmanager.create_secret(Name=unique("x"), SecretString="{}")
    assert desk.sandbox.requests() == []
    assert "owner" not in desk.item()


@pytest.mark.parametrize("token", ["to ken", "to\nken", "tökén", "token\x00", "token…"])
def test_a_token_that_no_header_can_carry_is_not_filled_in(
    desk: Desk, logs: Callable[[], str], token: str
) -> None:
    desk.set_token(json.dumps({"default": token}))
    assert desk.take(call()).status == "queued"
    assert token not in str(desk.item()) + logs()
    assert desk.sandbox.requests() == []


def test_a_line_break_after_a_token_is_not_part_of_it(desk: Desk) -> None:
    desk.set_token(json.dumps({"default": TOKEN + "\n"}))
    assert desk.take(call()).status == "initiated"


def test_each_account_has_its_own_token(aws: None) -> None:
    desk = new_desk(tokens=("theirs",))
    desk.set_token('{"default": "ours", "other": "theirs"}')
    with desk.sandbox:
        assert desk.take(call(account="other")).status == "initiated"


def test_redeliveries_and_duplicates_ring_once(desk: Desk) -> None:
    first = desk.take(call())
    again = [desk.take(call(), desk.dialing()) for _ in range(3)]
    assert [result.status for result in [first, *again]] == ["initiated"] * 4
    assert desk.dials() == 1


def test_twenty_deliveries_at_once_ring_once(desk: Desk) -> None:
    book = Ledger(OneAtATime(desk.dynamodb), desk.table, timedelta(days=90))  # type: ignore[arg-type]
    dialings = [desk.dialing(book=book) for _ in range(20)]
    for dialing in dialings:
        dialing.tokens.get()
    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda dialing: desk.take(call(), dialing), dialings))
    assert {result.status for result in results} <= {"initiated", "calling"}
    assert desk.dials() == 1
    assert desk.item()["status"] == "initiated"


@pytest.mark.parametrize(("asks", "status"), [(True, "initiated"), (False, "uncertain")])
def test_a_process_that_dies_while_it_dials_never_makes_the_phone_ring_twice(
    desk: Desk, asks: bool, status: str
) -> None:
    with pytest.raises(CrashError):
        desk.take(call(), desk.dialing(Dying(desk.sandbox.url, 1, asks=asks)))
    assert desk.item()["status"] == "calling"
    # As long as the lease runs, nobody else asks.
    waiting = desk.take(call())
    assert (waiting.status, waiting.again_at) == ("calling", None)
    desk.clock += LEASE + 1
    assert desk.run(call()).status == status
    assert desk.dials() == asks


def test_after_a_death_before_asking_a_route_that_redials_rings(desk: Desk) -> None:
    desk.routes = routes_file.load(REDIAL)
    with pytest.raises(CrashError):
        desk.take(call(), desk.dialing(Dying(desk.sandbox.url, 1, asks=False)))
    desk.clock += LEASE + 1
    assert desk.run(call()).status == "initiated"
    assert desk.dials() == 1


def test_what_is_heard_after_the_lease_is_believed(desk: Desk) -> None:
    """A slow process is taken for dead; what it then heard is the truth all the same."""

    class Slow(UnleashX):
        def call(self, call: Call, token: str, ringing: int = 1) -> Answer:
            answer = super().call(call, token, ringing)
            desk.clock += LEASE + 1
            desk.sandbox.phones.clear()
            assert desk.wake(call.call_id).status == "uncertain"
            return answer

    assert desk.take(call(), desk.dialing(Slow(desk.sandbox.url, 1))).status == "initiated"
    assert desk.item()["status"] == "initiated"
    assert desk.item()["execution_id"]
    assert desk.dials() == 1


def test_a_list_that_cannot_be_read_is_asked_again_for_a_day(quick: Desk) -> None:
    looks = 0

    class Blind(UnleashX):
        def find(self, call: Call, token: str, asked_at: datetime, ringing: int = 1) -> Found:
            nonlocal looks
            looks += 1
            return Unreadable("the list of executions cannot be read")

    quick.sandbox.misbehave({"phone_number": ALICE, "do": "cut"})
    result = quick.run(call(), quick.dialing(Blind(quick.sandbox.url, 1)))
    assert result.status == "uncertain"
    assert "cannot be read, for a day" in result.reason
    assert quick.dials() == 1
    assert looks < 120


@pytest.mark.parametrize("do", ["cut", "500", "rubbish", "hang"])
def test_without_a_ledger_an_unheard_request_is_not_made_again(desk: Desk, do: str) -> None:
    desk.sandbox.misbehave({"phone_number": ALICE, "do": do, "times": 3})
    result = desk.take(call(), desk.dialing(book=NoLedger()))
    assert result.status == "uncertain"
    assert desk.dials() == 1


def test_without_a_ledger_each_call_is_made(desk: Desk) -> None:
    dialing = desk.dialing(book=NoLedger())
    assert desk.take(call(call_id="call_1"), dialing).execution_id
    assert desk.take(call(call_id="call_2", phone_number=BOB), dialing).execution_id
    assert desk.dials() == 2


@pytest.mark.parametrize("wish", [suppress(), consent()])
def test_what_must_be_remembered_is_not_taken_without_a_ledger(desk: Desk, wish: Wish) -> None:
    with pytest.raises(UnavailableError, match="no ledger"):
        desk.take(wish, desk.dialing(book=NoLedger()))


@pytest.mark.parametrize(
    ("wish", "done"),
    [
        (suppress(), "recorded"),
        (consent(), "recorded"),
        (export(), "recorded"),
        (forget(), "forgotten"),
    ],
)
def test_what_was_done_for_a_wish_is_said(desk: Desk, wish: Wish, done: str) -> None:
    result = desk.take(wish)
    assert (result.status, result.again_at) == (done, None)
    assert result.reason


def test_an_unmapped_call_is_kept_and_made_once_it_can_be(desk: Desk) -> None:
    lacking = call(phone_number="", unmapped="phone_number: finds nothing", payload="H4sI")
    assert desk.run(lacking).status == "unmapped"
    item = desk.item()
    assert (item["status"], item["payload"]) == ("unmapped", "H4sI")
    assert "phone_number" not in item
    assert desk.run(lacking).status == "unmapped"
    assert desk.run(call()).status == "initiated"
    assert desk.run(lacking).status == "initiated"
    assert "payload" not in desk.item()
    assert desk.dials() == 1


def test_the_same_call_in_another_shape_is_rung_as_first_asked_for(desk: Desk) -> None:
    desk.sandbox.misbehave({"phone_number": "*", "do": "503"})
    desk.take(call())
    desk.run(call(phone_number=BOB))
    assert (desk.dials(ALICE), desk.dials(BOB)) == (2, 0)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (call(occurred_at=at(-6 * 3600 - 1)), "expired"),
        (call(test=True), "a test event"),
        (call(route="removed"), "no longer in routes.toml"),
        (call(phone_number="+18005550123"), "toll-free"),
        (call(phone_number="+33199000123"), "is in FR"),
    ],
)
def test_what_the_policy_forbids_is_never_asked_for(desk: Desk, asked: Call, reason: str) -> None:
    assert desk.run(asked).status == "suppressed"
    assert reason in desk.item()["reason"]
    assert desk.sandbox.requests() == []


def test_a_cancelled_call_never_rings_whichever_comes_first(desk: Desk) -> None:
    assert desk.run(cancel()).status == "cancelled"
    assert desk.run(call()).status == "cancelled"
    desk.sandbox.misbehave({"phone_number": "*", "do": "503"})
    waiting = call(call_id="call_2")
    assert desk.take(waiting).status == "queued"
    assert desk.run(cancel(call_id="call_2")).status == "cancelled"
    assert desk.wake("call_2").status == "cancelled"
    assert desk.dials() == 1


def test_it_is_too_late_to_cancel_a_call_that_rang(desk: Desk) -> None:
    desk.run(call())
    assert desk.run(cancel()).status == "initiated"
    assert desk.item()["status"] == "initiated"


def test_a_number_that_may_not_be_rung_is_not(desk: Desk) -> None:
    desk.take(suppress())
    assert desk.run(call()).status == "suppressed"
    assert "do-not-call" in desk.item()["reason"]
    assert desk.run(call(call_id="call_2", phone_number=BOB)).status == "initiated"
    assert desk.dials(ALICE) == 0


def test_a_call_that_waits_rings_when_it_is_due(desk: Desk) -> None:
    result = desk.take(call(ring_at=at(600)))
    assert (result.status, result.again_at) == ("deferred", at(600).timestamp())
    assert desk.dials() == 0
    assert desk.run(call(ring_at=at(600))).status == "initiated"
    assert desk.clock == at(600).timestamp()


def test_a_forgotten_call_does_not_come_back(desk: Desk) -> None:
    desk.take(call(ring_at=at(600)))
    desk.take(forget())
    desk.clock += 600
    assert desk.wake("call_1").status == "forgotten"
    assert desk.sandbox.requests() == []


@pytest.mark.parametrize("before", [call(), call(ring_at=at(600)), call(unmapped="no name")])
def test_no_redelivery_rings_a_person_who_was_forgotten(desk: Desk, before: Call) -> None:
    desk.take(before)
    rung = desk.dials()
    desk.take(forget())
    desk.clock += 3600

    for again in (call(), call(occurred_at=at(1800), received_at=at(1800))):
        assert desk.run(again).status == "forgotten"

    assert desk.dials() == rung
    assert ALICE not in str(desk.item())


def test_no_dead_letter_rings_a_person_who_was_forgotten_before_it_was_redriven(
    desk: Desk,
) -> None:
    desk.take(forget())

    assert desk.run(call()).status == "forgotten"
    assert desk.dials() == 0
    assert ALICE not in str(desk.item())


def test_a_person_who_comes_back_after_the_erasure_is_rung(desk: Desk) -> None:
    desk.take(forget())
    desk.clock += 3600

    asked = call(call_id="call_2", occurred_at=at(1800), received_at=at(1800))
    assert desk.run(asked).status == "initiated"


def test_a_call_under_way_is_not_recorded_over_an_erasure(desk: Desk) -> None:
    class Erasing(UnleashX):
        def call(self, call: Call, token: str, ringing: int = 1) -> Answer:
            desk.take(erasure)
            return super().call(call, token, ringing)

    erasure = forget()
    desk.take(call(), desk.dialing(Erasing(desk.sandbox.url, API_TIMEOUT)))

    assert desk.item()["status"] == "forgotten"


CAPPED = ROUTES.replace(
    'policy.expires_after = "6h"', 'policy.expires_after = "6h"\npolicy.max_calls = "1/24h"'
)


def test_a_cap_counts_the_calls_that_were_made(desk: Desk) -> None:
    desk.routes = routes_file.load(CAPPED)
    desk.sandbox.misbehave({"phone_number": ALICE, "do": "refuse"})
    assert desk.run(call(call_id="call_1")).status == "refused"
    assert desk.run(call(call_id="call_2")).status == "initiated"
    assert desk.run(call(call_id="call_3")).status == "suppressed"
    assert desk.dials() == 2


def test_calls_that_come_at_once_do_not_pass_a_cap(desk: Desk) -> None:
    desk.routes = routes_file.load(CAPPED)
    book = Ledger(OneAtATime(desk.dynamodb), desk.table, timedelta(days=90))  # type: ignore[arg-type]
    dialings = [desk.dialing(book=book) for _ in range(8)]
    for dialing in dialings:
        dialing.tokens.get()

    def take(n: int) -> Result | None:
        with contextlib.suppress(UnavailableError):
            return desk.take(call(call_id=f"call_{n}"), dialings[n])
        return None

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(8)))
    assert desk.dials(ALICE) == 1


@pytest.mark.parametrize("do", [None, "refuse", "503", "500"])
def test_the_log_holds_neither_number_nor_metadata_nor_token(
    desk: Desk, logs: Callable[[], str], do: str | None
) -> None:
    if do:
        desk.sandbox.misbehave({"phone_number": "*", "do": do})
    desk.run(call(metadata={"note": "private"}))
    said = logs()
    assert "+1•••••0123" in said
    for private in (ALICE, ALICE[1:], "private", TOKEN):
        assert private not in said


def test_the_ledger_not_answering_nobody_is_rung(desk: Desk) -> None:
    desk.dynamodb.delete_table(TableName=desk.table)
    with pytest.raises(UnavailableError, match="ledger"):
        desk.take(call())
    assert desk.sandbox.requests() == []


class Deliveries(RuleBasedStateMachine):
    """Any order of deliveries, wakes, deaths and misbehaviour rings the phone at most once."""

    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.desk.sandbox.clear()
        self.desk.memory = MemoryLedger()
        self.asked = call(occurred_at=datetime.fromtimestamp(self.desk.clock, UTC))

    def _try(self, dialing: Dialing, *, wake: bool) -> None:
        with contextlib.suppress(CrashError):
            if wake:
                self.desk.wake("call_1", dialing)
            else:
                self.desk.take(self.asked, dialing)

    @rule(wake=st.booleans())
    def deliver(self, wake: bool) -> None:
        self._try(self.desk.dialing(), wake=wake)

    @rule(wake=st.booleans(), asks=st.booleans())
    def die(self, wake: bool, asks: bool) -> None:
        self._try(self.desk.dialing(Dying(self.desk.sandbox.url, 1, asks=asks)), wake=wake)

    @rule(
        do=st.sampled_from(
            ["401", "429", "500", "503", "cut", "rubbish", "refuse", "hang_after_call"]
        )
    )
    def misbehave(self, do: str) -> None:
        short = {"seconds": 0.05} if do.startswith("hang") else {}
        self.desk.sandbox.misbehave({"phone_number": ALICE, "do": do, **short})

    @rule(seconds=st.sampled_from([1, 11, 31, 70, 900, 7200]))
    def wait(self, seconds: int) -> None:
        self.desk.clock += seconds

    @invariant()
    def rings_at_most_once(self) -> None:
        assert len(self.desk.sandbox.phones) <= 1


def test_no_order_of_deliveries_and_deaths_rings_twice(quick: Desk) -> None:
    machine = type("Machine", (Deliveries,), {"desk": quick})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=100, stateful_step_count=20, deadline=None)
    )
