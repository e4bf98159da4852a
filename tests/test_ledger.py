"""The ledger: of many who want a call one gets it, and what is known of a number is never lost."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import ALICE, BOB, NOW, OneAtATime, at, call, export
from tests.builders import item as entry
from tests.conftest import create_table, unique
from tests.memory_ledger import MemoryLedger

from ringhook import clock
from ringhook.calls.call import Call
from ringhook.calls.consents import Consent
from ringhook.calls.item import Cancel, Item
from ringhook.clients.ledger import Ledger
from ringhook.clients.services import DynamoDb
from ringhook.deciding.policy import History
from ringhook.errors import ConflictError, UnavailableError
from ringhook.ringing.book import Book, Count, Hold

CLAIM = entry(reason="rings")


def claim(book: Book, asked: Call | None = None, a_day: int | None = None, **fields: Any) -> Item:
    """Claim a call that was not there, and count it."""
    one = asked or call()
    counts: list[Count] = ["number"] if a_day is None else ["number", "day"]
    now = fields.pop("now", NOW)
    history = fields.pop("history", None) or book.known("", one.phone_number, "", now).history
    taken = entry(one, owner=unique("owner"), asked_at=now, **fields)
    return book.claim(taken, over=None, history=history, counts=counts, a_day=a_day, now=now)


def history(book: Book, number: str, now: datetime) -> History:
    return book.known("", number, "", now).history


YES, NO = Consent(granted=True, evidence="ticked"), Consent(granted=False, evidence="withdrawn")


@pytest.fixture(scope="module")
def dynamodb(aws: None) -> DynamoDb:
    return DynamoDb()


@pytest.fixture
def ledger(dynamodb: DynamoDb) -> Ledger:
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
    found = boto3.client("dynamodb").get_item(TableName=ledger.table.name, Key={"pk": {"S": key}})
    plain = TypeDeserializer().deserialize
    return {name: plain(value) for name, value in found.get("Item", {}).items()}


# What both promise.


def test_a_call_that_was_never_heard_of_is_not_there(book: Book) -> None:
    assert book.read("call_1") is None


def test_what_was_written_is_read(book: Book) -> None:
    asked = call(ring_at=at(600), notes=("cut",), metadata={"n": 1, "x": 1.5, "deep": {"l": [1]}})
    said = entry(
        asked,
        "uncertain",
        reason="no answer",
        due_at=at(10).timestamp(),
        owner="owner-1",
        asked_at=NOW,
        requests=3,
        ringing=2,
        looks=2,
        waits=1,
        cancel=Cancel("orders/cancelled", "evt_2", at(5), at(6)),
        next=call(event_id="evt_3", occurred_at=at(7), appointment=at(900)),
        seen=("evt_1", "evt_3"),
    )
    written = book.write(said, over=None, now=NOW)
    assert book.read("call_1") == written == replace(said, version=1)


def test_of_many_who_want_a_call_one_gets_it(book: Book) -> None:
    def claim(_: int) -> bool:
        try:
            book.write(CLAIM, over=None, now=NOW)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(claim, range(20))) == 1


def test_what_another_has_changed_must_be_read_again(book: Book) -> None:
    first = book.write(CLAIM, over=None, now=NOW)
    book.write(entry(status="initiated"), over=first, now=NOW)
    for over in (None, first):
        with pytest.raises(ConflictError):
            book.write(CLAIM, over=over, now=NOW)
    read = book.read("call_1")
    assert read is not None
    assert read.status == "initiated"


def test_a_change_takes_away_what_it_does_not_say(book: Book) -> None:
    claimed = book.write(CLAIM, over=None, now=NOW)
    book.write(entry(status="refused", reason="no"), over=claimed, now=NOW)
    ended = book.read("call_1")
    assert ended is not None
    assert (ended.owner, ended.due_at, ended.asked_at) == ("", None, None)


def test_nothing_is_known_of_a_new_number(book: Book) -> None:
    assert history(book, ALICE, NOW) == History()


def test_a_claim_counts_the_call_for_its_number_and_its_day(book: Book) -> None:
    claim(book, a_day=5)
    assert history(book, ALICE, NOW).rung == {"call_1": NOW.timestamp()}
    assert history(book, BOB, NOW).rung == {}
    assert history(book, BOB, NOW).today == 1
    assert history(book, ALICE, at(86_400)).today == 0


def test_a_day_is_the_deployment_s_own(dynamodb: DynamoDb) -> None:
    ledger = Ledger(dynamodb, create_table(), timedelta(days=90), clock.zone("Asia/Kolkata"))
    evening = datetime(2026, 11, 23, 18, 29, tzinfo=UTC)
    claim(ledger, a_day=5, now=evening)
    assert ledger.history(BOB, evening).today == 1
    assert ledger.history(BOB, evening + timedelta(minutes=1)).today == 0


def test_what_no_route_limits_is_not_counted(book: Book) -> None:
    book.claim(CLAIM, over=None, history=History(), counts=[], a_day=None, now=NOW)
    assert history(book, ALICE, NOW) == History()
    assert book.read("call_1") is not None


def test_a_history_that_has_changed_leaves_the_call_unclaimed(book: Book) -> None:
    old = history(book, ALICE, NOW)
    claim(book)
    for counts in (["number"], []):
        second = entry(call(call_id="call_2"), owner=unique("owner"))
        with pytest.raises(ConflictError):
            book.claim(
                second,
                over=None,
                history=old,
                counts=counts,  # type: ignore[arg-type]  # a list of what it takes
                a_day=None,
                now=NOW,
            )
    assert list(history(book, ALICE, NOW).rung) == ["call_1"]
    assert book.read("call_2") is None


def test_a_call_that_another_has_claimed_is_counted_once(book: Book) -> None:
    claim(book, a_day=9)
    with pytest.raises(ConflictError):
        claim(book, a_day=9)
    assert history(book, ALICE, NOW).today == 1


def test_a_number_that_may_not_be_rung_since_it_was_read_is_not_claimed(book: Book) -> None:
    old = history(book, ALICE, NOW)
    book.suppress_number(ALICE, "STOP", NOW)
    with pytest.raises(ConflictError):
        claim(book, history=old)
    assert book.read("call_1") is None


def test_no_more_calls_a_day_are_counted_than_there_may_be(book: Book) -> None:
    claim(book, a_day=2)
    claim(book, call(call_id="call_2", phone_number=BOB), a_day=2)
    with pytest.raises(ConflictError):
        claim(book, call(call_id="call_3"), a_day=2)
    assert history(book, ALICE, NOW).today == 2
    assert "call_3" not in history(book, ALICE, NOW).rung
    claim(book, call(call_id="call_3"), a_day=2, now=at(86_400))


def test_calls_counted_at_once_do_not_pass_the_days_budget(book: Book) -> None:
    def take(n: int) -> bool:
        try:
            claim(book, call(call_id=f"call_{n}", phone_number=f"+14155550{n:03}"), a_day=7)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(take, range(100, 120))) == 7
    assert history(book, ALICE, NOW).today == 7


def test_a_call_that_was_not_made_is_not_counted(book: Book) -> None:
    claimed = claim(book, a_day=5)
    refused = entry(status="refused", asked_at=NOW)
    book.write(refused, over=claimed, now=NOW, give_back=["number", "day"])
    assert history(book, ALICE, NOW).rung == {}
    assert history(book, ALICE, NOW).today == 0


def test_a_second_ringing_is_counted_beside_the_first(book: Book) -> None:
    first = claim(book)
    again = entry(owner="owner-2", ringing=2)
    known = history(book, ALICE, NOW)
    book.claim(again, over=first, history=known, counts=["number"], a_day=None, now=at(60))
    assert sorted(history(book, ALICE, NOW).rung.values()) == [
        NOW.timestamp(),
        at(60).timestamp(),
    ]


def test_of_many_who_hold_an_account_one_was_first(book: Book) -> None:
    first = Hold("no credit", "credit", NOW.timestamp(), at(60).timestamp())
    assert book.hold("default", first, over=None)
    assert not book.hold("default", first, over=None)
    assert book.known("", "", "default", NOW).hold == first
    assert book.known("", "", "other", NOW).hold is None
    second = replace(first, probe_at=at(120).timestamp())
    assert book.hold("default", second, over=first)
    assert not book.hold("default", second, over=first)
    book.let_go("default")
    assert book.known("", "", "default", NOW).hold is None


def test_a_number_stays_suppressed_whatever_else_becomes_known(book: Book) -> None:
    book.suppress_number(ALICE, "STOP", NOW)
    claimed = claim(book)
    book.record_consent(ALICE, "calls", YES, NOW)
    book.write(entry(status="refused"), over=claimed, now=NOW, give_back=["number"])
    book.forget(ALICE, NOW)
    assert history(book, ALICE, NOW).do_not_call == "STOP"
    assert history(book, BOB, NOW).do_not_call == ""


def test_the_last_word_on_each_purpose_holds(book: Book) -> None:
    book.record_consent(ALICE, "calls", YES, NOW)
    book.record_consent(ALICE, "offers", YES, NOW)
    book.record_consent(ALICE, "calls", NO, at(60))
    assert history(book, ALICE, NOW).consents == {"calls": NO, "offers": YES}


def test_consents_recorded_at_once_are_both_kept(book: Book) -> None:
    purposes = [f"purpose-{n}" for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda purpose: book.record_consent(ALICE, purpose, YES, NOW), purposes))
    assert sorted(history(book, ALICE, NOW).consents) == purposes


def test_a_person_is_forgotten_and_nobody_else(book: Book) -> None:
    for call_id, number in (("call_1", ALICE), ("call_2", ALICE), ("call_3", BOB)):
        book.write(entry(call(call_id=call_id, phone_number=number)), over=None, now=NOW)
    book.record_consent(ALICE, "calls", YES, NOW)
    assert sorted(book.forget(ALICE, NOW)) == ["call_1", "call_2"]
    for call_id in ("call_1", "call_2"):
        left = book.read(call_id)
        assert left is not None
        assert left.status == "forgotten"
    kept = book.read("call_3")
    assert kept is not None
    assert kept.status == "calling"
    assert history(book, ALICE, NOW).consents == {}
    assert book.forget(ALICE, NOW) == []


def test_a_forgotten_call_is_not_written_over(book: Book) -> None:
    claimed = book.write(CLAIM, over=None, now=NOW)
    book.forget(ALICE, NOW)
    for over in (None, claimed):
        with pytest.raises(ConflictError):
            book.write(CLAIM, over=over, now=NOW)


def test_it_is_known_when_a_person_was_forgotten(book: Book) -> None:
    book.forget(ALICE, NOW)
    assert history(book, ALICE, at(60)).forgotten_at == NOW.timestamp()
    assert history(book, BOB, at(60)).forgotten_at == 0


def test_calls_that_only_the_caps_know_of_are_spent_too(book: Book) -> None:
    claim(book, call(call_id="call_9"))
    book.spend("call_9", NOW)
    book.forget(ALICE, NOW)
    left = book.read("call_9")
    assert left is not None
    assert left.status == "forgotten"


# What the table holds besides.


def test_nothing_that_tells_who_it_was_stays_of_a_forgotten_person(ledger: Ledger) -> None:
    claim(ledger, call(metadata={"name": "Alice"}))
    ledger.export(export(), NOW)
    ledger.forget(ALICE, at(60))

    items = boto3.client("dynamodb").scan(TableName=ledger.table.name)["Items"]
    left = [item for item in items if not item["pk"]["S"].startswith("day#")]

    assert "Alice" not in str(left)
    assert ALICE not in str(left)
    marks = [item["pk"]["S"] for item in left]
    assert min(marks) == "call#call_1"
    assert len(marks) == 2
    assert re.fullmatch(r"forgotten#[0-9a-f]{5}", sorted(marks)[1])


@pytest.mark.parametrize(("days", "kept"), [(1, 28), (90, 90)])
def test_a_spent_id_outlives_every_redrive(dynamodb: DynamoDb, days: int, kept: int) -> None:
    ledger = Ledger(dynamodb, create_table(), timedelta(days=days))
    ledger.write(CLAIM, over=None, now=NOW)
    ledger.forget(ALICE, NOW)
    expires_at = (NOW + timedelta(days=kept)).timestamp()
    assert item(ledger, "call#call_1")["expires_at"] == expires_at


def test_a_calls_item_tells_its_whole_story(ledger: Ledger) -> None:
    claimed = ledger.write(CLAIM, over=None, now=NOW)
    attempt = {"n": 1, "milliseconds": 12, "answer": "Initiated"}
    rang = entry(status="initiated", reason="rang", execution_id="x-1")
    ledger.write(rang, over=claimed, now=at(2), attempt=attempt)
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
    for gone in ("owner", "due_at", "unmapped", "payload", "cancel", "next"):
        assert gone not in found


def test_only_an_unmapped_call_keeps_its_payload(ledger: Ledger) -> None:
    lacking = call(phone_number="", unmapped="no number", payload="H4sI")
    kept = ledger.write(entry(lacking, "unmapped", reason="no number"), over=None, now=NOW)
    assert item(ledger, "call#call_1")["payload"] == "H4sI"
    assert "phone_number" not in item(ledger, "call#call_1")
    ledger.write(CLAIM, over=kept, now=NOW)
    assert "payload" not in item(ledger, "call#call_1")


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (entry(status="refused"), 90 * DAY),
        (entry(call(retention=2 * DAY), "refused"), 2 * DAY),
        (entry(status="unmapped"), 14 * DAY),
        (entry(call(retention=2 * DAY), "unmapped"), 2 * DAY),
        (entry(status="deferred", due_at=at(200 * 86400).timestamp()), 290 * DAY),
    ],
    ids=["the stack's", "the route's", "unmapped", "unmapped, shorter", "waiting"],
)
def test_a_call_is_kept_as_long_as_it_may_be_and_is_needed(
    ledger: Ledger, said: Item, kept: timedelta
) -> None:
    before = ledger.write(said, over=None, now=NOW - DAY)
    ledger.write(said, over=before, now=NOW)

    assert item(ledger, "call#call_1")["expires_at"] == (NOW + kept).timestamp()


def test_calls_are_found_by_number_and_by_day(ledger: Ledger) -> None:
    for second, number in enumerate((ALICE, BOB, ALICE)):
        one = call(call_id=f"call_{second}", phone_number=number)
        ledger.write(entry(one), over=None, now=at(second))
    assert [row["call_id"] for row in ledger.calls_to(ALICE)] == ["call_0", "call_2"]
    found = ledger.table.client.query(
        TableName=ledger.table.name,
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
    claim(ledger)
    month = int((NOW + timedelta(days=31)).timestamp())
    assert item(ledger, f"number#{ALICE}")["expires_at"] >= month
    ledger.record_consent(ALICE, "calls", YES, NOW)
    assert "expires_at" not in item(ledger, f"number#{ALICE}")
    ledger.suppress_number(BOB, "STOP", NOW)
    claim(ledger, call(call_id="call_2", phone_number=BOB))
    assert "expires_at" not in item(ledger, f"number#{BOB}")


def test_old_calls_are_dropped_from_a_numbers_history(ledger: Ledger) -> None:
    claim(ledger)
    later = NOW + timedelta(days=32)
    claim(ledger, call(call_id="call_2"), now=later)
    assert list(ledger.history(ALICE, later).rung) == ["call_2"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda ledger: ledger.read("call_1"),
        lambda ledger: ledger.write(CLAIM, over=None, now=NOW),
        lambda ledger: ledger.history(ALICE, NOW),
        lambda ledger: claim(ledger, history=History()),
        lambda ledger: ledger.write(CLAIM, over=None, now=NOW, give_back=["number"]),
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
    elsewhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"} if how == "no connection" else {}
    client = DynamoDb({**os.environ, **elsewhere}, sleep=lambda _: None)
    with pytest.raises(UnavailableError, match="the ledger does not answer"):
        ask(Ledger(client, "no-such-table", timedelta(days=90)))


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
    ledger.write(entry(one), over=None, now=NOW)
    kept = ledger.read(one.call_id)
    assert kept is not None
    assert kept.call.metadata == metadata


def test_amounts_are_kept_exactly(ledger: Ledger) -> None:
    ledger.write(entry(call(metadata={"total": 0.1})), over=None, now=NOW)
    assert item(ledger, "call#call_1")["metadata"] == {"total": Decimal("0.1")}


def test_an_item_that_an_older_ringhook_wrote_is_still_read(ledger: Ledger) -> None:
    """It kept of each call what every kind of message could say, and so it did of the next one."""
    older = {"kind": "call", "purpose": "", "consent_text": "", "consent_until": None}
    waiting = replace(entry(status="queued"), next=call(event_id="evt_2"))
    ledger.write(waiting, over=None, now=NOW)
    serialize = TypeSerializer().serialize
    found = ledger.table.one("call#call_1")
    assert found
    found |= older | {"retention": "P30D", "next": found["next"] | older}
    client, name = ledger.table.client, ledger.table.name
    client.put_item(TableName=name, Item={key: serialize(value) for key, value in found.items()})

    read = ledger.read("call_1")

    assert read
    assert (read.call, read.next) == (call(retention=timedelta(days=30)), call(event_id="evt_2"))
