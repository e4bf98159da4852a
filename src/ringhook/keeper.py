"""The Lambda that keeps what calls are told, and finds those whose time has passed.

Two things invoke it. The queue of what is told (cancels, opt-outs, consents, erasures): it has no
pace, so nothing in it waits behind a backlog of calls. And the clock, every minute: a wake
that was lost, a schedule that was dropped, a message that expired or a dialer that died has left an
item behind that is overdue. Of calls that rang it finds those whose outcome is due, and lets the
dialer ask. It reads no token and asks no API.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringhook import settings
from ringhook.calls.messages import Outcomes, Ring, ThinEvent, Wake
from ringhook.clients import starting
from ringhook.ringing.changes import Telling
from ringhook.ringing.inbox import Inbox
from ringhook.telemetry import count, invocation, logger
from ringhook.wiring import World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringhook.calls.messages import Message
    from ringhook.clients.ledger import Ledger
    from ringhook.clients.queue import CallQueue
    from ringhook.settings import Settings
    from ringhook.telemetry import Context

# A call that was woken is left alone for so long (seconds).
_LEFT_ALONE = 900.0
# So many are woken in one sweep; the next follows in a minute.
_AT_ONCE = 2000
# So many calls are asked for together; and not again for so long (seconds).
_TOGETHER, _ASKED_FOR = 100, 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Takes what is told from `told`, its own queue; wakes calls through `calls`, the dialer's."""

    ledger: Ledger
    told: CallQueue
    calls: CallQueue
    clock: Callable[[], float]
    jitter: Callable[[], float] = random.random

    @classmethod
    def of(cls, world: World, config: Settings) -> Keeper:
        """A keeper in this world."""
        return cls(
            ledger=world.ledger(config),
            told=world.told_queue(config),
            calls=world.queue(config),
            clock=world.clock,
            jitter=world.jitter,
        )

    @property
    def inbox(self) -> Inbox:
        """Where its messages come from."""
        return Inbox(self.told, self.jitter)

    def take(self, body: str) -> None:
        """Take one message, as `Inbox.take` does."""
        self.inbox.take(body, self._do)

    def _do(self, message: Message) -> None:
        if isinstance(message, Ring | Wake | ThinEvent | Outcomes):
            # Not what belongs here, but a call all the same: the dialer knows what to do with it.
            self.calls.again(message, after=0)
            return
        logger.set_correlation_id(message.correlation_id)
        Telling(self.ledger, self.clock, self._wake).take(message)

    def _wake(self, call_id: str) -> None:
        now = self.clock()
        self.calls.wake(call_id, at=now, now=now)

    def ask(self) -> int:
        """Have the list asked how calls ended of which that is due; how many. UnavailableError.

        One message for calls of one agent, since one page of the list answers for many of them.
        """
        now = self.clock()
        due = dict(self.ledger.rang(now, _AT_ONCE))
        groups: dict[tuple[str, int], list[str]] = {}
        for item in self.ledger.read_all(list(due)):
            agent = (item.call.account, item.call.agent_id)
            groups.setdefault(agent, []).append(item.call.call_id)
        for (account, agent_id), call_ids in groups.items():
            for first in range(0, len(call_ids), _TOGETHER):
                some = tuple(
                    one
                    for one in call_ids[first : first + _TOGETHER]
                    if self.ledger.swept(one, due[one], now + _ASKED_FOR)
                )
                if some:
                    asked = Outcomes(account=account, agent_id=agent_id, call_ids=some)
                    self.calls.send_on([asked])
        return len(due)

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
    return Keeper.of(World(), settings.read())


@invocation
def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Take each message of the queue, or (no records) look for what is overdue."""
    keeper = _keeper()
    if "Records" in event:
        return keeper.inbox.take_all(event["Records"], keeper.take)
    return {"overdue": keeper.sweep(), "asked": keeper.ask()}


starting.start(_keeper)
