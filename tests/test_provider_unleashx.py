"""An agent tells how a call ended: in whatever form, with the secret, and of nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.builders import request

from ringhook.calls import outcomes
from ringhook.calls.messages import Ended
from ringhook.calls.outcomes import Outcome
from ringhook.errors import RejectedError, RoutesError
from ringhook.routing import routes_file
from ringhook.routing.receiving import Received, receive
from ringhook.senders.request import Reply

FILE = """
countries = ["US"]
routes = []
[sources.agent]
provider = "unleashx"
"""
SECRET = "a-long-secret-that-nobody-guesses"
MARK = "call_1f3870be274f6c49b3e31a0c6728957f"


def post(
    body: Any, settings: str = "", *, secret: str = SECRET, **headers: str
) -> Reply | Received:
    """What the receiver makes of it."""
    sent = request(
        json.dumps(body).encode(),
        {"content-type": "application/json", **headers},
        source="agent",
        url=f"https://hooks.example.com/hooks/agent/{secret}",
    )
    return receive(sent, routes_file.load(FILE + settings), lambda: [SECRET])


def told(body: Any, settings: str = "") -> Ended:
    """What it tells of a call."""
    received = post(body, settings)
    assert isinstance(received, Received)
    [ended] = received.tasks
    assert isinstance(ended, Ended)
    return ended


def outcome(body: Any, settings: str = "") -> Outcome:
    return outcomes.of_json(told(body, settings).outcome)


MILLIS = {
    "session_id": "s-1",
    "agent_id": "1042",
    "call_id": "c-1",
    "duration": 74.5,
    "recording": {"recording_url": "https://example.com/r.mp3"},
    "metadata": {"order": "#1", "call_id": MARK},
    "call_status": "user-ended",
}
ROW = {
    "ID": 7,
    "AGENT_ID": 1042,
    "CALLING_NUMBER": "+14155550141",
    "STATUS": "completed",
    "CALL_STATUS": "COMPLETED",
    "TOTAL_DURATION": 74,
    "FILE_PATH": "https://example.com/r.mp3",
    "DISPOSITION": "Interested",
    "INPUT_DATA": json.dumps({"call_id": f"{MARK}.2"}),
}


@pytest.mark.parametrize(
    ("body", "mark"),
    [
        (MILLIS, MARK),
        (ROW, f"{MARK}.2"),
        ({"data": ROW}, f"{MARK}.2"),
        ({"event": "call.ended", "data": {"call": MILLIS}}, MARK),
        ({**MILLIS, "metadata": json.dumps(MILLIS["metadata"])}, MARK),
        ({"agentId": 1042, "callStatus": "answered", "callDuration": "1m 14s",
          "metaData": {"Call-ID": MARK}, "recordingUrl": "https://example.com/r.mp3"}, MARK),
    ],
)  # fmt: skip
def test_bodies_of_many_forms_tell_the_same(body: dict[str, Any], mark: str) -> None:
    ended = told(body)
    assert ended.marks == (mark,)
    assert ended.agent_id == "1042"
    found = outcomes.of_json(ended.outcome)
    assert (found.outcome, found.final) == ("answered", False)
    assert found.duration_seconds is not None
    assert int(found.duration_seconds) == 74
    assert found.recording == "https://example.com/r.mp3"


def test_a_body_is_read_where_the_settings_say() -> None:
    body = {"r": {"how": "NO_ANSWER", "secs": "0", "verdict": "none"}, "ours": MARK, "status": "ok"}
    settings = """
call_id = "ours"
status = "r.how"
duration = "r.secs"
disposition = "r.verdict"
"""
    ended = told(body, settings)
    found = outcomes.of_json(ended.outcome)
    assert ended.marks == (MARK,)
    assert (found.outcome, found.disposition, found.raw) == (
        "no_answer",
        "none",
        {"status": "NO_ANSWER"},
    )


def test_what_was_said_is_read_only_where_the_settings_say_and_only_if_it_is_plain() -> None:
    body = {**MILLIS, "opt_out": True, "callback_at": "2026-11-25 17:00"}
    assert (outcome(body).opt_out, outcome(body).callback_at) == (None, None)
    settings = 'time_zone = "Asia/Kolkata"\nopt_out = "opt_out"\ncallback_at = "callback_at"\n'
    found = outcome(body, settings)
    assert found.opt_out is True
    assert found.callback_at is not None
    assert found.callback_at.isoformat() == "2026-11-25T11:30:00+00:00"
    for vague in ({"opt_out": "maybe", "callback_at": "tomorrow at 5"}, {}):
        found = outcome({**MILLIS, **vague}, settings)
        assert (found.opt_out, found.callback_at) == (None, None)
    # By an expression over what the agent notes.
    noted = outcome({**MILLIS, "note": "DNC"}, "opt_out = \"note == 'DNC'\"\n")
    assert noted.opt_out is True


def test_a_setting_that_does_not_fit_what_the_agent_sent_says_nothing() -> None:
    heard = outcome(MILLIS, 'opt_out = "contains(agent_id, `1`) && to_number(lower(duration))"')
    assert (heard.outcome, heard.opt_out) == ("answered", None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"event": "call_started", "metadata": {"call_id": MARK}},
        {**MILLIS, "call_status": "in-progress", "duration": 0},
        {"text": "hello"},
        "text",
        7,
        None,
    ],
)
def test_what_tells_of_no_end_asks_for_nothing(body: Any) -> None:
    received = post(body)
    assert isinstance(received, Received)
    assert received.tasks == []


def test_several_in_a_list_are_each_told() -> None:
    received = post([MILLIS, ROW])
    assert isinstance(received, Received)
    assert len(received.tasks) == 2


def test_a_body_like_no_other_is_read_without_a_fault() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = {"data": deep}
    for body in (deep, {"metadata": "{"}, {"metadata": [1]}, {"status": {"a": 1}, "duration": []}):
        received = post(body)
        assert isinstance(received, Received)
        assert received.faults == ()


@pytest.mark.parametrize("secret", ["", "another", SECRET[:-1], SECRET + "x"])
def test_who_does_not_know_the_address_is_not_heard(secret: str) -> None:
    with pytest.raises(RejectedError) as caught:
        post(MILLIS, secret=secret)
    assert SECRET not in str(caught.value)


def test_a_header_may_be_asked_for_besides() -> None:
    settings = 'header = "X-Agent-Secret"\n'
    assert isinstance(post(MILLIS, settings, **{"x-agent-secret": SECRET}), Received)
    for headers in ({}, {"x-agent-secret": "another"}):
        with pytest.raises(RejectedError):
            post(MILLIS, settings, **headers)
    with pytest.raises(RejectedError):
        post(MILLIS, settings, secret="another", **{"x-agent-secret": SECRET})


def test_no_route_takes_its_events() -> None:
    route = '[[routes]]\nname = "x"\nsource = "agent"\ncall = { agent_id = 1, phone_number = "1" }'
    with pytest.raises(RoutesError, match="asks for no calls"):
        routes_file.load(f"{FILE.replace('routes = []', '')}{route}")


def test_a_setting_that_is_no_expression_is_told() -> None:
    with pytest.raises(RoutesError, match="opt_out"):
        routes_file.load(FILE + 'opt_out = "a ="')
