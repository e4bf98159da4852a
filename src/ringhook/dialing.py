"""Dial one call: claim it, decide, ask the API once, and record what came of it.

The same code serves the queue (`dialer`) and the `direct` delivery (`receiver`). It does no waiting
itself: where a call must come back later, the result says when.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from ringhook import phone
from ringhook.errors import UnavailableError
from ringhook.ledger import Busy, Claim, Claimed, Settled, Uncertain
from ringhook.policy import Suppress, decide
from ringhook.telemetry import count, logger, metrics
from ringhook.unleashx import (
    Answer,
    Initiated,
    Refused,
    RefusedForNow,
    TokenRejected,
    Unclear,
    Unheard,
    UnleashX,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringhook.calls import Call, Status
    from ringhook.routes import Routes
    from ringhook.secret_store import SecretStore

# Waits after temporary refusals double from the first to the longest (seconds).
_FIRST_WAIT = 5.0
_LONGEST_WAIT = 900.0
# The list of executions may lag behind: it is looked at this long after the last look, in turn,
# before a call is left `uncertain`, or rung again where the route says so.
_LOOKS = (0.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a call; `again_at` (epoch seconds) is when it must be taken up again."""

    status: Status
    reason: str
    execution_id: str = ""
    again_at: float | None = None


class Book(Protocol):
    """What dialling needs of the ledger; `Ledger` says what each promises."""

    def claim(self, call: Call, *, now: datetime, lease_until: float) -> Claim:
        """Take the call for dialling, or say why not."""
        ...

    def record_unmapped(self, call: Call, now: datetime) -> None:
        """Keep a call that cannot be made."""
        ...

    def record(
        self,
        call: Call,
        status: Status,
        reason: str,
        *,
        now: datetime,
        attempt: Mapping[str, Any] | None = None,
        execution_id: str = "",
        look_at: float | None = None,
        looks: int = 0,
    ) -> None:
        """Say how the call stands now."""
        ...


class NoLedger:
    """The book of a `direct` delivery without a table: it remembers nothing."""

    def claim(self, call: Call, *, now: datetime, lease_until: float) -> Claim:  # noqa: ARG002 - as Book
        """Let every call through."""
        return Claimed(1)

    def record_unmapped(self, call: Call, now: datetime) -> None:
        """Forget it; the log has it."""

    def record(self, *_: Any, **__: Any) -> None:
        """Forget it; the log has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialing:
    """Everything that dialling a call needs; `clock` gives epoch seconds."""

    api: UnleashX
    book: Book
    routes: Routes
    tokens: SecretStore
    clock: Callable[[], float]
    jitter: Callable[[], float] = random.random

    def dial(self, call: Call, *, lease_until: float) -> Result:
        """Bring the call as far as it gets now.

        Raises UnavailableError if ledger or token cannot be read: then nothing was asked.
        """
        now = self._now()
        if call.unmapped:
            self.book.record_unmapped(call, now)
            return _told(call, Result("unmapped", call.unmapped))
        # The token first: a claim that could not be followed by a request would look like one that
        # was cut off.
        token = self._token(call)
        match self.book.claim(call, now=now, lease_until=lease_until):
            case Settled(status):
                count("CallDuplicate")
                logger.info("call.duplicate", call_id=call.call_id, status=status)
                return Result(status, "this call was asked for before")
            case Busy(until):
                return Result("calling", "another dialer has it", again_at=until + 1)
            case Uncertain() as uncertain:
                return self._look(call, token, uncertain, lease_until)
            case Claimed(attempt):
                return self._decide(call, token, attempt)

    def _decide(self, call: Call, token: str, attempt: int) -> Result:
        now = self._now()
        decision = decide(call, self.routes, now)
        if isinstance(decision, Suppress):
            self.book.record(call, "suppressed", decision.reason, now=now)
            return _told(call, Result("suppressed", decision.reason))
        metrics.add_metric(
            name="CallAge",
            unit="Seconds",
            value=max(0.0, (now - call.occurred_at).total_seconds()),
        )
        answer = self._ask(call, token)
        heard_at = self._now()
        milliseconds = round((heard_at - now).total_seconds() * 1000)
        metrics.add_metric(name="ApiLatency", unit="Milliseconds", value=milliseconds)
        return self._record(call, answer, attempt, now, milliseconds)

    def _ask(self, call: Call, token: str) -> Answer:
        answer = self.api.call(call, token)
        if isinstance(answer, TokenRejected):
            # It may have been changed since it was read. Asking again with the same one is idle.
            newer = self._token(call, fresh=True)
            if newer != token:
                return self.api.call(call, newer)
        return answer

    def _record(
        self, call: Call, answer: Answer, attempt: int, asked_at: datetime, milliseconds: int
    ) -> Result:
        now = self._now()
        row = {
            "n": attempt,
            "at": asked_at.isoformat(),
            "milliseconds": milliseconds,
            "answer": type(answer).__name__,
        }
        match answer:
            case Initiated(execution_id):
                result = Result("initiated", "the API started the call", execution_id)
            case Refused(reason):
                result = Result("refused", reason)
            case RefusedForNow(reason, retry_after):
                again = now.timestamp() + max(retry_after, self._wait(attempt))
                result = Result("queued", reason, again_at=again)
            case TokenRejected(reason):
                again = now.timestamp() + self._wait(attempt)
                result = Result("queued", f"the token is not accepted: {reason}", again_at=again)
                count("TokenRejected")
            case Unheard(reason):
                look_at = now.timestamp() + _LOOKS[0]
                result = Result("uncertain", reason, again_at=look_at)
        self.book.record(
            call,
            result.status,
            result.reason,
            now=now,
            attempt=row | {"reason": result.reason},
            execution_id=result.execution_id,
            look_at=result.again_at if result.status == "uncertain" else None,
        )
        return _told(call, result, attempt=attempt, milliseconds=milliseconds)

    def _look(self, call: Call, token: str, state: Uncertain, lease_until: float) -> Result:
        """Ask the list of executions whether an unheard request rang."""
        now = self._now()
        if state.look_at > now.timestamp():
            return Result("uncertain", "not looked again yet", again_at=state.look_at)
        try:
            found = self.api.find(call, token, state.asked_at)
        except UnavailableError as error:
            again = now.timestamp() + self._wait(state.looks + 3)
            if isinstance(decided := decide(call, self.routes, now), Suppress):
                return self._leave(call, f"{error}, and by now: {decided.reason}")
            self.book.record(
                call, "uncertain", str(error), now=now, look_at=again, looks=state.looks
            )
            return Result("uncertain", str(error), again_at=again)
        if isinstance(found, str):
            reason = "no answer was heard, but the list of executions has the call"
            self.book.record(call, "initiated", reason, now=now, execution_id=found)
            return _told(call, Result("initiated", reason, found))
        looks = state.looks + 1
        if looks < len(_LOOKS):
            again = now.timestamp() + _LOOKS[looks]
            reason = f"the list of executions does not have the call (look {looks})"
            self.book.record(call, "uncertain", reason, now=now, look_at=again, looks=looks)
            return Result("uncertain", reason, again_at=again)
        if isinstance(found, Unclear):
            return self._leave(call, found.reason)
        route = self.routes.named(call.route)
        if route is None or route.policy.on_uncertain == "leave":
            return self._leave(call, "no answer was heard and the list of executions has no call")
        reason = "the list of executions has no call: on_uncertain says redial"
        self.book.record(call, "queued", reason, now=now)
        return self.dial(call, lease_until=lease_until)

    def _leave(self, call: Call, reason: str) -> Result:
        self.book.record(call, "uncertain", reason, now=self._now())
        return _told(call, Result("uncertain", reason))

    def _token(self, call: Call, *, fresh: bool = False) -> str:
        token = self.tokens.get(fresh=fresh).get(call.account)
        if not isinstance(token, str) or not token:
            message = f"the token secret has no token for account {call.account!r}"
            raise UnavailableError(message)
        return token

    def _wait(self, attempt: int) -> float:
        """Exponential backoff with equal jitter: at least half, so that an outage is let pass."""
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempt - 1, 20))
        return longest / 2 * (1 + self.jitter())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


_METRIC = {
    "initiated": "CallInitiated",
    "refused": "CallRefused",
    "queued": "CallRefusedForNow",
    "uncertain": "CallUncertain",
    "suppressed": "CallSuppressed",
    "unmapped": "EventUnmapped",
}


def _told(call: Call, result: Result, **more: Any) -> Result:
    """One wide line and one count for each thing that became of a call."""
    count(_METRIC[result.status])
    logger.info(
        f"call.{result.status}",
        call_id=call.call_id,
        source=call.source,
        route=call.route,
        topic=call.topic,
        phone_number=phone.masked(call.phone_number),
        agent_id=call.agent_id,
        reason=result.reason,
        execution_id=result.execution_id,
        again_at=result.again_at,
        **more,
    )
    return result
