"""A call as the ledger has it, and which of two events is newer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ringhook.reading.times import SKEW

if TYPE_CHECKING:
    from datetime import datetime

    from ringhook.calls.call import Call, Status
    from ringhook.calls.outcomes import Outcome


class _Timed(Protocol):
    @property
    def occurred_at(self) -> datetime: ...

    @property
    def received_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Cancel:
    """What ended a call, or is to end it once it is not busy."""

    topic: str
    event_id: str
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A call as the ledger has it. `due_at` (epoch seconds) is when to take it up again, if ever.

    `owner` is the claim's, until it is settled; `requests` counts what was asked of the API,
    `ringing` the attempts, each of which is meant to ring a phone (another one is a redial, a moved
    appointment, a wish to be called back), `redials` those of them that are redials; `looks` the
    looks at the list of executions, `waits` how often in a row it was put off. `seen` are the ids
    of its events. `next` is the newer call that it was told of, `cancel` the newest word to end it.
    `outcomes` is what is known of how attempts ended, in their order.
    """

    call: Call
    status: Status
    reason: str = ""
    version: int = 0
    due_at: float | None = None
    owner: str = ""
    asked_at: datetime | None = None
    requests: int = 0
    ringing: int = 1
    looks: int = 0
    waits: int = 0
    execution_id: str = ""
    seen: tuple[str, ...] = ()
    cancel: Cancel | None = None
    next: Call | None = None
    redials: int = 0
    outcomes: tuple[Outcome, ...] = ()

    @property
    def outcome(self) -> Outcome | None:
        """What is known of how the last attempt ended of which anything is known."""
        return self.outcomes[-1] if self.outcomes else None

    @property
    def is_over(self) -> bool:
        """Whether it is known for good how the present attempt ended."""
        outcome = self.outcome
        return outcome is not None and outcome.attempt == self.ringing and outcome.final

    @property
    def awaits_outcome(self) -> bool:
        """Whether it rang, and how it ended is yet to be learnt."""
        return self.status == "initiated" and self.due_at is not None and not self.is_over

    @property
    def busy(self) -> bool:
        """Whether the API was asked, and it is yet to be learnt what came of it."""
        return self.status == "calling" or (self.status == "uncertain" and self.due_at is not None)


def newer(one: _Timed, other: _Timed) -> bool:
    """Whether one event is newer than the other."""
    return _when(one) > _when(other)


def _when(event: _Timed) -> tuple[datetime, datetime]:
    """By what events are put in order: the sender's time, if it can be, and arrival."""
    believed = event.occurred_at <= event.received_at + SKEW
    return event.occurred_at if believed else event.received_at, event.received_at
