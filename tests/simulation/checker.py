"""What must be true of a history, as senders, the API and the clock saw it. Nothing of src."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.simulation.facts import Asked, History, Sent

MINUTE, HOUR = 60.0, 3600.0
# So soon does an answered word hold, where nothing fails; and where something failed meanwhile.
_TOLD, _CHANGED, _HEALED = 30.0, 120.0, 1200.0
# What was put off until all is well again, and then waits its turn, rings within this.
_RINGS = 80 * MINUTE
_EXPIRES, _BEFORE, _GAP, _CAP = 20 * HOUR, HOUR, 15 * MINUTE, 3


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
    by_key: dict[str, list[Sent]] = defaultdict(list)
    for sent in history.sent:
        by_key[sent.key].append(sent)
    versions = {(sent.key, sent.version): sent for sent in history.sent}
    for asked in history.asked:
        wish = versions.get((asked.key, asked.version))
        if wish is None or wish.does != "ask" or wish.number != asked.number:
            yield f"nobody wanted {asked}"
            continue
        yield from _untimely(history, asked, wish)
    yield from _too_often(history, versions)
    yield from _too_fast(history)
    for key, told in by_key.items():
        words = [sent for sent in told if sent.does in ("ask", "cancel")]
        yield from _lost(history, key, words)


def _untimely(history: History, asked: Asked, sent: Sent) -> Iterator[str]:
    """What was asked of the API, and should not have been then."""
    what = f"{asked.key} {asked.version} at {_clock(asked.at)}"
    for word in history.sent:
        if word.does in ("ask", "cancel"):
            about = word.key == sent.key and word.made > sent.made
        else:
            about = word.number == sent.number
            about &= word.does == "stop" or sent.made < word.began
        if about and word.accepted and _holds(history, word, asked.at):
            yield f"{what} is asked for after {word.does} {word.version} of {_clock(word.answered)}"
    if sent.starts:
        if not sent.starts - _BEFORE - 1 <= asked.at <= sent.starts + 60:
            yield f"{what} is no reminder of {_clock(sent.starts)}"
        return
    if asked.at > sent.made + _EXPIRES + 60:
        yield f"{what} is too late"
    first, last = history.hours
    hour = datetime.fromtimestamp(asked.at, UTC).hour
    if not first <= hour < last:
        yield f"{what} is outside calling hours"


def _holds(history: History, word: Sent, at: float) -> bool:
    """Whether an answered word must be known by then."""
    first, last = history.troubled
    if first < last and word.began <= last and at >= first:
        return at > max(last, word.answered) + _HEALED
    return at > word.answered + (_CHANGED if word.does == "ask" else _TOLD)


def _too_often(history: History, versions: dict[tuple[str, str], Sent]) -> Iterator[str]:
    rang = [asked for asked in history.asked if asked.rang]
    wishes: dict[str, list[Asked]] = defaultdict(list)
    for one in rang:
        sent = versions[one.key, one.version]
        wishes[f"{one.key} of {_clock(sent.starts)}" if sent.starts else one.key].append(one)
    for wish, rings in wishes.items():
        if len(rings) > 1:
            yield f"{wish} rings at {', '.join(_clock(ring.at) for ring in rings)}"
    # Of whom was erased it is forgotten when they were rung.
    erased = {sent.number for sent in history.sent if sent.does == "erase"}
    for one in rang:
        earlier = [
            other
            for other in rang
            if other.number == one.number and other.at < one.at and one.number not in erased
        ]
        if sum(one.at - other.at < 24 * HOUR - MINUTE for other in earlier) >= _CAP:
            yield f"{one.number} rings a fourth time within a day at {_clock(one.at)}"
        if versions[one.key, one.version].starts:
            continue
        last = max((other.at for other in earlier if other.key != one.key), default=0.0)
        if one.at - last < _GAP - MINUTE:
            yield f"{one.number} rings at {_clock(last)} and at {_clock(one.at)}"


def _too_fast(history: History) -> Iterator[str]:
    times = history.requests
    for earlier, later in zip(times, times[history.plan :], strict=False):
        if later - earlier < 60:
            yield f"more than {history.plan} requests in the minute from {_clock(earlier)}"
            return


def _lost(history: History, key: str, told: list[Sent]) -> Iterator[str]:
    """What was wanted until the end, and could have rung, and did not."""
    wanted = max(told, key=lambda sent: sent.made, default=None)
    if wanted is None or wanted.does != "ask" or not wanted.accepted:
        return
    if _may_have_ended(history, wanted):
        return
    last = max(history.well, *(sent.answered for sent in told))
    if wanted.starts:
        due, slack, until = max(last, wanted.starts - _BEFORE), 20 * MINUTE, wanted.starts
    else:
        due, slack, until = last, _RINGS, wanted.made + _EXPIRES
        first, end = history.hours
        if not all(
            first <= datetime.fromtimestamp(at, UTC).hour < end for at in (due, due + slack)
        ):
            due += 16 * HOUR
    if due + slack < until:
        yield f"{key} {wanted.version}, wanted at {_clock(wanted.answered)}, never rings"


def _may_have_ended(history: History, wanted: Sent) -> bool:
    """Whether it rang, or somebody stopped it, or whether it rang could not be told.

    What may have rung counts for the cap, and so does what died before it was asked for.
    """
    asked = [one for one in history.asked if one.key == wanted.key]
    # A moved appointment is reminded of anew after an earlier ringing.
    if any(one.rang and (one.version == wanted.version or not wanted.starts) for one in asked):
        return True
    others = [sent for sent in history.sent if sent.number == wanted.number]
    if any(sent.does in ("stop", "erase") for sent in others) or any(one.final for one in asked):
        return True
    if not history.redials and (history.deaths or any(not one.told for one in asked)):
        return True
    counted = [
        one for one in history.asked if one.number == wanted.number and (one.rang or not one.told)
    ]
    return len(counted) + history.deaths >= _CAP


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%d %H:%M:%S}"
