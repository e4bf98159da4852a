"""The Lambda that keeps what calls are told, and finds those whose time has passed.

Two things invoke it. The queue of what is told (cancels, opt-outs, consents, erasures): it has no
pace, so nothing in it waits behind a backlog of calls. And the clock, every few minutes: a wake
that was lost, a schedule that was dropped, a message that expired or a dialer that died has left an
item behind that is overdue. It reads no token and asks no API.
"""

from __future__ import annotations

import functools
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ringhook import settings
from ringhook.calls import messages
from ringhook.calls.lifecycle import backoff
from ringhook.calls.messages import Ring, ThinEvent, Wake
from ringhook.clients import aws
from ringhook.clients.ledger import Ledger
from ringhook.clients.queue import CallQueue
from ringhook.errors import UnavailableError, UnreadableError
from ringhook.ringing.changes import Telling
from ringhook.telemetry import count, logger, metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

# A call that was woken is left alone for so long (seconds).
_LEFT_ALONE = 900.0
# So many are woken in one sweep; the next follows in minutes.
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Takes what is told from `told`, its own queue; wakes calls through `calls`, the dialer's."""

    ledger: Ledger
    told: CallQueue
    calls: CallQueue
    clock: Callable[[], float]
    jitter: Callable[[], float] = random.random

    def take(self, body: str) -> None:
        """Take one message; as `Dialer.take` does."""
        message = messages.read(body)
        if isinstance(message, Ring | Wake | ThinEvent):
            # Not what belongs here, but a call all the same: the dialer knows what to do with it.
            self.calls.again(message, after=0)
            return
        logger.set_correlation_id(message.correlation_id)
        try:
            Telling(self.ledger, self.clock).take(message)
        except UnavailableError as error:
            count("MessagePutOff")
            logger.warning("message.put_off", reason=str(error), tries=message.tries)
            self.told.again(message, after=backoff(message.tries + 1, self.jitter()))

    def sweep(self) -> int:
        """Wake every call that is overdue; how many. Raises UnavailableError."""
        now, woken = self.clock(), 0
        for call_id, since in self.ledger.overdue(now, _AT_ONCE):
            if self.ledger.swept(call_id, since, now + _LEFT_ALONE):
                self.calls.wake(call_id, at=now, now=now)
                logger.warning("call.overdue", call_id=call_id, seconds=round(now - since))
                woken += 1
        count("CallOverdue", woken)
        return woken


@functools.cache
def _keeper() -> Keeper:
    config = settings.read()
    sqs, retention = aws.client("sqs"), timedelta(days=config.retention_days)
    return Keeper(
        ledger=Ledger(aws.client("dynamodb"), config.table_name, retention),
        told=CallQueue(sqs, config.told_queue_url),
        calls=CallQueue(sqs, config.queue_url),
        clock=time.time,
    )


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Take each message of the queue, or (no records) look for what is overdue."""
    keeper = _keeper()
    if "Records" not in event:
        return {"overdue": keeper.sweep()}
    failures = []
    for record in event["Records"]:
        try:
            keeper.take(record["body"])
            continue
        except UnreadableError as error:
            logger.error("message.unreadable", message_id=record["messageId"], reason=str(error))
            # No later reading makes it a message: it is to be among the dead letters soon.
            wait = 1.0
        except Exception:  # noqa: BLE001 - whatever it is, the message stays in the queue
            logger.exception("message.failed", message_id=record["messageId"])
            received = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
            wait = backoff(received, keeper.jitter())
        count("MessageFailed")
        keeper.told.show_again(record.get("receiptHandle", ""), wait)
        failures.append(record["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failures]}
