"""The pace of the API's plan, kept by all dialers together: one slot for each request.

The ledger holds for each account when its next slot is free. A dialer leases one by a conditional
write, waits until it comes, and asks. It leases no more than one: it asks one at a time, and slots
leased ahead would pass unused while it waits for an answer. No claim has to do with it, and where
the next slot is too far off for this invocation, none is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringhook.clients.table import Table, Update
from ringhook.errors import ConflictError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

# A request arrives a little after it is sent, now more, now less: so many seconds in a minute are
# left free, or every other one would come a hair too early for the plan.
_MARGIN = 0.1
# So long before its slot a call may be claimed, and so long after it the slot may be used.
_LEAD, _KEPT = 0.1, 1.0
_TRIES = 20


class Pacer:
    """`per_minute` requests a minute for each account; `clock` gives epoch seconds."""

    def __init__(
        self,
        table: Table,
        per_minute: int,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """Lease nothing yet."""
        self._table = table
        self._interval = (60 + _MARGIN) / per_minute
        self._clock = clock
        self._sleep = sleep
        self._slots: dict[str, float] = {}
        self._free_at: dict[str, float] = {}

    def take(self, account: str, *, by: float) -> float | None:
        """Wait until a slot is near; how many seconds that took. None: there is none before `by`.

        The slot stays in hand until it is used or has passed. Raises UnavailableError.
        """
        now = self._clock()
        at = self._slots.get(account)
        if at is None or now > at + _KEPT:
            at = self._lease(account, now, by)
        if at is None:
            return None
        self._slots[account] = at
        wait = max(0.0, at - _LEAD - now)
        self._sleep(wait)
        return wait

    def use(self, account: str) -> None:
        """Wait until the leased slot begins; the API is asked right after."""
        at = self._slots.pop(account, None)
        if at is not None:
            self._sleep(max(0.0, at - self._clock()))

    def next_at(self, account: str) -> float:
        """When there may be a slot (epoch seconds), as it was last seen."""
        return max(self._free_at.get(account, 0.0), self._clock())

    def _lease(self, account: str, now: float, by: float) -> float | None:
        """The next free slot, now ours; None if it is after `by`."""
        key, interval = f"pace#{account}", self._interval
        idle = Update(
            key=key,
            item={"free_at": now + interval},
            condition="attribute_not_exists(free_at) OR free_at < :now",
            values={":now": now},
        )
        following = Update(
            key=key,
            condition="free_at BETWEEN :now AND :by",
            values={":now": now, ":by": by},
            add={"free_at": interval},
        )
        # What it was when it was last seen says which of the two it is likely to be.
        changes = [idle, following]
        if self._free_at.get(account, 0.0) >= now:
            changes.reverse()
        for attempt in range(_TRIES):
            try:
                found = self._table.update(changes[attempt % 2])
            except ConflictError:
                if attempt % 2:
                    free_at = float((self._table.one(key) or {}).get("free_at", 0))
                    self._free_at[account] = free_at
                    if free_at > by:
                        return None
                continue
            self._free_at[account] = float(found["free_at"])
            return self._free_at[account] - interval
        message = "too many want a slot of the plan at once"
        raise UnavailableError(message)
