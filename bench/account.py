"""An AWS account of the emulator's with what the functions use, and the stand-in of the API."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bench.handlers.floor import SECRET
from bench.stub import Stub
from bench.webhooks import SOURCE, event_of, queue_event
from ringhook_ops.local.emulator import CREDENTIALS, REGION, Emulator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.functions import Code

_TABLE = "ledger"
_INDEXES = {
    "by-day": ("day", "updated_at"),
    "by-phone": ("phone_number", "created_at"),
    "by-due": ("waiting", "sweep_at"),
}


class Account:
    """Queues, secrets and a ledger, from entering the context to leaving it; `api` is rung."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start the emulator and the stand-in, and make what the functions use."""
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            self.api = stack.enter_context(Stub())
            emulator = Emulator(directory)
            stack.callback(emulator.stop)
            emulator.start()
            self._make(emulator)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End both, and forget."""
        self._stack.close()

    def environment(self, function: str) -> dict[str, str]:
        """The variables of "receiver", "dialer" or "keeper", as template.yaml sets them."""
        return (
            self._common
            | {
                "receiver": {"RINGHOOK_SIGNING_SECRETS": self._arns["signing"]},
                "dialer": {
                    "RINGHOOK_DEAD_LETTERS": "arn:aws:sqs:us-east-1:000000000000:dead",
                    "RINGHOOK_TABLE_NAME": _TABLE,
                    "RINGHOOK_TOKENS": self._arns["tokens"],
                    "RINGHOOK_CREDENTIALS": self._arns["credentials"],
                    "RINGHOOK_QUEUE_ARN": "arn:aws:sqs:us-east-1:000000000000:calls",
                    "RINGHOOK_SCHEDULE_GROUP": "bench",
                    "RINGHOOK_SCHEDULE_ROLE": "arn:aws:iam::000000000000:role/scheduler",
                },
                "keeper": {"RINGHOOK_TABLE_NAME": _TABLE},
            }[function]
        )

    def queued(self, code: Code, payloads: Sequence[Any], queue: str = "calls") -> list[Any]:
        """What these payloads, one webhook each, become for the functions behind a queue.

        `queue` is "calls" or "told"; what else is in the queues is forgotten.
        """
        for url in self._queues.values():
            self._sqs.purge_queue(QueueUrl=url)
        events = [event_of(payload) for payload in payloads]
        code.run("ringhook.receiver", events, self.environment("receiver"))
        return [queue_event(message) for message in self._taken(queue, len(payloads))]

    def _taken(self, queue: str, count: int) -> list[Mapping[str, str]]:
        messages: list[Mapping[str, str]] = []
        url = self._queues[queue]
        while len(messages) < count:
            answer = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            found = answer.get("Messages")
            if not found:
                message = f"of {count} messages {len(messages)} are in the queue of {queue}"
                raise RuntimeError(message)
            messages += found
        return messages

    def _make(self, emulator: Emulator) -> None:
        self._sqs = emulator.client("sqs")
        self._queues = {
            name: self._sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("calls", "told")
        }
        emulator.client("scheduler").create_schedule_group(Name="bench")
        secrets = emulator.client("secretsmanager")
        held = {
            "signing": {SOURCE: SECRET.decode()},
            "tokens": {"default": "a-token"},
            "credentials": {},
        }
        self._arns = {
            name: secrets.create_secret(Name=name, SecretString=json.dumps(value))["ARN"]
            for name, value in held.items()
        }
        _make_table(emulator.client("dynamodb"))
        self._common = (
            CREDENTIALS
            | self.api.environment
            | {
                "AWS_ENDPOINT_URL": emulator.url,
                "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
                "RINGHOOK_DELIVERY": "queue",
                # The pace is not what is measured; so many dialers may keep it.
                "RINGHOOK_CALLS_PER_MINUTE": "60000",
                "RINGHOOK_MAX_CONCURRENCY": "20",
                "RINGHOOK_QUEUE_URL": self._queues["calls"],
                "RINGHOOK_TOLD_QUEUE_URL": self._queues["told"],
                "POWERTOOLS_SERVICE_NAME": "bench",
                "POWERTOOLS_METRICS_NAMESPACE": "Ringhook",
                "PATH": "/usr/bin:/bin",
            }
        )


def _make_table(dynamodb: Any) -> None:
    keys = {"pk", *(name for pair in _INDEXES.values() for name in pair)}
    dynamodb.create_table(
        TableName=_TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "N" if name == "sweep_at" else "S"}
            for name in sorted(keys)
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": first, "KeyType": "HASH"},
                    {"AttributeName": second, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, (first, second) in _INDEXES.items()
        ],
    )
