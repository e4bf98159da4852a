"""Learn how calls ended: what a webhook says is written down, and the list is asked for the rest.

One page of the list answers for many calls of an agent, so those that are due are asked for
together; what the pages do not tell is asked for call by call. Ringing goes first: a slot of the
plan is taken only where nothing waits for one, until half of the time to the deadline has passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringhook.calls import endings, outcomes
from ringhook.calls.answers import Unreadable
from ringhook.clients.executions import PAGE
from ringhook.errors import ConflictError, UnavailableError
from ringhook.ringing.changes import said
from ringhook.telemetry import count, logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ringhook.calls.item import Item
    from ringhook.calls.outcomes import Said
    from ringhook.clients.unleashx import UnleashX
    from ringhook.ringing.accounts import Accounts
    from ringhook.ringing.book import Book
    from ringhook.ringing.pacing import Pace
    from ringhook.routing.routes import Policy, Routes

# So many pages are read for one message, and so many calls asked for one by one that are asked for
# again; at their deadline all are.
_PAGES, _SINGLES = 5, 10
# So near must a slot be for what is not urgent (seconds).
_FREE = 1.0
# So long after its deadline a call ends unasked, where the list cannot be asked (seconds).
_OVERDUE = 900.0
_TRIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """What learning needs; as in `Dialing`."""

    api: UnleashX
    book: Book
    routes: Routes
    accounts: Accounts
    pace: Pace
    patience: float
    clock: Callable[[], float]

    def look(
        self, account: str, agent_id: int, call_ids: Sequence[str], *, lease_until: float
    ) -> dict[str, float]:
        """Ask the list how these calls of an agent ended, and write down what it says.

        When each of those that are made again must be taken up (epoch seconds). What could not be
        asked for now stays due. Raises UnavailableError.
        """
        waiting = [
            item
            for item in self.book.read_all(call_ids)
            if item.awaits_outcome and (item.due_at or 0.0) <= self.clock()
        ]
        round_ = _Round(self, account, lease_until, waiting)
        try:
            round_.ask(agent_id)
        except UnavailableError as error:
            logger.warning("outcomes.not_asked", account=account, reason=str(error))
        again = {}
        for item in waiting:
            late = self.clock() > self.until(item) + _OVERDUE
            if item.call.call_id in round_.asked or late:
                at = self._write(item, round_.told.get(item.call.call_id, []))
                if at is not None:
                    again[item.call.call_id] = at
        return again

    def policy(self, item: Item) -> Policy | None:
        """The policy of the call's route, if it is still there."""
        route = self.routes.named(item.call.route)
        return route.policy if route else None

    def until(self, item: Item) -> float:
        """When it is asked for the last time (epoch seconds)."""
        return endings.deadline(item, self.policy(item))

    def _write(self, item: Item, said_of_it: Sequence[Said]) -> float | None:
        """Write what the list says of a call, and what follows; when to take it up again."""
        read: Item | None = item
        for _ in range(_TRIES):
            if read is None or not read.awaits_outcome or read.ringing != item.ringing:
                return None
            now, policy = self.clock(), self.policy(read)
            after = read
            for one in said_of_it:
                heard = outcomes.fold(one, learnt_from="list", attempt=read.ringing)
                after = endings.learnt(after, heard, now) or after
            if not after.is_over:
                after = endings.unlearnt(after, policy, now)
            if after.is_over:
                after = endings.settled(after, policy, now)
            try:
                self.book.write(after, over=read, now=datetime.fromtimestamp(now, UTC))
            except ConflictError:
                read = self.book.read(item.call.call_id)
                continue
            tell(after, said_of_it)
            return None if after.awaits_outcome else after.due_at
        message = f"call {item.call.call_id} is changed by too many at once"
        raise UnavailableError(message)


def tell(item: Item, words: Sequence[Said] = ()) -> None:
    """Log and count how a call stands, once something was learnt of how it ended."""
    unknown = [word for one in words for word in outcomes.strange(one)]
    if unknown:
        count("OutcomeWordUnknown", len(unknown))
        logger.warning("outcome.words", call_id=item.call.call_id, words=unknown)
    if item.awaits_outcome:
        return
    if item.outcome and item.outcome.learnt_from == "deadline":
        count("OutcomeUnknown")
    said(item)


class _Round:
    """One round of asking: `told` is what was said, by call; `asked` are those asked for."""

    def __init__(
        self, learning: Learning, account: str, lease_until: float, waiting: Sequence[Item]
    ) -> None:
        self._learning = learning
        self._account = account
        self._until = lease_until - learning.patience
        self._waiting = waiting
        self._token = ""
        self.told: dict[str, list[Said]] = {}
        self.asked: set[str] = set()

    def ask(self, agent_id: int) -> None:
        """Ask for pages, then call by call.

        Raises UnavailableError without a token, or if the list cannot be read.
        """
        if not self._waiting:
            return
        self._token = self._learning.accounts.token(self._account, None)
        alone = len(self._waiting) == 1
        if not alone:
            self._pages(agent_id)
        left = self._left()
        last = [item for item in left if self._is_last(item)]
        # The list may lag: one that its pages do not tell is not asked for at once.
        rest = [item for item in left if (alone or item.looks) and item not in last]
        for item in last + rest[:_SINGLES]:
            if not self._slot():
                return
            answer = self._learning.api.said_of(item, self._token)
            if isinstance(answer, Unreadable):
                raise UnavailableError(answer.reason)
            self.asked.add(item.call.call_id)
            if answer:
                self.told[item.call.call_id] = answer

    def _pages(self, agent_id: int) -> None:
        """Read pages up to those calls, and on as long as they tell of several."""
        since = min(item.asked_at or item.call.received_at for item in self._waiting)
        for page in range(1, _PAGES + 1):
            left = self._left()
            if not left or not self._slot():
                return
            rows = self._learning.api.page(agent_id, self._token, since, page)
            if isinstance(rows, Unreadable):
                raise UnavailableError(rows.reason)
            found = self._learning.api.said_on(rows, left)
            self.told |= found
            # No page's silence is the last word of a call.
            silent = {item.call.call_id for item in left if not self._is_last(item)}
            self.asked |= found.keys() | silent
            if len(rows) < PAGE or (self.told and len(found) <= 1):
                return

    def _left(self) -> list[Item]:
        return [item for item in self._waiting if item.call.call_id not in self.told]

    def _is_last(self, item: Item) -> bool:
        """Whether it is asked for the last time."""
        return self._learning.until(item) <= self._learning.clock()

    def _slot(self) -> bool:
        """Take a slot of the plan, if that keeps nobody from ringing; or if it is high time."""
        clock, pace = self._learning.clock, self._learning.pace
        now = clock()
        urgent = any(now > self._half(item) for item in self._waiting)
        by = self._until if urgent else min(self._until, now + _FREE)
        if pace.take(self._account, by=by) is None:
            return False
        pace.use(self._account)
        return True

    def _half(self, item: Item) -> float:
        """When half of the time has passed that a call may wait for its outcome."""
        rang_at = (item.asked_at or item.call.received_at).timestamp()
        return (rang_at + self._learning.until(item)) / 2
