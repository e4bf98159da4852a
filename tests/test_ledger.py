"""The ledger: of many who want a call one gets it, and what is known of a number is never lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st
from mypy_boto3_dynamodb import DynamoDBClient
from tests.builders import ALICE, BOB, NOW, OneAtATime, at, call
from tests.conftest import create_table, unique
from tests.memory_ledger import MemoryLedger

from ringhook import aws as aws_clients
from ringhook.calls import Call
from ringhook.consents import Consent
from ringhook.dialing import Book
from ringhook.errors import ConflictError, UnavailableError
from ringhook.ledger import Change, Ledger
from ringhook.policy import History

CLAIM = Change(status="calling", reason="rings", lease_until=at(60).timestamp(), asked_at=NOW)
YES, NO = Consent(granted=True, evidence="ticked"), Consent(granted=False, evidence="withdrawn")


@pytest.fixture(scope="module")
def dynamodb(aws: None) -> DynamoDBClient:
    return boto3.client("dynamodb")


@pytest.fixture
def ledger(dynamodb: DynamoDBClient) -> Ledger:
    return Ledger(dynamodb, create_table(), timedelta(days=90))


@pytest.fixture(params=["DynamoDB", "memory"])
def book(request: pytest.FixtureRequest) -> Book:
    """The ledger, and the one in memory that stands for it: what holds for one, for both."""
    if request.param == "memory":
        return MemoryLedger()
    shared: Any = OneAtATime(request.getfixturevalue("dynamodb"))
    return Ledger(shared, create_table(), timedelta(days=90))


def item(ledger: Ledger, key: str) -> dict[str, Any]:
    """An item as it stands in the table."""
    found = ledger._client.get_item(TableName=ledger._table, Key={"pk": {"S": key}})
    plain = TypeDeserializer().deserialize
    return {name: plain(value) for name, value in found.get("Item", {}).items()}


# What both promise.


def test_a_call_that_was_never_heard_of_is_not_there(book: Book) -> None:
    assert book.read("call_1") is None


def test_what_was_written_is_read(book: Book) -> None:
    asked = call(ring_at=at(600), notes=("cut",), metadata={"n": 1, "x": 1.5, "deep": {"l": [1]}})
    change = Change(
        status="uncertain",
        reason="no answer",
        due_at=at(10).timestamp(),
        asked_at=NOW,
        attempts=3,
        looks=2,
    )
    written = book.write(asked, change, over=None, now=NOW)
    read = book.read("call_1")
    assert read == written
    assert read is not None
    assert read.call == asked
    assert (read.status, read.attempts, read.looks) == ("uncertain", 3, 2)
    assert (read.due_at, read.asked_at, read.settled) == (at(10).timestamp(), NOW, False)


def test_of_many_who_want_a_call_one_gets_it(book: Book) -> None:
    def claim(_: int) -> bool:
        try:
            book.write(call(), CLAIM, over=None, now=NOW)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(claim, range(20))) == 1


def test_what_another_has_changed_must_be_read_again(book: Book) -> None:
    first = book.write(call(), CLAIM, over=None, now=NOW)
    book.write(call(), Change(status="initiated", reason="rang"), over=first, now=NOW)
    for over in (None, first):
        with pytest.raises(ConflictError):
            book.write(call(), CLAIM, over=over, now=NOW)
    read = book.read("call_1")
    assert read is not None
    assert read.status == "initiated"


def test_a_change_takes_away_what_it_does_not_say(book: Book) -> None:
    claimed = book.write(call(), CLAIM, over=None, now=NOW)
    assert claimed.lease_until == at(60).timestamp()
    ended = book.write(call(), Change(status="refused", reason="no"), over=claimed, now=NOW)
    assert (ended.lease_until, ended.due_at, ended.asked_at) == (0, 0, None)
    assert ended.settled


def test_nothing_is_known_of_a_new_number(book: Book) -> None:
    assert book.history(ALICE, NOW) == History()


def test_a_call_is_counted_for_its_number_and_its_day(book: Book) -> None:
    book.reserve(call(), book.history(ALICE, NOW), NOW, None)
    assert book.history(ALICE, NOW).rung == {"call_1": NOW.timestamp()}
    assert book.history(BOB, NOW).rung == {}
    assert book.history(BOB, NOW).today == 1
    assert book.history(ALICE, at(86_400)).today == 0


def test_a_history_that_has_changed_counts_nothing(book: Book) -> None:
    old = book.history(ALICE, NOW)
    book.reserve(call(), old, NOW, None)
    with pytest.raises(ConflictError):
        book.reserve(call(call_id="call_2"), old, NOW, None)
    assert list(book.history(ALICE, NOW).rung) == ["call_1"]
    assert book.history(ALICE, NOW).today == 1


def test_no_more_calls_a_day_are_counted_than_there_may_be(book: Book) -> None:
    book.reserve(call(), book.history(ALICE, NOW), NOW, 2)
    book.reserve(call(call_id="call_2", phone_number=BOB), book.history(BOB, NOW), NOW, 2)
    with pytest.raises(ConflictError):
        book.reserve(call(call_id="call_3"), book.history(ALICE, NOW), NOW, 2)
    assert book.history(ALICE, NOW).today == 2
    assert "call_3" not in book.history(ALICE, NOW).rung
    tomorrow = at(86_400)
    book.reserve(call(call_id="call_3"), book.history(ALICE, tomorrow), tomorrow, 2)


def test_calls_counted_at_once_do_not_pass_the_days_budget(book: Book) -> None:
    def reserve(n: int) -> bool:
        one = call(call_id=f"call_{n}", phone_number=f"+14155550{n:03}")
        try:
            book.reserve(one, History(), NOW, 7)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(reserve, range(100, 120))) == 7
    assert book.history(ALICE, NOW).today == 7


def test_a_call_that_was_not_made_is_not_counted(book: Book) -> None:
    book.reserve(call(), book.history(ALICE, NOW), NOW, None)
    book.release(call(), NOW)
    assert book.history(ALICE, NOW).rung == {}
    assert book.history(ALICE, NOW).today == 0


def test_a_number_stays_suppressed_whatever_else_becomes_known(book: Book) -> None:
    book.suppress_number(ALICE, "STOP", NOW)
    book.reserve(call(), book.history(ALICE, NOW), NOW, None)
    book.record_consent(ALICE, "calls", YES, NOW)
    book.release(call(), NOW)
    book.forget(ALICE, NOW)
    assert book.history(ALICE, NOW).do_not_call == "STOP"
    assert book.history(BOB, NOW).do_not_call == ""


def test_the_last_word_on_each_purpose_holds(book: Book) -> None:
    book.record_consent(ALICE, "calls", YES, NOW)
    book.record_consent(ALICE, "offers", YES, NOW)
    book.record_consent(ALICE, "calls", NO, at(60))
    assert book.history(ALICE, NOW).consents == {"calls": NO, "offers": YES}


def test_consents_recorded_at_once_are_both_kept(book: Book) -> None:
    purposes = [f"purpose-{n}" for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda purpose: book.record_consent(ALICE, purpose, YES, NOW), purposes))
    assert sorted(book.history(ALICE, NOW).consents) == purposes


def test_a_person_is_forgotten_and_nobody_else(book: Book) -> None:
    for call_id, number in (("call_1", ALICE), ("call_2", ALICE), ("call_3", BOB)):
        book.write(call(call_id=call_id, phone_number=number), CLAIM, over=None, now=NOW)
    book.record_consent(ALICE, "calls", YES, NOW)
    assert sorted(book.forget(ALICE, NOW)) == ["call_1", "call_2"]
    for call_id in ("call_1", "call_2"):
        left = book.read(call_id)
        assert left is not None
        assert left.status == "forgotten"
    kept = book.read("call_3")
    assert kept is not None
    assert kept.status == "calling"
    assert book.history(ALICE, NOW).consents == {}
    assert book.forget(ALICE, NOW) == []


def test_a_forgotten_call_is_not_written_over(book: Book) -> None:
    claimed = book.write(call(), CLAIM, over=None, now=NOW)
    book.forget(ALICE, NOW)
    for over in (None, claimed):
        with pytest.raises(ConflictError):
            book.write(call(), CLAIM, over=over, now=NOW)


def test_it_is_known_when_a_person_was_forgotten(book: Book) -> None:
    book.forget(ALICE, NOW)
    assert book.history(ALICE, at(60)).forgotten_at == NOW.timestamp()
    assert book.history(BOB, at(60)).forgotten_at == 0


def test_calls_that_only_the_caps_know_of_are_spent_too(book: Book) -> None:
    book.reserve(call(call_id="call_9"), book.history(ALICE, NOW), NOW, None)
    book.forget(ALICE, NOW)
    left = book.read("call_9")
    assert left is not None
    assert left.status == "forgotten"


# What the table holds besides.


def test_nothing_that_tells_who_it_was_stays_of_a_forgotten_person(ledger: Ledger) -> None:
    ledger.write(call(metadata={"name": "Alice"}), CLAIM, over=None, now=NOW)
    ledger.export(call(kind="export", call_id="call_9"), NOW)
    ledger.reserve(call(), ledger.history(ALICE, NOW), NOW, None)
    ledger.forget(ALICE, at(60))

    items = ledger._client.scan(TableName=ledger._table)["Items"]
    left = [item for item in items if not item["pk"]["S"].startswith("day#")]

    assert "Alice" not in str(left)
    assert ALICE not in str(left)
    marks = [item["pk"]["S"] for item in left]
    assert min(marks) == "call#call_1"
    assert len(marks) == 2
    assert re.fullmatch(r"forgotten#[0-9a-f]{5}", sorted(marks)[1])


@pytest.mark.parametrize(("days", "kept"), [(1, 28), (90, 90)])
def test_a_spent_id_outlives_every_redrive(dynamodb: DynamoDBClient, days: int, kept: int) -> None:
    ledger = Ledger(dynamodb, create_table(), timedelta(days=days))
    ledger.write(call(), CLAIM, over=None, now=NOW)
    ledger.forget(ALICE, NOW)
    expires_at = (NOW + timedelta(days=kept)).timestamp()
    assert item(ledger, "call#call_1")["expires_at"] == expires_at


def test_a_calls_item_tells_its_whole_story(ledger: Ledger) -> None:
    claimed = ledger.write(call(), CLAIM, over=None, now=NOW)
    attempt = {"n": 1, "milliseconds": 12, "answer": "Initiated"}
    rang = Change(status="initiated", reason="rang", execution_id="x-1", attempt=attempt)
    ledger.write(call(), rang, over=claimed, now=at(2))
    found = item(ledger, "call#call_1")
    assert found["created_at"] == NOW.isoformat()
    assert found["updated_at"] == at(2).isoformat()
    assert found["day"] == "2026-11-23"
    assert found["expires_at"] == int((at(2) + timedelta(days=90)).timestamp())
    assert found["execution_id"] == "x-1"
    assert [(row["at"], row["status"], row["reason"]) for row in found["decisions"]] == [
        (NOW.isoformat(), "calling", "rings"),
        (at(2).isoformat(), "initiated", "rang"),
    ]
    assert found["attempts"] == [attempt]
    assert found["phone_number"] == ALICE
    assert found["metadata"] == {"order": "#1001"}
    for gone in ("lease_until", "due_at", "unmapped", "payload"):
        assert gone not in found


def test_only_an_unmapped_call_keeps_its_payload(ledger: Ledger) -> None:
    lacking = call(phone_number="", unmapped="no number", payload="H4sI")
    entry = ledger.write(lacking, Change(status="unmapped", reason="no number"), over=None, now=NOW)
    assert item(ledger, "call#call_1")["payload"] == "H4sI"
    assert "phone_number" not in item(ledger, "call#call_1")
    ledger.write(call(), CLAIM, over=entry, now=NOW)
    assert "payload" not in item(ledger, "call#call_1")


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("asked", "change", "kept"),
    [
        (call(), CLAIM, 90 * DAY),
        (call(retention=2 * DAY), CLAIM, 2 * DAY),
        (call(), Change(status="unmapped", reason=""), 14 * DAY),
        (call(retention=2 * DAY), Change(status="unmapped", reason=""), 2 * DAY),
        (
            call(),
            Change(status="deferred", reason="", due_at=at(200 * 86400).timestamp()),
            290 * DAY,
        ),
    ],
    ids=["the stack's", "the route's", "unmapped", "unmapped, shorter", "waiting"],
)
def test_a_call_is_kept_as_long_as_it_may_be_and_is_needed(
    ledger: Ledger, asked: Call, change: Change, kept: timedelta
) -> None:
    entry = ledger.write(asked, change, over=None, now=NOW - DAY)
    ledger.write(entry.call, change, over=entry, now=NOW)

    assert item(ledger, "call#call_1")["expires_at"] == (NOW + kept).timestamp()


def test_calls_are_found_by_number_and_by_day(ledger: Ledger) -> None:
    for second, number in enumerate((ALICE, BOB, ALICE)):
        one = call(call_id=f"call_{second}", phone_number=number)
        ledger.write(one, CLAIM, over=None, now=at(second))
    assert [row["call_id"] for row in ledger.calls_to(ALICE)] == ["call_0", "call_2"]
    found = ledger._client.query(
        TableName=ledger._table,
        IndexName="by-day",
        KeyConditionExpression="#day = :day",
        ExpressionAttributeNames={"#day": "day"},
        ExpressionAttributeValues={":day": {"S": "2026-11-23"}},
    )
    assert [row["call_id"]["S"] for row in found["Items"]] == ["call_0", "call_1", "call_2"]


def test_a_number_can_be_taken_off_the_list(ledger: Ledger) -> None:
    ledger.suppress_number(ALICE, "STOP", NOW)
    ledger.allow_number(ALICE, NOW)
    assert ledger.history(ALICE, NOW).do_not_call == ""


def test_a_number_is_forgotten_unless_something_must_be_remembered_of_it(ledger: Ledger) -> None:
    ledger.reserve(call(), ledger.history(ALICE, NOW), NOW, None)
    month = int((NOW + timedelta(days=31)).timestamp())
    assert item(ledger, f"number#{ALICE}")["expires_at"] >= month
    ledger.record_consent(ALICE, "calls", YES, NOW)
    assert "expires_at" not in item(ledger, f"number#{ALICE}")
    ledger.suppress_number(BOB, "STOP", NOW)
    ledger.reserve(call(phone_number=BOB), ledger.history(BOB, NOW), NOW, None)
    assert "expires_at" not in item(ledger, f"number#{BOB}")


def test_old_calls_are_dropped_from_a_numbers_history(ledger: Ledger) -> None:
    ledger.reserve(call(), ledger.history(ALICE, NOW), NOW, None)
    later = NOW + timedelta(days=32)
    ledger.reserve(call(call_id="call_2"), ledger.history(ALICE, later), later, None)
    assert list(ledger.history(ALICE, later).rung) == ["call_2"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda ledger: ledger.read("call_1"),
        lambda ledger: ledger.write(call(), CLAIM, over=None, now=NOW),
        lambda ledger: ledger.history(ALICE, NOW),
        lambda ledger: ledger.reserve(call(), History(), NOW, None),
        lambda ledger: ledger.release(call(), NOW),
        lambda ledger: ledger.suppress_number(ALICE, "STOP", NOW),
        lambda ledger: ledger.record_consent(ALICE, "calls", YES, NOW),
        lambda ledger: ledger.calls_to(ALICE),
        lambda ledger: ledger.forget(ALICE, NOW),
        lambda ledger: ledger.spend("call_1", NOW),
    ],
    ids=[
        "read",
        "write",
        "history",
        "reserve",
        "release",
        "suppress",
        "consent",
        "list",
        "forget",
        "spend",
    ],
)
@pytest.mark.parametrize("how", ["no table", "no connection"])
def test_a_ledger_that_does_not_answer_is_unavailable(
    aws: None, how: str, ask: Callable[[Ledger], object]
) -> None:
    client = aws_clients.client("dynamodb")
    if how == "no connection":
        client.meta.events.register_first("before-send", _no_connection)
    with pytest.raises(UnavailableError, match="the ledger does not answer"):
        ask(Ledger(client, "no-such-table", timedelta(days=90)))


def _no_connection(**_: object) -> None:
    raise EndpointConnectionError(endpoint_url="https://dynamodb")


numbers = st.integers(-(10**15), 10**15) | st.decimals(-1000, 1000, places=3).map(float)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=20),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=8), part, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@given(metadata=st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=4))
def test_metadata_comes_back_as_it_was(ledger: Ledger, metadata: dict[str, Any]) -> None:
    one = call(call_id=unique("call"), metadata=metadata)
    assert ledger.write(one, CLAIM, over=None, now=NOW).call.metadata == metadata


def test_amounts_are_kept_exactly(ledger: Ledger) -> None:
    ledger.write(call(metadata={"total": 0.1}), CLAIM, over=None, now=NOW)
    assert item(ledger, "call#call_1")["metadata"] == {"total": Decimal("0.1")}
