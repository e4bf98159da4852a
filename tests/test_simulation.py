"""Whole histories, seen from outside: nobody is rung who should not be, and nobody is forgotten."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from tests.simulation.broken import BROKEN, SEEN_WITHIN, first_seen
from tests.simulation.checker import faults
from tests.simulation.run import simulate

COUNT = int(os.environ.get("SIMULATE", "300"))
# So many histories in one test.
_TOGETHER = 50


@pytest.mark.parametrize("first", range(0, COUNT, _TOGETHER))
def test_every_history_is_without_fault(first: int) -> None:
    wrong = [fault for seed in range(first, first + _TOGETHER) for fault in faults(simulate(seed))]
    assert not wrong


def test_a_seed_gives_one_history() -> None:
    for seed in (23, 50, 382):
        one, other = simulate(seed), simulate(seed)
        assert one.story == other.story


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.__name__.strip("_"))
def test_a_broken_rule_is_seen(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    assert first_seen(range(SEEN_WITHIN)) is not None
