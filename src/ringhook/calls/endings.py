"""How attempts end, and what follows: the part of a call's life that begins when a phone rings.

Pure, as `lifecycle` is. An attempt that rang (`initiated`) waits for its outcome:

    learnt     a webhook or the list says something of how an attempt ended
    unlearnt   the list was asked, and does not say it
    settled    how it ended is known for good: the call has ended, or is made again

`next_look` says when the list is asked: soon at first, then more seldom, the last time at the
deadline; then the outcome is `unknown`, so that no call stays open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from ringhook.calls.item import newer
from ringhook.calls.lifecycle import FIRST_LEARN, rang, updated
from ringhook.calls.outcomes import given_up, merged, with_outcome

if TYPE_CHECKING:
    from ringhook.calls.item import Item
    from ringhook.calls.outcomes import Outcome
    from ringhook.routing.routes import Policy

# Each look at the list waits so many times as long as the one before it, and at most so long.
_SPACED, _LONGEST = 3.0, 3600.0
# What a webhook only hints at is asked for after so many seconds; the list may lag.
_CONFIRM_AFTER = 10.0
# As long as a route does not say another deadline, or is not there any more.
_DEADLINE = timedelta(hours=6)
# Nobody asks to be called back later than this; a time beyond it was misread.
_LATEST_CALLBACK = timedelta(days=90)
# The states in which the present attempt has rung, or may have.
_RANG = {"calling", "uncertain", "initiated", "ended"}
_SAID = {
    "answered": "the person answered",
    "voicemail": "a machine answered",
    "no_answer": "nobody answered",
    "busy": "the line was busy",
    "rejected": "the person rejected the call",
    "failed": "the call failed",
    "unknown": "how the call ended cannot be learnt",
}


@dataclass(frozen=True, slots=True)
class News:
    """What became of a call that its sender may want to hear.

    `attempt`: that attempt has ended, and its outcome is final. `call`: the call has come to rest;
    nothing more is done about it, unless something new is heard.
    """

    about: Literal["attempt", "call"]
    attempt: int


def news(before: Item | None, after: Item) -> tuple[News, ...]:
    """What of this change is news; a change that is written again is none."""
    known = {o.attempt: o.outcome for o in before.outcomes if o.final} if before else {}
    ended = [
        News("attempt", one.attempt)
        for one in after.outcomes
        if one.final and known.get(one.attempt) != one.outcome
    ]
    rests = after.due_at is None and after.status != "forgotten"
    rested = before is not None and before.due_at is None and before.status == after.status
    if rests and not (rested and before and before.ringing == after.ringing):
        ended.append(News("call", after.ringing))
    return tuple(ended)


def deadline(item: Item, policy: Policy | None) -> float:
    """Until when (epoch seconds) it is asked how the present attempt ended."""
    span = policy.outcome_deadline if policy else _DEADLINE
    return _rang_at(item) + span.total_seconds()


def learnt(item: Item, heard: Outcome, now: float) -> Item | None:
    """Something is said of how an attempt ended; None if that changes nothing.

    Of a phone of which it was not known whether it rang, it is known then. What comes late, twice,
    or of an attempt that was not made changes nothing that is certain; that the person wants to be
    called back counts whenever it is heard.
    """
    known = next((one for one in item.outcomes if one.attempt == heard.attempt), None)
    after = merged(known, heard)
    rung = item.ringing - (item.status not in _RANG)
    if heard.attempt > rung or after == known or item.status == "forgotten":
        return None
    told = replace(item, outcomes=with_outcome(item.outcomes, after))
    if after.attempt != item.ringing:
        return told
    if item.status == "ended":
        back = after.callback_at and not (known and known.callback_at)
        wanted = back and _callback(after, now)
        return replace(told, status="initiated", due_at=now) if wanted else told
    if not told.is_over:
        if item.status == "initiated" and item.due_at is not None and after.outcome:
            return replace(told, due_at=min(item.due_at, now + _CONFIRM_AFTER))
        return told
    return replace(told, due_at=now) if item.status in ("initiated", "uncertain") else told


def unlearnt(item: Item, policy: Policy | None, now: float) -> Item:
    """The list was asked, and does not say how the present attempt ended."""
    until = deadline(item, policy)
    if now < until:
        looks = item.looks + 1
        return replace(item, looks=looks, due_at=next_look(_rang_at(item), looks, until, now))
    known = item.outcome if item.outcome and item.outcome.attempt == item.ringing else None
    outcome = given_up(known, item.ringing)
    return replace(item, outcomes=with_outcome(item.outcomes, outcome), due_at=now)


def next_look(rang_at: float, looks: int, until: float, now: float) -> float:
    """When the list is asked again, after so many looks."""
    at, wait = rang_at + FIRST_LEARN, FIRST_LEARN
    for _ in range(min(looks, 1000)):
        wait = min(_LONGEST, wait * _SPACED)
        at += wait
        if at >= until:
            break
    return min(until, max(at, now + FIRST_LEARN))


def needs_policy(item: Item) -> bool:
    """Whether it takes the route's policy to say what follows the present attempt's outcome."""
    outcome = item.outcome
    return outcome is not None and (
        outcome.outcome in ("no_answer", "busy", "voicemail") or outcome.callback_at is not None
    )


def settled(item: Item, policy: Policy | None, now: float) -> Item:
    """What follows the outcome of the present attempt: the call is made again, or has ended."""
    outcome = item.outcome
    if outcome is None:
        return item
    if item.busy:
        return rang(item, "no answer was heard, but how the call ended", "", policy, now)
    forbidden = _forbidden(item, outcome)
    again = None if forbidden else _again(item, outcome, policy, now)
    if again:
        return again
    reason = f"{_said(outcome)}{f'; {forbidden}' if forbidden else ''}"
    return replace(
        item, status="ended", reason=reason, due_at=None, owner="", waits=0, looks=0, next=None
    )


def _forbidden(item: Item, outcome: Outcome) -> str:
    """Why the call is not made again, whatever the route says; "" if it may be."""
    if outcome.opt_out:
        return "the person does not want to be called"
    if item.cancel and not newer(item.next or item.call, item.cancel):
        return f"cancelled by {item.cancel.topic}"
    return ""


def _again(item: Item, outcome: Outcome, policy: Policy | None, now: float) -> Item | None:
    """The next attempt of the call, if there is to be one."""
    if policy is None:
        return None
    call = updated(item.call, item.next, policy) if item.next else item.call
    following = replace(
        item,
        call=call,
        status="deferred",
        ringing=item.ringing + 1,
        owner="",
        looks=0,
        waits=0,
        next=None,
    )
    if back := _callback(outcome, now):
        # An appointment's own time stays what the call must come before.
        call = msgspec.structs.replace(call, ring_at=back)
        reason = f"{_said(outcome)}, and asked to be called then"
        return replace(following, call=call, reason=reason, due_at=back.timestamp())
    redial = policy.redial
    if redial and outcome.outcome in redial.on and item.redials < len(redial.after):
        due_at = max(now, _rang_at(item) + redial.after[item.redials].total_seconds())
        number, most = item.redials + 1, len(redial.after)
        reason = f"{_said(outcome)}: redial {number} of {most}"
        return replace(following, reason=reason, due_at=due_at, redials=number)
    return None


def _callback(outcome: Outcome, now: float) -> datetime | None:
    """When the person asked to be called, if that can be meant."""
    moment = datetime.fromtimestamp(now, UTC)
    back = outcome.callback_at
    return back if back and moment < back <= moment + _LATEST_CALLBACK else None


def _rang_at(item: Item) -> float:
    asked_at = item.asked_at or item.call.received_at
    return asked_at.timestamp()


def _said(outcome: Outcome) -> str:
    said = _SAID[outcome.outcome or "unknown"]
    if outcome.outcome == "failed" and outcome.failure:
        said += f" ({outcome.failure.replace('_', ' ')})"
    if outcome.outcome == "answered" and outcome.duration_seconds:
        said += f", for {outcome.duration_seconds:.0f} s"
    return said
