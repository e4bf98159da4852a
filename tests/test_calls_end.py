"""How calls end, in whole histories: each as it did or unknown, and none rings more than it may."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.simulation.endings.checker import faults
from tests.simulation.endings.run import simulate

from ringhook.calls import endings, marks, outcome_words, outcomes
from ringhook.clients import executions
from ringhook.keeper import Keeper
from ringhook.ringing import hearing
from ringhook.senders.providers._url_token import UrlToken

COUNT = int(os.environ.get("SIMULATE", "300")) // 2
_TOGETHER = 50
# Within so many histories a broken rule is seen.
_SEEN_WITHIN = 200


@pytest.mark.parametrize("first", range(0, max(COUNT, _TOGETHER), _TOGETHER))
def test_every_call_ends_as_it_did_or_as_unknown(first: int) -> None:
    wrong = [fault for seed in range(first, first + _TOGETHER) for fault in faults(simulate(seed))]
    assert not wrong


def test_of_hundreds_of_calls_with_a_third_of_the_webhooks_lost_each_ends_as_it_did() -> None:
    history = simulate(1, orders=280, lost=1 / 3)
    assert not faults(history)
    assert len(history.rings) > 300
    rings: dict[str, list[str]] = {order.key: [] for order in history.orders}
    for ring in history.rings:
        rings[ring.key].append(ring.ending if ring.listed or ring.webhooks else "")
    known = {one.key: [one.outcomes[n] for n in sorted(one.outcomes)] for one in history.kept}
    # What the list never has, and no webhook told for certain, is unknown: all else is as it was.
    for key, truth in rings.items():
        assert len(known[key]) == len(truth)
        for said, was in zip(known[key], truth, strict=True):
            assert said in (was or "unknown", "unknown")
    unknown = sum(said == "unknown" for one in known.values() for said in one)
    never = sum(not ring.listed for ring in history.rings)
    assert unknown <= never
    assert history.looks < 2 * len(history.rings)


def test_a_seed_gives_one_history_of_endings() -> None:
    assert simulate(7).story == simulate(7).story


Patch = pytest.MonkeyPatch


def _what_comes_later_counts(patch: Patch) -> None:
    patch.setattr(
        endings, "merged", lambda known, heard: replace(heard, final=heard.outcome is not None)
    )


def _a_hint_is_certain(patch: Patch) -> None:
    patch.setattr(hearing, "_second", lambda *_: True)


def _nobody_gives_up(patch: Patch) -> None:
    patch.setattr(endings, "deadline", lambda item, policy: 1e12)


def _whatever_ended_is_rung_again(patch: Patch) -> None:
    again = endings._again

    def whatever(item: Any, outcome: Any, policy: Any, now: float) -> Any:
        missed = replace(outcome, outcome="no_answer") if outcome.outcome else outcome
        return again(item, missed, policy, now)

    patch.setattr(endings, "_again", whatever)


def _a_cancel_after_the_ring_is_forgotten(patch: Patch) -> None:
    patch.setattr(endings, "_forbidden", lambda item, outcome: "")


def _what_was_said_does_nothing(patch: Patch) -> None:
    patch.setattr(hearing.Hearing, "_opt_out", lambda *_: None)
    patch.setattr(endings, "_forbidden", lambda item, outcome: "")


def _a_redial_is_not_counted(patch: Patch) -> None:
    again = endings._again

    def forgetful(*asked: Any) -> Any:
        item = again(*asked)
        return item and replace(item, redials=0)

    patch.setattr(endings, "_again", forgetful)


def _a_redial_does_not_wait(patch: Patch) -> None:
    again = endings._again

    def at_once(item: Any, outcome: Any, policy: Any, now: float) -> Any:
        after = again(item, outcome, policy, now)
        return after and replace(after, due_at=now)

    patch.setattr(endings, "_again", at_once)


def _nothing_is_rung_again(patch: Patch) -> None:
    patch.setattr(endings, "_again", lambda *_: None)


def _nobody_is_called_back(patch: Patch) -> None:
    patch.setattr(endings, "_callback", lambda *_: None)


def _a_word_that_nobody_knows_is_no_answer(patch: Patch) -> None:
    meaning = outcome_words.meaning
    patch.setattr(outcomes, "meaning", lambda word: meaning(word) or "no_answer")


def _what_is_completed_was_answered(patch: Patch) -> None:
    ending = outcomes._ending

    def answered(words: Any, seconds: float | None) -> Any:
        return ending(words, seconds or 1.0)

    patch.setattr(outcomes, "_ending", answered)


def _nobody_asks(patch: Patch) -> None:
    patch.setattr(Keeper, "ask", lambda self: 0)


def _the_secret_of_the_address_is_any(patch: Patch) -> None:
    patch.setattr(UrlToken, "verify", lambda *_: None)


def _a_row_may_be_any_calls(patch: Patch) -> None:
    patch.setattr(executions, "_fits", lambda *_: {0.0})
    patch.setattr(executions, "_names", lambda *_: False)


def _attempts_have_one_mark(patch: Patch) -> None:
    patch.setattr(marks, "mark", lambda call_id, attempt: call_id)


BROKEN = [
    one
    for name, one in list(globals().items())
    if name.startswith("_") and callable(one) and getattr(one, "__module__", "") == __name__
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.__name__.strip("_"))
def test_a_broken_rule_of_endings_is_seen(
    broken: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    broken(monkeypatch)
    assert any(faults(simulate(seed)) for seed in range(_SEEN_WITHIN))
