"""The Lambda behind the calls queue: each call ends in the ledger, or comes back.

An event whose sender left out whom to ring is completed here, where no sender waits for an answer.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ringhook import settings
from ringhook.calls import messages
from ringhook.calls.call import Call
from ringhook.calls.lifecycle import backoff
from ringhook.calls.messages import Outcomes, Ring, ThinEvent, Wake
from ringhook.clients import starting
from ringhook.clients.fetching import asked_of
from ringhook.errors import LaterError
from ringhook.ringing.inbox import Inbox
from ringhook.routing import compiled
from ringhook.senders.enrichment import gives_up_at
from ringhook.telemetry import count, invocation, logger
from ringhook.wiring import LEASE_MARGIN, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringhook.calls.messages import Message
    from ringhook.clients.fetching import Fetcher
    from ringhook.clients.queue import CallQueue
    from ringhook.ringing.attempts import Dialing
    from ringhook.routing.routes import Routes
    from ringhook.settings import Settings
    from ringhook.telemetry import Context

ROUTES = Path(__file__).parent.parent / "routes.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialer:
    """Takes messages from the queue."""

    dialing: Dialing
    queue: CallQueue
    fetcher: Fetcher
    clock: Callable[[], float]
    jitter: Callable[[], float] = random.random

    @classmethod
    def of(cls, world: World, config: Settings, routes: Routes) -> Dialer:
        """A dialer in this world."""
        return cls(
            dialing=world.dialing(config, routes),
            queue=world.queue(config),
            fetcher=world.fetcher(config),
            clock=world.clock,
            jitter=world.jitter,
        )

    @property
    def inbox(self) -> Inbox:
        """Where its messages come from."""
        return Inbox(self.queue, self.jitter)

    def take(self, body: str, lease_until: float) -> None:
        """Take one message, as `Inbox.take` does; what it asks for is over by `lease_until`."""
        self.inbox.take(body, functools.partial(self._do, lease_until=lease_until))

    def _do(self, message: Message, lease_until: float) -> None:
        match message:
            case ThinEvent():
                logger.set_correlation_id(message.correlation_id)
                self._complete(message)
            case Ring() | Wake():
                self._dial(message, lease_until)
            case Outcomes():
                again = self.dialing.learn(message, lease_until=lease_until)
                for call_id, at in again.items():
                    self.queue.wake(call_id, at=at, now=self.clock())
            case _:
                logger.set_correlation_id(message.correlation_id)
                self.dialing.change(message, self._wake)

    def _wake(self, call_id: str) -> None:
        now = self.clock()
        self.queue.wake(call_id, at=now, now=now)

    def _dial(self, message: Ring | Wake, lease_until: float) -> None:
        if isinstance(message, Wake):
            call_id = message.call_id
            result = self.dialing.wake(call_id, lease_until=lease_until, heard=message.heard)
        else:
            call, call_id = message.call, message.call.call_id
            logger.set_correlation_id(call.correlation_id)
            result = self.dialing.take(call, lease_until=lease_until, heard=message.heard)
        if result.heard:
            self.inbox.again(msgspec.structs.replace(message, heard=result.heard))
        elif result.again_at is not None:
            # A new message, so that waiting out an outage uses up no receives of this one.
            self.queue.wake(call_id, at=result.again_at, now=self.clock())

    def _complete(self, thin: ThinEvent) -> None:
        """Fetch what an event leaves out, and queue what it then asks for: as if it had come so.

        Calls of their own messages, so that each is dialled alone.
        """
        now, routes = self.clock(), self.dialing.routes
        if thin.not_before and thin.not_before.timestamp() > now:
            self.queue.put_off(thin, now=now)
            return
        try:
            asked = self.fetcher.complete(thin, routes)
        except LaterError as error:
            attempts = thin.attempts + 1
            again_at = now + max(error.after, backoff(attempts, self.jitter()))
            if again_at < gives_up_at(thin.event, routes):
                not_before = datetime.fromtimestamp(again_at, UTC)
                again = msgspec.structs.replace(thin, attempts=attempts, not_before=not_before)
                self.queue.put_off(again, now=now)
                count("EventPutOff")
                self._told("event.put_off", again, reason=str(error))
                return
            missing = f"{error}; given up when it was too late to ring, after {attempts} attempts"
            asked = asked_of(thin, thin.event, routes, missing=missing)
        self.queue.send(asked)
        count("CallQueued", sum(isinstance(one, Call) and one.rings for one in asked))
        self._told("event.completed", thin, calls=[messages.identity(one) for one in asked])

    @staticmethod
    def _told(what: str, thin: ThinEvent, **more: Any) -> None:
        logger.info(
            what,
            source=thin.source,
            topic=thin.topic,
            event_id=thin.event_id,
            attempts=thin.attempts,
            **more,
        )


@functools.cache
def _dialer() -> Dialer:
    return Dialer.of(World(), settings.read(), compiled.load(ROUTES))


@invocation
def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Take each message of a batch; the answer names those that failed."""
    dialer = _dialer()

    def take(body: str) -> None:
        left = context.get_remaining_time_in_millis() / 1000
        dialer.take(body, dialer.clock() + left + LEASE_MARGIN)

    return dialer.inbox.take_all(event["Records"], take)


starting.start(_dialer)
