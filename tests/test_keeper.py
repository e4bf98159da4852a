"""What calls are told is kept past any backlog, and what is overdue is woken, once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from tests.builders import ALICE, EVENT, NOW, at, call, cancel, forget, item, suppress
from tests.conftest import create_table

from ringhook.calls import messages
from ringhook.calls.call import Status
from ringhook.calls.messages import Ended, Message, Outcomes, Ring, Wake
from ringhook.calls.outcomes import Outcome
from ringhook.clients.ledger import Ledger
from ringhook.clients.queue import CallQueue
from ringhook.errors import UnreadableError
from ringhook.keeper import Keeper


@dataclass
class Sqs:
    """The part of SQS that sends: what was sent to which queue, and how long it is to wait."""

    sent: list[tuple[str, Message, int]] = field(default_factory=list)

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0) -> None:  # noqa: N803
        self.sent.append((QueueUrl, messages.read(MessageBody), DelaySeconds))

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
        for entry in Entries:
            self.send_message(QueueUrl=QueueUrl, MessageBody=entry["MessageBody"])
        return {}


@dataclass
class Desk:
    """A keeper whose clock and queues are in the test's hands."""

    ledger: Ledger
    sqs: Sqs = field(default_factory=Sqs)
    clock: float = field(default_factory=NOW.timestamp)

    @property
    def keeper(self) -> Keeper:
        client = cast("Any", self.sqs)
        return Keeper(
            ledger=self.ledger,
            told=CallQueue(client, "told"),
            calls=CallQueue(client, "calls"),
            clock=lambda: self.clock,
            jitter=lambda: 1.0,
        )

    def take(self, message: Message) -> None:
        self.keeper.take(messages.write(message))


@pytest.fixture
def desk(aws: None) -> Desk:
    return Desk(Ledger(boto3.client("dynamodb"), create_table(), timedelta(days=90)))


def test_a_cancel_ends_what_waits_and_what_is_yet_to_come(desk: Desk) -> None:
    desk.ledger.write(item(status="deferred", due_at=at(600).timestamp()), over=None, now=NOW)
    for call_id in ("call_1", "call_2"):
        desk.take(cancel(call_id=call_id, occurred_at=at(1), received_at=at(1)))
        ended = desk.ledger.read(call_id)
        assert ended
        assert ended.status == "cancelled"


def test_an_opt_out_and_an_erasure_are_kept(desk: Desk) -> None:
    desk.take(suppress())
    assert "STOP" in desk.ledger.history(ALICE, NOW).do_not_call
    desk.take(forget())
    assert desk.ledger.history(ALICE, NOW).forgotten_at == NOW.timestamp()


def test_what_is_told_has_a_lane_of_its_own_and_goes_first() -> None:
    sqs = Sqs()
    queue = CallQueue(cast("Any", sqs), "calls", told_url="told")
    queue.send([call(), cancel(call_id="call_2"), forget()])
    sent = [(url, messages.kind(message)) for url, message, _ in sqs.sent]
    assert sent == [("told", "cancel"), ("told", "forget"), ("calls", "ring")]


def test_a_call_that_its_own_request_cancels_is_not_sent_to_race_the_cancel() -> None:
    sqs = Sqs()
    queue = CallQueue(cast("Any", sqs), "calls", told_url="told")
    newer = call(call_id="call_2", occurred_at=at(5), received_at=at(5))
    queue.send(
        [call(), cancel(), newer, cancel(call_id="call_2")],
    )
    sent = [(url, message) for url, message, _ in sqs.sent]
    assert sent == [
        ("told", cancel()),
        ("told", cancel(call_id="call_2")),
        ("calls", Ring(call=newer)),
    ]


def test_a_call_that_strays_there_is_handed_to_the_dialer(desk: Desk) -> None:
    desk.take(Ring(call=call()))
    assert [(url, message) for url, message, _ in desk.sqs.sent] == [
        ("calls", Ring(call=call(), tries=1))
    ]


def test_what_the_ledger_does_not_take_comes_back_in_seconds_then_minutes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(desk.ledger.table, "client", type("Gone", (), {"batch_get_item": gone})())
    body, waits = messages.write(suppress()), []
    for _ in range(10):
        desk.keeper.take(body)
        url, message, delay = desk.sqs.sent.pop()
        assert url == "told"
        body = messages.write(message)
        waits.append(delay)
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


def test_what_is_no_message_fails(desk: Desk) -> None:
    with pytest.raises(UnreadableError):
        desk.keeper.take("{}")


def wakes(desk: Desk) -> list[str]:
    found = [message.call_id for _, message, _ in desk.sqs.sent if isinstance(message, Wake)]
    desk.sqs.sent.clear()
    return sorted(found)


def test_what_is_overdue_in_any_state_is_woken_once_in_a_while(desk: Desk) -> None:
    waiting: list[Status] = ["queued", "deferred", "calling", "uncertain"]
    for status in waiting:
        one = item(call(call_id=f"call_{status}"), status, due_at=at(60).timestamp())
        desk.ledger.write(one, over=None, now=NOW)
    far = item(call(call_id="call_far"), "deferred", due_at=at(86_400).timestamp())
    desk.ledger.write(far, over=None, now=NOW)
    ended: list[Status] = ["initiated", "refused", "cancelled"]
    for status in ended:
        desk.ledger.write(item(call(call_id=f"call_{status}"), status), over=None, now=NOW)
    # A wake may have a few messages before it.
    desk.clock = at(120).timestamp()
    assert desk.keeper.sweep() == 0
    desk.clock = at(300).timestamp()
    overdue = ["call_calling", "call_deferred", "call_queued", "call_uncertain"]
    assert desk.keeper.sweep() == 4
    assert wakes(desk) == overdue
    desk.clock = at(600).timestamp()
    assert desk.keeper.sweep() == 0
    desk.clock = at(1300).timestamp()
    assert desk.keeper.sweep() == 4


def test_what_has_ended_is_not_overdue_any_more(desk: Desk) -> None:
    waiting = desk.ledger.write(
        item(status="deferred", due_at=at(60).timestamp()), over=None, now=NOW
    )
    desk.ledger.write(item(status="cancelled"), over=waiting, now=NOW)
    desk.clock = at(3600).timestamp()
    assert desk.keeper.sweep() == 0


def test_one_call_is_woken_by_one_sweep_alone(desk: Desk) -> None:
    desk.ledger.write(item(due_at=at(60).timestamp()), over=None, now=NOW)
    desk.clock = at(600).timestamp()
    ((call_id, since),) = desk.ledger.overdue(desk.clock, 100)
    assert desk.ledger.swept(call_id, since, desk.clock + 900)
    assert not desk.ledger.swept(call_id, since, desk.clock + 900)


def test_stops_are_kept_side_by_side(desk: Desk) -> None:
    desk.ledger.stop("all", "a fire", NOW)
    desk.ledger.stop("route:confirm-order", "wrong text", NOW)
    assert desk.ledger.stops() == {"all": "a fire", "route:confirm-order": "wrong text"}
    assert desk.ledger.known("call_1", ALICE, "default", NOW).stops == desk.ledger.stops()
    desk.ledger.resume("all", NOW)
    assert list(desk.ledger.stops()) == ["route:confirm-order"]


def test_calls_whose_outcome_is_due_are_asked_for_by_agent_and_not_again_at_once(
    desk: Desk,
) -> None:
    for n, (account, agent) in enumerate([("default", 1), ("default", 1), ("default", 2)] * 60):
        asked = call(call_id=f"call_{n}", account=account, agent_id=agent)
        rang = item(asked, "initiated", due_at=at(45).timestamp(), asked_at=NOW)
        desk.ledger.write(rang, over=None, now=NOW)
    settled = item(call(call_id="call_over"), "initiated", due_at=at(45).timestamp())
    over = Outcome(outcome="busy", final=True)
    desk.ledger.write(replace(settled, outcomes=(over,)), over=None, now=NOW)
    desk.clock += 40
    assert desk.keeper.ask() == 0
    desk.clock += 6
    assert desk.keeper.ask() == 180
    sent = [message for _, message, _ in desk.sqs.sent if isinstance(message, Outcomes)]
    groups = sorted((one.account, one.agent_id, len(one.call_ids)) for one in sent)
    assert groups == [("default", 1, 20), ("default", 1, 100), ("default", 2, 60)]
    assert {url for url, _, _ in desk.sqs.sent} == {"calls"}
    assert desk.keeper.ask() == 0
    assert desk.keeper.sweep() == 0
    desk.clock += 301
    assert desk.keeper.ask() == 180
    assert desk.keeper.sweep() == 1


def test_what_an_agent_tells_is_kept_and_whoever_knows_the_route_is_woken(desk: Desk) -> None:
    rang = item(call(), "initiated", due_at=at(45).timestamp(), asked_at=NOW)
    desk.ledger.write(rang, over=None, now=NOW)
    told = {"marks": ("call_1",), "agent_id": "1042", "outcome": {"outcome": "no_answer"}}
    desk.take(Ended(**EVENT | told))
    heard = desk.ledger.read("call_1")
    assert heard
    assert heard.is_over
    assert [message for _, message, _ in desk.sqs.sent] == [Wake(call_id="call_1")]
