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

from ringhook.errors import UnavailableError
from ringhook.unleashx import (
    Initiated,
    Refused,
    RefusedForNow,
    TokenRejected,
    Unclear,
    Unheard,
    UnleashX,
    classify,
)
from ringhook_ops.sandbox import TOKEN, Sandbox

ANSWERS = Initiated | Refused | RefusedForNow | TokenRejected | Unheard
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
        (500, refusal("Agent not found or not active"), Refused("Agent not found or not active")),
        (200, {"success": False, "message": "no"}, Refused("no")),
        (200, {"success": False}, Refused("HTTP 200")),
        (403, None, Refused("HTTP 403")),
        (
            401,
            refusal("Invalid Auth Key or Session Expired"),
            TokenRejected("Invalid Auth Key or Session Expired"),
        ),
        (
            200,
            refusal("Invalid Auth Key or Session Expired"),
            TokenRejected("Invalid Auth Key or Session Expired"),
        ),
        (401, None, TokenRejected("HTTP 401")),
        (429, refusal("Too many requests"), RefusedForNow("Too many requests", 0)),
        (429, None, RefusedForNow("HTTP 429", 0)),
        (503, None, RefusedForNow("HTTP 503", 0)),
        (503, refusal("busy"), RefusedForNow("busy", 0)),
    ],
)
def test_what_the_api_says_is_what_became_of_the_call(
    status: int, body: Any, answer: ANSWERS
) -> None:
    data = b"<html>" if body is None else json.dumps(body).encode()
    assert classify(status, data, None) == answer


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
        ("7.5", 0),
        ("soon", 0),
        ("99999999999", 0),
        ("999999999", 86_400),
        ("9" * 5000, 0),
        ("Mon, 23 Nov 2020 12:00:00 GMT", 0),
        ("Mon, 23 Nov 9999 12:00:00 GMT", 86_400),
    ],
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert classify(429, b"", header) == RefusedForNow("HTTP 429", seconds)


def test_retry_after_may_be_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    answer = classify(503, b"", later)
    assert isinstance(answer, RefusedForNow)
    assert 55 < answer.retry_after <= 60


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
        "metadata": {"order": "#1001"},
    }


def test_without_metadata_none_is_sent(sandbox: Sandbox) -> None:
    UnleashX(sandbox.url, 5).call(call(metadata={}), TOKEN)
    assert sandbox.requests()[0]["body"] == {"agent_id": 1042, "phone_number": ALICE}


@pytest.mark.parametrize(
    ("do", "answer"),
    [
        ("refuse", Refused),
        ("401", TokenRejected),
        ("429", RefusedForNow),
        ("503", RefusedForNow),
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
    assert isinstance(answer, RefusedForNow)


def test_a_name_that_is_nobodys_means_that_no_phone_rang() -> None:
    answer = UnleashX("http://nobody.invalid", 1).call(call(), TOKEN)
    assert isinstance(answer, RefusedForNow)


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
def listing(rows: Any) -> Iterator[tuple[UnleashX, list[bytes]]]:
    with raw_server(http("200 OK", json.dumps({"datalist": rows}).encode())) as (url, received):
        yield UnleashX(url, 1), received


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], None),
        ([row()], "7"),
        ([row(EXECUTION_ID="x-1")], "x-1"),
        ([row(CALLING_NUMBER="14155550123")], "7"),
        ([row(CALLING_NUMBER="+1 (415) 555-0123")], "7"),
        ([row(AGENT_ID="1042")], "7"),
        ([row(CREATED_AT="2026-11-23T11:59:31Z")], "7"),
        ([row(CREATED_AT="2026-11-23T17:30:01+05:30")], "7"),
        ([row(CREATED_AT="2026-11-23T11:59:29Z")], None),
        ([row(AGENT_ID=1)], None),
        ([row(CALLING_NUMBER=BOB)], None),
        ([row(CALLING_NUMBER=None)], None),
        (["rubbish", None, 7], None),
        ([row(ID=6, CREATED_AT="2026-11-22T12:00:00Z"), row()], "7"),
    ],
)
def test_an_execution_is_found_by_number_agent_and_time(rows: list[Any], found: str | None) -> None:
    with listing(rows) as (api, _):
        assert api.find(call(), TOKEN, NOW) == found


@pytest.mark.parametrize(
    "rows",
    [
        [row(CREATED_AT="2026-11-23 17:30:01")],
        [row(CREATED_AT="2026-11-23T12:00:01")],
        [row(CREATED_AT="yesterday")],
        [row(CREATED_AT=None)],
        [row(AGENT_ID=1)] * 100,
    ],
)
def test_what_may_be_the_call_or_not_is_unclear(rows: list[Any]) -> None:
    with listing(rows) as (api, _):
        assert isinstance(api.find(call(), TOKEN, NOW), Unclear)


def test_a_day_long_gone_is_no_matter_in_whatever_time_zone() -> None:
    with listing([row(CREATED_AT="2026-11-21 12:00:00")]) as (api, _):
        assert api.find(call(), TOKEN, NOW) is None


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
    with raw_server(said) as (url, _), pytest.raises(UnavailableError):
        UnleashX(url, 1).find(call(), TOKEN, NOW)


def test_a_call_made_by_the_api_is_found_in_its_list(sandbox: Sandbox) -> None:
    api = UnleashX(sandbox.url, 1)
    before = datetime.now(UTC)
    assert api.find(call(), TOKEN, before) is None
    sandbox.misbehave({"phone_number": "*", "do": "hang_after_call"})
    assert isinstance(api.call(call(), TOKEN), Unheard)
    assert api.find(call(), TOKEN, before) == "1"
    assert api.find(call(phone_number=BOB), TOKEN, before) is None
