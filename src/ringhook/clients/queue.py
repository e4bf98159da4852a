"""The calls queue: calls go in whole or not at all, and what must wait comes back later."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from ringhook.calls import messages
from ringhook.calls.call import Call
from ringhook.calls.item import newer
from ringhook.calls.messages import Cancel, Ring, ThinEvent, Wake
from ringhook.clients.services import failures
from ringhook.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

    from ringhook.calls.answers import Heard
    from ringhook.calls.messages import Asked, Ended, Message, Wish
    from ringhook.clients.alarm_clock import AlarmClock
    from ringhook.clients.services import Sqs

# SQS: a batch holds 10 messages and 256 KiB at least (1 MiB since 2025, where it has arrived).
_BATCH = 10
_BATCH_BYTES = 250_000
LONGEST_DELAY = 900


class CallQueue:
    """The queue between receiver and dialer."""

    def __init__(
        self,
        client: SQSClient | Sqs,
        url: str,
        alarm_clock: AlarmClock | None = None,
        told_url: str = "",
    ) -> None:
        """Send to the queue at this URL; `alarm_clock` for what must wait past 15 minutes.

        What calls are told goes to the queue at `told_url`, if there is one, past all calls.
        """
        self._client = client
        self._url = url
        self._alarm_clock = alarm_clock
        self._told_url = told_url or url

    def send(self, tasks: Sequence[Asked | ThinEvent]) -> None:
        """Put these into the queue. Raises UnavailableError unless all of them are in it.

        After a failure some may be in it: the sender sends all again, and they meet in the ledger.
        """
        changes: list[Cancel | Ended | Wish] = []
        rest: list[Ring | ThinEvent] = []
        cancels = {one.call_id: one for one in tasks if isinstance(one, Cancel)}
        for one in tasks:
            if isinstance(one, Call):
                # What the same request ends need not race what ends it, which is in the ledger.
                cancel = cancels.get(one.call_id)
                if cancel is None or newer(one, cancel):
                    rest.append(Ring(call=one))
            elif isinstance(one, ThinEvent):
                rest.append(one)
            else:
                changes.append(one)
        # What ends or forbids a call is there before what asks for one.
        self._send_all(self._told_url, changes)
        self._send_all(self._url, rest)

    def send_on(self, some: Sequence[Message]) -> None:
        """Put these into this very queue. Raises UnavailableError unless all of them are in it."""
        self._send_all(self._url, some)

    def _send_all(self, url: str, all_of: Sequence[Message]) -> None:
        for batch in _batches([messages.write(one) for one in all_of]):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(index), "MessageBody": body} for index, body in enumerate(batch)
            ]
            try:
                answer = self._client.send_message_batch(QueueUrl=url, Entries=entries)
            except failures() as error:
                message = f"the calls queue does not take messages ({error})"
                raise UnavailableError(message) from error
            if failed := answer.get("Failed"):
                message = f"the calls queue did not take {len(failed)} of {len(batch)} messages"
                raise UnavailableError(message)

    def wake(self, call_id: str, *, at: float, now: float, heard: Heard | None = None) -> None:
        """Have a call taken up again at `at` (epoch seconds). Raises UnavailableError."""
        message = Wake(call_id=call_id, heard=heard)
        delay = max(0, math.ceil(at - now))
        try:
            if delay > LONGEST_DELAY and self._alarm_clock:
                self._alarm_clock.set(call_id, messages.write(message), at)
            else:
                self._send(message, delay)
        except failures() as error:
            text = f"call {call_id} cannot be put off ({error})"
            raise UnavailableError(text) from error

    def again(self, message: Message, *, after: float) -> None:
        """Send a message anew that cannot be taken now, so that it is kept for as long again."""
        once_more = msgspec.structs.replace(message, tries=message.tries + 1)
        try:
            self._send(once_more, math.ceil(after))
        except failures() as error:
            text = f"a message cannot be put off ({error})"
            raise UnavailableError(text) from error

    def show_again(self, receipt: str, after: float) -> None:
        """Have a message that failed delivered again after so many seconds."""
        with suppress(*failures()):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=math.ceil(after)
            )

    def _send(self, message: Message, delay: int) -> None:
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=messages.write(message),
            DelaySeconds=min(LONGEST_DELAY, max(0, delay)),
        )

    def put_off(self, event: ThinEvent, *, now: float) -> None:
        """Send an event again, at its `not_before` or in 15 minutes. Raises UnavailableError."""
        until = event.not_before.timestamp() if event.not_before else now
        try:
            self._send(event, math.ceil(until - now))
        except failures() as error:
            message = f"event {event.event_id} cannot be put off ({error})"
            raise UnavailableError(message) from error


def _batches(bodies: list[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        more = len(body.encode())
        if batch and (len(batch) == _BATCH or size + more > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += more
    if batch:
        yield batch
