"""The calls queue: what goes in is in it, each in time, and what is not in it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, call
from tests.conftest import unique

from ringhook.clients.alarm_clock import AlarmClock
from ringhook.clients.queue import CallQueue
from ringhook.clients.services import Scheduler
from ringhook.errors import UnavailableError

# What SQS took of a batch until 2025, and still takes in places: 256 KiB, and ten messages.
LARGEST, MOST = 262_144, 10
# And what it delays a message for at most, in seconds.
LONGEST = 900


def refused(code: str, action: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, action)


@dataclass
class Sqs:
    """SQS, within its limits; it does not take the messages whose text holds one of `ill`."""

    ill: tuple[str, ...] = ()
    batches: list[list[str]] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803 - as boto3
        bodies = [entry["MessageBody"] for entry in Entries]
        if sum(len(body.encode()) for body in bodies) > LARGEST or len(bodies) > MOST:
            raise refused("BatchRequestTooLong", "SendMessageBatch")
        if len({entry["Id"] for entry in Entries}) < len(Entries):
            raise refused("BatchEntryIdsNotDistinct", "SendMessageBatch")
        failed = [e for e in Entries if any(ill in e["MessageBody"] for ill in self.ill)]
        self.batches.append([e["MessageBody"] for e in Entries if e not in failed])
        taken = [{"Id": e["Id"]} for e in Entries if e not in failed]
        answer: dict[str, Any] = {"Successful": taken}
        if failed:
            answer["Failed"] = [
                {"Id": e["Id"], "Code": "InternalError", "SenderFault": False} for e in failed
            ]
        return answer

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> Any:  # noqa: N803 - as boto3
        if not 0 <= DelaySeconds <= LONGEST:
            raise refused("InvalidParameterValue", "SendMessage")
        self.batches.append([MessageBody])
        self.delays.append(DelaySeconds)
        return {}

    def call_ids(self) -> list[str]:
        return [json.loads(body)["call"]["call_id"] for batch in self.batches for body in batch]


def queue(sqs: object, alarm_clock: AlarmClock | None = None) -> CallQueue:
    return CallQueue(cast("Any", sqs), "calls", alarm_clock)


def test_so_many_calls_are_each_in_the_queue_once() -> None:
    sqs = Sqs()
    queue(sqs).send([call(call_id=f"call_{n}") for n in range(101)])
    assert sqs.call_ids() == [f"call_{n}" for n in range(101)]


@pytest.mark.parametrize("ill", [0, 4, 9, 10, 11])
def test_one_message_that_a_batch_leaves_out_is_told(ill: int) -> None:
    sqs = Sqs(ill=(f'"call_{ill}"',))
    with pytest.raises(UnavailableError, match="did not take 1 of"):
        queue(sqs).send([call(call_id=f"call_{n}") for n in range(12)])


def test_a_queue_that_does_not_answer_is_told() -> None:
    class Gone(Sqs):
        def send_message_batch(self, **_: Any) -> dict[str, Any]:
            raise EndpointConnectionError(endpoint_url="https://sqs.example")

    with pytest.raises(UnavailableError, match="does not take messages"):
        queue(Gone()).send([call()])


@settings(max_examples=40)
@given(
    letters=st.sampled_from("aé€😀"),
    sizes=st.lists(st.sampled_from([1, 6000, 30_000, 62_000]), min_size=1, max_size=14),
)
def test_no_batch_is_larger_than_the_queue_takes_in_whatever_script(
    letters: str, sizes: list[int]
) -> None:
    sqs = Sqs()
    asked = [
        call(call_id=f"call_{n}", metadata={"note": letters * size}) for n, size in enumerate(sizes)
    ]
    queue(sqs).send(asked)
    assert sqs.call_ids() == [one.call_id for one in asked]


@pytest.fixture
def alarm_clock(aws: None) -> AlarmClock:
    """A clock whose schedules are in a group of their own."""
    group = unique("group")
    boto3.client("scheduler").create_schedule_group(Name=group)
    account = "arn:aws:{}:eu-west-1:123456789012:{}"
    role = account.format("iam", "role/scheduler").replace(":eu-west-1:", "::")
    queues = (account.format("sqs", name) for name in ("calls", "dead"))
    return AlarmClock(Scheduler(), group, role, *queues)


def schedules(alarm_clock: AlarmClock) -> list[tuple[datetime, str]]:
    """When what is sent to the queue, in the order of time."""
    client, group = boto3.client("scheduler"), alarm_clock._group
    found = []
    for one in client.list_schedules(GroupName=group)["Schedules"]:
        schedule = client.get_schedule(GroupName=group, Name=one["Name"])
        at = schedule["ScheduleExpression"].removeprefix("at(").removesuffix(")")
        found.append((datetime.fromisoformat(f"{at}Z"), schedule["Target"]["Input"]))
    return sorted(found)


@pytest.mark.parametrize("wait", [0, 0.001, 1, 10.2, 10.999, 899.5, 900])
def test_a_short_wait_is_slept_in_the_queue_and_never_too_short(
    alarm_clock: AlarmClock, wait: float
) -> None:
    sqs, now = Sqs(), NOW.timestamp()
    queue(sqs, alarm_clock).wake("call_1", at=now + wait, now=now)
    [delay] = sqs.delays
    assert wait <= delay < wait + 1
    assert schedules(alarm_clock) == []


@pytest.mark.parametrize("wait", [900.001, 901, 3600, 86_400.4, 30 * 86_400.999])
def test_a_long_wait_is_a_schedule_and_never_too_early(
    alarm_clock: AlarmClock, wait: float
) -> None:
    sqs, now = Sqs(), NOW.timestamp()
    queue(sqs, alarm_clock).wake("call_1", at=now + wait, now=now)
    [(at, body)] = schedules(alarm_clock)
    assert now + wait <= at.timestamp() < now + wait + 1
    assert json.loads(body) == {"kind": "wake", "call_id": "call_1"}
    assert sqs.batches == []


def test_without_schedules_a_long_wait_is_slept_in_parts() -> None:
    sqs, now = Sqs(), NOW.timestamp()
    queue(sqs).wake("call_1", at=now + 5000, now=now)
    assert sqs.delays == [LONGEST]


def test_a_time_that_is_over_comes_at_once(alarm_clock: AlarmClock) -> None:
    sqs, now = Sqs(), NOW.timestamp()
    queue(sqs, alarm_clock).wake("call_1", at=now - 5, now=now)
    assert sqs.delays == [0]


@pytest.mark.parametrize("moved", [-3600, 3600])
def test_a_call_whose_time_moves_is_woken_at_its_new_time(
    alarm_clock: AlarmClock, moved: float
) -> None:
    now = NOW.timestamp()
    one, first = queue(Sqs(), alarm_clock), now + 7200
    one.wake("call_1", at=first, now=now)
    one.wake("call_1", at=first + moved, now=now)
    assert first + moved in [at.timestamp() for at, _ in schedules(alarm_clock)]


def test_two_calls_of_one_time_are_both_woken(alarm_clock: AlarmClock) -> None:
    one, now = queue(Sqs(), alarm_clock), NOW.timestamp()
    for call_id in ("call_1", "call_2"):
        one.wake(call_id, at=now + 7200, now=now)
    woken = [json.loads(body)["call_id"] for _, body in schedules(alarm_clock)]
    assert sorted(woken) == ["call_1", "call_2"]


def test_the_same_wake_twice_is_one(alarm_clock: AlarmClock) -> None:
    one, now = queue(Sqs(), alarm_clock), NOW.timestamp()
    for _ in range(2):
        one.wake("call_1", at=now + 7200, now=now)
    assert len(schedules(alarm_clock)) == 1


def test_a_wake_that_cannot_be_set_is_told(
    alarm_clock: AlarmClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(**_: Any) -> None:
        raise refused("ThrottlingException", "CreateSchedule")

    monkeypatch.setattr(alarm_clock._client, "create_schedule", throttled)
    with pytest.raises(UnavailableError, match="call_1 cannot be put off"):
        queue(Sqs(), alarm_clock).wake("call_1", at=NOW.timestamp() + 7200, now=NOW.timestamp())
