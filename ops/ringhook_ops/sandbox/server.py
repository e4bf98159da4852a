"""A small stand-in for UnleashX's Global Call API, which rings nobody.

It holds a client to the documented contract, remembers what it was asked, and misbehaves as told:

    with Sandbox() as sandbox:
        sandbox.misbehave({"phone_number": "+14155550123", "do": "503"})
        ...                      # POST {sandbox.url}/api/v1/global/agents/call, header token: TOKEN
        sandbox.requests()

or `python -m ringhook_ops.sandbox --port 8787`, and then over HTTP:

    GET    /_sandbox/requests    the API requests received, oldest first (see `Received`)
    PUT    /_sandbox/behaviour   {"phone_number": "+1…" or "*", "do": …, …} (see `Behaviour`)
    GET    /_sandbox/behaviour   the behaviours still to come
    DELETE /_sandbox             forget requests, calls, behaviours; hang up on who is kept waiting

Its calls end as it is told, else never. Each agent posts how its call
ended to its webhook, if the order names one, and the list has it, soon or late:

    PUT    /_sandbox/endings     {"phone_number": "*", "outcomes": {"answered": 3, "busy": 1}, …}
    GET    /_sandbox/endings     the orders that stand (see `endings.Endings`), latest first
    PUT    /_sandbox/list        {"time_zone": "Asia/Kolkata", "ended_after": [0, 5], …}
    GET    /_sandbox/list        how the list is (see `endings.Listing`)
    GET    /_sandbox/calls       what truly happened, oldest first, each webhook included

It stands for the senders' own APIs too, at /_senders/HOST/PATH, for sources that `enrich`:

    PUT    /_sandbox/answers     {"at": "api.hubapi.com/crm/v3/*", "answer": …} (see `senders.Said`)
    GET    /_sandbox/answers     those still to be given
    GET    /_sandbox/fetches     what it was asked there, oldest first

Sources: docs.unleashx.ai/api-reference, pages voice-ai/make-call, voice-ai/list-voice-agents,
call-logs/call-summary (the executions list) and authentication (verify). What they leave open is
decided here: an execution's time is UTC and names no zone (as on no page), its INPUT_DATA is the
call's metadata, which no row shows unless told and a part of which may be asked for; a webhook's
body is that of Millis AI, with what the agent noted under `analysis`; the bodies of a valid
verify and of a 429 (without Retry-After, unless a behaviour gives it one), the executions' order
(newest first) and page size, a bare date (its midnight, UTC).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import signal
import socket
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypedDict
from urllib.parse import parse_qs, urlsplit

from ringhook_ops.sandbox.answers import (
    INVALID_TOKEN,
    NO_SUCH_AGENT,
    TOO_MANY,
    Answer,
    Behaviour,
    RefusalError,
    Silence,
    asked_call,
    error,
    integer_of,
    is_integer,
    iso,
)
from ringhook_ops.sandbox.endings import Endings, Listing
from ringhook_ops.sandbox.phones import Phones
from ringhook_ops.sandbox.posting import Posting
from ringhook_ops.sandbox.senders import Senders

TOKEN = "sandbox-token"  # noqa: S105  (opens nothing but a sandbox)
REQUESTS_PER_MINUTE = 1000  # of one token on the Pro plan; the free plan has 100
SENDERS = "/_senders/"


class Received(TypedDict):
    """One API request as it came, and what it was told."""

    received_at: str  # ISO 8601, UTC
    method: str
    path: str  # with its query
    headers: dict[str, str]  # names as sent
    body: Any  # parsed JSON, the text if it is not JSON, None if empty
    status: int | None  # None while pending, and for ever when no answer was sent


class Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, writes the sandbox's answers or keeps silent."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece, so no delayed ACK holds up its second half
    server: Sandbox

    def serve(self) -> None:
        """Answer one request."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,9}", length):
            self.send_error(411)
            return
        body: Any = self.rfile.read(int(length)).decode(errors="replace") or None
        with contextlib.suppress(ValueError, RecursionError):
            body = json.loads(body) if body else None
        if urlsplit(self.path).path.startswith("/_sandbox"):
            self.write(self.server.control(self.command, self.path, body))
            return
        if self.path.startswith(SENDERS):
            self.write(self.server.fetched(self.path.removeprefix(SENDERS), dict(self.headers)))
            return
        request = Received(
            received_at=iso(self.server.now()),
            method=self.command,
            path=self.path,
            headers=dict(self.headers.items()),
            body=body,
            status=None,
        )
        answer = self.server.receive(request, self.connection)
        if isinstance(answer, Silence):
            self.keep_silent(answer)
            return
        request["status"] = answer.status  # before the client has its answer and can look
        try:
            self.write(answer)
        except OSError:
            request["status"] = None
            raise

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = serve  # noqa: N815

    def keep_silent(self, silence: Silence) -> None:
        """Wait until the client or the sandbox hangs up, or time is up; then close."""
        self.close_connection = True
        self.connection.settimeout(silence.seconds)
        with contextlib.suppress(OSError):
            while silence.seconds != 0 and self.connection.recv(1024):
                pass

    def write(self, answer: Answer) -> None:
        """Write an answer."""
        text = answer.body if isinstance(answer.body, str) else None
        body = (json.dumps(answer.body) if text is None else text).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json" if text is None else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:  # as asked; a client not told might send its next request here
            self.send_header("Connection", "close")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Log nothing: `/_sandbox/requests` tells more."""


class Sandbox(ThreadingHTTPServer):
    """The sandbox API at `host`, from `start` (or `with`) to `stop`.

    `port` 0 takes a free one. With `agents` only those are active; without, every positive id is,
    so that anybody's routes work. `inactive_agents` never are. `senders` is what the senders' own
    APIs say (see `senders.Said`).
    """

    daemon_threads = False  # so that closing the server waits for the end of each thread
    request_queue_size = 128

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tokens: tuple[str, ...] = (TOKEN,),
        agents: Collection[int] = (),
        inactive_agents: Collection[int] = (),
        requests_per_minute: int = REQUESTS_PER_MINUTE,
        senders: Iterable[Mapping[str, Any]] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__((host, port), Handler)
        self.url = f"http://{host}:{self.server_port}"
        self.senders_url = self.url + SENDERS.rstrip("/")
        self.senders = Senders(senders)
        self.now = now
        self._tokens, self._agents, self._inactive = tokens, agents, inactive_agents
        self._requests_per_minute = requests_per_minute
        self.phones = Phones(now)
        self._posting = Posting(now)
        self._lock = threading.RLock()  # over all below: a request is decided in one piece
        self._received: list[Received] = []
        self._behaviours: list[Behaviour] = []
        self._arrivals: defaultdict[str, deque[datetime]] = defaultdict(deque)
        self._connections: set[socket.socket] = set()
        self._waiting: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        self._posting.start()
        return self

    __enter__ = start

    def stop(self) -> None:
        """Hang up on everybody and end; no thread outlives this."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self._posting.stop()
        self._hang_up(self._connections)
        self.server_close()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def requests(self) -> list[Received]:
        """Copy the API requests received, oldest first."""
        with self._lock:
            return [request.copy() for request in self._received]

    def misbehave(self, order: object) -> None:
        """Queue a behaviour, written as for PUT; a ValueError names the fields that are wrong."""
        behaviour = Behaviour.read(order)
        with self._lock:
            self._behaviours.append(behaviour)

    def behaviours(self) -> list[dict[str, Any]]:
        """List the behaviours still to come, each with the times that are left."""
        with self._lock:
            return [behaviour.model_dump() for behaviour in self._behaviours]

    def end_calls(self, order: object) -> None:
        """End calls like this from now on, as written for PUT; a ValueError names the fields."""
        endings = Endings.read(order)
        with self._lock:
            self.phones.tell(endings)

    def endings(self) -> list[dict[str, Any]]:
        """List the orders of how calls end, the latest first."""
        with self._lock:
            return [order.model_dump() for order in self.phones.told()]

    def list_as(self, order: object) -> None:
        """Be this list from now on, as written for PUT; a ValueError names the fields."""
        listing = Listing.read(order)
        with self._lock:
            self.phones.listing = listing

    def calls(self) -> list[dict[str, Any]]:
        """What truly happened to each call, oldest first (see `phones.Phones.record`)."""
        with self._lock:
            return self.phones.record()

    def clear(self) -> None:
        """Forget requests, calls, orders and the pace; hang up on who is kept waiting."""
        with self._lock:
            for memory in (self._received, self._behaviours, self._arrivals, self.phones):
                memory.clear()
            self._posting.clear()
            self._hang_up(self._waiting)
        self.senders.clear()

    def control(self, method: str, path: str, body: object) -> Answer:
        """Answer a request below /_sandbox."""
        readers: dict[str, Callable[[], object]] = {
            "/_sandbox/requests": self.requests,
            "/_sandbox/behaviour": self.behaviours,
            "/_sandbox/endings": self.endings,
            "/_sandbox/list": self.phones.listing.model_dump,
            "/_sandbox/calls": self.calls,
            "/_sandbox/answers": self.senders.told,
            "/_sandbox/fetches": self.senders.asked,
        }
        orders = {
            "/_sandbox/behaviour": self.misbehave,
            "/_sandbox/endings": self.end_calls,
            "/_sandbox/list": self.list_as,
            "/_sandbox/answers": self.senders.tell,
        }
        place = urlsplit(path).path
        if method == "PUT" and place in orders:
            try:
                orders[place](body)
            except ValueError as wrong:
                return error(400, str(wrong))
        elif (method, place) == ("DELETE", "/_sandbox"):
            self.clear()
            return Answer(200, {"cleared": True})
        elif method != "GET" or place not in readers:
            return error(404, f"No such endpoint: {method} {path}")
        return Answer(200, readers[place]())

    def fetched(self, address: str, headers: Mapping[str, str]) -> Answer:
        """Answer as a sender's API does."""
        return Answer(*self.senders.answer(address, headers, self.now()))

    def receive(self, request: Received, connection: socket.socket) -> Answer | Silence:
        """Record an API request and decide its answer, in one piece."""
        with self._lock:
            self._received.append(request)
            try:
                answer = self._answer(request)
            except RefusalError as refusal:
                return refusal.answer
            if isinstance(answer, Silence):
                self._waiting.add(connection)
            return answer

    def _answer(self, request: Received) -> Answer | Silence:
        headers = {name.lower(): value for name, value in request["headers"].items()}
        self._admit(headers.get("token") or headers.get("api_access_token"))
        url, body = urlsplit(request["path"]), request["body"]
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        match request["method"], url.path.removeprefix("/api/v1/global"):
            case "POST", "/agents/call":
                return self._call(body)
            case "GET", "/agents/executions/list":
                return Answer(200, {"datalist": self.phones.rows(query)})
            case "POST", "/agents/get":
                return self._agent(body.get("agent_id") if isinstance(body, dict) else None)
            case "GET", "/agents/get":
                return self._agent(integer_of(query, "agent_id", 0) or None)
            case "POST", "/verify":
                return Answer(200, {"error": False, "message": "Token is valid"})
        raise RefusalError(404, f"No such endpoint: {request['method']} {url.path}")

    def _admit(self, token: str | None) -> None:
        if token not in self._tokens:
            raise RefusalError(*INVALID_TOKEN)
        now, arrivals = self.now(), self._arrivals[token]
        while arrivals and now - arrivals[0] >= timedelta(minutes=1):
            arrivals.popleft()
        if len(arrivals) >= self._requests_per_minute:
            raise RefusalError(*TOO_MANY)
        arrivals.append(now)

    def _call(self, body: object) -> Answer | Silence:
        agent_id, phone_number, metadata = asked_call(body)
        if not self._is_active(agent_id):
            raise RefusalError(*NO_SUCH_AGENT)
        behaviour = self._next_behaviour(phone_number)
        if behaviour is not None and behaviour.do != "hang_after_call":
            return behaviour.answer()
        ring = self.phones.place(agent_id, phone_number, metadata)
        for post in ring.posts:
            self._posting.add(post)
        if behaviour is not None:
            return behaviour.answer()
        placed = {
            "execution_id": ring.execution_id,
            "agent_id": agent_id,
            "phone_number": phone_number,
            "call_status": "initiated",
        }
        message = "Call initiated successfully"
        return Answer(200, {"success": True, "message": message, "data": placed})

    def _is_active(self, agent_id: int) -> bool:
        known = agent_id in self._agents if self._agents else agent_id > 0
        return known and agent_id not in self._inactive

    def _next_behaviour(self, phone_number: str) -> Behaviour | None:
        for wanted in (phone_number, "*"):
            for behaviour in self._behaviours:
                if behaviour.phone_number == wanted:
                    behaviour.times -= 1
                    if not behaviour.times:
                        self._behaviours.remove(behaviour)
                    return behaviour
        return None

    def _agent(self, agent_id: Any) -> Answer:
        """Describe one agent, or (None) those it was given: outbound telephony agents all."""
        if agent_id is not None and not (is_integer(agent_id) and self._is_active(agent_id)):
            raise RefusalError(*NO_SUCH_AGENT)
        agents = [
            {"agent_id": one, "agent_name": f"Agent {one}", "agent_type": 3, "calling_type": 1}
            for one in ([agent_id] if agent_id else self._agents)
            if self._is_active(one)
        ]
        message = "Voice agent retrieved successfully"
        data = {"success": True, "message": message, "data": agents[0] if agent_id else agents}
        return Answer(200, {"error": False, "code": 200, "message": message, "data": data})

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `stop` can end it, and serve it in its thread."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection whose thread is done."""
        with self._lock:
            self._connections.discard(request)
            self._waiting.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hung up: its time-outs are what is being tried."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def _hang_up(self, connections: set[socket.socket]) -> None:
        with self._lock:
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m ringhook_ops.sandbox",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    add("--token", action="append", help=f"a valid token, may be repeated (default {TOKEN})")
    add("--agent", action="append", type=int, help="an active agent id, may be repeated")
    add("--inactive-agent", action="append", type=int, help="an inactive one, may be repeated")
    add("--requests-per-minute", type=int, default=REQUESTS_PER_MINUTE, help="of each token")
    chosen = parser.parse_args()
    # Blocked before any thread starts, so that the signal waits for sigwait and hits no thread.
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    with Sandbox(
        port=chosen.port,
        tokens=tuple(chosen.token or [TOKEN]),
        agents=chosen.agent or (),
        inactive_agents=chosen.inactive_agent or (),
        requests_per_minute=chosen.requests_per_minute,
    ) as sandbox:
        print(f"sandbox API at {sandbox.url}", flush=True)
        signal.sigwait(ends)
