"""What is told of calls and numbers: cancels, opt-outs, consents, erasures, requests for data.

It rings nobody and asks no API, so it never waits behind what does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from ringhook.calls import lifecycle, messages
from ringhook.calls.consents import Consent
from ringhook.calls.messages import Cancel, Ended, Export, Forget, Suppress
from ringhook.errors import ConflictError, UnavailableError
from ringhook.reading import phone
from ringhook.reading.text import without_quotes
from ringhook.ringing.hearing import Hearing
from ringhook.telemetry import count, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringhook.calls.call import Status
    from ringhook.calls.item import Item
    from ringhook.calls.messages import Wish
    from ringhook.ringing.book import Book

# What was done for a wish.
Done = Literal["recorded", "forgotten"]
# How often a change may be lost to another before it is given up for now.
_TRIES = 10
_METRIC = {
    "initiated": "CallInitiated",
    "ended": "CallEnded",
    "refused": "CallRefused",
    "queued": "CallRefusedForNow",
    "uncertain": "CallUncertain",
    "suppressed": "CallSuppressed",
    "deferred": "CallDeferred",
    "cancelled": "CallCancelled",
    "unmapped": "EventUnmapped",
    "forgotten": "CallForgotten",
}


@dataclass(frozen=True, slots=True)
class Telling:
    """Keeps what is told; `clock` gives epoch seconds, `wake` has a call taken up again."""

    book: Book
    clock: Callable[[], float]
    wake: Callable[[str], None] | None = None

    def take(self, change: Cancel | Ended | Wish) -> tuple[Status | Done, str]:
        """Make it; how the call stands then, if it is about one, or what was done, and why.

        Raises UnavailableError if the ledger does not take it.
        """
        now = datetime.fromtimestamp(self.clock(), UTC)
        if isinstance(change, Cancel):
            return self._cancel(change, now)
        if isinstance(change, Ended):
            heard = Hearing(self.book, self.clock, self.wake).take(change)
            if heard and heard.status == "ended":
                said(heard)
            return "recorded", "how the call ended is kept" if heard else "it is of no call of ours"
        done = self._grant(change, now)
        logger.info(
            "number.changed",
            kind=messages.kind(change),
            source=change.source,
            topic=change.topic,
            phone_number=phone.masked(change.phone_number),
        )
        return done

    def _grant(self, wish: Wish, now: datetime) -> tuple[Done, str]:
        match wish:
            case Suppress():
                reason = f"{wish.source} {wish.topic} ({wish.event_id})"
                self.book.suppress_number(wish.phone_number, reason, now)
                count("NumberSuppressed")
                return "recorded", "the number is on the do-not-call list"
            case messages.Consent():
                consent = Consent(
                    wish.granted,
                    wish.evidence,
                    given_at=wish.occurred_at,
                    expires_at=wish.until,
                    text=wish.text,
                )
                self.book.record_consent(wish.phone_number, wish.purpose, consent, now)
                return "recorded", "what was said of consent is kept"
            case Forget(phone_number=number):
                count("PrivacyRequest")
                if not number:
                    return "recorded", "no number is named, so an operator is alarmed"
                self.book.forget(number, now)
                return "forgotten", "what was known of the number is deleted"
            case Export():
                self.book.export(wish, now)
                count("PrivacyRequest")
                return "recorded", "what is known of the number is kept for the operator"

    def _cancel(self, cancel: Cancel, now: datetime) -> tuple[Status, str]:
        """End a call that waits, or that is yet to be asked for; one that rings is too late."""
        for _ in range(_TRIES):
            item = self.book.read(cancel.call_id)
            if item and item.status == "forgotten":
                return "forgotten", "the call was forgotten"
            ended = lifecycle.ended_by(item, cancel)
            if ended is None:
                status: Status = item.status if item else "cancelled"
                return status, "what is wanted is newer, or was cancelled before"
            try:
                self.book.write(ended, over=item, now=now)
            except ConflictError:
                continue
            if ended.status == "cancelled":
                said(ended)
            else:
                logger.info("call.told", call_id=cancel.call_id, status=ended.status)
            return ended.status, ended.reason
        message = f"call {cancel.call_id} is changed by too many at once"
        raise UnavailableError(message)


def said(item: Item, **more: Any) -> None:
    """One wide line and one count for each thing that became of a call."""
    call = item.call
    reason = without_quotes(item.reason) if item.status == "unmapped" else item.reason
    if call.phone_number:
        # The API may repeat the number in what it says.
        reason = reason.replace(call.phone_number, phone.masked(call.phone_number))
    count(_METRIC[item.status])
    outcome = item.outcome
    if outcome:
        more |= {"outcome": outcome.outcome, "learnt_from": outcome.learnt_from}
    logger.info(
        f"call.{item.status}",
        call_id=call.call_id,
        source=call.source,
        route=call.route,
        topic=call.topic,
        phone_number=phone.masked(call.phone_number),
        agent_id=call.agent_id,
        reason=reason,
        execution_id=item.execution_id,
        again_at=None if item.awaits_outcome else item.due_at,
        **more,
    )
