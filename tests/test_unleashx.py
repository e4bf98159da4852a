"""The Global Call API: each answer, or the lack of one, sorted by whether a phone was rung."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import ALICE, BOB, NOW, at, call

from ringhook.calls.answers import (
    AccountRefused,
    Initiated,
    Later,
    Refused,
    Unclear,
    Unheard,
    Unreadable,
)
from ringhook.clients.unleashx import UnleashX, classify
from ringhook.reading.times import wait_for
from ringhook_ops.sandbox.server import TOKEN, Sandbox

ANSWERS = Initiated | Refused | Later | AccountRefused | Unheard
SUCCESS = {"success": True, "message": "ok", "data": {"execution_id": "x-1"}}


def refusal(message: str) -> dict[str, Any]:
    return {"error": True, "message": message}


@contextmanager
def raw_server(answer: bytes, *, then_wait: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """A server that says exactly these bytes to each request; its URL, and the requests."""
    received: list[bytes] = []
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with closing(connection):
                received.append(connection.recv(65_536))
                connection.sendall(answer)
                if then_wait:
                    over.wait(5)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (200, SUCCESS, Initiated("x-1")),
        (200, refusal("Phone Number is required"), Refused("Phone Number is required")),
        (400, refusal("Agent ID is required"), Refused("Agent ID is required")),
        (404, refusal("Agent not found or not active"), Refused("Agent not found or not active")),
        (422, refusal("Validation error"), Refused("Validation error")),
        (
            401,
            refusal("Invalid Auth Key or Session Expired"),
            AccountRefused("Invalid Auth Key or Session Expired", cause="token"),
        ),
        (
            200,
            refusal("Invalid Auth Key or Session Expired"),
            AccountRefused("Invalid Auth Key or Session Expired", cause="token"),
        ),
        (401, None, AccountRefused("HTTP 401", cause="token")),
        (402, None, AccountRefused("HTTP 402", cause="credit")),
        (402, refusal("pay"), AccountRefused("pay", cause="credit")),
        (429, refusal("Too many requests"), Later("Too many requests", 0)),
        (429, None, Later("HTTP 429", 0)),
        (503, None, Later("HTTP 503", 0)),
        (503, refusal("busy"), Later("busy", 0)),
        (403, None, Later("HTTP 403, with a body that is not the API's own", 0)),
        (404, None, Later("HTTP 404, with a body that is not the API's own", 0)),
    ],
)
def test_what_the_api_says_is_what_became_of_the_call(
    status: int, body: Any, answer: ANSWERS
) -> None:
    data = b"<html>" if body is None else json.dumps(body).encode()
    assert classify(status, data, None) == answer


@pytest.mark.parametrize(
    ("message", "sort"),
    [
        ("Insufficient balance", "credit"),
        ("You have no credits left, please recharge your wallet", "credit"),
        ("Low balance: payment is overdue", "credit"),
        ("Your plan has expired", "plan"),
        ("Monthly quota exceeded", "plan"),
        ("Account suspended", "plan"),
        ("Invalid API key", "token"),
        ("Unauthorized", "token"),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 403])
def test_what_ails_the_account_holds_its_calls(status: int, message: str, sort: str) -> None:
    data = json.dumps(refusal(message)).encode()
    assert classify(status, data, None) == AccountRefused(message, cause=sort)


@pytest.mark.parametrize("status", [200, 400, 403])
@pytest.mark.parametrize(
    "message",
    [
        "Rate limit exceeded",
        "Concurrency limit reached for your plan",
        "Too many calls, upgrade your plan",
        "The agent is busy",
        "Service temporarily unavailable",
        "Please try again",
    ],
)
def test_what_passes_by_itself_is_waited_for(status: int, message: str) -> None:
    assert classify(status, json.dumps(refusal(message)).encode(), "7") == Later(message, 7)


@pytest.mark.parametrize("status", [200, 400, 422])
@pytest.mark.parametrize(
    "body", [refusal("Zażółć gęślą jaźń"), {"success": False}, {"success": False, "message": "no"}]
)
def test_words_that_nobody_knows_end_the_call_and_say_how_it_is_released(
    status: int, body: dict[str, Any]
) -> None:
    answer = classify(status, json.dumps(body).encode(), None)
    assert isinstance(answer, Refused)
    assert "ringhook replay" in answer.reason


@pytest.mark.parametrize("status", ["failed", "FAILED", "busy", "no_answer", "Rejected"])
def test_a_call_that_was_given_up_in_the_same_answer_did_not_succeed(status: str) -> None:
    data = {"execution_id": "x-1", "call_status": status}
    answer = classify(200, json.dumps({"success": True, "data": data}).encode(), None)
    assert isinstance(answer, Refused)
    assert answer.execution_id == "x-1"


@pytest.mark.parametrize("body", [b"", b'{"error": true, "message": "Insufficient balance"}'])
@pytest.mark.parametrize("status", [500, 501, 502, 504, 520, 599])
def test_an_error_of_the_server_may_have_rung_whatever_it_says(status: int, body: bytes) -> None:
    assert isinstance(classify(status, body, None), Unheard)


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (200, b""),
        (200, b"<html>"),
        (200, b"\xff\xfe"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"[" * 100_000),
        (200, b'{"message": "Call initiated successfully"}'),
        (200, b'{"success": "true", "data": {"execution_id": "x"}}'),
        (200, b'{"success": true}'),
        (200, b'{"success": true, "data": []}'),
        (200, b'{"success": true, "data": {"execution_id": ""}}'),
        (201, b'{"success": true, "data": {"execution_id": "x"}}'),
        (301, b""),
        (500, b""),
        (500, b'{"message": "oh"}'),
        (502, b"<html>"),
        (504, b"<html>"),
    ],
)
def test_an_answer_that_is_not_documented_is_no_answer(status: int, data: bytes) -> None:
    assert isinstance(classify(status, data, None), Unheard)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("-7", 0),
        ("7.5", 7.5),
        ("2.0", 2),
        ("nan", 0),
        ("inf", 0),
        ("Wed, 01 Jan", 0),
        ("soon", 0),
        ("99999999999", 0),
        ("999999999", 86_400),
        ("9" * 5000, 0),
        ("Mon, 23 Nov 2020 12:00:00 GMT", 0),
        ("Mon, 23 Nov 9999 12:00:00 GMT", 86_400),
    ],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert wait_for(header, NOW) == seconds


def test_retry_after_may_be_a_date() -> None:
    later = format_datetime(NOW + timedelta(seconds=60), usegmt=True)
    assert wait_for(later, NOW) == 60


@given(
    status=st.integers(200, 599),
    body=st.binary(max_size=30)
    | st.dictionaries(
        st.sampled_from(["success", "error", "message", "data"]),
        st.none() | st.booleans() | st.text() | st.dictionaries(st.just("execution_id"), st.text()),
    ).map(lambda value: json.dumps(value).encode()),
    retry_after=st.none() | st.text(max_size=20),
)
def test_every_answer_has_its_place(status: int, body: bytes, retry_after: str | None) -> None:
    assert isinstance(classify(status, body, retry_after), ANSWERS)


def test_a_call_is_asked_for_as_documented(sandbox: Sandbox) -> None:
    answer = UnleashX(sandbox.url + "/", 5).call(call(), TOKEN)
    assert isinstance(answer, Initiated)
    [request] = sandbox.requests()
    assert (request["method"], request["path"]) == ("POST", "/api/v1/global/agents/call")
    assert request["headers"]["Content-Type"] == "application/json"
    assert request["headers"]["token"] == TOKEN
    assert request["body"] == {
        "agent_id": 1042,
        "phone_number": ALICE,
        "metadata": {"order": "#1001", "call_id": "call_1"},
    }


def test_without_metadata_and_mark_none_is_sent(sandbox: Sandbox) -> None:
    UnleashX(sandbox.url, 5, marked=False).call(call(metadata={}), TOKEN)
    assert sandbox.requests()[0]["body"] == {"agent_id": 1042, "phone_number": ALICE}


def test_each_ringing_has_its_own_mark_and_a_route_keeps_its_own(sandbox: Sandbox) -> None:
    api = UnleashX(sandbox.url, 5)
    api.call(call(), TOKEN, 2)
    api.call(call(metadata={"call_id": "theirs"}), TOKEN, 2)
    marks = [request["body"]["metadata"]["call_id"] for request in sandbox.requests()]
    assert marks == ["call_1.2", "theirs"]


@pytest.mark.parametrize(
    ("do", "answer"),
    [
        ("refuse", Refused),
        ("401", AccountRefused),
        ("429", Later),
        ("503", Later),
        ("500", Unheard),
        ("rubbish", Unheard),
        ("cut", Unheard),
        ("hang", Unheard),
        ("hang_after_call", Unheard),
    ],
)
def test_each_misbehaviour_costs_one_request_and_is_told_apart(
    sandbox: Sandbox, do: str, answer: type[ANSWERS]
) -> None:
    sandbox.misbehave({"phone_number": "*", "do": do, "times": 5})
    timeout = 0.2 if do.startswith("hang") else 5
    assert isinstance(UnleashX(sandbox.url, timeout).call(call(), TOKEN), answer)
    assert len(sandbox.requests()) == 1


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"what?\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        http("302 Found", b"", "Location: /elsewhere"),
        http("307 Temporary Redirect", b"", "Location: /elsewhere"),
    ],
)
def test_a_broken_answer_is_no_answer_and_is_not_asked_for_again(said: bytes) -> None:
    with raw_server(said) as (url, received):
        assert isinstance(UnleashX(url, 1).call(call(), TOKEN), Unheard)
    assert len(received) == 1


def test_an_answer_that_stops_half_way_is_not_waited_for_without_end() -> None:
    began = monotonic()
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Le", then_wait=True) as (url, _):
        assert isinstance(UnleashX(url, 0.2).call(call(), TOKEN), Unheard)
        assert monotonic() - began < 3


def test_where_nobody_listens_no_phone_rang() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = UnleashX(f"http://127.0.0.1:{port}", 1).call(call(), TOKEN)
    assert isinstance(answer, Later)


def test_a_name_that_is_nobodys_means_that_no_phone_rang() -> None:
    answer = UnleashX("http://nobody.invalid", 1).call(call(), TOKEN)
    assert isinstance(answer, Later)


def test_a_server_without_tls_is_not_told_the_token() -> None:
    with raw_server(b"plain text") as (url, received):
        answer = UnleashX(url.replace("http:", "https:"), 1).call(call(), TOKEN)
    assert not isinstance(answer, Initiated)
    assert TOKEN.encode() not in b"".join(received)


# The list of executions.


def row(**changed: Any) -> dict[str, Any]:
    """The execution of call() as the API lists it."""
    return {
        "ID": 7,
        "AGENT_ID": 1042,
        "CALLING_NUMBER": ALICE,
        "CREATED_AT": "2026-11-23T12:00:01Z",
    } | changed


@contextmanager
def listing(rows: Any, *, marked: bool = True) -> Iterator[tuple[UnleashX, list[bytes]]]:
    with raw_server(http("200 OK", json.dumps({"datalist": rows}).encode())) as (url, received):
        yield UnleashX(url, 1, marked=marked), received


MARKED = '{"order": "#1001", "call_id": "call_1"}'


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], None),
        ([row(INPUT_DATA=MARKED)], "7"),
        ([row(INPUT_DATA=MARKED, CREATED_AT=None)], "7"),
        ([row(INPUT_DATA={"call_id": "call_1"}, EXECUTION_ID="x-1")], "x-1"),
        ([row(INPUT_DATA='{"call_id": "call_10"}')], None),
        ([row(INPUT_DATA='{"call_id": "call_1.2"}')], None),
        ([row(INPUT_DATA='{"call_id": "call_2"}'), row(ID=8, INPUT_DATA=MARKED)], "8"),
        ([row(INPUT_DATA=MARKED, AGENT_ID=1)], None),
        ([row(INPUT_DATA=MARKED, CALLING_NUMBER=BOB)], None),
        # Rows that do not show what they were given: of about the time, in whatever zone.
        ([row()], "7"),
        ([row(CREATED_AT="2026-11-23 17:30:01")], "7"),
        ([row(CREATED_AT="2026-11-23 07:00:04")], "7"),
        ([row(CREATED_AT="2026-11-23 17:22:01")], None),
        ([row(CREATED_AT="2026-11-22T12:07:00Z")], None),
        (["rubbish", None, 7], None),
    ],
)
def test_an_execution_is_found_by_the_calls_own_mark(rows: list[Any], found: str | None) -> None:
    with listing(rows) as (api, received):
        assert api.find(call(), TOKEN, NOW) == found
    assert b"input_data=call_1" in received[0]


def test_a_row_that_shows_neither_mark_nor_time_is_unclear() -> None:
    with listing([row(CREATED_AT="yesterday")]) as (api, _):
        assert isinstance(api.find(call(), TOKEN, NOW), Unclear)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], None),
        ([row()], "7"),
        (
            [{"id": 7, "agent_id": 1042, "calling_number": ALICE, "created_at": NOW.isoformat()}],
            "7",
        ),
        ([row(EXECUTION_ID="x-1")], "x-1"),
        ([row(CALLING_NUMBER="14155550123")], "7"),
        ([row(CALLING_NUMBER="+1 (415) 555-0123")], "7"),
        ([row(AGENT_ID="1042")], "7"),
        ([row(CREATED_AT="2026-11-23T17:30:01+05:30")], "7"),
        ([row(CREATED_AT="2026-11-23 12:00:01")], "7"),
        ([row(CREATED_AT="2026-11-23 17:30:01")], "7"),
        ([row(CREATED_AT="2026-11-23T11:59:50Z")], None),
        ([row(CREATED_AT="2026-11-23 11:59:50"), row(ID=8)], "8"),
        ([row(AGENT_ID=1)], None),
        ([row(CALLING_NUMBER=BOB)], None),
        ([row(CALLING_NUMBER=None)], None),
        (["rubbish", None, 7], None),
        ([row(ID=6, CREATED_AT="2026-11-22T12:00:00Z"), row()], "7"),
    ],
)
def test_without_marks_it_is_found_by_number_agent_and_time(
    rows: list[Any], found: str | None
) -> None:
    with listing(rows, marked=False) as (api, received):
        answer = api.find(call(), TOKEN, NOW)
        assert answer == found or (found is None and not isinstance(answer, str))
    assert b"input_data" not in received[0]


@pytest.mark.parametrize(
    "rows",
    [
        [row(CREATED_AT="2026-11-23 15:00:01")],
        [row(CREATED_AT="yesterday")],
        [row(CREATED_AT=None)],
        [row(), row(ID=8, CREATED_AT="2026-11-23T12:00:04Z")],
        [row(AGENT_ID=1)] * 100,
    ],
)
def test_without_marks_what_may_be_the_call_or_not_is_unclear(rows: list[Any]) -> None:
    with listing(rows, marked=False) as (api, _):
        assert isinstance(api.find(call(), TOKEN, NOW), Unclear)


def test_the_list_is_asked_for_the_call_alone() -> None:
    with listing([]) as (api, received):
        api.find(call(), TOKEN, at(43_000))
    path = received[0].split()[1].decode()
    query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    assert urlsplit(path).path == "/api/v1/global/agents/executions/list"
    assert query["agent_id"] == "1042"
    assert query["calling_number"] == ALICE[1:]
    assert query["fromdate"] <= "2026-11-22"
    assert query["todate"] >= "2026-11-25"
    assert f"token: {TOKEN}".encode() in received[0]


@pytest.mark.parametrize(
    "said",
    [
        b"",
        http("200 OK", b"<html>"),
        http("200 OK", b"[]"),
        http("200 OK", b"{}"),
        http("200 OK", b'{"datalist": {}}'),
        http("500 Oh", b'{"datalist": []}'),
        http("401 No", b'{"error": true}'),
        http("302 Found", b"", "Location: /elsewhere"),
    ],
)
def test_a_list_that_cannot_be_read_says_nothing_of_a_call(said: bytes) -> None:
    with raw_server(said) as (url, _):
        assert isinstance(UnleashX(url, 1).find(call(), TOKEN, NOW), Unreadable)


def test_a_call_made_by_the_api_is_found_in_its_list(sandbox: Sandbox) -> None:
    api = UnleashX(sandbox.url, 1)
    before = datetime.now(UTC)
    assert api.find(call(), TOKEN, before) is None
    sandbox.misbehave({"phone_number": "*", "do": "hang_after_call"})
    assert isinstance(api.call(call(), TOKEN), Unheard)
    assert api.find(call(), TOKEN, before) == "1"
    assert api.find(call(phone_number=BOB), TOKEN, before) is None
