"""Hear how a call ended, of its agent's webhook: written down, and acted on where it is plain.

It asks no API. What a second field of the webhook confirms is certain; else it is a hint, and the
list of executions is asked soon. What contradicts what is known of the call is of another one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringhook.calls import endings, marks, outcomes
from ringhook.errors import ConflictError, UnavailableError
from ringhook.telemetry import count, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringhook.calls.item import Item
    from ringhook.calls.messages import Ended
    from ringhook.calls.outcomes import Outcome
    from ringhook.ringing.book import Book

# With fewer digits a number says nothing.
_LEAST_DIGITS = 7
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Hearing:
    """Writes down what is heard; `clock` gives epoch seconds.

    `wake` has a call taken up again by who knows its route; without it no call is made again.
    """

    book: Book
    clock: Callable[[], float]
    wake: Callable[[str], None] | None

    def take(self, ended: Ended) -> Item | None:
        """Keep it; the call as it stands then, None if it is of no call of ours.

        Raises UnavailableError if the ledger does not take it.
        """
        for _ in range(_TRIES):
            found = self._found(ended)
            if found is None or _contradicts(ended, found[0]):
                count("OutcomeOfNoCall")
                logger.warning("outcome.of_no_call", source=ended.source, event_id=ended.event_id)
                return None
            item, attempt = found
            now = self.clock()
            heard = _heard(ended, item, attempt)
            if heard.opt_out:
                self._opt_out(item, now)
            after = endings.learnt(item, heard, now)
            if after is None:
                return item
            settles = after.status == "initiated" and after.is_over
            if settles and not (self.wake and endings.needs_policy(after)):
                after = endings.settled(after, None, now)
            try:
                self.book.write(after, over=item, now=datetime.fromtimestamp(now, UTC))
            except ConflictError:
                continue
            if self.wake and after.is_over and after.due_at is not None and after.due_at <= now:
                self.wake(after.call.call_id)
            return after
        message = f"the call of {ended.event_id} is changed by too many at once"
        raise UnavailableError(message)

    def _found(self, ended: Ended) -> tuple[Item, int] | None:
        """The call, and which attempt of it; by the mark, or else by its number and execution."""
        for text in ended.marks:
            if read := marks.read(text):
                item = self.book.read(read[0])
                return (item, read[1]) if item and item.status != "forgotten" else None
        number = f"+{_digits(ended.phone_number)}"
        if ended.execution_id and len(number) > 1:
            call_id = self.book.called(number, ended.execution_id)
            item = self.book.read(call_id) if call_id else None
            if item and item.execution_id == ended.execution_id:
                return item, item.ringing
        return None

    def _opt_out(self, item: Item, now: float) -> None:
        number, call_id = item.call.phone_number, item.call.call_id
        if number:
            reason = f"said so in call {call_id}, attempt {item.ringing}"
            self.book.suppress_number(number, reason, datetime.fromtimestamp(now, UTC))
            count("NumberSuppressed")
            logger.info("number.opted_out", call_id=call_id)


def _heard(ended: Ended, item: Item, attempt: int) -> Outcome:
    """What is heard, as certain as it is: a second field says which call it is about."""
    heard = outcomes.of_json(ended.outcome)
    certain = heard.outcome not in (None, "unknown") and _second(ended, item, attempt)
    return replace(heard, attempt=attempt, learnt_from="webhook", final=certain)


def _second(ended: Ended, item: Item, attempt: int) -> bool:
    """Whether a field beside the mark says that it is of this call, and its execution is no other.

    Two deployments with the same routes have the same marks.
    """
    if attempt == item.ringing and item.execution_id and ended.execution_id:
        return ended.execution_id == item.execution_id
    return bool(
        _same_number(ended.phone_number, item.call.phone_number)
        or ended.agent_id == str(item.call.agent_id)
    )


def _contradicts(ended: Ended, item: Item) -> bool:
    """Whether what it says of whom was rung, and by which agent, is not so of this call."""
    number, agent = ended.phone_number, ended.agent_id
    other_number = _digits(number) and not _same_number(number, item.call.phone_number)
    return bool(other_number or (agent.isdecimal() and agent != str(item.call.agent_id)))


def _same_number(written: str, number: str) -> bool:
    """Whether what an API writes is this number, with or without its country's code."""
    digits = _digits(written).lstrip("0")
    return len(digits) >= _LEAST_DIGITS and _digits(number).endswith(digits)


def _digits(number: str) -> str:
    return "".join(c for c in number if c in "0123456789")
