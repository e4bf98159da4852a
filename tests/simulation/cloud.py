"""SQS, Scheduler and Secrets Manager, each as bad as it may be. Nothing of Ringhook."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError
from tests.simulation.dynamo import refusal
from tests.simulation.world import Process, World

Trouble = Callable[[], str]
# A message that was received so often without success goes to the dead letters; and one that was
# there for so long (seconds) is gone.
_RECEIVES, _KEPT = 100, 14 * 86_400.0
# Of what waits for a function, one of so many is next.
_NEXT = 10


@dataclass
class Message:
    body: str
    shown_at: float
    sent_at: float
    receives: int = 0
    gone: bool = False


@dataclass
class Function:
    """What takes a queue's messages: `run` gets an event and the seconds that it has."""

    name: str
    run: Callable[[Any, float], Any]
    seconds: float
    hidden: float
    at_once: int
    busy: int = 0
    waiting: list[str] = field(default_factory=list)


class Sqs:
    """Queues that deliver at least once, in any order."""

    def __init__(self, world: World, trouble: Trouble, die_at: Callable[[], int]) -> None:
        self._world = world
        self._trouble = trouble
        self._die_at = die_at
        self.functions: dict[str, Function] = {}
        self.messages: dict[str, Message] = {}
        self.dead: list[str] = []
        self._names = (f"m{n}" for n in itertools.count())

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0) -> Any:
        lost = self._begin("SendMessage")
        self.put(QueueUrl, MessageBody, DelaySeconds)
        self._end(lost)
        return {}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:
        lost = self._begin("SendMessageBatch")
        failed = []
        for entry in Entries:
            if lost == "twice":
                failed.append({"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"})
            else:
                self.put(QueueUrl, entry["MessageBody"], 0)
        self._end(lost)
        return {"Failed": failed} if failed else {}

    def change_message_visibility(
        self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int
    ) -> Any:
        self._end(self._begin("ChangeMessageVisibility"))
        message = self.messages[ReceiptHandle]
        message.shown_at = self._world.now + VisibilityTimeout
        self._show(QueueUrl, ReceiptHandle, message.shown_at)

    def put(self, url: str, body: str, delay: float) -> None:
        """A message, a little later than asked; now and then twice."""
        random, name = self._world.random, next(self._names)
        at = self._world.now + delay + random.choice([0.02, 0.1, 0.5, 2.0])
        self.messages[name] = Message(body, at, self._world.now)
        self._show(url, name, at)
        if random.random() < 0.08:
            again = at + random.choice([0.0, 0.3, 5.0, 70.0, 900.0])
            copy = next(self._names)
            self.messages[copy] = Message(body, again, self._world.now)
            self._show(url, copy, again)

    def _begin(self, operation: str) -> str:
        self._world.step()
        trouble = self._trouble()
        if trouble:
            self._world.tell(f"    SQS {operation}: {trouble}")
        if trouble == "throttled":
            raise refusal("RequestThrottled", operation)
        return trouble

    def _end(self, trouble: str) -> None:
        if trouble == "lost":
            raise ReadTimeoutError(endpoint_url="sqs")

    def _show(self, url: str, name: str, at: float) -> None:
        self._world.at(at, lambda: self._deliver(url, name))

    def _deliver(self, url: str, name: str) -> None:
        message, function = self.messages[name], self.functions[url]
        if message.gone or self._world.now < message.shown_at:
            return
        if self._world.now > message.sent_at + _KEPT:
            self._world.tell("SQS drops a message that is too old")
            message.gone = True
            return
        if function.busy >= function.at_once:
            function.waiting.append(name)
            return
        if message.receives >= _RECEIVES:
            message.gone = True
            self.dead.append(message.body)
            return
        message.receives += 1
        message.shown_at = self._world.now + function.hidden
        self._show(url, name, message.shown_at)
        record = {
            "messageId": name,
            "receiptHandle": name,
            "body": message.body,
            "attributes": {"ApproximateReceiveCount": str(message.receives)},
        }
        failures: list[Any] = []

        def run() -> None:
            answer = function.run({"Records": [record]}, function.seconds)
            failures.extend(answer["batchItemFailures"])

        def ended(lived: bool) -> None:
            function.busy -= 1
            message.gone = message.gone or (lived and not failures)
            if function.waiting:
                first = self._world.random.randrange(min(_NEXT, len(function.waiting)))
                self._show(url, function.waiting.pop(first), self._world.now)

        function.busy += 1
        deadline = self._world.now + function.seconds
        self._world.start(Process(function.name, deadline, self._die_at()), run, ended)


class Scheduler:
    """One-time schedules: late, twice, or (where something sweeps) never."""

    class exceptions:  # noqa: N801 - as boto3 has it
        class ConflictException(ClientError):  # noqa: N818 - as boto3 has it
            pass

    def __init__(self, world: World, sqs: Sqs, url: str, trouble: Trouble) -> None:
        self._world = world
        self._sqs = sqs
        self._url = url
        self._trouble = trouble
        self._names: set[str] = set()

    def create_schedule(self, **asked: Any) -> Any:
        self._world.step()
        trouble = self._trouble()
        if trouble == "throttled":
            raise refusal("ThrottlingException", "CreateSchedule")
        name = asked["Name"]
        if name in self._names:
            response: Any = {"Error": {"Code": "ConflictException", "Message": name}}
            raise self.exceptions.ConflictException(response, "CreateSchedule")
        self._names.add(name)
        written = asked["ScheduleExpression"].removeprefix("at(").removesuffix(")")
        at = datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp()
        random = self._world.random
        times = [at + random.choice([0.1, 1.0, 20.0, 60.0])]
        if random.random() < 0.1:
            times.append(times[0] + random.choice([1.0, 30.0]))
        if trouble == "twice":
            self._world.tell(f"    Scheduler will never send {name}")
            times = []
        for one in times:
            self._world.at(one, lambda: self._fire(name, asked["Target"]["Input"]))
        if trouble == "lost":
            raise ReadTimeoutError(endpoint_url="scheduler")
        return {}

    def _fire(self, name: str, body: str) -> None:
        self._names.discard(name)
        self._sqs.put(self._url, body, 0)


class Secrets:
    """Secrets by name, as JSON."""

    def __init__(self, world: World, trouble: Trouble) -> None:
        self._world = world
        self._trouble = trouble
        self.values: dict[str, Any] = {}

    def get_secret_value(self, *, SecretId: str) -> Any:
        self._world.step()
        if self._trouble():
            self._world.tell("    Secrets Manager does not answer")
            raise refusal("InternalServiceError", "GetSecretValue")
        return {"SecretString": json.dumps(self.values[SecretId])}
