"""The calls queue: calls go in whole or not at all, and a call that must wait comes back later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict

from ringhook.calls import Call
from ringhook.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

# SQS: a batch holds 10 messages and 256 KiB at least (1 MiB since 2025, where it has arrived).
_BATCH = 10
_BATCH_BYTES = 250_000
LONGEST_DELAY = 900


class Message(BaseModel):
    """The body of a message: a call, and the epoch second before which to leave it alone."""

    model_config = ConfigDict(frozen=True)

    call: Call
    not_before: float = 0


class CallQueue:
    """The queue between receiver and dialer."""

    def __init__(self, client: SQSClient, url: str) -> None:
        """Send to the queue at this URL."""
        self._client = client
        self._url = url

    def send(self, calls: Sequence[Call]) -> None:
        """Put these calls into the queue. Raises UnavailableError unless all of them are in it.

        After a failure some may be in it: the sender sends all again, and they meet in the ledger.
        """
        for batch in _batches([Message(call=call).model_dump_json() for call in calls]):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(index), "MessageBody": body} for index, body in enumerate(batch)
            ]
            try:
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                message = f"the calls queue does not take messages ({type(error).__name__})"
                raise UnavailableError(message) from error
            if failed := answer.get("Failed"):
                message = f"the calls queue did not take {len(failed)} of {len(batch)} messages"
                raise UnavailableError(message)

    def send_later(self, call: Call, *, at: float, now: float) -> None:
        """Let a call come back at `at` (epoch seconds); past 15 minutes it comes by stages."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=Message(call=call, not_before=at).model_dump_json(),
            DelaySeconds=max(0, min(LONGEST_DELAY, round(at - now + 0.5))),
        )


def _batches(bodies: list[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        if batch and (len(batch) == _BATCH or size + len(body) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body.encode())
    if batch:
        yield batch
