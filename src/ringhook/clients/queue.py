"""The calls queue: calls go in whole or not at all, and what must wait comes back later."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, model_validator

from ringhook.calls.call import Call
from ringhook.calls.lifecycle import newer
from ringhook.clients.services import failures
from ringhook.errors import UnavailableError
from ringhook.routing.keeping import pack, unpack
from ringhook.senders.providers import Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

    from ringhook.clients.alarm_clock import AlarmClock
    from ringhook.clients.services import Sqs

# SQS: a batch holds 10 messages and 256 KiB at least (1 MiB since 2025, where it has arrived).
_BATCH = 10
_BATCH_BYTES = 250_000
LONGEST_DELAY = 900


class ThinEvent(BaseModel):
    """An event whose rest is yet to be fetched; `payload` is gzip in base64.

    `attempts` counts how often that was tried; it is not tried again before `not_before` (epoch
    seconds).
    """

    model_config = ConfigDict(frozen=True)

    source: str
    topic: str
    event_id: str
    occurred_at: datetime
    received_at: datetime
    correlation_id: str = ""
    test: bool = False
    hinted: bool = False
    payload: str
    attempts: int = 0
    not_before: float = 0

    @classmethod
    def of(cls, event: Event, received_at: datetime, correlation_id: str) -> ThinEvent:
        """This event, as it goes into the queue."""
        return cls(
            source=event.source,
            topic=event.topic,
            event_id=event.event_id,
            occurred_at=event.occurred_at,
            received_at=received_at,
            correlation_id=correlation_id,
            test=event.test,
            hinted=event.hinted,
            payload=pack(event.payload),
        )

    @property
    def event(self) -> Event:
        """The event, as it was before it went into the queue."""
        return Event(
            source=self.source,
            topic=self.topic,
            event_id=self.event_id,
            occurred_at=self.occurred_at,
            payload=unpack(self.payload),
            test=self.test,
            hinted=self.hinted,
        )


class Message(BaseModel):
    """The body of a message: a call that is asked for, the id of one to take up again, or an event.

    A call that comes back is its id alone: the ledger has the rest, as new as it may be, and
    nothing that waits in a schedule tells whom to ring.
    """

    model_config = ConfigDict(frozen=True)

    call: Call | None = None
    wake: str = ""
    event: ThinEvent | None = None
    # What came of an owner's request, where the ledger could not be told: {"owner", "answer"}.
    heard: dict[str, Any] | None = None
    # How often it could not be taken, because something did not answer.
    tries: int = 0

    @model_validator(mode="after")
    def _says_one_thing(self) -> Message:
        if [self.call is not None, self.wake != "", self.event is not None].count(True) != 1:
            message = "a message holds a call, or the id of one, or an event"
            raise ValueError(message)
        return self


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

    def send(self, tasks: Sequence[Call | ThinEvent]) -> None:
        """Put these into the queue. Raises UnavailableError unless all of them are in it.

        After a failure some may be in it: the sender sends all again, and they meet in the ledger.
        """
        told: list[Call | ThinEvent] = []
        rest: list[Call | ThinEvent] = []
        calls = [one for one in tasks if isinstance(one, Call)]
        ended = {one.call_id: one for one in calls if one.kind == "cancel"}
        for one in tasks:
            if isinstance(one, Call) and one.kind == "call":
                # What the same request ends need not race what ends it, which is in the ledger.
                word = ended.get(one.call_id)
                if word is None or newer(one, word):
                    rest.append(one)
            else:
                (told if isinstance(one, Call) else rest).append(one)
        # What ends or forbids a call is there before what asks for one.
        self._send_all(self._told_url, told)
        self._send_all(self._url, rest)

    def _send_all(self, url: str, tasks: Sequence[Call | ThinEvent]) -> None:
        for batch in _batches([_message(task) for task in tasks]):
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

    def wake(
        self, call_id: str, *, at: float, now: float, heard: dict[str, Any] | None = None
    ) -> None:
        """Let a call come back at `at` (epoch seconds). Raises UnavailableError."""
        message = Message(wake=call_id, heard=heard)
        delay = max(0, math.ceil(at - now))
        try:
            if delay > LONGEST_DELAY and self._alarm_clock:
                self._alarm_clock.set(call_id, _body(message), at)
            else:
                self._send(message, delay)
        except failures() as error:
            text = f"call {call_id} cannot be put off ({error})"
            raise UnavailableError(text) from error

    def again(self, message: Message, *, after: float) -> None:
        """Let a message come back that cannot be taken now: anew, so that it keeps for as long."""
        once_more = message.model_copy(update={"tries": message.tries + 1})
        try:
            self._send(once_more, math.ceil(after))
        except failures() as error:
            text = f"a message cannot be put off ({error})"
            raise UnavailableError(text) from error

    def show_again(self, receipt: str, after: float) -> None:
        """Let a message that failed be received again after so many seconds, not minutes."""
        with suppress(*failures()):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=math.ceil(after)
            )

    def _send(self, message: Message, delay: int) -> None:
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=_body(message),
            DelaySeconds=min(LONGEST_DELAY, max(0, delay)),
        )

    def put_off(self, event: ThinEvent, *, now: float) -> None:
        """Let an event come back at its `not_before`, or in 15 minutes. Raises UnavailableError."""
        delay = min(LONGEST_DELAY, max(0, math.ceil(event.not_before - now)))
        try:
            self._client.send_message(
                QueueUrl=self._url, MessageBody=_message(event), DelaySeconds=delay
            )
        except failures() as error:
            message = f"event {event.event_id} cannot be put off ({error})"
            raise UnavailableError(message) from error


def _message(task: Call | ThinEvent) -> str:
    return _body(Message(call=task) if isinstance(task, Call) else Message(event=task))


def _body(message: Message) -> str:
    return message.model_dump_json(exclude_defaults=True)


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
