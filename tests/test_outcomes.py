"""How calls end: the API's words are folded into ours, and what is certain does not change."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringhook.calls import outcomes
from ringhook.calls.outcomes import Outcome, Said, fold, given_up, merged, strange

_FILE = tomllib.loads((Path(__file__).parent / "cases" / "outcomes.toml").read_text())
_WORDS = [
    pytest.param({"STATUS": text}, case, number, id=f"{text}-{case.get('duration')}")
    for case in _FILE["case"]
    for number, text in enumerate(case.get("texts", []))
]
_ROWS = [
    pytest.param(case["row"], case, 0, id=str(case["row"]))
    for case in _FILE["case"]
    if "row" in case
]


def _list(words: dict[str, Any], **more: Any) -> Outcome:
    return fold(Said(words=words, **more), learnt_from="list")


@pytest.mark.parametrize(("words", "case", "number"), [*_WORDS, *_ROWS])
def test_words_are_folded_as_their_api_means_them(
    words: dict[str, Any], case: dict[str, Any], number: int
) -> None:
    expected = case.get("is")
    expected = expected[number] if isinstance(expected, list) else expected
    found = _list(words, duration=case.get("duration"))
    assert found.outcome == expected
    assert found.ended_by == case.get("ended_by")
    assert found.failure == case.get("failure")
    assert found.final == (expected not in (None, "unknown"))
    assert found.raw == words


@pytest.mark.parametrize("case", _FILE["case"])
def test_case_hyphen_and_underscore_make_no_difference(case: dict[str, Any]) -> None:
    for text in case.get("texts", []):
        as_it_is = _list({"S": text}, duration=case.get("duration"))
        for other in (
            text.upper(),
            text.lower(),
            text.replace("-", "_"),
            text.replace("_", "-"),
            text.replace("_", " "),
            f" {text} ",
        ):
            found = _list({"S": other}, duration=case.get("duration"))
            assert found.outcome == as_it_is.outcome, other


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(text, case.get("seconds")) for case in _FILE["duration"] for text in case["texts"]],
)
def test_a_duration_is_seconds_or_nothing(value: object, seconds: float | None) -> None:
    assert outcomes.duration(value) == seconds


def test_only_words_of_their_own_mean_what_is_rung_again() -> None:
    for around in ("agent-{}", "not {}", "{} transfer", "operator-{}-line", "pre{}"):
        for word in ("busy", "no-answer", "unanswered"):
            assert _list({"S": around.format(word)}).outcome == "unknown"


@given(st.text(max_size=30), st.one_of(st.none(), st.floats(), st.text(max_size=8)))
def test_any_text_is_folded_without_an_error(word: str, seconds: object) -> None:
    found = _list({"S": word}, duration=seconds)
    assert not (found.final and found.outcome in (None, "unknown"))


def test_words_that_nobody_knows_are_told() -> None:
    assert strange(Said(words={"a": "COMPLETED", "b": "gone_fishing", "c": "", "d": None})) == [
        "gone_fishing"
    ]


def test_facts_are_tidied_and_what_is_not_plain_is_not_known() -> None:
    found = fold(
        Said(
            words={"STATUS": "completed"},
            duration="2m 30s",
            started_at="2026-11-24 10:00:00",
            ended_at=1795514550,
            disposition=" Interested\u200b\n",
            opt_out="maybe",
            callback_at="tomorrow at 5",
            recording="https://example.com/r.mp3",
            transcript="Agent: hello",
            cost="0.12",
            currency="usd",
            zone=ZoneInfo("Asia/Kolkata"),
        ),
        learnt_from="webhook",
        confirmed=False,
        attempt=2,
    )
    assert (found.outcome, found.final, found.attempt) == ("answered", False, 2)
    assert found.duration_seconds == 150
    assert found.started_at == datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
    assert found.ended_at == datetime.fromtimestamp(1795514550, UTC)
    assert (found.disposition, found.opt_out, found.callback_at) == ("Interested", None, None)
    assert (found.recording, found.transcript) == ("https://example.com/r.mp3", None)
    assert (found.cost, found.currency) == (0.12, "USD")


@pytest.mark.parametrize(
    ("value", "zone", "is_"),
    [
        ("2026-11-25T17:00:00+05:30", None, "2026-11-25T11:30:00+00:00"),
        ("2026-11-25T11:30:00Z", None, "2026-11-25T11:30:00+00:00"),
        ("2026-11-25 17:00", "Asia/Kolkata", "2026-11-25T11:30:00+00:00"),
        ("2026-11-25 5:00 PM", "Asia/Kolkata", "2026-11-25T11:30:00+00:00"),
        (1795606200, None, "2026-11-25T11:30:00+00:00"),
        ("2026-11-25 17:00", None, None),
        ("2026-11-25", "Asia/Kolkata", None),
        ("03/04/2026 17:00", "Asia/Kolkata", None),
        ("tomorrow", "Asia/Kolkata", None),
        ("17:00", "Asia/Kolkata", None),
        ("in 2 hours", None, None),
        ("", None, None),
        (True, None, None),
        (5, None, None),
        (["2026-11-25T11:30:00Z"], None, None),
    ],
)
def test_a_moment_is_plain_or_none(value: object, zone: str | None, is_: str | None) -> None:
    found = outcomes.moment(value, ZoneInfo(zone) if zone else None)
    assert (found.isoformat() if found else None) == is_


@pytest.mark.parametrize(
    ("value", "is_"),
    [
        (True, True), ("true", True), ("Yes", True), (1, True), ("1", True),
        (False, False), ("false", False), ("NO", False), (0, False),
        (None, None), ("", None), ("maybe", None), ("n/a", None), (2, None), (["true"], None),
        ("not interested", None), (1.0, None), ({"value": True}, None),
    ],
)  # fmt: skip
def test_a_wish_is_plain_or_none(value: object, is_: bool | None) -> None:
    assert outcomes.plain_bool(value) is is_


_ENDINGS = st.sampled_from([None, "answered", "no_answer", "busy", "unknown", "voicemail"])
_OUTCOMES = st.builds(
    lambda ending, confirmed, source, opt_out, seconds: Outcome(
        outcome=ending,
        final=confirmed and ending not in (None, "unknown"),
        learnt_from=source,
        opt_out=opt_out,
        duration_seconds=seconds,
    ),
    _ENDINGS,
    st.booleans(),
    st.sampled_from(["webhook", "list"]),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, 0.0, 30.0]),
)


@given(st.lists(_OUTCOMES, min_size=1, max_size=6))
def test_what_is_certain_does_not_change(heard: list[Outcome]) -> None:
    known: Outcome | None = None
    for one in heard:
        before, known = known, merged(known, one)
        if before and before.final:
            assert (known.outcome, known.final) == (before.outcome, True)
        assert merged(known, one) == known, "twice is once"
    certain = [one.outcome for one in heard if one.final]
    assert known is not None
    assert known.final == bool(certain)
    if certain:
        assert known.outcome == certain[0]
    assert known.opt_out or not any(one.opt_out for one in heard)


@given(_OUTCOMES, _OUTCOMES)
def test_the_order_of_two_changes_nothing_unless_both_weigh_the_same(
    one: Outcome, two: Outcome
) -> None:
    there, back = merged(one, two), merged(two, one)
    if one.final != two.final or None in (one.outcome, two.outcome):
        assert (there.outcome, there.final) == (back.outcome, back.final)


def test_of_hints_the_first_stands_until_the_list_tells() -> None:
    hint = Outcome(outcome="answered", learnt_from="webhook", duration_seconds=30)
    torn = merged(hint, Outcome(outcome="busy", learnt_from="webhook"))
    assert (torn.outcome, torn.final) == ("answered", False)
    told = merged(torn, Outcome(outcome="busy", learnt_from="list", final=True))
    assert (told.outcome, told.final, told.duration_seconds) == ("busy", True, None)


def test_what_is_heard_of_another_attempt_changes_nothing() -> None:
    known = Outcome(attempt=2)
    late = Outcome(attempt=1, outcome="no_answer", final=True)
    assert merged(known, late) == known


def test_at_the_deadline_it_is_unknown_until_something_certain_comes_late() -> None:
    hint = Outcome(outcome="answered", raw={"STATUS": "completed"}, opt_out=True)
    ended = given_up(hint, 1)
    assert (ended.outcome, ended.final, ended.learnt_from) == ("unknown", True, "deadline")
    assert (ended.raw, ended.opt_out) == (hint.raw, True)
    assert merged(ended, hint).outcome == "unknown"
    late = Outcome(outcome="answered", final=True, learnt_from="list")
    assert merged(ended, late).outcome == "answered"
    assert merged(merged(ended, late), ended).outcome == "answered"
    assert given_up(hint, 2) == Outcome(
        attempt=2, outcome="unknown", final=True, learnt_from="deadline"
    )


def test_an_outcome_survives_json() -> None:
    known = Outcome(
        attempt=2,
        outcome="answered",
        final=True,
        learnt_from="list",
        started_at=datetime(2026, 11, 24, 10, tzinfo=UTC),
        duration_seconds=30.5,
        raw={"STATUS": "completed"},
    )
    written = json.loads(json.dumps(outcomes.as_json(known)))
    assert outcomes.of_json(written) == known
    assert outcomes.of_json({**written, "mood": "of a later version"}) == known
    assert "disposition" not in written
    assert outcomes.of_json(outcomes.as_json(replace(known, raw={}))) == replace(known, raw={})
