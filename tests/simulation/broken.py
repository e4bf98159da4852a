"""Rules broken on purpose, one at a time: the checker must see each of them.

`python -m tests.simulation.broken` says for each in which history it is first seen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from tests.simulation.checker import faults
from tests.simulation.run import simulate

from ringhook.calls import lifecycle
from ringhook.calls.answers import Later, Refused
from ringhook.clients import ledger, numbers, table, unleashx
from ringhook.clients.ledger import Ledger
from ringhook.clients.pace import Pacer
from ringhook.clients.queue import CallQueue
from ringhook.deciding import policy
from ringhook.dialer import Dialer
from ringhook.errors import CutError, UnavailableError, UnsentError
from ringhook.keeper import Keeper
from ringhook.ringing import attempts
from ringhook.ringing.breaker import Breaker

# Within so many histories a broken rule is seen.
SEEN_WITHIN = 350

Patch = pytest.MonkeyPatch


def _batch_failures_are_ignored(patch: Patch) -> None:
    send = CallQueue._send_all

    def send_all(self: Any, *asked: Any) -> None:
        with suppress(UnavailableError):
            send(self, *asked)

    patch.setattr(CallQueue, "_send_all", send_all)


def _a_busy_call_is_told_of_no_cancel(patch: Patch) -> None:
    ended_by = lifecycle.ended_by
    patch.setattr(
        lifecycle,
        "ended_by",
        lambda item, word: None if item and item.busy else ended_by(item, word),
    )


def _whatever_comes_is_newer(patch: Patch) -> None:
    patch.setattr(lifecycle, "newer", lambda one, other: True)


def _whatever_ended_begins_again(patch: Patch) -> None:
    patch.setattr(lifecycle, "_begins_again", lambda item, call, policy: True)


def _a_waiting_call_keeps_its_time(patch: Patch) -> None:
    def kept(old: Any, new: Any, policy: Any) -> Any:
        return structs.replace(new, ring_at=old.ring_at, appointment=old.appointment)

    patch.setattr(lifecycle, "updated", kept)


def _a_lease_that_ended_is_decided_anew(patch: Patch) -> None:
    due = lifecycle.due
    patch.setattr(
        lifecycle,
        "due",
        lambda item, now: "decide" if due(item, now) == "look" else due(item, now),
    )


def _one_look_is_enough(patch: Patch) -> None:
    patch.setattr(lifecycle, "LOOKS_BEFORE_ANOTHER", 1)


def _a_claim_has_no_condition(patch: Patch) -> None:
    changed = Ledger._changed

    def unconditional(self: Any, *asked: Any) -> Any:
        return replace(changed(self, *asked), condition=table.ALWAYS, values={})

    patch.setattr(Ledger, "_changed", unconditional)


def _a_500_is_a_no(patch: Patch) -> None:
    classify = unleashx.classify

    def sure(status: int, *rest: Any) -> Any:
        return Later("no") if status >= 500 else classify(status, *rest)

    patch.setattr(unleashx, "classify", sure)


def _a_429_is_for_ever(patch: Patch) -> None:
    classify = unleashx.classify

    def sure(status: int, *rest: Any) -> Any:
        return Refused("no") if status == 429 else classify(status, *rest)

    patch.setattr(unleashx, "classify", sure)


def _what_was_never_sent_is_unheard(patch: Patch) -> None:
    ask = unleashx.UnleashX._request

    def request(self: Any, *asked: Any) -> Any:
        try:
            return ask(self, *asked)
        except UnsentError as error:
            raise CutError(str(error)) from error

    patch.setattr(unleashx.UnleashX, "_request", request)


def _nothing_sweeps(patch: Patch) -> None:
    patch.setattr(Keeper, "sweep", lambda self: 0)


def _what_cannot_be_kept_now_is_forgotten(patch: Patch) -> None:
    patch.setattr(CallQueue, "again", lambda *_, **__: None)


def _a_stop_is_not_kept(patch: Patch) -> None:
    patch.setattr(numbers.Numbers, "suppress_number", lambda *_: None)


def _the_clock_there_is_not_asked(patch: Patch) -> None:
    patch.setattr(policy._Moments, "_permitted", lambda self, moment: None)


def _gaps_are_not_kept(patch: Patch) -> None:
    patch.setattr(policy._Moments, "_spaced", lambda self, moment: None)


def _an_appointment_does_not_wait(patch: Patch) -> None:
    patch.setattr(policy._Moments, "_due", lambda self, moment: None)


def _the_pace_is_not_kept(patch: Patch) -> None:
    patch.setattr(Pacer, "take", lambda *_, **__: 0.0)


def _who_is_erased_is_remembered(patch: Patch) -> None:
    patch.setattr(numbers.Numbers, "forget", lambda *_: [])


def _an_earlier_ringing_counts_for_nothing(patch: Patch) -> None:
    """So it was once: an appointment that was moved thrice rang a fourth time within a day."""
    patch.setattr(lifecycle, "rung_before", lambda item, rung: dict(rung))


def _a_cancel_overwrites_the_claim(patch: Patch) -> None:
    ended_by = lifecycle.ended_by

    def at_once(item: Any, word: Any) -> Any:
        told = ended_by(item, word)
        if told and item and item.busy:
            return replace(told, status="cancelled", due_at=None, owner="")
        return told

    patch.setattr(lifecycle, "ended_by", at_once)


def _what_was_given_up_is_looked_for_again(patch: Patch) -> None:
    left = lifecycle._left

    def again(item: Any, reason: str) -> Any:
        ended = left(item, reason)
        if ended.status != "uncertain":
            return ended
        return replace(ended, due_at=item.asked_at.timestamp() + 90 * 86_400)

    patch.setattr(lifecycle, "_left", again)


def _what_is_unheard_gives_its_count_back(patch: Patch) -> None:
    write = Ledger.write

    def given_back(self: Any, item: Any, *, give_back: Any = (), **more: Any) -> Any:
        unheard = item.status == "uncertain" and more.get("attempt")
        return write(self, item, give_back={"number"} if unheard else give_back, **more)

    patch.setattr(Ledger, "write", given_back)


def _a_stop_is_not_read(patch: Patch) -> None:
    patch.setattr(attempts, "stopped", lambda stops, call: None)


def _a_route_is_never_stopped_by_itself(patch: Patch) -> None:
    patch.setattr(Breaker, "saw", lambda *_, **__: None)


def _nobody_is_asked_for_consent(patch: Patch) -> None:
    patch.setattr(policy, "_without_consent", lambda *_: None)


def _it_is_never_too_late(patch: Patch) -> None:
    patch.setattr(policy, "expiry", lambda call, _: call.occurred_at + timedelta(days=400))


def _what_cannot_be_fetched_at_once_never_can(patch: Patch) -> None:
    complete = Dialer._complete

    def once(self: Any, thin: Any) -> None:
        complete(self, structs.replace(thin, occurred_at=thin.occurred_at - timedelta(days=9)))

    patch.setattr(Dialer, "_complete", once)


def _a_lease_ends_while_the_api_is_asked(patch: Patch) -> None:
    claimed = lifecycle.claimed

    def short(item: Any, reason: str, owner: str, until: float, now: Any) -> Any:
        return claimed(item, reason, owner, now.timestamp() + 1, now)

    patch.setattr(lifecycle, "claimed", short)
    patch.setattr(lifecycle, "LOOKS", (0.0, 0.1, 0.2, 0.3))


def _what_a_call_was_told_while_it_was_busy_is_lost(patch: Patch) -> None:
    patch.setattr(lifecycle, "_told", lambda item, now: item)


def _what_is_erased_may_be_asked_for_again(patch: Patch) -> None:
    patch.setattr(ledger, "mark", lambda number: f"forgotten#none-{number}")
    patch.setattr(
        numbers.Numbers, "spend", lambda self, call_id, now: self.delete(f"call#{call_id}")
    )


BROKEN: list[Callable[[Patch], None]] = [
    one
    for name, one in list(globals().items())
    if name.startswith("_")
    and name[1].islower()
    and callable(one)
    and getattr(one, "__module__", "") == __name__
]


def first_seen(seeds: Sequence[int]) -> int | None:
    """The first of these histories in which the checker sees a fault."""
    return next((seed for seed in seeds if faults(simulate(seed))), None)


def main() -> int:
    """Exit code 1 if one is not seen."""
    missed = 0
    for broken in BROKEN:
        with pytest.MonkeyPatch.context() as patch:
            broken(patch)
            seed = first_seen(range(SEEN_WITHIN))
        missed += seed is None
        sys.stdout.write(f"{broken.__name__.strip('_')}: {seed}\n")
        sys.stdout.flush()
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())
