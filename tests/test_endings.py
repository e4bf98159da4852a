"""How attempts end, and what follows: each ends once, and only what nobody had is made again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import ALICE, BOB, NOW, at, call, cancel, item

from ringhook.calls import endings, lifecycle
from ringhook.calls.answers import Initiated, Unheard
from ringhook.calls.endings import News, learnt, news, settled, unlearnt
from ringhook.calls.item import Cancel, Item
from ringhook.calls.outcomes import Ending, Outcome
from ringhook.routing.routes import Policy, Redial

HOUR = 3600.0
T = NOW.timestamp()


def policy(
    *on: Literal["no_answer", "busy", "voicemail"], after: tuple[float, ...] = (2.0, 24.0)
) -> Policy:
    """A policy that redials after so many hours."""
    redial = Redial(on=on, after=tuple(timedelta(hours=h) for h in after)) if on else None
    return Policy(redial=redial)


def rang(**fields: Any) -> Item:
    """A call that rang just now."""
    return lifecycle.heard(item(**fields), Initiated("exec-1"), policy(), T, 0.0)


def outcome(ending: Ending | None, **fields: Any) -> Outcome:
    """What the list says."""
    final = ending not in (None, "unknown")
    return Outcome(**{"outcome": ending, "final": final, "learnt_from": "list", **fields})


def ends(one: Item, heard: Outcome, by: Policy | None = None, at_: float = T + 60) -> Item:
    """It is learnt how the present attempt ended, and settled what follows."""
    after = learnt(one, replace(heard, attempt=one.ringing), at_)
    assert after is not None
    assert lifecycle.due(after, at_) == "settle"
    return settled(after, by, at_)


def test_a_call_that_rings_is_open_until_its_outcome() -> None:
    one = rang()
    assert (one.status, one.awaits_outcome, one.due_at) == ("initiated", True, T + 45)
    assert lifecycle.due(one, T + 44) == "wait"
    assert lifecycle.due(one, T + 45) == "learn"
    done = ends(one, outcome("answered", duration_seconds=42.0))
    assert (done.status, done.due_at, done.outcome) == ("ended", None, done.outcomes[0])
    assert done.reason == "the person answered, for 42 s"


def test_an_outcome_that_comes_before_the_answer_ends_the_call_with_the_answer() -> None:
    early = learnt(item(), outcome("busy"), T)
    assert early
    assert (early.status, early.owner) == ("calling", "owner-1")
    after = lifecycle.heard(early, Initiated("exec-1"), policy(), T, 0.0)
    assert lifecycle.due(after, T) == "settle"
    unheard = lifecycle.heard(early, Unheard("cut"), policy(), T, 0.0)
    assert lifecycle.due(unheard, T) == "settle"
    known = settled(unheard, policy(), T)
    assert (known.status, lifecycle.due(known, T)) == ("initiated", "settle")
    assert settled(known, policy(), T).status == "ended"


def test_an_uncertain_call_of_which_an_outcome_is_heard_has_rung() -> None:
    left = item(status="uncertain", asked_at=NOW)
    told = learnt(left, outcome("answered", duration_seconds=5.0), T + 60)
    assert told
    assert settled(settled(told, None, T + 60), None, T + 60).status == "ended"


def test_the_list_is_asked_ever_more_seldom_until_the_deadline_and_then_it_is_unknown() -> None:
    one, times = rang(), []
    while one.awaits_outcome:
        assert one.due_at is not None
        times.append(one.due_at - T)
        one = unlearnt(one, None, one.due_at)
    assert times[:4] == [45, 180, 585, 1800]
    assert times[-1] == 6 * HOUR
    assert len(times) < 12
    assert one.outcome == Outcome(outcome="unknown", final=True, learnt_from="deadline")
    done = settled(one, policy("no_answer", "busy"), T + 6 * HOUR)
    assert (done.status, done.reason) == ("ended", "how the call ended cannot be learnt")


@given(st.integers(60, 14 * 86_400), st.floats(0, 300))
def test_no_call_stays_open(span: int, late: float) -> None:
    by, one, looks = replace(policy(), outcome_deadline=timedelta(seconds=span)), rang(), 0
    while one.awaits_outcome:
        assert one.due_at is not None
        assert one.due_at <= T + span
        now = one.due_at + late
        one = unlearnt(one, by, now)
        looks += 1
        assert one.due_at is None or one.due_at > now or one.is_over
    assert looks < 350


@pytest.mark.parametrize("ending", ["answered", "voicemail", "rejected", "failed", "unknown"])
def test_only_what_is_named_is_made_again(ending: Ending) -> None:
    by = policy("no_answer", "busy")
    heard = outcome(ending, duration_seconds=9.0)
    if ending == "unknown":
        done = settled(unlearnt(rang(), by, T + 7 * HOUR), by, T + 7 * HOUR)
    else:
        done = ends(rang(), heard, by)
    assert (done.status, done.ringing) == ("ended", 1)


@pytest.mark.parametrize("ending", ["no_answer", "busy", "voicemail"])
def test_a_redial_is_the_next_attempt_of_the_same_call_as_often_as_the_route_says(
    ending: Any,
) -> None:
    by, one = policy(ending), rang()
    for number, hours in ((1, 2.0), (2, 24.0)):
        again = ends(one, outcome(ending), by)
        assert (again.status, again.ringing, again.redials) == ("deferred", number + 1, number)
        assert again.due_at == T + hours * HOUR
        assert again.reason.endswith(f"redial {number} of 2")
        assert lifecycle.due(again, T + hours * HOUR) == "decide"
        claimed = lifecycle.claimed(again, "", "owner-2", T + 99, NOW)
        one = lifecycle.heard(claimed, Initiated("exec-2"), by, T, 0.0)
        assert one.awaits_outcome
    done = ends(one, outcome(ending), by)
    assert (done.status, len(done.outcomes)) == ("ended", 3)
    assert [o.attempt for o in done.outcomes] == [1, 2, 3]


def test_an_order_cancelled_meanwhile_is_not_made_again() -> None:
    by = policy("no_answer")
    word = cancel(occurred_at=at(9), received_at=at(9))
    told = lifecycle.ended_by(rang(), word)
    assert told
    assert told.awaits_outcome
    done = ends(told, outcome("no_answer"), by)
    assert done.status == "ended"
    assert done.reason == "nobody answered; cancelled by orders/cancelled"
    waits = ends(rang(), outcome("no_answer"), by)
    ended = lifecycle.ended_by(waits, word)
    assert ended
    assert (ended.status, ended.due_at) == ("cancelled", None)


def test_a_newer_event_does_not_make_a_redial_come_sooner() -> None:
    by = policy("no_answer")
    waits = ends(rang(), outcome("no_answer"), by)
    newer = call(event_id="evt_2", occurred_at=at(120), received_at=at(120))
    told = lifecycle.asked(waits, newer, by, T + 120)
    assert told
    assert (told.due_at, told.call.event_id) == (T + 2 * HOUR, "evt_2")


def test_a_redial_is_made_as_the_newest_event_says_though_that_came_while_it_rang() -> None:
    by = policy("no_answer")
    newer = call(event_id="evt_2", occurred_at=at(9), received_at=at(9), phone_number=BOB)
    while_asking = lifecycle.asked(item(), newer, by, T + 9)
    assert while_asking
    after = lifecycle.heard(while_asking, Initiated("exec-1"), by, T + 10, 0.0)
    while_ringing = lifecycle.asked(rang(), newer, by, T + 20)
    assert while_ringing
    assert (while_ringing.status, while_ringing.due_at) == ("initiated", T + 45)
    for told in (after, while_ringing):
        again = ends(told, outcome("no_answer"), by)
        assert (again.call.phone_number, again.next) == (BOB, None)
        assert again.due_at == T + 2 * HOUR
        assert lifecycle.asked(again, newer, by, T + 99) is None
        done = ends(told, outcome("answered", duration_seconds=9.0), by)
        assert (done.status, done.call.phone_number, done.next) == ("ended", ALICE, None)


def test_an_order_cancelled_and_wanted_again_while_it_rang_is_made_again() -> None:
    told = lifecycle.ended_by(rang(), cancel(occurred_at=at(9), received_at=at(9)))
    assert told
    newer = call(event_id="evt_2", occurred_at=at(12), received_at=at(12))
    wanted = lifecycle.asked(told, newer, policy("busy"), T + 12)
    assert wanted
    assert ends(wanted, outcome("busy"), policy("busy")).status == "deferred"


def test_a_redial_that_a_rule_forbids_leaves_the_call_ended_as_it_was() -> None:
    waits = ends(rang(), outcome("no_answer"), policy("no_answer"))
    done = lifecycle.suppressed(waits, "the number is on the do-not-call list")
    assert (done.status, done.outcome and done.outcome.outcome) == ("ended", "no_answer")
    assert done.reason.startswith("not called again: the number is on the do-not-call list")


def test_who_opted_out_is_neither_rung_again_nor_called_back() -> None:
    heard = outcome("no_answer", opt_out=True, callback_at=at(HOUR))
    assert ends(rang(), heard, policy("no_answer")).status == "ended"


def test_a_callback_is_an_attempt_at_the_time_that_was_asked_for() -> None:
    heard = outcome("answered", duration_seconds=30.0, callback_at=at(5 * HOUR))
    again = ends(rang(), heard, policy())
    assert (again.status, again.ringing, again.redials) == ("deferred", 2, 0)
    assert (again.due_at, again.call.ring_at) == (T + 5 * HOUR, at(5 * HOUR))
    forbidden = lifecycle.suppressed(again, "closed")
    assert forbidden.status == "ended"
    late = ends(rang(), outcome("answered", duration_seconds=30.0), policy())
    told = learnt(late, replace(heard, learnt_from="webhook", final=False), T + 90)
    assert told
    assert settled(told, policy(), T + 90).call.ring_at == at(5 * HOUR)
    # Once is enough.
    after = settled(told, policy(), T + 90)
    assert learnt(after, replace(heard, learnt_from="webhook", final=False), T + 95) is None


@pytest.mark.parametrize("restart", [False, True])
def test_a_newer_event_leaves_a_callback_its_time(restart: bool) -> None:
    by = Policy(restart=restart)
    heard = outcome("answered", duration_seconds=30.0, callback_at=at(5 * HOUR))
    again = ends(rang(), heard, by)
    newer = call(event_id="evt_2", occurred_at=at(120), received_at=at(120), ring_at=at(720))
    told = lifecycle.asked(again, newer, by, T + 120)
    assert told
    assert (told.due_at, told.call.ring_at) == (T + 5 * HOUR, at(5 * HOUR))
    assert told.call.event_id == "evt_2"


@pytest.mark.parametrize("seconds", [-60, 0, 60, 91 * 86_400])
def test_a_callback_in_the_past_or_in_another_season_is_no_callback(seconds: float) -> None:
    heard = outcome("answered", duration_seconds=30.0, callback_at=at(seconds))
    assert ends(rang(), heard, policy(), T + 60).status == "ended"


def test_a_hint_is_asked_for_soon_and_settles_nothing() -> None:
    hint = Outcome(outcome="no_answer", learnt_from="webhook")
    told = learnt(rang(), hint, T + 20)
    assert told
    assert (told.status, told.due_at, told.awaits_outcome) == ("initiated", T + 30, True)
    done = unlearnt(told, policy("no_answer"), T + 7 * HOUR)
    assert settled(done, policy("no_answer"), T + 7 * HOUR).ringing == 1
    assert done.outcome
    assert done.outcome.outcome == "unknown"


def test_what_comes_late_or_of_another_attempt_changes_nothing_that_is_certain() -> None:
    by = policy("no_answer")
    again = ends(rang(), outcome("no_answer"), by)
    assert learnt(again, outcome("answered", duration_seconds=9.0), T + 90) is None
    assert learnt(again, outcome("answered", duration_seconds=9.0, attempt=3), T + 90) is None
    assert learnt(again, outcome("no_answer"), T + 90) is None
    open_ = unlearnt(rang(), by, T + 7 * HOUR)
    unknown = settled(open_, by, T + 7 * HOUR)
    late = learnt(unknown, outcome("no_answer"), T + 8 * HOUR)
    assert late
    assert (late.status, late.due_at) == ("ended", None)
    assert late.outcome
    assert late.outcome.outcome == "no_answer"


def test_no_outcome_is_heard_of_an_attempt_that_has_yet_to_ring() -> None:
    waits = ends(rang(), outcome("no_answer"), policy("no_answer"))
    assert waits.ringing == 2
    assert learnt(waits, outcome("answered", duration_seconds=9.0, attempt=2), T + 90) is None
    for status in ("queued", "deferred", "suppressed", "cancelled", "refused", "unmapped"):
        assert learnt(item(status=status), outcome("busy"), T) is None


def test_an_appointment_that_moves_does_not_leave_its_reminder_open() -> None:
    by = Policy(before=timedelta(hours=1))
    reminder = rang(of=call(appointment=at(HOUR), ring_at=NOW))
    moved = call(event_id="evt_2", occurred_at=at(60), received_at=at(60), appointment=at(9 * HOUR))
    moves = lifecycle._begins_again(reminder, moved, by)
    begun = lifecycle._reborn(reminder, moved, T + 60)
    assert not moves  # it has no `at`
    assert [(o.attempt, o.outcome, o.final) for o in begun.outcomes] == [(1, "unknown", True)]
    told = learnt(begun, outcome("answered", duration_seconds=9.0), T + 90)
    assert told
    assert (told.status, told.outcomes[0].outcome) == ("queued", "answered")


def test_what_ended_can_be_replayed_only_where_it_failed() -> None:
    assert lifecycle.replayed(ends(rang(), outcome("failed")), call(), T + 99)
    for ending in ("answered", "no_answer", "rejected"):
        heard = outcome(ending, duration_seconds=9.0)
        assert lifecycle.replayed(ends(rang(), heard), call(), T + 99) is None


def test_the_outcome_of_one_attempt_is_not_that_of_the_replay() -> None:
    unheard = lifecycle.heard(item(), Unheard("cut"), policy(), T, 0.0)
    known = learnt(unheard, outcome("failed"), T)
    assert known
    done = settled(settled(known, None, T), None, T)
    assert (done.status, done.execution_id) == ("ended", "")
    again = lifecycle.replayed(done, call(), T + 99)
    assert again
    assert again.ringing == done.ringing + 1
    asked = replace(again, status="calling", owner="owner-2", due_at=T + 160)
    assert lifecycle.due(asked, T + 160) == "look"
    rings = lifecycle.heard(asked, Initiated("exec-2"), policy(), T + 100, 0.0)
    assert rings.awaits_outcome


def test_each_attempts_end_and_each_rest_is_news_once() -> None:
    by = policy("no_answer")
    one = rang()
    assert news(item(), one) == ()
    heard = learnt(one, outcome("no_answer"), T + 60)
    assert heard
    again = settled(heard, by, T + 60)
    assert news(one, again) == (News("attempt", 1),)
    assert news(again, lifecycle.suppressed(again, "expired")) == (News("call", 2),)
    done = settled(heard, None, T + 60)
    assert news(one, done) == (News("attempt", 1), News("call", 1))
    assert news(done, done) == ()
    assert news(None, Item(call=call(), status="unmapped")) == (News("call", 1),)


def test_only_some_outcomes_wait_for_the_routes_policy() -> None:
    for ending, waits in (("answered", False), ("busy", True), ("rejected", False)):
        heard = learnt(rang(), outcome(ending, duration_seconds=9.0), T)  # type: ignore[arg-type]
        assert heard
        assert endings.needs_policy(heard) is waits


def test_a_cancel_that_is_older_than_the_order_forbids_nothing() -> None:
    old = Cancel("orders/cancelled", "evt_0", at(-60), at(-60))
    assert ends(rang(cancel=old), outcome("busy"), policy("busy")).status == "deferred"
