"""The sandbox API over real HTTP: the documented contract, each misbehaviour, a clean end."""

import fnmatch
import http.client
import json
import select
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
import urllib3

from ringhook.senders import providers
from ringhook_ops.samples import library
from ringhook_ops.sandbox.senders import CREDENTIAL
from ringhook_ops.sandbox.server import TOKEN, Sandbox

CALL = "/api/v1/global/agents/call"
LIST = "/api/v1/global/agents/executions/list"
AGENT = "/api/v1/global/agents/get"
VERIFY = "/api/v1/global/verify"
ALICE, BOB = "+14155550123", "+447700900123"
REFUSED_TOKEN = {"error": True, "message": "Invalid Auth Key or Session Expired"}
NOBODY = {"error": True, "message": "Agent not found or not active"}


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    """Asks the sandbox as any HTTP client would."""

    def __init__(self, sandbox: Sandbox, timeout: float = 10) -> None:
        self.port, self.timeout = sandbox.server_port, timeout

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Reply:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, self.timeout)) as line:
            line.request(method, path, data, {"token": TOKEN} if headers is None else headers)
            answer = line.getresponse()
            return Reply(answer.status, dict(answer.headers), answer.read().decode())

    def call(self, phone_number: Any = ALICE, **other: Any) -> Reply:
        return self.ask("POST", CALL, {"agent_id": 1042, "phone_number": phone_number, **other})

    def misbehave(self, **order: Any) -> Reply:
        return self.ask("PUT", "/_sandbox/behaviour", order, {})

    def requests(self) -> Any:
        return self.ask("GET", "/_sandbox/requests", headers={}).json

    def executions(self, **query: Any) -> Any:
        return self.ask("GET", f"{LIST}?{urlencode(query)}").json["datalist"]


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 9, 30, 0, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **time: float) -> None:
        self.time += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(inactive_agents=[13], now=clock) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)


def open_call(sandbox: Sandbox, phone_number: str = ALICE) -> socket.socket:
    """Send a request for a call over a bare socket and read nothing."""
    body = json.dumps({"agent_id": 1042, "phone_number": phone_number})
    line = socket.create_connection(("127.0.0.1", sandbox.server_port), timeout=10)
    head = f"POST {CALL} HTTP/1.1\r\nHost: x\r\ntoken: {TOKEN}\r\nContent-Length: {len(body)}"
    line.sendall(f"{head}\r\n\r\n{body}".encode())
    return line


def wait_for_requests(sandbox: Sandbox, count: int) -> None:
    """Wait until the sandbox has received that many."""
    tick, end = threading.Event(), monotonic() + 10
    while len(sandbox.requests()) < count:
        assert monotonic() < end, "the requests did not arrive"
        tick.wait(0.005)


# The contract


def test_a_placed_call_is_answered_as_documented(client: Client) -> None:
    reply = client.call(metadata={"order_id": "ORD-1"})
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    answer = reply.json
    execution_id = answer["data"].pop("execution_id")
    assert str(UUID(execution_id)) == execution_id
    assert answer == {
        "success": True,
        "message": "Call initiated successfully",
        "data": {"agent_id": 1042, "phone_number": ALICE, "call_status": "initiated"},
    }


@pytest.mark.parametrize("path", [CALL, LIST, AGENT, VERIFY])
@pytest.mark.parametrize("headers", [{}, {"token": "other"}, {"Authorization": f"Bearer {TOKEN}"}])
def test_a_request_without_a_valid_token_is_refused(
    client: Client, path: str, headers: dict[str, str]
) -> None:
    method = "GET" if path == LIST else "POST"
    body = {"agent_id": 1042, "phone_number": ALICE}
    reply = client.ask(method, path, body, headers)
    assert (reply.status, reply.json) == (401, REFUSED_TOKEN)
    assert client.executions() == []


@pytest.mark.parametrize("header", ["token", "Token", "api_access_token"])
def test_either_token_header_opens(client: Client, header: str) -> None:
    assert client.ask("POST", VERIFY, {}, {header: TOKEN}).status == 200


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"agent_id": 1}, 400, "Phone Number is required"),
        ({"agent_id": 1, "phone_number": ""}, 400, "Phone Number is required"),
        ({"agent_id": 1, "phone_number": None}, 400, "Phone Number is required"),
        ({"phone_number": ALICE}, 400, "Agent ID is required"),
        ({}, 400, "Phone Number is required"),
        ({"agent_id": "1042", "phone_number": ALICE}, 422, "agent_id must be an integer"),
        ({"agent_id": True, "phone_number": ALICE}, 422, "agent_id must be an integer"),
        ({"agent_id": 1.0, "phone_number": ALICE}, 422, "agent_id must be an integer"),
        ({"agent_id": 1, "phone_number": ALICE[1:]}, 422, "phone_number must be E.164"),
        ({"agent_id": 1, "phone_number": "+1 415 555 0123"}, 422, "phone_number must be E.164"),
        ({"agent_id": 1, "phone_number": f"{ALICE}\n"}, 422, "phone_number must be E.164"),
        ({"agent_id": 1, "phone_number": "+0155550123"}, 422, "phone_number must be E.164"),
        ({"agent_id": 1, "phone_number": 14155550123}, 422, "phone_number must be E.164"),
        ({"agent_id": 1, "phone_number": ALICE, "metadata": "x"}, 422, "metadata must be an"),
        ({"agent_id": 1, "phone_number": ALICE, "metadata": []}, 422, "metadata must be an"),
        ([], 422, "the body must be a JSON object"),
        (b"agent_id=1", 422, "the body must be a JSON object"),
        (b"", 422, "the body must be a JSON object"),
        ({"agent_id": 13, "phone_number": ALICE}, 404, "Agent not found or not active"),
        ({"agent_id": 0, "phone_number": ALICE}, 404, "Agent not found or not active"),
    ],
)
def test_a_request_outside_the_contract_is_refused_and_places_no_call(
    client: Client, body: Any, status: int, message: str
) -> None:
    reply = client.ask("POST", CALL, body)
    assert reply.status == status
    assert reply.json["error"] is True
    assert message in reply.json["message"]
    assert client.executions() == []


def test_with_agents_given_only_those_are_active() -> None:
    with Sandbox(agents=[1042, 7], inactive_agents=[7]) as sandbox:
        client = Client(sandbox)
        assert [client.call(agent_id=agent).status for agent in (1042, 7, 8)] == [200, 404, 404]
        agents = client.ask("POST", AGENT, {}).json["data"]["data"]
        assert [agent["agent_id"] for agent in agents] == [1042]


@pytest.mark.parametrize(
    ("method", "query", "body"), [("POST", "", 5), ("GET", "?agent_id=5", None)]
)
def test_an_agent_is_of_the_telephony_type_and_outbound(
    client: Client, method: str, query: str, body: int | None
) -> None:
    reply = client.ask(method, AGENT + query, body and {"agent_id": body})
    agent = reply.json["data"]["data"]
    assert (agent["agent_id"], agent["agent_type"], agent["calling_type"]) == (5, 3, 1)


@pytest.mark.parametrize("agent_id", [13, 0, "5", True])
def test_an_agent_that_is_not_active_is_not_found(client: Client, agent_id: Any) -> None:
    reply = client.ask("POST", AGENT, {"agent_id": agent_id})
    assert (reply.status, reply.json) == (404, NOBODY)


@pytest.mark.parametrize(("method", "path"), [("GET", CALL), ("POST", "/api/v2"), ("PATCH", "/")])
def test_an_unknown_endpoint_is_not_found(client: Client, method: str, path: str) -> None:
    reply = client.ask(method, path)
    assert (reply.status, reply.json["error"]) == (404, True)


def test_past_the_rate_a_token_must_wait_until_the_minute_has_passed(clock: Clock) -> None:
    with Sandbox(tokens=("one", "two"), requests_per_minute=2, now=clock) as sandbox:
        client = Client(sandbox)

        def verify(token: str) -> int:
            return client.ask("POST", VERIFY, {}, {"token": token}).status

        assert verify("one") == 200
        clock.pass_by(seconds=30)
        assert [verify("one"), verify("one"), verify("one"), verify("two")] == [200, 429, 429, 200]
        clock.pass_by(seconds=30)
        assert [verify("one"), verify("one")] == [200, 429]


# The executions list


def test_a_call_is_listed_as_documented(client: Client) -> None:
    client.call()
    assert client.executions() == [
        {
            "ID": 1,
            "AGENT_ID": 1042,
            "CALLING_NUMBER": ALICE,
            "STATUS": "initiated",
            "CALL_STATUS": "INITIATED",
            "TOTAL_DURATION": 0,
            "CREATED_AT": "2026-11-23 09:30:00",
        }
    ]


def test_calls_are_filtered_by_agent_number_and_time(client: Client, clock: Clock) -> None:
    client.call(ALICE)
    clock.pass_by(hours=1)
    client.call(BOB)
    clock.pass_by(hours=1)
    client.call(ALICE, agent_id=7)

    def found(**query: Any) -> list[int]:
        return [row["ID"] for row in client.executions(**query)]

    assert found() == [3, 2, 1]
    assert found(agent_id=1042) == [2, 1]
    assert found(calling_number=ALICE) == [3, 1]
    assert found(calling_number="0123") == [3, 2, 1]
    assert found(calling_number="77009") == [2]
    assert found(fromdate="2026-11-23T10:00:00Z") == [3, 2]
    assert found(fromdate="2026-11-23T11:00:00+01:00", todate="2026-11-23T11:00:00") == [2]
    assert found(fromdate="2026-11-23") == [3, 2, 1]
    assert found(todate="2026-11-23") == []
    assert found(agent_id=7, calling_number=BOB) == []


def test_calls_are_found_by_a_part_of_what_they_were_given_and_after_a_while(
    sandbox: Sandbox, client: Client, clock: Clock
) -> None:
    client.call(ALICE, metadata={"call_id": "call_1", "name": "Zoë"})
    client.call(ALICE)
    assert [row["ID"] for row in client.executions(input_data="CALL_1")] == [1]
    assert [row["ID"] for row in client.executions(input_data="zoë")] == [1]
    assert client.executions(input_data="call_2") == []
    sandbox.list_as({"new_after": 30})
    assert client.executions() == []
    clock.pass_by(seconds=30)
    assert len(client.executions()) == 2


def test_calls_come_in_pages(client: Client) -> None:
    for _ in range(12):
        client.call()

    def found(**query: Any) -> list[int]:
        return [row["ID"] for row in client.executions(**query)]

    assert found() == list(range(12, 2, -1))
    assert found(page=2) == [2, 1]
    assert found(page=2, limit=5) == [7, 6, 5, 4, 3]
    assert found(page=4, limit=5) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("agent_id", "x"), ("page", "0"), ("limit", "-1"), ("fromdate", "today"), ("todate", "13")],
)
def test_a_query_that_cannot_be_read_is_refused(client: Client, name: str, value: str) -> None:
    reply = client.ask("GET", f"{LIST}?{urlencode({name: value})}")
    assert reply.status == 422
    assert name in reply.json["message"]


# Misbehaviour


@pytest.mark.parametrize(
    ("order", "status", "retry_after", "documented"),
    [
        ({"do": "refuse"}, 422, None, True),
        ({"do": "401"}, 401, None, True),
        ({"do": "429"}, 429, "2", True),
        ({"do": "429", "retry_after": 0}, 429, "0", True),
        ({"do": "429", "retry_after": 30}, 429, "30", True),
        ({"do": "500"}, 500, None, False),
        ({"do": "503"}, 503, None, False),
        ({"do": "503", "retry_after": 7}, 503, "7", False),
        ({"do": "rubbish"}, 200, None, False),
    ],
)
def test_the_sandbox_answers_as_told_once_and_places_no_call(
    client: Client, order: dict[str, Any], status: int, retry_after: str | None, documented: bool
) -> None:
    assert client.misbehave(phone_number=ALICE, **order).status == 200
    reply = client.call()
    assert (reply.status, reply.headers.get("Retry-After")) == (status, retry_after)
    if documented:
        assert reply.json["error"] is True
    else:
        assert reply.headers["Content-Type"] == "text/plain"
        with pytest.raises(ValueError, match="Expecting value"):
            _ = reply.json
    assert client.executions() == []
    assert client.call().status == 200


def test_a_cut_connection_closes_without_a_byte_and_places_no_call(
    sandbox: Sandbox, client: Client
) -> None:
    client.misbehave(phone_number=ALICE, do="cut")
    with open_call(sandbox) as line:
        assert line.recv(1) == b""
    assert [request["status"] for request in sandbox.requests()] == [None]
    assert client.executions() == []


@pytest.mark.parametrize(("do", "placed"), [("hang", []), ("hang_after_call", [ALICE])])
def test_a_hanging_request_gets_no_answer_whether_or_not_the_call_was_placed(
    sandbox: Sandbox, client: Client, do: str, placed: list[str]
) -> None:
    client.misbehave(phone_number=ALICE, do=do)
    with pytest.raises(TimeoutError):
        Client(sandbox, timeout=0.2).call()
    assert [row["CALLING_NUMBER"] for row in client.executions()] == placed
    assert sandbox.requests()[0]["status"] is None


def test_a_hang_of_some_seconds_ends_without_a_byte(sandbox: Sandbox, client: Client) -> None:
    client.misbehave(phone_number=ALICE, do="hang", seconds=0.1)
    with open_call(sandbox) as line:
        assert not select.select([line], [], [], 0.02)[0]
        assert line.recv(1) == b""


def test_behaviours_are_used_up_in_order_and_a_number_s_own_come_first(client: Client) -> None:
    client.misbehave(phone_number="*", do="503")
    client.misbehave(phone_number=ALICE, do="429", times=2)
    client.misbehave(phone_number=ALICE, do="refuse")
    assert client.call(BOB).status == 503
    client.misbehave(phone_number="*", do="500", times=2)
    assert [client.call().status for _ in range(5)] == [429, 429, 422, 500, 500]
    assert client.call().status == 200


def test_a_behaviour_concerns_calls_that_the_contract_lets_through_alone(client: Client) -> None:
    client.misbehave(phone_number="*", do="503")
    assert client.call(agent_id=13).status == 404
    assert client.call(agent_id="x").status == 422
    assert client.ask("POST", VERIFY, {}).status == 200
    assert client.executions() == []
    assert client.call().status == 503


def test_a_behaviour_is_used_exactly_its_number_of_times_by_concurrent_requests(
    client: Client,
) -> None:
    client.misbehave(phone_number=ALICE, do="503", times=7)
    with ThreadPoolExecutor(20) as pool:
        statuses = Counter(pool.map(lambda _: client.call().status, range(20)))
    assert statuses == {503: 7, 200: 13}
    assert len(client.executions(limit=100)) == 13
    assert Counter(request["status"] for request in client.requests()[:20]) == statuses


def test_the_queue_of_behaviours_can_be_read(client: Client) -> None:
    client.misbehave(phone_number="*", do="429", times=3, retry_after=5)
    client.call()
    assert client.ask("GET", "/_sandbox/behaviour").json == [
        {"phone_number": "*", "do": "429", "times": 2, "retry_after": 5, "seconds": None}
    ]


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"do": "500"}, "phone_number"),
        ({"phone_number": "4155550123", "do": "500"}, "phone_number"),
        ({"phone_number": 1, "do": "500"}, "phone_number"),
        ({"phone_number": "*"}, "do"),
        ({"phone_number": "*", "do": 500}, "do"),
        ({"phone_number": "*", "do": ["503"], "retry_after": 1}, "do"),
        ({"phone_number": "*", "do": "explode"}, "do"),
        ({"phone_number": "*", "do": "500", "times": 0}, "times"),
        ({"phone_number": "*", "do": "500", "times": True}, "times"),
        ({"phone_number": "*", "do": "500", "times": "2"}, "times"),
        ({"phone_number": "*", "do": "429", "retry_after": -1}, "retry_after"),
        ({"phone_number": "*", "do": "429", "retry_after": 1.5}, "retry_after"),
        ({"phone_number": "*", "do": "500", "retry_after": 1}, "retry_after"),
        ({"phone_number": "*", "do": "hang", "seconds": 0}, "seconds"),
        ({"phone_number": "*", "do": "hang", "seconds": "1"}, "seconds"),
        ({"phone_number": "*", "do": "cut", "seconds": 1}, "seconds"),
        ({"phone_number": "*", "do": "500", "time": 2}, "time"),
        ([], "do"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_its_field(
    client: Client, order: Any, field: str
) -> None:
    reply = client.ask("PUT", "/_sandbox/behaviour", order, {})
    assert (reply.status, reply.json["error"]) == (400, True)
    assert f"{field}: " in reply.json["message"]
    assert client.ask("GET", "/_sandbox/behaviour").json == []


# What the sandbox remembers


def test_requests_are_remembered_oldest_first_with_what_they_were_told(client: Client) -> None:
    client.call(metadata={"name": "Zoë"})
    client.ask("POST", CALL, b"not JSON", {"token": "other", "X-Mine": "1"})
    client.executions(page=1)
    client.ask("PUT", "/_sandbox/behaviour", {}, {})
    call, refused, listing = client.requests()
    assert call["received_at"] == "2026-11-23T09:30:00.123Z"
    assert (call["method"], call["path"], call["status"]) == ("POST", CALL, 200)
    assert call["headers"]["token"] == TOKEN
    assert call["body"] == {"agent_id": 1042, "phone_number": ALICE, "metadata": {"name": "Zoë"}}
    assert (refused["body"], refused["status"]) == ("not JSON", 401)
    assert refused["headers"]["X-Mine"] == "1"
    assert (listing["path"], listing["body"], listing["status"]) == (f"{LIST}?page=1", None, 200)


def test_delete_forgets_everything_and_hangs_up_on_who_is_kept_waiting(
    sandbox: Sandbox, client: Client
) -> None:
    client.call()
    client.misbehave(phone_number="*", do="hang")
    client.misbehave(phone_number="*", do="500")
    with open_call(sandbox) as line:
        wait_for_requests(sandbox, 2)
        assert client.ask("DELETE", "/_sandbox", headers={}).status == 200
        assert line.recv(1) == b""
    assert (client.requests(), client.ask("GET", "/_sandbox/behaviour").json) == ([], [])
    assert client.executions() == []
    assert client.call().status == 200


def test_an_unknown_control_is_not_found(client: Client) -> None:
    assert client.ask("POST", "/_sandbox/requests").status == 404


# Connections and the end


def test_a_connection_serves_request_after_request(sandbox: Sandbox) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", sandbox.server_port, 10)) as line:
        for _ in range(3):
            line.request("POST", VERIFY, "{}", {"token": TOKEN})
            answer = line.getresponse()
            assert int(answer.headers["Content-Length"]) == len(answer.read())
    assert len(sandbox.requests()) == 3


def test_a_client_that_asks_for_the_end_of_the_connection_is_told_of_it(client: Client) -> None:
    headers = {"token": TOKEN, "Connection": "close"}
    assert client.ask("POST", VERIFY, {}, headers).headers["Connection"] == "close"
    assert "Connection" not in client.ask("POST", VERIFY, {}).headers


@pytest.mark.parametrize("header", ["Transfer-Encoding: chunked", "Content-Length: x"])
def test_a_body_of_unknown_length_is_refused(sandbox: Sandbox, header: str) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.server_port), timeout=10) as line:
        line.sendall(f"POST {CALL} HTTP/1.1\r\n{header}\r\n\r\n".encode())
        assert line.recv(1024).startswith(b"HTTP/1.1 411")


def test_a_client_that_goes_away_is_no_trouble(
    sandbox: Sandbox, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(5):
        with open_call(sandbox) as line:
            # The close becomes a reset, so that the answer meets a connection that is gone.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    assert client.call().status == 200
    sandbox.stop()
    assert capsys.readouterr().err == ""


def test_stop_ends_hanging_and_idle_connections_at_once_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with Sandbox() as sandbox:
        idle = open_call(sandbox)
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
        sandbox.misbehave({"phone_number": "*", "do": "hang", "times": 10})
        lines = [open_call(sandbox) for _ in range(10)]
        wait_for_requests(sandbox, 11)
        start = monotonic()
    assert monotonic() - start < 1
    assert set(threading.enumerate()) == before
    for line in [*lines, idle]:
        with line:
            assert line.recv(1) == b""


def test_a_sandbox_that_never_started_can_be_stopped() -> None:
    Sandbox().stop()


def test_two_sandboxes_are_two_worlds() -> None:
    with Sandbox() as one, Sandbox() as two:
        Client(one).call()
        assert (len(one.requests()), len(two.requests())) == (1, 0)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_module_serves_as_a_command_until_it_is_told_to_end(end: signal.Signals) -> None:
    options = ["--token", "t1", "--token", "t2", "--agent", "5", "--inactive-agent", "6"]
    command = [
        sys.executable,
        "-m",
        "ringhook_ops.sandbox",
        *options,
        "--requests-per-minute",
        "2",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        with closing(http.client.HTTPConnection("127.0.0.1", port, 10)) as line:
            statuses = []
            for token in ("t1", "t2", "t2", "t2", TOKEN):
                line.request("POST", VERIFY, "{}", {"token": token})
                statuses.append(line.getresponse().status)
                line.close()
            assert statuses == [200, 200, 200, 429, 401]
            line.request("POST", AGENT, '{"agent_id": 5}', {"token": "t1"})
            assert line.getresponse().status == 200
        process.send_signal(end)
        assert process.wait(timeout=10) == 0


# The senders' own APIs.

CONTACTS = "api.hubapi.com/crm/v3/objects/contacts"
ASKED = {"Authorization": f"Bearer {CREDENTIAL}"}


@pytest.fixture
def senders() -> Iterator[Sandbox]:
    with Sandbox(senders=[{"at": f"{CONTACTS}/*", "answer": {"id": "1"}}]) as sandbox:
        yield sandbox


def fetched(sandbox: Sandbox, address: str, headers: dict[str, str] = ASKED) -> tuple[int, Any]:
    answer = urllib3.request("GET", f"{sandbox.senders_url}/{address}", headers=headers)
    return answer.status, answer.json()


def control(sandbox: Sandbox, method: str, place: str, body: object = None) -> tuple[int, Any]:
    answer = urllib3.request(method, f"{sandbox.url}/_sandbox{place}", json=body)
    return answer.status, answer.json()


def test_a_senders_api_says_what_it_knows_to_whoever_has_the_credential(senders: Sandbox) -> None:
    assert fetched(senders, f"{CONTACTS}/30?properties=phone") == (200, {"id": "1"})
    assert fetched(senders, f"{CONTACTS}/30", {"x-api-token": "another"})[0] == 401
    assert fetched(senders, "api.hubapi.com/crm/v3/objects/deals/7")[0] == 404
    statuses = [one["status"] for one in control(senders, "GET", "/fetches")[1]]
    assert statuses == [200, 401, 404]
    assert control(senders, "GET", "/requests") == (200, []), "these are the Global Call API's"


def test_a_senders_api_says_what_it_is_told_as_often_as_it_is_told(senders: Sandbox) -> None:
    trouble = {"at": f"{CONTACTS}/30", "status": 503, "times": 1}
    assert control(senders, "PUT", "/answers", {"at": f"{CONTACTS}/30", "answer": {"id": "2"}})
    assert control(senders, "PUT", "/answers", trouble)[1][0] == {**trouble, "answer": None}

    told = [fetched(senders, f"{CONTACTS}/30") for _ in range(3)]

    assert told == [(503, None), (200, {"id": "2"}), (200, {"id": "2"})]
    control(senders, "DELETE", "")
    assert fetched(senders, f"{CONTACTS}/30") == (200, {"id": "1"})


@pytest.mark.parametrize(
    ("order", "wrong"),
    [
        ({"at": "api.hubapi.com"}, "at: must be host and path"),
        ({"at": "h/p", "status": 99}, "status: "),
        ({"at": "h/p", "status": True}, "status: "),
        ({"at": "h/p", "times": 0}, "times: "),
        ({"at": "h/p", "body": {}}, "body: there is no such field"),
        ([], "at: "),
    ],
)
def test_an_order_for_a_senders_api_that_is_wrong_names_the_field(
    senders: Sandbox, order: object, wrong: str
) -> None:
    status, body = control(senders, "PUT", "/answers", order)

    assert status == 400
    assert wrong in body["message"]


def test_every_ready_enrichment_has_a_sample_answer() -> None:
    known = [one["at"] for one in library.answers()]
    for name in providers.names():
        provider = providers.find(name)
        for ready in provider.enrichments.values():
            for table in ready:
                host = provider.enrich_hosts[0].replace("*", "x")
                url = table.url.removeprefix("https://").replace("{tenant}", host)
                assert any(fnmatch.fnmatchcase(url, at) for at in known), table.url
