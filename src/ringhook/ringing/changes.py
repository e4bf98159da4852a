"""What is told of calls and numbers: cancels, opt-outs, consents, erasures, requests for data.

It rings nobody and asks no API, so it never waits behind what does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ringhook.calls import lifecycle
from ringhook.calls.consents import Consent
from ringhook.errors import ConflictError, UnavailableError
from ringhook.reading import phone
from ringhook.reading.text import without_quotes
from ringhook.telemetry import count, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringhook.calls.call import Call, Status
    from ringhook.calls.lifecycle import Item
    from ringhook.ringing.book import Book

# How often a change may be lost to another before it is given up for now.
_TRIES = 10
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


@dataclass(frozen=True, slots=True)
class Telling:
    """Keeps what is told; `clock` gives epoch seconds."""

    book: Book
    clock: Callable[[], float]

    def take(self, word: Call) -> tuple[Status, str]:
        """Keep it; how the call stands then, if it is about one, and why.

        Raises UnavailableError if the ledger does not take it.
        """
        now = datetime.fromtimestamp(self.clock(), UTC)
        match word.kind:
            case "cancel":
                return self._cancel(word, now)
            case "suppress":
                reason = f"{word.source} {word.topic} ({word.event_id})"
                self.book.suppress_number(word.phone_number, reason, now)
                count("NumberSuppressed")
            case "consent":
                consent = Consent(
                    word.consent,
                    word.consent_evidence,
                    given_at=word.occurred_at,
                    expires_at=word.consent_until,
                    text=word.consent_text,
                )
                self.book.record_consent(word.phone_number, word.purpose, consent, now)
            case "forget":
                if word.phone_number:
                    self.book.forget(word.phone_number, now)
                count("PrivacyRequest")
            case "export":
                self.book.export(word, now)
                count("PrivacyRequest")
        logger.info(
            "number.changed",
            kind=word.kind,
            source=word.source,
            topic=word.topic,
            phone_number=phone.masked(word.phone_number),
        )
        return "suppressed", f"{word.kind}: done"

    def _cancel(self, word: Call, now: datetime) -> tuple[Status, str]:
        """End a call that waits, or that is yet to be asked for; one that rings is too late."""
        for _ in range(_TRIES):
            item = self.book.read(word.call_id)
            if item and item.status == "forgotten":
                return "forgotten", "the call was forgotten"
            ended = lifecycle.ended_by(item, word)
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
                logger.info("call.told", call_id=word.call_id, status=ended.status)
            return ended.status, ended.reason
        message = f"call {word.call_id} is changed by too many at once"
        raise UnavailableError(message)


def said(item: Item, **more: Any) -> None:
    """One wide line and one count for each thing that became of a call."""
    call = item.call
    reason = without_quotes(item.reason) if item.status == "unmapped" else item.reason
    if call.phone_number:
        # The API may repeat the number in what it says.
        reason = reason.replace(call.phone_number, phone.masked(call.phone_number))
    count(_METRIC[item.status])
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
        again_at=item.due_at,
        **more,
    )
