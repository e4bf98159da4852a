"""Taking messages: each of a batch ends by itself, and what cannot be taken comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringhook.calls import messages
from ringhook.calls.lifecycle import backoff
from ringhook.errors import UnavailableError, UnreadableError
from ringhook.telemetry import count, logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ringhook.calls.messages import Message
    from ringhook.clients.queue import CallQueue


@dataclass(frozen=True, slots=True)
class Inbox:
    """The queue that a function takes its messages from; `jitter` gives 0 to 1."""

    queue: CallQueue
    jitter: Callable[[], float]

    def take(self, body: str, do: Callable[[Message], None]) -> None:
        """Do what one message asks; returning means that it may be deleted.

        One that cannot be taken, since something does not answer, is sent anew, to come back in
        seconds, then minutes: an outage uses up no receives, and outlasts no queue's memory.
        Raises UnavailableError if even that fails, UnreadableError for what is no message.
        """
        message = messages.read(body)
        try:
            do(message)
        except UnavailableError as error:
            count("MessagePutOff")
            logger.warning("message.put_off", reason=str(error), tries=message.tries)
            self.again(message)

    def again(self, message: Message) -> None:
        """Let a message come back: the later, the oftener it has."""
        self.queue.again(message, after=backoff(message.tries + 1, self.jitter()))

    def take_all(
        self, records: Iterable[Mapping[str, Any]], take: Callable[[str], None]
    ) -> dict[str, Any]:
        """Take each message; those that fail stay in the queue, and after some tries go to the DLQ.

        `take` is given a body. Lambda is told which have failed.
        """
        failures = []
        for record in records:
            try:
                take(record["body"])
                continue
            except UnreadableError as error:
                logger.error(
                    "message.unreadable", message_id=record["messageId"], reason=str(error)
                )
                # No later reading makes it a message: it is to be among the dead letters soon.
                wait = 1.0
            except Exception:  # noqa: BLE001 - whatever it is, the message stays in the queue
                logger.exception("message.failed", message_id=record["messageId"])
                received = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
                wait = backoff(received, self.jitter())
            count("MessageFailed")
            self.queue.show_again(record.get("receiptHandle", ""), wait)
            failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}
