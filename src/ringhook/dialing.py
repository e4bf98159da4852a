"""Dial one call: read how it stands, decide, claim it, ask the API once, record what came of it.

The same code serves the queue (`dialer`) and the `direct` delivery (`receiver`). It does no waiting
itself: where a call must be taken up again, the result says when.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ringhook import phone
from ringhook.consents import Consent
from ringhook.errors import ConflictError, UnavailableError
from ringhook.ledger import Change, Entry
from ringhook.policy import Defer, History, Suppress, decide
from ringhook.queue import LONGEST_DELAY, backoff
from ringhook.telemetry import count, logger, metrics
from ringhook.text import without_quotes
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
    from collections.abc import Callable

    from ringhook.calls import Call, Status
    from ringhook.routes import Routes
    from ringhook.secret_store import SecretStore

# The list of executions may lag behind: it is looked at so long after the last look, in turn,
# before a call is left `uncertain`, or rung again where the route says so.
_LOOKS = (0.0, 10.0, 30.0)
# What was put off to the opening of calling hours is spread over so many seconds, so that 09:00 is
# no stampede.
_SPREAD = 600.0
# How often a change may be lost to another before the message goes back to the queue.
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a call; `again_at` (epoch seconds) is when it must be taken up again."""

    status: Status
    reason: str
    execution_id: str = ""
    again_at: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What to do about a call: `take` it, `look` whether it rang, `wait` until `at`, it `ended`."""

    do: Literal["take", "look", "wait", "ended"]
    call: Call
    at: float = 0.0


def next_step(entry: Entry | None, call: Call, *, fresh: bool, restart: bool, now: float) -> Step:
    """What to do about a call, given how the ledger has it.

    `fresh`: an event asks for it, rather than the clock. `restart`: a newer event of a waiting call
    starts its wait anew, with what that event says.
    """
    if entry is None:
        return Step("take", call)
    match entry.status:
        case "calling":
            # A lease that has run out is of a process that died between asking and hearing.
            busy = entry.lease_until > now
            return (
                Step("wait", entry.call, entry.lease_until + 1)
                if busy
                else Step("look", entry.call)
            )
        case "uncertain" if not entry.settled:
            wait = entry.due_at > now
            return Step("wait", entry.call, entry.due_at) if wait else Step("look", entry.call)
        case "unmapped" if fresh:
            return Step("take", call)
        case "deferred" if fresh and restart and call.occurred_at > entry.call.occurred_at:
            return Step("take", call)
        case "queued" | "deferred":
            wait = entry.due_at > now
            return Step("wait", entry.call, entry.due_at) if wait else Step("take", entry.call)
        case _:
            return Step("ended", entry.call)


class Book(Protocol):
    """What dialling needs of the ledger; `Ledger` says what each promises."""

    def read(self, call_id: str) -> Entry | None:
        """The call as it stands."""

    def write(self, call: Call, change: Change, *, over: Entry | None, now: datetime) -> Entry:
        """Change the call, unless another did meanwhile."""
        ...

    def history(self, number: str, now: datetime) -> History:
        """What is known of a number."""
        ...

    def reserve(self, call: Call, history: History, now: datetime, a_day: int | None) -> None:
        """Count a call that is about to be made."""

    def release(self, call: Call, reserved_at: datetime) -> None:
        """Take the count back."""

    def suppress_number(self, number: str, reason: str, now: datetime) -> None:
        """Never ring this number again."""

    def record_consent(self, number: str, purpose: str, consent: Consent, now: datetime) -> None:
        """Remember what was said."""

    def export(self, call: Call, now: datetime) -> None:
        """Keep what is known of the call's number, to be handed out."""

    def forget(self, number: str, now: datetime) -> list[str]:
        """Delete a person's calls; their ids are spent."""
        ...

    def spend(self, call_id: str, now: datetime) -> None:
        """Delete a call and spend its id."""


class NoLedger:
    """The book of a `direct` delivery without a table: it knows but the call in hand."""

    def __init__(self) -> None:
        """Nothing is in hand."""
        self._entry: Entry | None = None

    def read(self, call_id: str) -> Entry | None:
        """The call in hand, so that it is not made twice; of any other it never heard."""
        entry = self._entry
        return entry if entry and entry.call.call_id == call_id else None

    def write(self, call: Call, change: Change, *, over: Entry | None, now: datetime) -> Entry:  # noqa: ARG002 - as Book
        """Keep it in hand; the log has it."""
        self._entry = Entry(
            call,
            change.status,
            over.version + 1 if over else 1,
            due_at=change.due_at or 0.0,
            lease_until=change.lease_until or 0.0,
            asked_at=change.asked_at,
            attempts=change.attempts,
            looks=change.looks,
            settled=change.status != "calling" and change.due_at is None,
        )
        return self._entry

    def history(self, number: str, now: datetime) -> History:  # noqa: ARG002 - as Book
        """Nothing is known."""
        return History()

    def reserve(self, call: Call, history: History, now: datetime, a_day: int | None) -> None:
        """Count nothing."""

    def release(self, call: Call, reserved_at: datetime) -> None:
        """Nothing was counted."""

    def suppress_number(self, number: str, reason: str, now: datetime) -> None:  # noqa: ARG002 - as Book
        """Refuse: to forget that somebody may not be rung would be worse than an error."""
        message = "this deployment has no ledger to keep a do-not-call list in"
        raise UnavailableError(message)

    def record_consent(
        self,
        number: str,  # noqa: ARG002 - as Book
        purpose: str,  # noqa: ARG002
        consent: Consent,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> None:
        """Refuse, for the same reason."""
        message = "this deployment has no ledger to keep consents in"
        raise UnavailableError(message)

    def export(self, call: Call, now: datetime) -> None:
        """Nothing was kept."""

    def forget(self, number: str, now: datetime) -> list[str]:  # noqa: ARG002 - as Book
        """Nothing was kept."""
        return []

    def spend(self, call_id: str, now: datetime) -> None:
        """Nothing was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialing:
    """Everything that dialling a call needs; `clock` gives epoch seconds, `jitter` 0 to 1."""

    api: UnleashX
    book: Book
    routes: Routes
    tokens: SecretStore
    clock: Callable[[], float]
    jitter: Callable[[], float] = random.random

    def take(self, call: Call, *, lease_until: float) -> Result:
        """Do what is asked: bring a call as far as it gets now, or keep what is to be known.

        Raises UnavailableError if ledger or token cannot be read: then the API was asked nothing.
        """
        now = self._now()
        match call.kind:
            case "call" if call.unmapped:
                return self._unmapped(call)
            case "call":
                return self._advance(call, fresh=True, lease_until=lease_until)
            case "cancel":
                return self._cancel(call)
            case "suppress":
                reason = f"{call.source} {call.topic} ({call.event_id})"
                self.book.suppress_number(call.phone_number, reason, now)
                count("NumberSuppressed")
            case "consent":
                consent = Consent(
                    call.consent,
                    call.consent_evidence,
                    given_at=call.occurred_at,
                    expires_at=call.consent_until,
                    text=call.consent_text,
                )
                self.book.record_consent(call.phone_number, call.purpose, consent, now)
            case "forget":
                if call.phone_number:
                    self.book.forget(call.phone_number, now)
                count("PrivacyRequest")
            case "export":
                self.book.export(call, now)
                count("PrivacyRequest")
        logger.info(
            "number.changed",
            kind=call.kind,
            source=call.source,
            topic=call.topic,
            phone_number=phone.masked(call.phone_number),
        )
        return Result("suppressed", f"{call.kind}: done")

    def wake(self, call_id: str, *, lease_until: float) -> Result:
        """Take a call up again; one that was forgotten meanwhile has ended."""
        entry = self.book.read(call_id)
        if entry is None or entry.status == "forgotten":
            return Result("forgotten", "the call was forgotten")
        logger.set_correlation_id(entry.call.correlation_id)
        return self._advance(entry.call, fresh=False, lease_until=lease_until)

    def _advance(self, call: Call, *, fresh: bool, lease_until: float) -> Result:
        """Take steps with the call until it has ended or must wait."""
        # The token first: what cannot be asked is not to be claimed.
        token = self._token(call)
        route = self.routes.named(call.route)
        # An appointment that is moved moves its call.
        restart = route is not None and (route.policy.restart or route.policy.at is not None)

        def act(entry: Entry | None) -> Result:
            step = next_step(entry, call, fresh=fresh, restart=restart, now=self.clock())
            match step.do:
                case "wait" if entry:
                    return Result(entry.status, "not due yet", again_at=step.at)
                case "ended" if entry:
                    return self._ended(entry)
                case "look" if entry:
                    return self._look(entry, token)
                case _:
                    return self._decide(step.call, entry, token, lease_until)

        while True:
            result = self._changed(call.call_id, act)
            if result.again_at is None or result.again_at > self.clock():
                return result

    def _changed(self, call_id: str, act: Callable[[Entry | None], Result]) -> Result:
        """Act on the call as the ledger has it; anew, if another changed it meanwhile."""
        for _ in range(_TRIES):
            try:
                return act(self.book.read(call_id))
            except ConflictError:
                continue
        message = f"call {call_id} is changed by too many at once"
        raise UnavailableError(message)

    def _ended(self, entry: Entry) -> Result:
        count("CallDuplicate")
        logger.info("call.duplicate", call_id=entry.call.call_id, status=entry.status)
        return Result(entry.status, "this call was asked for before")

    def _unmapped(self, call: Call) -> Result:
        def act(entry: Entry | None) -> Result:
            if entry and entry.status != "unmapped":
                return self._ended(entry)
            change = Change(status="unmapped", reason=call.unmapped)
            self.book.write(call, change, over=entry, now=self._now())
            return _told(call, Result("unmapped", call.unmapped))

        return self._changed(call.call_id, act)

    def _cancel(self, call: Call) -> Result:
        """End a call that waits, or that is yet to be asked for; one that rings is too late."""

        def act(entry: Entry | None) -> Result:
            if entry and entry.status not in ("queued", "deferred", "unmapped"):
                reason = f"too late to cancel: the call is {entry.status}"
                logger.info("call.not_cancelled", call_id=call.call_id, reason=reason)
                return Result(entry.status, reason)
            reason = f"cancelled by {call.topic}"
            origin = entry.call if entry else call.model_copy(update={"kind": "call"})
            change = Change(status="cancelled", reason=reason)
            self.book.write(origin, change, over=entry, now=self._now())
            return _told(origin, Result("cancelled", reason))

        return self._changed(call.call_id, act)

    def _decide(self, call: Call, entry: Entry | None, token: str, lease_until: float) -> Result:
        now = self._now()
        attempts = entry.attempts if entry else 0
        history = self.book.history(call.phone_number, now)
        if call.occurred_at.timestamp() <= history.forgotten_at:
            self.book.spend(call.call_id, now)
            return _told(call, Result("forgotten", "the person was erased since it was asked for"))
        decision = decide(call, self.routes, history, now)
        if isinstance(decision, Suppress):
            change = Change(status="suppressed", reason=decision.reason, attempts=attempts)
            self.book.write(call, change, over=entry, now=now)
            return _told(call, Result("suppressed", decision.reason))
        limit = self.routes.max_calls_per_day
        if limit is not None and history.today >= limit:
            count("DailyBudgetReached")
        if isinstance(decision, Defer):
            due_at = self._spread(call, history, decision).timestamp()
            change = Change(
                status="deferred", reason=decision.reason, due_at=due_at, attempts=attempts
            )
            self.book.write(call, change, over=entry, now=now)
            return _told(call, Result("deferred", decision.reason, again_at=due_at))
        change = Change(
            status="calling",
            reason=decision.reason,
            lease_until=lease_until,
            asked_at=now,
            attempts=attempts + 1,
        )
        claimed = self.book.write(call, change, over=entry, now=now)
        try:
            self.book.reserve(call, history, now, limit)
        except ConflictError:
            # Another call to the number was counted after this one was decided: decide again.
            change = Change(
                status="queued",
                reason="another call to the number was counted meanwhile",
                due_at=now.timestamp(),
                attempts=attempts,
            )
            self.book.write(call, change, over=claimed, now=now)
            raise
        return self._ring(call, claimed, token)

    def _spread(self, call: Call, history: History, decision: Defer) -> datetime:
        """A moment soon after the one that the call is put off to, at which it may ring as well."""
        until = decision.until
        if until == call.ring_at:
            return until
        later = datetime.fromtimestamp(until.timestamp() + self.jitter() * _SPREAD, UTC)
        same = decide(call, self.routes, replace(history, today=0), later)
        return until if isinstance(same, Defer | Suppress) else later

    def _ring(self, call: Call, claimed: Entry, token: str) -> Result:
        asked_at = self._now()
        age = max(0.0, (asked_at - call.occurred_at).total_seconds())
        metrics.add_metric(name="CallAge", unit="Seconds", value=age)
        answer = self._ask(call, token)
        now = self._now()
        milliseconds = round((now - asked_at).total_seconds() * 1000)
        metrics.add_metric(name="ApiLatency", unit="Milliseconds", value=milliseconds)
        result = self._judge(answer, claimed.attempts, now)
        change = Change(
            status=result.status,
            reason=result.reason,
            due_at=result.again_at,
            asked_at=asked_at,
            attempts=claimed.attempts,
            execution_id=result.execution_id,
            attempt={
                "n": claimed.attempts,
                "at": asked_at.isoformat(),
                "milliseconds": milliseconds,
                "answer": type(answer).__name__,
                "reason": result.reason,
            },
        )
        self._record(call, change, claimed, now)
        if isinstance(answer, Refused | RefusedForNow | TokenRejected):
            self.book.release(call, asked_at)
        return _told(call, result, attempt=claimed.attempts, milliseconds=milliseconds)

    def _record(self, call: Call, change: Change, claimed: Entry, now: datetime) -> None:
        """Write what was heard, even if the lease was taken for lost meanwhile: it is the truth."""
        try:
            self.book.write(call, change, over=claimed, now=now)
        except ConflictError:

            def act(entry: Entry | None) -> Result:
                if entry and entry.status in ("calling", "uncertain"):
                    self.book.write(call, change, over=entry, now=now)
                return Result(change.status, change.reason)

            self._changed(call.call_id, act)

    def _ask(self, call: Call, token: str) -> Answer:
        answer = self.api.call(call, token)
        if isinstance(answer, TokenRejected):
            # It may have been changed since it was read. Asking again with the same one is idle.
            newer = self._token(call, fresh=True)
            if newer != token:
                return self.api.call(call, newer)
        return answer

    def _judge(self, answer: Answer, attempt: int, now: datetime) -> Result:
        """What an answer makes of the call."""
        at = now.timestamp()
        match answer:
            case Initiated(execution_id):
                return Result("initiated", "the API started the call", execution_id)
            case Refused(reason):
                return Result("refused", reason)
            case RefusedForNow(reason, retry_after):
                again = at + max(retry_after, self._wait(attempt))
                return Result("queued", reason, again_at=again)
            case TokenRejected(reason):
                count("TokenRejected")
                reason = f"the token is not accepted: {reason}"
                return Result("queued", reason, again_at=at + self._wait(attempt))
            case Unheard(reason):
                return Result("uncertain", reason, again_at=at + _LOOKS[0])

    def _look(self, entry: Entry, token: str) -> Result:
        """Ask the list of executions whether an unheard request rang."""
        call, now = entry.call, self._now()
        asked_at = entry.asked_at or now
        still = Change(
            status="uncertain",
            reason="",
            asked_at=asked_at,
            attempts=entry.attempts,
            looks=entry.looks,
        )
        try:
            found = self.api.find(call, token, asked_at)
        except UnavailableError as error:
            gone_by = decide(call, self.routes, History(), now)
            if isinstance(gone_by, Suppress):
                return self._leave(entry, f"{error}, and by now: {gone_by.reason}")
            # The longer it has lasted, the longer it may last.
            wait = min(LONGEST_DELAY, max(_LOOKS[1], (now - asked_at).total_seconds()))
            again = now.timestamp() + wait / 2 * (1 + self.jitter())
            change = replace(still, reason=str(error), due_at=again)
            self.book.write(call, change, over=entry, now=now)
            return Result("uncertain", str(error), again_at=again)
        if isinstance(found, str):
            reason = "no answer was heard, but the list of executions has the call"
            change = replace(still, status="initiated", reason=reason, execution_id=found)
            self.book.write(call, change, over=entry, now=now)
            return _told(call, Result("initiated", reason, found))
        looks = entry.looks + 1
        if looks < len(_LOOKS):
            again = now.timestamp() + _LOOKS[looks]
            reason = f"the list of executions does not have the call (look {looks})"
            change = replace(still, reason=reason, due_at=again, looks=looks)
            self.book.write(call, change, over=entry, now=now)
            return Result("uncertain", reason, again_at=again)
        if isinstance(found, Unclear):
            return self._leave(entry, found.reason)
        route = self.routes.named(call.route)
        if route is None or route.policy.on_uncertain == "leave":
            return self._leave(entry, "no answer was heard and the list of executions has no call")
        reason = "the list of executions has no call: on_uncertain says redial"
        change = replace(still, status="queued", reason=reason, due_at=now.timestamp(), looks=0)
        self.book.write(call, change, over=entry, now=now)
        return Result("queued", reason, again_at=now.timestamp())

    def _leave(self, entry: Entry, reason: str) -> Result:
        change = Change(status="uncertain", reason=reason, attempts=entry.attempts)
        self.book.write(entry.call, change, over=entry, now=self._now())
        return _told(entry.call, Result("uncertain", reason))

    def _token(self, call: Call, *, fresh: bool = False) -> str:
        token = self.tokens.get(fresh=fresh).get(call.account)
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token.strip()):
            message = f"the token secret has no usable token for account {call.account!r}"
            raise UnavailableError(message)
        return token.strip()

    def _wait(self, attempt: int) -> float:
        return backoff(attempt, self.jitter())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


_METRIC = {
    "initiated": "CallInitiated",
    "refused": "CallRefused",
    "queued": "CallRefusedForNow",
    "uncertain": "CallUncertain",
    "suppressed": "CallSuppressed",
    "deferred": "CallDeferred",
    "cancelled": "CallCancelled",
    "unmapped": "EventUnmapped",
    "forgotten": "CallForgotten",
}


def _told(call: Call, result: Result, **more: Any) -> Result:
    """One wide line and one count for each thing that became of a call."""
    reason = without_quotes(result.reason) if call.unmapped else result.reason
    if call.phone_number:
        # The API may repeat the number in what it says.
        reason = reason.replace(call.phone_number, phone.masked(call.phone_number))
    count(_METRIC[result.status])
    logger.info(
        f"call.{result.status}",
        call_id=call.call_id,
        source=call.source,
        route=call.route,
        topic=call.topic,
        phone_number=phone.masked(call.phone_number),
        agent_id=call.agent_id,
        reason=reason,
        execution_id=result.execution_id,
        again_at=result.again_at,
        **more,
    )
    return result
