"""The dialer's messages: each of a batch ends by itself, and what cannot be taken comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError
from tests.builders import ALICE, NOW, Lambda, at, call
from tests.test_dialing import Desk, new_desk

from ringhook import dialer
from ringhook.calls import messages
from ringhook.calls.answers import Refused
from ringhook.calls.call import Call
from ringhook.calls.messages import Message, Ring, Wake
from ringhook.clients.ledger import Ledger
from ringhook.clients.queue import CallQueue
from ringhook.dialer import Dialer
from ringhook.errors import UnavailableError
from ringhook.ringing.attempts import Result


@dataclass
class Sqs:
    """What was sent and after how many seconds it comes, and what was shown again."""

    sent: list[tuple[Message, int]] = field(default_factory=list)
    shown: dict[str, int] = field(default_factory=dict)
    gone: bool = False

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> None:  # noqa: N803 - as boto3
        if self.gone:
            raise EndpointConnectionError(endpoint_url="https://sqs.example")
        self.sent.append((messages.read(MessageBody), DelaySeconds))

    def change_message_visibility(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - as boto3
        ReceiptHandle: str,  # noqa: N803
        VisibilityTimeout: int,  # noqa: N803
    ) -> None:
        self.shown[ReceiptHandle] = VisibilityTimeout


@dataclass
class Lane:
    """The dialer between a queue, a ledger and an API that are in the test's hands."""

    desk: Desk
    sqs: Sqs = field(default_factory=Sqs)

    @property
    def dialer(self) -> Dialer:
        return Dialer(
            dialing=self.desk.dialing(),
            queue=CallQueue(cast("Any", self.sqs), "calls"),
            fetcher=cast("Any", None),
            clock=lambda: self.desk.clock,
            jitter=lambda: 1.0,
        )

    def take(self, message: Message) -> None:
        self.dialer.take(messages.write(message), self.desk.clock + 60)


@pytest.fixture
def lane(aws: None) -> Iterator[Lane]:
    desk = new_desk()
    with desk.sandbox:
        yield Lane(desk)


class Throttled:
    """DynamoDB, of which every read but so many of its items comes back unread."""

    def __init__(self, client: Any, kept: Callable[[str], bool]) -> None:
        self._client = client
        self._kept = kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803 - as boto3
        [(table, asked)] = RequestItems.items()
        kept = [key for key in asked["Keys"] if self._kept(key["pk"]["S"])]
        left = [key for key in asked["Keys"] if key not in kept]
        found: Any = {"Responses": {}, "UnprocessedKeys": {}}
        if kept:
            found = self._client.batch_get_item(RequestItems={table: {**asked, "Keys": kept}})
        if left:
            found["UnprocessedKeys"] = {table: {**asked, "Keys": left}}
        return found


@pytest.mark.parametrize("unread", ["call#", "number#", "day#", "stops", "hold#", "forgotten#", ""])
def test_what_is_read_in_part_rings_nobody_and_comes_back(lane: Lane, unread: str) -> None:
    lane.desk.ledger().suppress_number(ALICE, "asked by letter", NOW)
    throttled = Throttled(lane.desk.dynamodb, lambda key: not key.startswith(unread))
    lane.desk.dynamodb = cast("Any", throttled)
    lane.take(Ring(call=call()))
    assert lane.desk.sandbox.requests() == []
    assert lane.sqs.sent == [(Ring(call=call(), tries=1), 5)]


def test_what_cannot_be_taken_comes_back_in_seconds_then_minutes(lane: Lane) -> None:
    lane.desk.dynamodb.delete_table(TableName=lane.desk.table)
    message: Message = Ring(call=call())
    waits = []
    for _ in range(10):
        lane.take(message)
        message, after = lane.sqs.sent.pop()
        waits.append(after)
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert message.tries == 10


def test_a_call_that_must_wait_is_woken_at_its_time(lane: Lane) -> None:
    lane.take(Ring(call=call(ring_at=at(300))))
    assert lane.sqs.sent == [(Wake(call_id="call_1"), 300)]
    lane.desk.clock += 300
    lane.take(Wake(call_id="call_1"))
    assert lane.desk.dials() == 1
    assert len(lane.sqs.sent) == 1


def test_an_answer_that_the_ledger_does_not_take_goes_with_its_message(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        message = "the ledger does not answer"
        raise UnavailableError(message)

    lane.desk.sandbox.misbehave({"phone_number": ALICE, "do": "refuse"})
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "write", full)
        lane.take(Ring(call=call()))
    [(carried, after)] = lane.sqs.sent
    assert (carried.tries, after) == (1, 5)
    assert isinstance(carried, Ring)
    assert carried.heard
    assert isinstance(carried.heard.answer, Refused)
    lane.take(carried)
    assert lane.desk.item()["status"] == "refused"
    assert lane.desk.dials() == 1


@dataclass
class Half:
    """A dialing that takes some calls, and breaks on others."""

    broken: set[str]
    taken: list[str] = field(default_factory=list)

    def take(self, asked: Call, **_: Any) -> Result:
        if asked.call_id in self.broken:
            raise ZeroDivisionError
        self.taken.append(asked.call_id)
        return Result("initiated", "the API started the call")


def record(name: str, body: str, receives: int = 1) -> dict[str, Any]:
    return {
        "messageId": name,
        "receiptHandle": f"receipt of {name}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


def handed(
    monkeypatch: pytest.MonkeyPatch, half: Half, records: list[dict[str, Any]]
) -> tuple[list[str], Sqs]:
    """What the handler says has failed of these messages, and its queue."""
    sqs = Sqs()
    one = Dialer(
        dialing=cast("Any", half),
        queue=CallQueue(cast("Any", sqs), "calls"),
        fetcher=cast("Any", None),
        clock=NOW.timestamp,
        jitter=lambda: 1.0,
    )
    monkeypatch.setattr(dialer, "_dialer", lambda: one)
    answer = dialer.handler({"Records": records}, cast("Any", Lambda()))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]], sqs


@pytest.mark.parametrize("broken", [set(), {0}, {4}, {9}, {0, 5, 9}, set(range(10))])
def test_of_a_batch_exactly_those_messages_come_again_that_failed(
    monkeypatch: pytest.MonkeyPatch, broken: set[int]
) -> None:
    half = Half({f"call_{n}" for n in broken})
    records = [
        record(f"m{n}", messages.write(Ring(call=call(call_id=f"call_{n}")))) for n in range(10)
    ]
    failed, sqs = handed(monkeypatch, half, records)
    assert failed == [f"m{n}" for n in sorted(broken)]
    assert half.taken == [f"call_{n}" for n in range(10) if n not in broken]
    assert set(sqs.shown) == {f"receipt of m{n}" for n in broken}


def test_the_oftener_a_message_fails_the_longer_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    body = messages.write(Ring(call=call()))
    records = [record(f"m{n}", body, receives=n) for n in (1, 2, 5)]
    _, sqs = handed(monkeypatch, Half({"call_1"}), records)
    assert list(sqs.shown.values()) == [5, 10, 80]


@pytest.mark.parametrize("body", ["", "{}", "[]", "no JSON", json.dumps({"call": {}})])
def test_what_is_no_message_fails_and_is_a_dead_letter_soon(
    monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    good = messages.write(Ring(call=call()))
    half = Half(set())
    failed, sqs = handed(monkeypatch, half, [record("bad", body, 7), record("good", good)])
    assert failed == ["bad"]
    assert sqs.shown == {"receipt of bad": 1}
    assert half.taken == ["call_1"]


def test_a_message_that_cannot_even_be_sent_anew_fails(lane: Lane) -> None:
    lane.desk.dynamodb.delete_table(TableName=lane.desk.table)
    lane.sqs.gone = True
    with pytest.raises(UnavailableError, match="cannot be put off"):
        lane.take(Ring(call=call()))
