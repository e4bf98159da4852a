"""The sandbox plays the other side: how calls end, what the list and the agents say of it."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import monotonic
from typing import Any, Self

import pytest
import urllib3

from ringhook_ops.sandbox.server import TOKEN, Sandbox

ALICE, BOB = "+14155550123", "+447700900123"
OUTCOMES = ("answered", "voicemail", "no_answer", "busy", "rejected", "failed", "unknown")


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **time: float) -> None:
        self.time += timedelta(**time)


class Agent:
    """Whoever the agents' webhooks are for: what came, and to which path."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], Any]] = []
        came = self.came

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                came.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(202 if self.path.endswith("/secret") else 401)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/agent/secret"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def agent() -> Iterator[Agent]:
    with Agent() as one:
        yield one


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(now=clock) as one:
        yield one


def ask(sandbox: Sandbox, method: str, path: str, body: object = None) -> Any:
    answer = urllib3.request(method, sandbox.url + path, json=body, headers={"token": TOKEN})
    return answer.json()


def tell(sandbox: Sandbox, place: str = "endings", /, **order: Any) -> Any:
    return ask(sandbox, "PUT", f"/_sandbox/{place}", order)


def call(sandbox: Sandbox, number: str = ALICE, **metadata: Any) -> None:
    body = {"agent_id": 1042, "phone_number": number, "metadata": metadata}
    assert ask(sandbox, "POST", "/api/v1/global/agents/call", body)["success"]


def rows(sandbox: Sandbox, query: str = "") -> list[dict[str, Any]]:
    path = f"/api/v1/global/agents/executions/list?limit=1000{query}"
    return list(ask(sandbox, "GET", path)["datalist"])


def truth(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(ask(sandbox, "GET", "/_sandbox/calls"))


def until(condition: Callable[[], bool]) -> None:
    tick, end = threading.Event(), monotonic() + 10
    while not condition():
        assert monotonic() < end, "it did not come"
        tick.wait(0.005)


# The truth, and the list


def test_a_call_of_which_nothing_is_said_never_ends(sandbox: Sandbox, clock: Clock) -> None:
    call(sandbox)
    clock.pass_by(days=9)
    assert rows(sandbox)[0]["CALL_STATUS"] == "INITIATED"
    assert truth(sandbox)[0]["outcome"] is None


def test_a_call_ends_after_it_rang_and_was_talked_and_the_list_has_it_later(
    sandbox: Sandbox, clock: Clock
) -> None:
    tell(sandbox, outcomes={"answered": 1}, rings=[2, 2], talks=[10, 10])
    tell(sandbox, "list", ended_after=[5, 5])
    call(sandbox, order="#7")
    clock.pass_by(seconds=11)
    assert truth(sandbox)[0]["outcome"] is None
    assert truth(sandbox)[0]["ended_at"] is None
    clock.pass_by(seconds=1)
    told = truth(sandbox)[0]
    assert (told["outcome"], told["duration_seconds"]) == ("answered", 10)
    assert told["ended_at"] == "2026-11-23T20:30:12.000Z"
    assert told["listed_at"] == "2026-11-23T20:30:17.000Z"
    assert told["metadata"] == {"order": "#7"}
    assert rows(sandbox)[0]["STATUS"] == "initiated"
    clock.pass_by(seconds=5)
    row = rows(sandbox)[0]
    assert row["STATUS"].lower() == "completed"
    assert (row["ID"], row["TOTAL_DURATION"], row["total_duration"]) == (1, 10, "0m 10s")
    assert row["FILE_PATH"].startswith("https://")


def test_calls_end_in_each_way_about_as_often_as_they_are_told_to(
    sandbox: Sandbox, clock: Clock
) -> None:
    tell(sandbox, outcomes=dict.fromkeys(OUTCOMES, 1), rings=[1, 2], talks=[3, 4])
    for _ in range(350):
        call(sandbox)
    clock.pass_by(seconds=7)
    told = truth(sandbox)
    counts = Counter(one["outcome"] for one in told)
    assert set(counts) == set(OUTCOMES)
    assert all(20 <= count <= 90 for count in counts.values())
    for one in told:
        talked = one["outcome"] in ("answered", "voicemail")
        assert (3 <= one["duration_seconds"] <= 4) if talked else one["duration_seconds"] == 0
        assert (one["failure"] is not None) == (one["outcome"] == "failed")
    answered = {one["ended_by"] for one in told if one["outcome"] == "answered"}
    assert answered == {"person", "agent", "time_limit"}
    words = {row["STATUS"] for row in rows(sandbox)}
    assert {"completed", "COMPLETED", "failed", "Failed"} <= words, "in mixed case"


def test_a_number_s_own_order_comes_first_then_the_latest(sandbox: Sandbox, clock: Clock) -> None:
    tell(sandbox, outcomes={"no_answer": 1})
    tell(sandbox, phone_number=ALICE, outcomes={"busy": 1}, times=1)
    tell(sandbox, outcomes={"rejected": 1})
    for number in (BOB, ALICE, ALICE):
        call(sandbox, number)
    clock.pass_by(minutes=1)
    assert [one["outcome"] for one in truth(sandbox)] == ["rejected", "busy", "rejected"]
    assert [one["times"] for one in ask(sandbox, "GET", "/_sandbox/endings")] == [None, None]


def test_a_call_whose_request_heard_no_answer_ends_too(sandbox: Sandbox, clock: Clock) -> None:
    tell(sandbox, outcomes={"busy": 1})
    sandbox.misbehave({"phone_number": "*", "do": "hang_after_call", "seconds": 0.01})
    with pytest.raises(urllib3.exceptions.HTTPError):
        call(sandbox)
    clock.pass_by(minutes=1)
    assert [one["outcome"] for one in truth(sandbox)] == ["busy"]


def test_the_list_has_its_own_clock_and_no_zone(sandbox: Sandbox) -> None:
    tell(sandbox, "list", time_zone="Asia/Kolkata")
    call(sandbox)
    assert rows(sandbox)[0]["CREATED_AT"] == "2026-11-24 02:00:00"
    assert len(rows(sandbox, "&fromdate=2026-11-24")) == 1
    assert rows(sandbox, "&todate=2026-11-24") == []
    assert ask(sandbox, "GET", "/_sandbox/list")["time_zone"] == "Asia/Kolkata"


def test_some_endings_are_never_listed(sandbox: Sandbox, clock: Clock) -> None:
    tell(sandbox)
    tell(sandbox, "list", never_ended=1)
    call(sandbox)
    clock.pass_by(days=1)
    assert rows(sandbox)[0]["STATUS"] == "initiated"
    assert truth(sandbox)[0]["outcome"] == "answered"
    assert truth(sandbox)[0]["listed_at"] is None


def test_a_status_is_looked_for_in_either_place_and_metadata_are_shown_if_told(
    sandbox: Sandbox, clock: Clock
) -> None:
    tell(sandbox, outcomes={"busy": 1})
    call(sandbox, call_id="call_1")
    clock.pass_by(minutes=1)
    call(sandbox, call_id="call_2")
    assert "INPUT_DATA" not in rows(sandbox)[0]
    tell(sandbox, "list", shows_input_data=True)
    found = rows(sandbox, "&status=INITIATED")
    assert [row["INPUT_DATA"] for row in found] == ['{"call_id": "call_2"}']


def test_delete_forgets_how_calls_end_and_what_is_still_to_be_posted(
    sandbox: Sandbox, agent: Agent, clock: Clock
) -> None:
    tell(sandbox, webhook={"url": agent.url})
    tell(sandbox, "list", shows_input_data=True)
    call(sandbox)
    ask(sandbox, "DELETE", "/_sandbox")
    clock.pass_by(hours=1)
    call(sandbox)
    assert (truth(sandbox)[0]["outcome"], truth(sandbox)[0]["webhooks"]) == (None, [])
    assert "INPUT_DATA" not in rows(sandbox)[0]
    assert agent.came == []


# The agents' webhooks

SOON = {"rings": [0.01, 0.02], "talks": [0.1, 0.1]}


@pytest.fixture
def real() -> Iterator[Sandbox]:
    """One whose clock goes."""
    with Sandbox() as one:
        yield one


def all_posted(sandbox: Sandbox, count: int) -> None:
    until(lambda: sum(bool(p["status"]) for c in truth(sandbox) for p in c["webhooks"]) == count)


def test_an_agent_posts_how_its_call_ended_with_its_metadata(real: Sandbox, agent: Agent) -> None:
    headers = {"x-agent": "secret"}
    tell(real, **SOON, opt_out=1, callback=1, webhook={"url": agent.url, "headers": headers})
    call(real, call_id="call_1")
    all_posted(real, 1)
    (path, sent, body), told = agent.came[0], truth(real)[0]
    assert (path, sent["x-agent"]) == ("/hooks/agent/secret", "secret")
    assert body["metadata"] == {"call_id": "call_1"}
    assert (body["agent_id"], body["duration"]) == ("1042", 0.1)
    assert body["analysis"] == {"opt_out": True, "callback_at": told["callback_at"]}
    assert told["callback_at"] > told["ended_at"]
    posted = told["webhooks"][0]
    assert (posted["genuine"], posted["status"]) == (True, 202)
    assert posted["sent_at"] >= told["ended_at"]


def test_a_webhook_is_posted_twice_late_or_never(real: Sandbox, agent: Agent) -> None:
    tell(real, **SOON, webhook={"url": agent.url, "twice": 1, "late": 1, "late_by": [0.1, 0.1]})
    tell(real, **SOON, phone_number=BOB, webhook={"url": agent.url, "never": 1})
    call(real)
    call(real, BOB)
    all_posted(real, 2)
    alice, bob = truth(real)
    assert [body["call_id"] for _, _, body in agent.came] == ["c-1", "c-1"]
    late = [datetime.fromisoformat(post["sent_at"]) for post in alice["webhooks"]]
    ended = datetime.fromisoformat(alice["ended_at"])
    assert all(one - ended >= timedelta(seconds=0.099) for one in late)
    assert bob["webhooks"] == []
    assert bob["outcome"] == "answered"


def test_a_forger_knows_not_the_secret_and_tells_another_ending(
    real: Sandbox, agent: Agent
) -> None:
    tell(real, **SOON, webhook={"url": agent.url, "never": 1, "forged": 1})
    call(real)
    all_posted(real, 1)
    path, _, body = agent.came[0]
    assert path != "/hooks/agent/secret"
    assert "user" not in body["call_status"].lower()
    told = truth(real)[0]
    assert [(post["genuine"], post["status"]) for post in told["webhooks"]] == [(False, 401)]
    assert (told["outcome"], told["opt_out"]) == ("answered", False)


def test_of_a_call_that_nobody_answered_an_agent_posts_if_told(real: Sandbox, agent: Agent) -> None:
    silent = {**SOON, "outcomes": {"no_answer": 1}}
    tell(real, **silent, webhook={"url": agent.url})
    tell(real, **silent, phone_number=BOB, webhook={"url": agent.url, "unanswered": True})
    call(real)
    call(real, BOB)
    all_posted(real, 1)
    assert [len(one["webhooks"]) for one in truth(real)] == [0, 1]


def test_a_webhook_that_nobody_takes_is_recorded_as_that(real: Sandbox) -> None:
    tell(real, **SOON, webhook={"url": "http://127.0.0.1:1/hooks/agent/secret"})
    call(real)
    until(lambda: bool(truth(real)[0]["webhooks"][0]["sent_at"]))
    assert truth(real)[0]["webhooks"][0]["status"] is None


def test_stop_posts_nothing_more_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with Sandbox() as sandbox:
        tell(sandbox, webhook={"url": "http://127.0.0.1:1/x"})
        call(sandbox)
    assert set(threading.enumerate()) == before


# Orders


@pytest.mark.parametrize(
    ("place", "order", "field"),
    [
        ("endings", {"outcomes": {"completed": 1}}, "outcomes.completed"),
        ("endings", {"outcomes": {"busy": 0}}, "outcomes"),
        ("endings", {"outcomes": {"busy": -1}}, "outcomes.busy"),
        ("endings", {"outcomes": {}}, "outcomes"),
        ("endings", {"rings": [4, 1]}, "rings"),
        ("endings", {"rings": [-1, 1]}, "rings"),
        ("endings", {"talks": [1]}, "talks.1"),
        ("endings", {"talks": [1, 86401]}, "talks"),
        ("endings", {"phone_number": "0123"}, "phone_number"),
        ("endings", {"times": 0}, "times"),
        ("endings", {"opt_out": 1.1}, "opt_out"),
        ("endings", {"webhook": {}}, "webhook.url"),
        ("endings", {"webhook": {"url": "ftp://x"}}, "webhook.url"),
        ("endings", {"webhook": {"url": "http://x", "lost": 1}}, "webhook.lost"),
        ("list", {"time_zone": "India"}, "time_zone"),
        ("list", {"ended_after": 5}, "ended_after"),
        ("list", {"lag": 5}, "lag"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_its_field(
    sandbox: Sandbox, place: str, order: dict[str, Any], field: str
) -> None:
    answer = tell(sandbox, place, **order)
    assert answer["error"] is True
    assert f"{field}: " in answer["message"]
    assert ask(sandbox, "GET", "/_sandbox/endings") == []
