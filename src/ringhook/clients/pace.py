"""The pace of the API's plan, kept by all dialers together: one slot for each request.

The ledger holds for each account when its next slot is free. A dialer leases one by a conditional
write, waits until it comes, and asks. It leases no more than one: it asks one at a time, and slots
leased ahead would pass unused while it waits for an answer. No claim has to do with it.

Where more calls are due than the plan allows, the newest are rung, while they still count for much,
and not each as late as the one before it. So few slots are leased ahead that half of the dialers
are free to take up what is new; a call that comes up again may stand behind half as many as a new
one. What finds no place comes back later, again and again, until there is one or it expires.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ringhook.clients.table import Table, Update
from ringhook.errors import ConflictError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

# A request arrives a little after it is sent, now more, now less, and no two clocks agree: so many
# seconds in a minute are left free, or every other one would come a hair too early for the plan.
_MARGIN = 0.2
# So long before its slot a call may be claimed, and so long after it the slot may be used.
_LEAD, _KEPT = 0.1, 1.0
# A new call waits for its slot no longer than so many seconds, unless the plan is a very small one.
_AHEAD = 5.0
_TRIES = 20


class Pacer:
    """`per_minute` requests a minute for each account, of so many `dialers` at once.

    `clock` gives epoch seconds.
    """

    def __init__(
        self,
        table: Table,
        per_minute: int,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        *,
        dialers: int = 10,
    ) -> None:
        """Lease nothing yet."""
        self._table = table
        self._interval = (60 + _MARGIN) / per_minute
        self._ahead = max(2 * self._interval, min(_AHEAD, dialers / 2 * self._interval))
        self._clock = clock
        self._sleep = sleep
        self._slots: dict[str, float] = {}
        self._free_at: dict[str, float] = {}

    def take(self, account: str, *, by: float, again: bool = False) -> float | None:
        """Wait until a slot is near; how many seconds that took. None: it is too far off.

        That is after `by`, or behind what comes first: one that comes up `again` lets new ones go
        before it. The slot stays in hand until it is used or has passed. Raises UnavailableError.
        """
        now = self._clock()
        at = self._slots.get(account)
        if at is None or now > at + _KEPT:
            ahead = self._ahead / 2 if again else self._ahead
            at = self._lease(account, now, min(by, now + ahead))
        if at is None:
            return None
        self._slots[account] = at
        wait = max(0.0, at - _LEAD - now)
        self._sleep(wait)
        return wait

    def use(self, account: str) -> None:
        """Wait until the leased slot begins; the API is asked right after."""
        at = self._slots.pop(account, None)
        if at is None:
            return
        late = self._clock() - at
        self._sleep(max(0.0, -late))
        if late > _LEAD:
            # A minute later there would be one request too many.
            with suppress(UnavailableError):
                self._table.update(Update(key=f"pace#{account}", add={"free_at": late}))

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
