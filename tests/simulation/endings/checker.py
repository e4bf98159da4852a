"""What must be true of how calls ended, as senders, phones and the clock saw it. Nothing of src."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

from tests.simulation.endings.facts import History, Kept, Order, Ring

MINUTE, HOUR = 60.0, 3600.0
_GAP, _CAP, _EXPIRES = 15 * MINUTE, 3, 30 * HOUR
# So soon does an accepted word hold, once all is well; and so long may a turn take.
_TOLD, _HEALED, _SLACK = 30.0, 20 * MINUTE, 40 * MINUTE


def faults(history: History) -> list[str]:
    """Everything that is wrong with a history, in words."""
    return [f"seed {history.seed}: {fault}" for fault in _faults(history)]


def _faults(history: History) -> Iterator[str]:
    for error in history.failures:
        yield f"a function failed: {error!r}"
    if not history.rests:
        yield "it never comes to rest"
    if history.dead_letters:
        yield f"{history.dead_letters} dead letters"
    if any(status != 401 for status in history.strangers):
        yield f"a stranger's word is answered {history.strangers}"
    rings: dict[str, list[Ring]] = defaultdict(list)
    for ring in history.rings:
        rings[ring.key].append(ring)
    kept = {one.key: one for one in history.kept}
    for order in history.orders:
        mine = rings[order.key]
        yield from _outcomes(history, order, mine, kept.get(order.key))
        yield from _each_ring(history, order, mine)
        yield from _missing(history, order, mine)
    yield from _too_often(history)
    times = history.requests
    for earlier, later in zip(times, times[history.plan :], strict=False):
        if later - earlier < MINUTE:
            yield f"more than {history.plan} requests in the minute from {_clock(earlier)}"
            return


def _outcomes(
    history: History, order: Order, rings: list[Ring], kept: Kept | None
) -> Iterator[str]:
    """Each ringing that was heard of has its ending, or `unknown` where it cannot be learnt."""
    if kept is None:
        yield f"the ledger has nothing of {order.key}"
        return
    if kept.status in ("initiated", "calling", "queued", "deferred"):
        yield f"{order.key} is left {kept.status}"
    if kept.status == "uncertain":
        return  # it may have rung, and nobody heard of it
    for attempt, (ring, said) in enumerate(_by_attempt(rings, kept), start=1):
        what = f"attempt {attempt} of {order.key} at {_clock(ring.at)}"
        if said is None:
            yield f"{what} has no outcome"
        elif said == "unknown":
            until = ring.at + history.deadline - HOUR
            if ring.ending and ring.listed and max(ring.listed, history.well) < until:
                yield f"{what} is unknown, and was listed as {ring.ending} {_clock(ring.listed)}"
        elif said != ring.ending:
            yield f"{what} is {said}, and was {ring.ending or 'never known'}"


def _by_attempt(rings: list[Ring], kept: Kept) -> list[tuple[Ring, str | None]]:
    """The rings with what is known of them; one that no answer was heard of may be another's."""
    outcomes = [kept.outcomes.get(n + 1) for n in range(len(rings))]
    return list(zip(rings, outcomes, strict=True))


def _each_ring(history: History, order: Order, rings: list[Ring]) -> Iterator[str]:
    for ring in rings:
        what = f"{order.key} at {_clock(ring.at)}"
        hour = datetime.fromtimestamp(ring.at, UTC).hour
        if not history.hours[0] <= hour < history.hours[1]:
            yield f"{what} rings outside calling hours"
        if order.told_at and _holds(history, order.told_at, ring.at):
            yield f"{what} rings after it was cancelled at {_clock(order.told_at)}"
        said_no = [o for o in history.rings if o.number == ring.number and o.opt_out]
        if any(_holds(history, at, ring.at) for other in said_no for at in other.webhooks):
            yield f"{what} rings after {ring.number} said no"
    yield from _each_redial(history, order, rings)


def _each_redial(history: History, order: Order, rings: list[Ring]) -> Iterator[str]:
    on, after = history.redials[order.route]
    redials = 0
    for before, ring in pairwise(rings):
        what = f"{order.key} at {_clock(ring.at)}"
        if before.callback and before.webhooks and ring.at >= before.callback - 1:
            continue
        if before.ending not in on:
            yield f"{what} rings again after {before.ending or 'what nobody knows'}"
        elif redials >= len(after):
            yield f"{what} rings again too often"
        elif ring.at < before.at + after[redials] - 1:
            yield f"{what} rings again too soon after {_clock(before.at)}"
        redials += 1


def _missing(history: History, order: Order, rings: list[Ring]) -> Iterator[str]:
    """What was to be rung again, could have been learnt, and was not."""
    on, after = history.redials[order.route]
    if not rings or order.cancelled or any(not ring.heard for ring in rings):
        return
    others = [ring for ring in history.rings if ring.number == rings[0].number]
    if any(ring.opt_out for ring in others) or len(others) >= _CAP:
        return
    last = rings[-1]
    if last.callback and last.webhooks and history.hours == (0, 24):
        heard = max(last.webhooks[0], last.listed)
        known = last.listed and heard > history.well and heard + HOUR < last.callback
        if known and last.callback < order.made + _EXPIRES:
            yield f"{order.key} is not called back at {_clock(last.callback)}"
        return
    learnt = max(last.listed, history.well) + 30 * MINUTE
    if not last.ending or not last.listed or learnt > last.at + history.deadline - HOUR:
        return
    done = sum(one.ending in on and not one.callback for one in rings[:-1])
    if last.ending in on and done < len(after) and len(rings) == done + 1:
        due = max(learnt, last.at + after[done])
        if not all(
            history.hours[0] <= datetime.fromtimestamp(at, UTC).hour < history.hours[1]
            for at in (due, due + _SLACK)
        ):
            due += 16 * HOUR
        if due + _SLACK < order.made + _EXPIRES:
            yield f"{order.key} is not rung again after {last.ending} at {_clock(last.at)}"


def _too_often(history: History) -> Iterator[str]:
    for ring in history.rings:
        earlier = [o for o in history.rings if o.number == ring.number and o.at < ring.at]
        if sum(ring.at - one.at < 24 * HOUR - MINUTE for one in earlier) >= _CAP:
            yield f"{ring.number} rings a fourth time within a day at {_clock(ring.at)}"
        if any(ring.at - one.at < _GAP - MINUTE for one in earlier):
            yield f"{ring.number} rings twice within {_GAP / MINUTE:.0f} min at {_clock(ring.at)}"


def _holds(history: History, word: float, at: float) -> bool:
    """Whether an accepted word must be known by then."""
    return at > word + (_TOLD if word > history.well else max(_HEALED, history.well - word + _TOLD))


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%d %H:%M:%S}"
