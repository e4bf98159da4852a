"""Dial one call: the runner around `lifecycle`.

It reads how a call stands, lets `lifecycle` and `policy` say what follows, writes that, and asks
the API at most once for each claim, for `dialer` and for `direct` delivery. It waits for nothing
but a slot of the API's plan: where a call must be taken up again, the result says when.
"""

from __future__ import annotations

import functools
import random
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ringhook.calls import endings, lifecycle
from ringhook.calls.answers import (
    AccountRefused,
    Heard,
    Initiated,
    Later,
    NotAsked,
    Refused,
    Unheard,
    Unreadable,
)
from ringhook.calls.lifecycle import backoff
from ringhook.deciding.policy import Defer, Ring, Suppress, decide
from ringhook.errors import ConflictError, UnavailableError, UnstorableError
from ringhook.ringing.accounts import Accounts, waits
from ringhook.ringing.book import stopped
from ringhook.ringing.changes import Telling, said
from ringhook.ringing.learning import Learning
from ringhook.ringing.pacing import Unpaced
from ringhook.telemetry import count, logger, metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringhook.calls.answers import Answer, Found
    from ringhook.calls.call import Call, Status
    from ringhook.calls.item import Item
    from ringhook.calls.messages import Cancel, Ended, Outcomes, Wish
    from ringhook.clients.secret_store import SecretStore
    from ringhook.clients.unleashx import UnleashX
    from ringhook.deciding.policy import History
    from ringhook.ringing.book import Book, Count, Hold, Known
    from ringhook.ringing.breaker import Breaker
    from ringhook.ringing.changes import Done
    from ringhook.ringing.pacing import Pace
    from ringhook.routing.routes import Policy, Routes

# What was put off to the opening of calling hours is spread over so many seconds, so that 09:00 is
# no stampede.
_SPREAD = 600.0
# How often a change may be lost to another before the message goes back to the queue.
_TRIES = 10
# A wake that comes so much too early (seconds) is set again; one still earlier was an older wait's.
_EARLY = 60.0
# An answer that was waited for longer than this makes what was read before it old.
_FRESH = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a call; `again_at` (epoch seconds) is when it must be taken up again.

    `heard` is what could not be written down: whoever takes the call up again has to know it.
    """

    status: Status | Done
    reason: str
    execution_id: str = ""
    again_at: float | None = None
    heard: Heard | None = None


@dataclass(frozen=True, slots=True)
class _Turn:
    """Why a call is looked at: an event (`call`) asks for it, or (None) its time has come.

    `heard` is what is known of an earlier claim; what is asked now must be over by `lease_until`.
    """

    call: Call | None
    lease_until: float
    heard: Heard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialing:
    """Everything that dialling a call needs.

    `clock` gives epoch seconds, `jitter` 0 to 1, `names` a new owner's name each time. An answer of
    the API takes `patience` seconds at most. `wakes`: whether somebody takes up what must wait.
    """

    api: UnleashX
    book: Book
    routes: Routes
    tokens: SecretStore
    clock: Callable[[], float]
    jitter: Callable[[], float] = random.random
    names: Callable[[], str] = lambda: secrets.token_hex(12)
    pace: Pace = field(default_factory=Unpaced)
    patience: float = 25.0
    wakes: bool = True
    breaker: Breaker | None = None

    def take(self, call: Call, *, lease_until: float, heard: Heard | None = None) -> Result:
        """Bring a call that an event asks for as far as it gets now.

        Raises UnavailableError if the ledger cannot be read or written: then the API was asked for
        nothing.
        """
        return self._advance(call.call_id, _Turn(call, lease_until, heard))

    def change(
        self, change: Cancel | Ended | Wish, wake: Callable[[str], None] | None = None
    ) -> Result:
        """End a call, or keep what is to be known of it or of a number. Raises UnavailableError."""
        return Result(*Telling(self.book, self.clock, wake).take(change))

    def learn(self, asked: Outcomes, *, lease_until: float) -> dict[str, float]:
        """Ask how calls ended; when those that are made again must be taken up, by their ids."""
        learning = Learning(
            api=self.api,
            book=self.book,
            routes=self.routes,
            accounts=self._accounts,
            pace=self.pace,
            patience=self.patience,
            clock=self.clock,
        )
        return learning.look(asked.account, asked.agent_id, asked.call_ids, lease_until=lease_until)

    def wake(self, call_id: str, *, lease_until: float, heard: Heard | None = None) -> Result:
        """Take a call up again; one that was forgotten meanwhile has ended."""
        return self._advance(call_id, _Turn(None, lease_until, heard))

    def replay(self, call: Call) -> Result:
        """An operator wants a call once more that had ended: it is due at once."""

        def act(known: Known) -> Result:
            if known.item is None:
                return Result("forgotten", "the ledger has no such call")
            item = lifecycle.replayed(known.item, call, self.clock())
            if item is None or known.item.status == "forgotten":
                return Result(known.item.status, "it is under way, has rung, or was forgotten")
            return self._kept(item, known.item)

        return self._changed(call.call_id, None, act)

    # A step is taken on what was read; where another changed that meanwhile, it is read anew.

    def _advance(self, call_id: str, turn: _Turn) -> Result:
        """Take steps with the call until it has ended or must wait."""
        while True:
            result = self._changed(call_id, turn.call, functools.partial(self._step, turn))
            turn = _Turn(None, turn.lease_until)
            if result.heard or result.again_at is None or result.again_at > self.clock():
                return result

    def _changed(self, call_id: str, about: Call | None, act: Callable[[Known], Result]) -> Result:
        """Act on the call as the ledger has it; anew, if another changed it meanwhile."""
        number, account = (about.phone_number, about.account) if about else ("", "")
        for _ in range(_TRIES):
            try:
                return act(self.book.known(call_id, number, account, self._now()))
            except ConflictError:
                continue
        message = f"call {call_id} is changed by too many at once"
        raise UnavailableError(message)

    def _step(self, turn: _Turn, known: Known) -> Result:
        """What the call was told, or else what the clock makes of it."""
        item = known.item
        if (item is None and turn.call is None) or (item and item.status == "forgotten"):
            return _forgotten()
        if item:
            logger.set_correlation_id(item.call.correlation_id)
            if turn.heard and item.busy and item.owner == turn.heard.owner:
                return self._record(item, turn.heard.answer)
        now = self.clock()
        following = self._asked(item, turn.call, now) if turn.call else item
        if following is None:
            if item is None or item.due_at is None or item.due_at > now:
                return _duplicate(item)
            following = item
        if following == item or not following.busy or following.is_over:
            step = {"decide": self._decide, "look": self._look, "settle": self._settle}
            if taken := step.get(lifecycle.due(following, now)):
                return taken(following, known, turn)
        if following != item:
            return self._kept(following, item)
        # Whoever put it off has seen to its wake; but one that came a little early comes again.
        early = _again_at(following) if (following.due_at or 0) - now < _EARLY else None
        return Result(following.status, "not due yet", following.execution_id, early)

    def _settle(self, item: Item, known: Known, turn: _Turn) -> Result:  # noqa: ARG002 - as other steps
        """How the call ended is known: it has ended, or is made again."""
        after = endings.settled(item, self._policy(item), self.clock())
        return self._kept(after, known.item)

    def _asked(self, item: Item | None, call: Call, now: float) -> Item | None:
        route = self.routes.named(call.route)
        return lifecycle.asked(item, call, route.policy if route else None, now)

    def _decide(self, item: Item, known: Known, turn: _Turn) -> Result:
        """Ask the policy; and ring, if a slot of the plan and a claim are to be had."""
        call, now = item.call, self._now()
        if (known.number, known.account) != (call.phone_number, call.account):
            over = known.item
            known = self.book.known(call.call_id, call.phone_number, call.account, now)
            if known.item != over:
                raise ConflictError
        history, over = known.history, known.item
        if call.occurred_at.timestamp() <= history.forgotten_at:
            self.book.spend(call.call_id, now)
            return _said(replace(item, status="forgotten", reason="erased since it was asked for"))
        history = replace(history, rung=lifecycle.rung_before(item, history.rung))
        decision = decide(call, self.routes, history, now)
        limit = self.routes.max_calls_per_day
        if limit is not None and history.today >= limit:
            count("DailyBudgetReached")
        match decision:
            case Suppress(reason):
                return self._kept(lifecycle.suppressed(item, reason), over)
            case Defer(_, reason):
                until = self._spread(call, history, decision).timestamp()
                return self._kept(lifecycle.put_off(item, "deferred", reason, until), over)
            case Ring(reason):
                return self._ring(item, reason, known, turn)

    def _spread(self, call: Call, history: History, decision: Defer) -> datetime:
        """A moment soon after the one that the call is put off to, at which it may ring as well."""
        until = decision.until
        if until == call.ring_at:
            return until
        later = datetime.fromtimestamp(until.timestamp() + self.jitter() * _SPREAD, UTC)
        same = decide(call, self.routes, replace(history, today=0), later)
        return until if isinstance(same, Defer | Suppress) else later

    def _ring(self, item: Item, reason: str, known: Known, turn: _Turn) -> Result:
        """Claim the call, ask for it once, and write down what came of it."""
        call, over = item.call, known.item
        if stop := stopped(known.stops, call):
            until = self.clock() + backoff(min(item.waits, 6) + 3, self.jitter())
            return self._kept(lifecycle.put_off(item, "queued", stop, until), over)
        try:
            token = self._accounts.token(call.account, known.hold)
        except UnavailableError as error:
            if not self.wakes:
                raise
            until = self.clock() + backoff(item.waits + 1, self.jitter())
            return self._kept(lifecycle.put_off(item, "queued", str(error), until), over)
        until, hold = self._accounts.admit(call.account, known.hold, token)
        if hold and until:
            why = waits(call.account, hold.reason)
            return self._kept(lifecycle.put_off(item, "queued", why, until), over)
        again = item.status == "queued" and item.waits > 0
        waited = self.pace.take(call.account, by=turn.lease_until - self.patience, again=again)
        if waited is None:
            until = self.clock() + lifecycle.turn(item.waits, self.jitter())
            why = "more calls are due than the plan allows: newer ones go first"
            return self._kept(lifecycle.put_off(item, "queued", why, until), over)
        if waited > _FRESH:
            # What was read before the wait is old; the slot is still there.
            raise ConflictError
        owner = self.names()
        claim = lifecycle.claimed(item, reason, owner, turn.lease_until + 1, self._now())
        claimed = self._claimed(claim, known)
        if isinstance(claimed, Result):
            return claimed
        return self._ask(claimed, token, hold)

    def _claimed(self, claim: Item, known: Known) -> Item | Result:
        """The item, once its claim is ours; however its answer was lost. It was not asked yet."""
        try:
            return self.book.claim(
                claim,
                over=known.item,
                history=known.history,
                counts=self._counts(),
                a_day=self.routes.max_calls_per_day,
                now=self._now(),
            )
        except UnstorableError as error:
            return self._unmapped(claim, known.item, str(error))
        except (ConflictError, UnavailableError) as error:
            try:
                item = self.book.read(claim.call.call_id)
            except UnavailableError as unknown:
                heard = Heard(claim.owner, NotAsked(str(unknown)))
                return Result("queued", str(unknown), again_at=self.clock(), heard=heard)
            if item and item.owner == claim.owner:
                return item
            raise error from None

    def _ask(self, claimed: Item, token: str, hold: Hold | None) -> Result:
        call, asked_at = claimed.call, self._now()
        age = max(0.0, (asked_at - call.occurred_at).total_seconds())
        metrics.add_metric(name="CallAge", unit="Seconds", value=age)
        self.pace.use(call.account)
        answer = self.api.call(call, token, claimed.ringing)
        now = self._now()
        milliseconds = round((now - asked_at).total_seconds() * 1000)
        metrics.add_metric(name="ApiLatency", unit="Milliseconds", value=milliseconds)
        if isinstance(answer, AccountRefused):
            answer = self._accounts.refused(answer, call.account, token, hold)
        elif hold and not isinstance(answer, NotAsked):
            # Whatever else the API says of this call, it does not refuse the account any more.
            self._accounts.let_go(call.account)
        attempt = {
            "n": claimed.requests,
            "at": asked_at.isoformat(),
            "milliseconds": milliseconds,
            "answer": type(answer).__name__,
        }
        if self.breaker and isinstance(answer, Initiated | Refused | Unheard):
            failed = not isinstance(answer, Initiated)
            self.breaker.saw(call.account, call.route, failed=failed, now=now.timestamp())
        return self._record(claimed, answer, attempt)

    def _record(
        self, claimed: Item, answer: Answer, attempt: dict[str, Any] | None = None
    ) -> Result:
        """Write what came of a request, with what the call was told meanwhile.

        Also if its lease was taken for lost: it is the truth. Where the ledger does not answer, the
        result says so, for whoever takes the call up again.
        """
        item: Item | None = claimed
        heard = Heard(claimed.owner, answer)
        not_rung = isinstance(answer, Refused | Later | AccountRefused | NotAsked)
        back = self._counts() if not_rung and not getattr(answer, "execution_id", "") else ()
        for _ in range(_TRIES):
            if item is None or not item.busy or item.owner != claimed.owner:
                # Erased, settled by the list, or written already by a write whose answer was lost.
                return _as_it_is(item)
            after = lifecycle.heard(item, answer, self._policy(item), self.clock(), self.jitter())
            if after.awaits_outcome and not self.wakes:
                after = replace(after, due_at=None, next=None)
            row = {**attempt, "reason": after.reason} if attempt else None
            try:
                self.book.write(after, over=item, now=self._now(), attempt=row, give_back=back)
                return _said(after, attempt=attempt)
            except ConflictError:
                try:
                    item = self.book.read(claimed.call.call_id)
                except UnavailableError as error:
                    return Result("calling", str(error), again_at=self.clock(), heard=heard)
            except UnavailableError as error:
                return Result("calling", str(error), again_at=self.clock(), heard=heard)
        return Result("calling", "changed by too many", again_at=self.clock(), heard=heard)

    def _look(self, item: Item, known: Known, turn: _Turn) -> Result:
        """Ask the list of executions whether an unheard request rang."""
        call = item.call
        over, asked_at = item, item.asked_at or self._now()
        if stop := stopped(known.stops, call):
            until = self.clock() + backoff(6, self.jitter())
            waits = replace(item, status="uncertain", reason=stop, due_at=until)
            return self._kept(waits, over)
        try:
            token = self._accounts.token(call.account, None)
        except UnavailableError as error:
            found: Found = Unreadable(str(error))
        else:
            if self.pace.take(call.account, by=turn.lease_until - self.patience) is None:
                until = self.clock() + lifecycle.turn(item.waits, self.jitter())
                waits = replace(item, status="uncertain", due_at=until, waits=item.waits + 1)
                return self._kept(waits, over)
            self.pace.use(call.account)
            found = self.api.find(call, token, asked_at, item.ringing)
        policy = self._policy(item)
        after = lifecycle.looked(item, found, policy, self.clock(), self.jitter())
        return self._kept(after, over)

    def _kept(self, item: Item, over: Item | None) -> Result:
        """Write how the call stands from now on, and say so."""
        try:
            self.book.write(item, over=over, now=self._now())
        except UnstorableError as error:
            return self._unmapped(item, over, str(error))
        if over and (item.status, item.reason) == (over.status, over.reason):
            logger.info("call.told", call_id=item.call.call_id, status=item.status)
            again_at = None if item.due_at == over.due_at else _again_at(item)
            return Result(item.status, item.reason, item.execution_id, again_at)
        return _said(item)

    def _unmapped(self, item: Item, over: Item | None, reason: str) -> Result:
        """What the ledger cannot hold can never be made: that is told, without it."""
        call = msgspec.structs.replace(item.call, metadata={}, payload="")
        told = replace(
            item, call=call, status="unmapped", reason=reason, due_at=None, owner="", next=None
        )
        self.book.write(told, over=over, now=self._now())
        return _said(told)

    def _counts(self) -> set[Count]:
        """For what calls are counted: their number, as gaps, caps and the law of its place want."""
        counts: set[Count] = {"number"}
        if self.routes.max_calls_per_day is not None:
            counts.add("day")
        return counts

    @property
    def _accounts(self) -> Accounts:
        return Accounts(self.book, self.tokens, self.clock, self.jitter)

    def _policy(self, item: Item) -> Policy | None:
        route = self.routes.named(item.call.route)
        return route.policy if route else None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


def _forgotten() -> Result:
    return Result("forgotten", "the call was forgotten")


def _as_it_is(item: Item | None) -> Result:
    if item is None:
        return _forgotten()
    return Result(item.status, item.reason, item.execution_id, _again_at(item))


def _again_at(item: Item) -> float | None:
    """When it must be taken up again; how a call that rang ended is asked for without that."""
    return None if item.awaits_outcome else item.due_at


def _duplicate(item: Item | None) -> Result:
    count("CallDuplicate")
    if item is None:
        return _forgotten()
    logger.info("call.duplicate", call_id=item.call.call_id, status=item.status)
    return Result(item.status, "this call was asked for before", item.execution_id)


def _said(item: Item, attempt: dict[str, Any] | None = None) -> Result:
    told = {"attempt": attempt["n"], "milliseconds": attempt["milliseconds"]} if attempt else {}
    said(item, **told)
    return Result(item.status, item.reason, item.execution_id, _again_at(item))
