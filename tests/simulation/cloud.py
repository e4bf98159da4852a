"""SQS, Scheduler, Secrets Manager and the API, each as bad as it may be. Nothing of Ringhook."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import ClientError, ReadTimeoutError
from tests.simulation.dynamo import refusal
from tests.simulation.facts import Asked
from tests.simulation.world import Process, World

Trouble = Callable[[], str]
# A message that was received so often without success goes to the dead letters.
_RECEIVES = 8


@dataclass
class Message:
    body: str
    shown_at: float
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
        self.messages[name] = Message(body, at)
        self._show(url, name, at)
        if random.random() < 0.08:
            again = at + random.choice([0.0, 0.3, 5.0, 70.0, 900.0])
            copy = next(self._names)
            self.messages[copy] = Message(body, again)
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
        if function.busy >= function.at_once:
            self._show(url, name, self._world.now + 0.25)
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


@dataclass
class Api:
    """The API. `mood` says how it takes the next request for a call; `lists` how it lists."""

    world: World
    mood: Callable[[str], str]
    lists: Callable[[], str]
    tokens: set[str]
    asked: list[Asked] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    rows: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def ask(
        self, method: str, url: str, token: str, body: str | None, timeout: float
    ) -> tuple[int, bytes, str | None] | str:
        """An answer; or `unsent` or `cut`."""
        self.world.step(0.05)
        self.requests.append(self.world.now)
        if method == "GET":
            answer = self._list(url, token)
        else:
            answer = self._call(json.loads(body or "{}"), token, timeout)
        self.world.step(0.05)
        return answer

    def _call(
        self, body: dict[str, Any], token: str, timeout: float
    ) -> tuple[int, bytes, str | None] | str:
        mood = self.mood(body["phone_number"])
        if token not in self.tokens:
            mood = "token"
        random = self.world.random
        told = mood in _TOLD
        rang = mood in ("well", "late") or (not told and random.random() < 0.5)
        metadata = body["metadata"]
        self.asked.append(
            Asked(
                self.world.now,
                body["phone_number"],
                metadata["key"],
                metadata["version"],
                mood,
                rang,
                told,
                final=mood == "never",
            )
        )
        self.world.tell(
            f"API is asked for {metadata['key']} {metadata['version']}: {mood}"
            f"{', and a phone rings' if rang else ''}"
        )
        number = len(self.rows) + 7001
        if rang:
            lag = 0.5 if told or random.random() < 0.6 else random.choice([5.0, 30.0])
            self.rows.append((self.world.now + lag, self._row(number, body)))
        if mood == "slow":
            self.world.sleep(timeout + 0.1)
            return "cut"
        if mood == "late":
            self.world.sleep(timeout * random.random())
        return self._answer(mood, number)

    def _row(self, number: int, body: dict[str, Any]) -> dict[str, Any]:
        made = datetime.fromtimestamp(self.world.now, UTC)
        return {
            "ID": number,
            "AGENT_ID": body["agent_id"],
            "CALLING_NUMBER": body["phone_number"].removeprefix("+"),
            "STATUS": "Completed",
            "INPUT_DATA": json.dumps(body["metadata"]),
            "CREATED_AT": f"{made:%Y-%m-%d %H:%M:%S}",
        }

    def _answer(self, mood: str, number: int) -> tuple[int, bytes, str | None] | str:
        if mood in ("unsent", "cut"):
            return mood
        if mood in ("well", "late"):
            said = {"execution_id": f"exec-{number}", "call_status": "initiated"}
            return 200, json.dumps({"success": True, "data": said}).encode(), None
        status, text, wait = _ANSWERS[mood]
        if text.startswith("<"):
            return status, text.encode(), wait
        return status, json.dumps({"error": True, "message": text}).encode(), wait

    def _list(self, url: str, token: str) -> tuple[int, bytes, str | None] | str:
        mood = self.lists()
        if token not in self.tokens:
            return 401, b'{"error": true, "message": "Invalid Auth Key or Session Expired"}', None
        if mood == "cut":
            return "cut"
        if mood == "500":
            return 500, b"<html>", None
        asked = parse_qs(urlsplit(url).query)
        wanted = re.sub(r"\D", "", asked["calling_number"][0])
        found = [
            row
            for at, row in self.rows
            if at <= self.world.now
            and wanted in row["CALLING_NUMBER"]
            and (mood == "loose" or asked.get("input_data", [""])[0] in row["INPUT_DATA"])
        ]
        return 200, json.dumps({"datalist": found[::-1]}).encode(), None


# The moods after which it is told whether a phone rang; after any other it may have.
_TOLD = {"well", "late", "429", "503", "unsent", "token", "busy", "credit", "never", "wall"}
_ANSWERS: dict[str, tuple[int, str, str | None]] = {
    "429": (429, "rate limit exceeded", "20"),
    "503": (503, "<html>unavailable", None),
    "500": (500, "something went wrong", None),
    "502": (502, "<html>bad gateway", None),
    "rubbish": (200, "<html>welcome", None),
    "token": (401, "Invalid Auth Key or Session Expired", None),
    "busy": (400, "concurrency limit reached", None),
    "credit": (402, "insufficient balance", None),
    "never": (400, "Validation error: phone_number cannot be called", None),
    "wall": (403, "<html>denied", None),
}
TROUBLES = ("429", "503", "500", "502", "rubbish", "cut", "slow", "late", "unsent", "busy", "wall")
