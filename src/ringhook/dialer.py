"""The Lambda behind the calls queue: each call ends in the ledger, or comes back."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from pydantic import ValidationError

from ringhook import routes, settings
from ringhook.dialing import Dialing
from ringhook.errors import UnavailableError
from ringhook.ledger import Ledger
from ringhook.queue import AlarmClock, CallQueue, Message
from ringhook.secret_store import SecretStore
from ringhook.telemetry import logger, metrics
from ringhook.unleashx import UnleashX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

ROUTES = Path(__file__).parent.parent / "routes.toml"
# A lease outlives the invocation that took it, whatever its clock says.
_LEASE_MARGIN = 5.0


@dataclass(kw_only=True)
class Dialer:
    """Takes messages from the queue; dials no faster than `interval` seconds apart."""

    dialing: Dialing
    queue: CallQueue
    interval: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    _next_dial: float = 0.0

    def take(self, body: str, lease_until: float) -> None:
        """Take one message; returning means that it may be deleted."""
        message = Message.model_validate_json(body)
        if message.call is None:
            call_id = message.wake
            self._pace()
            result = self.dialing.wake(call_id, lease_until=lease_until)
        else:
            call_id = message.call.call_id
            logger.set_correlation_id(message.call.correlation_id)
            self._pace()
            result = self.dialing.take(message.call, lease_until=lease_until)
        if result.again_at is not None:
            # A new message, so that waiting out an outage uses up no receives of this one.
            self.queue.wake(call_id, at=result.again_at, now=self.clock())

    def _pace(self) -> None:
        """Wait for the API's plan, which allows so many requests a minute and refuses the rest."""
        self.sleep(max(0.0, self._next_dial - self.clock()))
        self._next_dial = self.clock() + self.interval


@functools.cache
def _dialer() -> Dialer:
    config = settings.read()
    return Dialer(
        dialing=Dialing(
            api=UnleashX(config.unleashx_url, config.api_timeout),
            book=Ledger(
                boto3.client("dynamodb"), config.table_name, timedelta(days=config.retention_days)
            ),
            routes=routes.load(ROUTES.read_text()),
            tokens=SecretStore(boto3.client("secretsmanager"), config.tokens, time.monotonic),
            clock=time.time,
        ),
        queue=CallQueue(
            boto3.client("sqs"),
            config.queue_url,
            AlarmClock(
                boto3.client("scheduler"),
                config.schedule_group,
                config.schedule_role,
                config.queue_arn,
            ),
        ),
        interval=60 * config.max_concurrency / config.calls_per_minute,
        clock=time.time,
        sleep=time.sleep,
    )


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take each message; those that fail stay in the queue, and after some tries go to the DLQ."""
    dialer = _dialer()
    failures = []
    for record in event["Records"]:
        lease_until = time.time() + context.get_remaining_time_in_millis() / 1000 + _LEASE_MARGIN
        try:
            dialer.take(record["body"], lease_until)
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False)
            logger.error("message.unreadable", message_id=record["messageId"], problems=problems)
            failures.append(record["messageId"])
        except UnavailableError as error:
            logger.warning("message.kept", message_id=record["messageId"], reason=str(error))
            failures.append(record["messageId"])
        except Exception:  # noqa: BLE001 - whatever it is, the message stays in the queue
            logger.exception("message.failed", message_id=record["messageId"])
            failures.append(record["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failures]}
