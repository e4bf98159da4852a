"""Whole histories, seen from outside: nobody is rung who should not be, and nobody is forgotten."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs
from tests.simulation.checker import faults
from tests.simulation.run import simulate

from ringhook.calls import lifecycle
from ringhook.calls.answers import Later, Refused
from ringhook.clients import numbers, table, unleashx
from ringhook.clients.ledger import Ledger
from ringhook.clients.pace import Pacer
from ringhook.clients.queue import CallQueue
from ringhook.deciding import policy
from ringhook.errors import CutError, UnavailableError, UnsentError
from ringhook.keeper import Keeper

COUNT = int(os.environ.get("SIMULATE", "300"))
# So many histories in one test.
_TOGETHER = 50
# Within so many histories a broken rule is seen.
_SEEN_WITHIN = 400


@pytest.mark.parametrize("first", range(0, COUNT, _TOGETHER))
def test_every_history_is_without_fault(first: int) -> None:
    wrong = [fault for seed in range(first, first + _TOGETHER) for fault in faults(simulate(seed))]
    assert not wrong


def test_a_seed_gives_one_history() -> None:
    for seed in (23, 50, 382):
        one, other = simulate(seed), simulate(seed)
        assert one.story == other.story


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


BROKEN = [
    one
    for name, one in list(globals().items())
    if name.startswith("_") and callable(one) and getattr(one, "__module__", "") == __name__
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.__name__.strip("_"))
def test_a_broken_rule_is_seen(broken: Callable[[Patch], None], monkeypatch: Patch) -> None:
    broken(monkeypatch)
    assert any(faults(simulate(seed)) for seed in range(_SEEN_WITHIN))
