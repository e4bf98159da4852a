"""The breaker: a route of which half of the last calls fail is stopped, until somebody looks.

What fails is a refusal or silence; what the API says of itself or of an account is waited for, and
counts as nothing. Counts are kept apart from every claim: a failure is written at once, successes a
few at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringhook.clients.table import Update, stamp
from ringhook.errors import UnavailableError
from ringhook.telemetry import count, logger

if TYPE_CHECKING:
    from ringhook.clients.ledger import Ledger

# Counts are kept for so long (seconds), and successes written so many at a time.
_WINDOW, _TOGETHER = 3600, 10


@dataclass(frozen=True, slots=True)
class Breaker:
    """Stops a route once half of `calls` have failed within an hour; 0: never."""

    ledger: Ledger
    calls: int
    _well: dict[str, int] = field(default_factory=dict)

    def saw(self, account: str, route: str, *, failed: bool, now: float) -> None:
        """Count one call, and stop the route if it is time."""
        key = f"{account}#{route}"
        well = self._well.get(key, 0) + (not failed)
        self._well[key] = 0 if failed or well >= _TOGETHER else well
        if self.calls and (failed or well >= _TOGETHER):
            self._count(key, route, well, failed=failed, now=now)

    def _count(self, key: str, route: str, well: int, *, failed: bool, now: float) -> None:
        began = int(now // _WINDOW)
        moment = datetime.fromtimestamp(now, UTC)
        update = Update(
            key=f"breaker#{key}#{began}",
            item={"expires_at": (began + 2) * _WINDOW} | stamp(moment),
            add={"failed": int(failed), "well": well},
        )
        try:
            found = self.ledger.table.update(update)
            bad, good = int(found["failed"]), int(found["well"])
            if bad + good >= self.calls and bad >= good:
                reason = f"{bad} of its last {bad + good} calls failed"
                self.ledger.stop(f"route:{route}", reason, moment)
                # What was counted is told; after a resume it is counted anew.
                self.ledger.delete(update.key)
                count("BreakerOpened")
                logger.error("route.stopped", route=route, reason=reason)
        except UnavailableError as error:
            logger.warning("breaker.blind", reason=str(error))
