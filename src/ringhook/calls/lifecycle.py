"""The life of a call: one pure state machine. Values in, values out; it asks nobody and waits not.

An item holds what is **wanted** (`call`: the newest event's data), what is **known** (claims,
requests, answers), and what it was **told** while it was busy (`cancel`, `next`). Each function
takes an item and one input, and gives the item as it is to be from then on, or None where the
input changes nothing:

    asked       an event asks for the call           claimed    a dialer takes it
    ended_by    an event ends it                     heard      the API answered, or did not
    put_off     it may not be asked for yet          looked     the list of executions answered
    suppressed  a rule forbids it                    replayed   an operator wants it once more

How it ended for the person, and what follows from that, is in `endings`.
`due` says what the clock makes of an item: decide and ring, look whether it rang, learn how it
ended, settle what follows, or wait.

- `queued`, `deferred` wait for `due_at`; then the policy is asked.
- `calling` is owned by one dialer until `due_at`. If that passes, its owner died between asking
  and hearing, and whether the phone rang is looked up.
- `uncertain` with a `due_at` is looked up again then; without one it is left.
- `calling` and `uncertain` are busy: what they are told is kept, and applied as soon as it is known
  that the phone did not ring, before anything else is asked of the API.
- `initiated` waits for its outcome until `due_at`, when the list is asked for it.
- All else has ended (`due_at` None). What only a fault or the clock had ended, a newer event of the
  key begins again: under the same id and the whole policy. So does an appointment that was moved.

Newer is by the sender's clock; and by arrival where that is equal, or ahead of arrival by more than
clocks differ. Where even that is equal, who cancels is believed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from ringhook.calls.answers import (
    AccountRefused,
    Answer,
    Initiated,
    Later,
    NotAsked,
    Refused,
    Unheard,
    Unreadable,
)
from ringhook.calls.call import Call
from ringhook.calls.item import Cancel, Item, newer
from ringhook.calls.outcomes import given_up, with_outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ringhook.calls import messages
    from ringhook.calls.answers import Found
    from ringhook.calls.call import Status
    from ringhook.routing.routes import Policy

# So much earlier may what ends a call arrive than the call.
_FASTER = timedelta(hours=1)
# An unheard call is looked for so many seconds after it was asked for: the list may lag.
LOOKS = (0.0, 10.0, 40.0, 150.0, 600.0, 3600.0, 21_600.0)
# After so many looks that found nothing, a call that may be made again is.
LOOKS_BEFORE_ANOTHER = 3
# A list that cannot be read is asked for no longer than this after the request.
_BLIND_FOR = 86_400.0
# Waits double from the first to the longest (seconds).
_FIRST_WAIT, LONGEST_WAIT = 5.0, 900.0
# What waits for its turn comes up again after a seventh of the time that it has waited.
_TURN = 1.15
# How it ended is asked first so many seconds after it was asked for: nobody rings for shorter.
FIRST_LEARN = 45.0
# So many events are remembered as heard of.
_SEEN = 20


def backoff(attempt: int, jitter: float) -> float:
    """Seconds to wait after so many failures, with `jitter` from 0 to 1.

    Equal jitter: at least half of it is waited, so that an outage is let pass.
    """
    longest = min(LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempt - 1, 20))
    return longest / 2 * (1 + jitter)


def turn(waits: int, jitter: float) -> float:
    """Seconds until a call that found no slot of the plan, so often before, comes up again.

    Soon at first, so that the plan is used; and seldom in the end, so that a backlog of a hundred
    thousand takes no dialer from what is new.
    """
    return min(LONGEST_WAIT, _FIRST_WAIT * _TURN ** min(waits, 60)) / 2 * (1 + jitter)


def due(item: Item, now: float) -> Literal["decide", "look", "learn", "settle", "wait", "nothing"]:
    """What the clock makes of an item."""
    if item.due_at is None:
        return "nothing"
    if item.due_at > now:
        return "wait"
    if item.is_over and (item.busy or item.status == "initiated"):
        return "settle"
    if item.status == "initiated":
        return "learn"
    return "look" if item.busy else "decide"


def asked(item: Item | None, call: Call, policy: Policy | None, now: float) -> Item | None:
    """An event asks for the call, or for one that cannot be made (`unmapped`)."""
    if item is None:
        return _begun(call, now)
    if item.cancel and not newer(call, item.cancel):
        return None
    if item.cancel and not item.seen and _may_be_before(call, item.cancel):
        return replace(item, seen=(call.event_id,))
    if item.status == "unmapped":
        return _reborn(item, call, now) if not call.unmapped or newer(call, item.call) else None
    wanted = item.next or item.call
    if call.unmapped or call.event_id in item.seen or not newer(call, wanted):
        return None
    if item.busy:
        return replace(item, next=call, seen=_seen(item, call))
    if item.status in ("queued", "deferred"):
        # The API's own wait is kept, and that of a further attempt; any other is decided anew.
        wanted, due_at = updated(item.call, call, policy), item.due_at
        if _is_called_back(item) and call.appointment == item.call.appointment:
            wanted = msgspec.structs.replace(wanted, ring_at=item.call.ring_at)
        elif item.status != "queued" and not item.redials:
            due_at = now
        return replace(item, call=wanted, due_at=due_at, seen=_seen(item, call))
    return _after_the_end(item, call, policy, now)


def ended_by(item: Item | None, word: messages.Cancel) -> Item | None:
    """An event ends the call, whether it waits, is busy or was never heard of.

    One that is older than what is wanted ends nothing. A phone that rang has rung: then only what
    is older than this is not made any more.
    """
    cancel = Cancel(word.topic, word.event_id, word.occurred_at, word.received_at)
    if item is None:
        shared = set(Call.__struct_fields__) & set(word.__struct_fields__)
        call = Call(**{name: getattr(word, name) for name in shared})
        return Item(call=call, status="cancelled", reason=_cancelled(cancel), cancel=cancel)
    if newer(item.next or item.call, cancel) or (item.cancel and not newer(cancel, item.cancel)):
        return None
    told = replace(item, cancel=cancel)
    if item.busy or item.status in ("initiated", "uncertain", "ended"):
        return told
    return _end(told, "cancelled", _cancelled(cancel))


def replayed(item: Item, call: Call, now: float) -> Item | None:
    """An operator wants it once more, by the whole policy: as `call`, or what is newer, says."""
    if item.busy or item.status in ("queued", "deferred", "initiated"):
        return None
    if item.status == "ended" and (item.outcome is None or item.outcome.outcome != "failed"):
        return None
    begun = _reborn(item, item.next or call, now)
    return replace(begun, reason="replayed by an operator")


def put_off(item: Item, status: Literal["queued", "deferred"], reason: str, until: float) -> Item:
    """The call may not be asked for before `until`."""
    return replace(item, status=status, reason=reason, due_at=until, waits=item.waits + 1)


def suppressed(item: Item, reason: str) -> Item:
    """A rule forbids the call, or that it is made again: then it has ended as it did before."""
    if item.redials or _is_called_back(item):
        return _end(item, "ended", f"not called again: {reason}")
    return _end(item, "suppressed", reason)


def claimed(item: Item, reason: str, owner: str, until: float, now: datetime) -> Item:
    """One dialer owns the call, to ask for it once; nobody else does before `until`."""
    return replace(
        item,
        status="calling",
        reason=reason,
        owner=owner,
        due_at=until,
        asked_at=now,
        requests=item.requests + 1,
        looks=0,
    )


def heard(item: Item, answer: Answer, policy: Policy | None, now: float, jitter: float) -> Item:
    """The API answered the item's request, or provably was not asked, or it is not known."""
    match answer:
        case Initiated(execution_id):
            return rang(item, "the API started the call", execution_id, policy, now)
        case Refused(reason, execution_id):
            ended = _end(replace(item, execution_id=execution_id), "refused", reason)
            return _told(ended, now)
        case Later(reason, retry_after):
            waits = item.waits + 1
            until = now + max(retry_after, backoff(waits, jitter))
            return _told(_waiting(item, reason, until, waits), now)
        case AccountRefused(reason, until):
            return _told(_waiting(item, reason, until, item.waits + 1), now)
        case NotAsked(reason):
            waits = item.waits + 1
            until = now + (0.0 if waits == 1 else backoff(waits, jitter))
            return _told(_waiting(item, reason, until, waits), now)
        case Unheard(reason):
            since = item.asked_at.timestamp() if item.asked_at else now
            return replace(
                item, status="uncertain", reason=reason, due_at=max(now, since + LOOKS[0])
            )


def looked(item: Item, found: Found, policy: Policy | None, now: float, jitter: float) -> Item:
    """The list of executions was asked whether an unheard request rang."""
    since = item.asked_at.timestamp() if item.asked_at else now
    item = replace(item, status="uncertain")
    if isinstance(found, str):
        reason = "no answer was heard, but the list of executions has the call"
        return rang(item, reason, found, policy, now)
    if isinstance(found, Unreadable):
        if now - since > _BLIND_FOR:
            return _left(item, f"{found.reason}, for a day")
        # The longer it has lasted, the longer it may last.
        wait = min(LONGEST_WAIT, max(LOOKS[1], now - since)) / 2 * (1 + jitter)
        return replace(item, reason=found.reason, due_at=now + wait)
    looks = item.looks + 1
    item = replace(item, looks=looks)
    missing = found.reason if found else "the list of executions does not have the call"
    if looks >= LOOKS_BEFORE_ANOTHER:
        following = _after_silence(item, missing, policy, now, sure=found is None)
        if following:
            return following
    if looks >= len(LOOKS):
        return _left(item, f"no answer was heard, and {missing}")
    reason = f"{missing} (look {looks})"
    return replace(item, reason=reason, due_at=max(now + 5, since + LOOKS[looks]))


def _may_be_before(call: Call, cancel: Cancel) -> bool:
    """Whether a call that came soon after what ends it was asked for before that.

    Where the sender gives no times, arrival is all there is; and who cancels what was never asked
    for has most likely been faster than his own request.
    """
    timeless = call.occurred_at == call.received_at
    return timeless and call.received_at - cancel.received_at < _FASTER


def _begun(call: Call, now: float) -> Item:
    if call.unmapped:
        return Item(call=call, status="unmapped", reason=call.unmapped, seen=(call.event_id,))
    return Item(call=call, status="queued", due_at=now, seen=(call.event_id,))


def _reborn(item: Item, call: Call, now: float) -> Item:
    """Begun again under the same id; what may have rung already was another ringing."""
    begun = _begun(call, now)
    may_have_rung = (
        item.status in ("calling", "initiated", "uncertain") or item.execution_id or item.is_over
    )
    outcomes = item.outcomes
    if item.awaits_outcome:
        # It is not asked any more how that attempt ended.
        known = item.outcome if item.outcome and item.outcome.attempt == item.ringing else None
        outcomes = with_outcome(outcomes, given_up(known, item.ringing))
    return replace(
        begun,
        outcomes=outcomes,
        version=item.version,
        requests=item.requests,
        ringing=item.ringing + bool(may_have_rung),
        seen=_seen(item, call),
        cancel=item.cancel,
    )


def _seen(item: Item, call: Call) -> tuple[str, ...]:
    return (*(one for one in item.seen if one != call.event_id), call.event_id)[-_SEEN:]


def updated(old: Call, new: Call, policy: Policy | None) -> Call:
    """The newer event's data; when the call rings stays, unless the route says otherwise."""
    moves = policy is not None and (policy.restart or policy.at is not None)
    return new if moves else msgspec.structs.replace(new, ring_at=old.ring_at)


def _is_called_back(item: Item) -> bool:
    """Whether its next attempt is at the time that the person asked for."""
    back = item.outcome.callback_at if item.outcome else None
    return back is not None and back == item.call.ring_at


def _begins_again(item: Item, call: Call, policy: Policy | None) -> bool:
    """Whether a newer event begins a call again that has ended."""
    match item.status:
        case "suppressed" | "cancelled":
            return True
        case "refused":
            return _asks(call) != _asks(item.call)
        case "initiated" | "ended":
            return _is_moved(item.call, call, policy)
        case "uncertain":
            redials = policy is not None and policy.on_uncertain == "redial"
            return redials or _is_moved(item.call, call, policy)
    return False


def _after_the_end(item: Item, call: Call, policy: Policy | None, now: float) -> Item | None:
    """A newer event of a call that rings or has ended: it begins again, or is what comes next.

    That is a redial, or what an operator has replayed.
    """
    if _begins_again(item, call, policy):
        return _reborn(item, call, now)
    follows = item.awaits_outcome or item.status in ("refused", "uncertain")
    return replace(item, next=call, seen=_seen(item, call)) if follows else None


def _asks(call: Call) -> tuple[str, int, str]:
    return call.phone_number, call.agent_id, call.account


def _is_moved(old: Call, new: Call, policy: Policy | None) -> bool:
    """Whether the appointment that was reminded of is at another time now."""
    return (
        policy is not None
        and policy.at is not None
        and not policy.once
        and new.appointment != old.appointment
    )


def _end(item: Item, status: Status, reason: str) -> Item:
    return replace(item, status=status, reason=reason, due_at=None, owner="", waits=0, looks=0)


def _waiting(item: Item, reason: str, until: float, waits: int) -> Item:
    return replace(item, status="queued", reason=reason, owner="", due_at=until, waits=waits)


def _cancelled(cancel: Cancel) -> str:
    return f"cancelled by {cancel.topic}"


def _told(item: Item, now: float) -> Item:
    """The phone did not ring: what was told meanwhile holds from now on."""
    if item.next:
        wanted = item.next
        refused = item.status == "refused"
        if not refused or _asks(wanted) != _asks(item.call):
            due_at = now if refused else item.due_at
            item = replace(item, call=wanted, status="queued", due_at=due_at, next=None)
    if item.cancel and not newer(item.call, item.cancel):
        return _end(item, "cancelled", _cancelled(item.cancel))
    return item


def rang(item: Item, reason: str, execution_id: str, policy: Policy | None, now: float) -> Item:
    """The phone rang. A cancel is too late; an appointment that was moved is called for anew."""
    since = item.asked_at.timestamp() if item.asked_at else now
    learn_at = now if item.is_over else max(now, since + FIRST_LEARN)
    ended = replace(_end(item, "initiated", reason), execution_id=execution_id, due_at=learn_at)
    wanted = item.next
    if wanted is None or not _is_moved(item.call, wanted, policy):
        return ended
    if item.cancel and not newer(wanted, item.cancel):
        return ended
    return replace(_reborn(ended, wanted, now), reason="the appointment was moved")


def _after_silence(
    item: Item, missing: str, policy: Policy | None, now: float, *, sure: bool
) -> Item | None:
    """What is done, instead of looking on, about a call of which the list says nothing."""
    wanted = item.next or item.call
    if item.cancel and not newer(wanted, item.cancel):
        return _end(item, "cancelled", f"{_cancelled(item.cancel)}; {missing}")
    if item.next and _is_moved(item.call, item.next, policy):
        return replace(_reborn(item, item.next, now), reason="the appointment was moved")
    if sure and policy is not None and policy.on_uncertain == "redial":
        begun = _reborn(item, wanted, now)
        return replace(begun, reason=f"{missing}: on_uncertain says redial")
    return None


def _left(item: Item, reason: str) -> Item:
    """Looked for long enough; whoever wants it can have it replayed."""
    if item.cancel and not newer(item.next or item.call, item.cancel):
        return _end(item, "cancelled", f"{_cancelled(item.cancel)}; {reason}")
    return _end(item, "uncertain", reason)


def rung_before(item: Item, rung: Mapping[str, float]) -> dict[str, float]:
    """When calls rang a number, by call; what this one rang for before is another ringing.

    An appointment that is moved after its reminder, or a redial, counts the earlier one.
    """
    call_id, earlier = item.call.call_id, f"{item.call.call_id}.{item.ringing - 1}"
    if item.ringing == 1 or earlier in rung:
        return dict(rung)
    return {earlier if one == call_id else one: at for one, at in rung.items()}
