"""What must be true of a history, as senders, the API and the clock saw it. Nothing of src."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.simulation.facts import Asked, History, Sent

MINUTE, HOUR = 60.0, 3600.0
# So soon does an answered word hold, where nothing fails; and where something failed meanwhile.
_TOLD, _CHANGED, _HEALED = 10.0, 120.0, 1200.0
# So soon does a stop hold, by hand or by the breaker.
_STOPPED = 5.0
# What was put off until all is well again, and then waits its turn, rings within this.
_RINGS = 80 * MINUTE
_BEFORE, _GAP, _CAP = HOUR, 15 * MINUTE, 3


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
    yield from _while_stopped(history)
    if history.direct:
        # Nothing is kept for later there: the sender sends it again.
        return
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
            before = sent.made + max(0.0, history.skew) < word.began
            about &= word.does == "stop" or (word.does == "erase" and before)
        if about and word.accepted and _holds(history, word, asked.at):
            yield f"{what} is asked for after {word.does} {word.version} of {_clock(word.answered)}"
    if sent.key.startswith("offer") and not _agreed(history, sent.number, asked.at):
        yield f"{what} is asked for without consent"
    if sent.starts:
        if not sent.starts - _BEFORE - 1 <= asked.at <= sent.starts + 60:
            yield f"{what} is no reminder of {_clock(sent.starts)}"
        return
    if asked.at > sent.made + history.skew + history.expires + 60:
        yield f"{what} is too late"
    first, last = history.hours
    hour = datetime.fromtimestamp(asked.at, UTC).hour
    if not first <= hour < last:
        yield f"{what} is outside calling hours"


def _holds(history: History, word: Sent, at: float) -> bool:
    """Whether an answered word must be known by then."""
    first, last = history.troubled
    if word.key.startswith("lead") and word.does == "ask":
        # What it says is known once the rest of it could be fetched.
        return at > max(history.well, word.answered) + _HEALED
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
        replays = [at for at, key in history.replayed if key == rings[0].key]
        if len(rings) > 1 + sum(rings[0].at < at <= rings[-1].at for at in replays):
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


def _agreed(history: History, number: str, at: float) -> bool:
    """Whether somebody may have been known then to have agreed, and not to have withdrawn it."""
    said = [
        sent
        for sent in history.sent
        if sent.number == number and sent.does in ("agree", "withdraw") and sent.began
    ]
    known = [word.made for word in said if word.accepted and _holds(history, word, at)]
    last = max(known, default=0.0)
    return any(word.does == "agree" and word.made >= last and word.began <= at for word in said)


def _while_stopped(history: History) -> Iterator[str]:
    for asked in history.asked:
        route = {"booking": "reminder"}.get(what := asked.key.partition("-")[0], what)
        about = {"all", f"route:{route}", "source:crm" if what == "lead" else "source:shop"}
        for stopped, began, ended in history.stops:
            if stopped in about and began + _STOPPED < asked.at < ended:
                yield f"{asked.key} is asked for at {_clock(asked.at)}, while {stopped} is stopped"
    for route in ("order", "booking", "offer", "lead"):
        yield from _breaks(history, route)


def _breaks(history: History, route: str) -> Iterator[str]:
    """What is asked for although too many of the route's last calls failed."""
    first, last = history.troubled
    failed: list[float] = []
    for one in (one for one in history.asked if one.key.startswith(route)):
        began = max((at for at in history.resumed if at < one.at), default=0.0)
        # An hour of the clock is looked at, as far as nothing kept the counts from being written.
        hour = one.at - one.at % HOUR
        quiet = not first < last or not first - MINUTE < one.at < last + MINUTE
        counted = [at for at in failed if at > max(began, hour) and at < one.at - _STOPPED]
        if quiet and len(counted) >= history.breaker:
            yield f"{one.key} is asked for at {_clock(one.at)}, after {len(counted)} failures"
        if one.final or not one.told:
            failed.append(one.at)
        elif one.rang:
            failed.clear()


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
    last = max(history.well, *history.resumed, *(sent.answered for sent in told))
    if wanted.starts:
        due, slack, until = max(last, wanted.starts - _BEFORE), 20 * MINUTE, wanted.starts
    else:
        due, slack, until = last, _RINGS, wanted.made + history.expires
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
    if _may_lack_consent(history, wanted):
        return True
    # Without its mark in the list, a call may be taken for another.
    sure = history.redials and history.marked
    first, last = history.troubled
    unheard = [
        one for one in asked if not one.told or (history.deaf and first <= one.at <= last + MINUTE)
    ]
    if not sure and (history.deaths or unheard):
        return True
    counted = [
        one for one in history.asked if one.number == wanted.number and (one.rang or not one.told)
    ]
    return len(counted) + history.deaths >= _CAP


def _may_lack_consent(history: History, wanted: Sent) -> bool:
    """Whether it may not have been known for certain that the person agreed."""
    if not wanted.key.startswith("offer"):
        return False
    said = [
        sent
        for sent in history.sent
        if sent.number == wanted.number and sent.does in ("agree", "withdraw")
    ]
    sure = all(word.accepted and _holds(history, word, wanted.began) for word in said)
    newest = max(said, key=lambda word: word.made, default=None)
    return not (sure and newest and newest.does == "agree")


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%d %H:%M:%S}"
