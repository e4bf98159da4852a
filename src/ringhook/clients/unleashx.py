"""UnleashX's Global Call API: each answer is sorted by two questions.

Can a phone have rung? At 500 and above it may, whatever the body says (503 excepted, which no
application has seen); so it may after a cut, or an answer that nobody documents. Below 500, `error:
true` and `success: false` say that it did not. Will the same request ever succeed? The words tell.

Sources: docs.unleashx.ai, "Make Call", "Call Summary" (the list of executions) and its FAQs.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ringhook.calls import marks
from ringhook.calls.answers import (
    AccountRefused,
    Initiated,
    Later,
    Refused,
    Unheard,
    Unreadable,
)
from ringhook.clients import executions, wire
from ringhook.errors import CutError, UnsentError
from ringhook.reading.times import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ringhook.calls.answers import Answer, Found
    from ringhook.calls.call import Call
    from ringhook.calls.item import Item
    from ringhook.calls.outcomes import Said

CALL_PATH = "/api/v1/global/agents/call"
LIST_PATH = "/api/v1/global/agents/executions/list"

# What the API says of a refusal, and what it means, the first that is found. The first line of each
# is documented ("Make Call"); the rest is what such APIs say, as nobody documents this one's words.
_WORDS: tuple[tuple[str, str], ...] = (
    ("token", r"auth key|session expired"),
    ("token", r"(invalid|expired|missing|wrong).*\b(token|api.?key|credential)|unauthori[sz]ed"),
    ("later", r"rate.?limit|too many|throttl|concurren|\bbusy\b"),
    ("credit", r"insufficient|not enough|(no|low|out of).*(credit|balance|fund)|payment|recharge"),
    ("plan", r"(plan|subscription|trial|quota)\b.*(limit|expire|exceed|end|upgrade|not allow)"),
    ("plan", r"(account|workspace|organi[sz]ation)\b.*(suspend|disable|block|inactive|deactivat)"),
    ("never", r"phone number is required|agent id is required|agent not found or not active"),
    ("never", r"validation|invalid|not valid|must be|cannot be called|not allowed|do not call|dnd"),
    ("later", r"try again|temporar|unavailable|maintenance|overload|capacity|timed? ?out"),
)
_TABLE = tuple((sort, re.compile(words)) for sort, words in _WORDS)
# What a proxy or a firewall before the API says in its name is about now, not about the call.
_NOT_ITS_OWN = {403, 404, 407, 408, 409, 425}
_ACCOUNT = {401: "token", 402: "credit"}
# A call that was begun and given up in the same answer.
_GIVEN_UP = {"failed", "error", "rejected", "cancelled", "canceled", "busy", "no-answer"}


class UnleashX:
    """The API at `url`; `timeout` is how many seconds an answer may take.

    `marked`: whether each call's metadata say its id, by which it is found again in the list.
    """

    def __init__(
        self,
        url: str,
        timeout: float,
        *,
        marked: bool = True,
        ask: Callable[[str, str, Mapping[str, str], str | None, float], wire.Response] = (
            wire.request
        ),
    ) -> None:
        """Connect to nothing yet."""
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._marked = marked
        self._ask = ask

    def call(self, call: Call, token: str, ringing: int = 1) -> Answer:
        """Ask for the call, once; `ringing` tells apart the times that it is meant to ring."""
        body: dict[str, Any] = {"agent_id": call.agent_id, "phone_number": call.phone_number}
        metadata = dict(call.metadata)
        if mark := self.mark(call, ringing):
            metadata[marks.KEY] = mark
        if metadata:
            body["metadata"] = metadata
        try:
            response = self._request("POST", CALL_PATH, token, json.dumps(body))
        except UnsentError as error:
            return Later(f"the API cannot be reached ({error})")
        except CutError as error:
            return Unheard(f"no answer ({error})")
        return classify(response.status, response.data, response.retry_after)

    def find(self, call: Call, token: str, asked_at: datetime, ringing: int = 1) -> Found:
        """The execution that an unheard request of `asked_at` started, if the list has it."""
        mark = self.mark(call, ringing)
        rows = self._rows(executions.query(call.agent_id, asked_at, call.phone_number, mark), token)
        return (
            rows
            if isinstance(rows, Unreadable)
            else executions.found(rows, executions.Sought(call, asked_at, mark), self._timeout)
        )

    def page(
        self, agent_id: int, token: str, since: datetime, page: int = 1
    ) -> list[dict[str, Any]] | Unreadable:
        """A page of what an agent did since then, whoever was rung."""
        return self._rows(executions.query(agent_id, since, page=page), token)

    def said_of(self, item: Item, token: str) -> list[Said] | Unreadable:
        """What the list says of how the present attempt of this one call ended."""
        one = self._sought(item)
        asked = executions.query(item.call.agent_id, one.asked_at, item.call.phone_number, one.mark)
        rows = self._rows(asked, token)
        if isinstance(rows, Unreadable):
            return rows
        found = executions.placed(rows, [one], self._timeout, filtered=bool(one.mark))
        return found.get(item.call.call_id, [])

    def said_on(self, rows: list[dict[str, Any]], items: Sequence[Item]) -> dict[str, list[Said]]:
        """What rows of their agent say of how the present attempts of calls ended, by call_id."""
        return executions.placed(rows, [self._sought(item) for item in items], self._timeout)

    def _sought(self, item: Item) -> executions.Sought:
        return executions.Sought(
            item.call,
            item.asked_at or item.call.received_at,
            self.mark(item.call, item.ringing),
            item.execution_id,
        )

    def _rows(self, query: Mapping[str, Any], token: str) -> list[dict[str, Any]] | Unreadable:
        try:
            response = self._request("GET", f"{LIST_PATH}?{urlencode(query)}", token)
            rows = json.loads(response.data)["datalist"]
        except (UnsentError, CutError) as error:
            return Unreadable(f"the list of executions cannot be read ({error})")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return Unreadable(f"the list of executions cannot be read ({type(error).__name__})")
        if response.status != 200 or not isinstance(rows, list):
            return Unreadable(f"the list of executions cannot be read (HTTP {response.status})")
        return [row for row in rows if isinstance(row, dict)]

    def mark(self, call: Call, ringing: int) -> str:
        """What finds the call again; a route that uses the key for itself keeps it."""
        if not self._marked or marks.KEY in call.metadata:
            return ""
        return marks.mark(call.call_id, ringing)

    def _request(
        self, method: str, path: str, token: str, body: str | None = None
    ) -> wire.Response:
        headers = {"Content-Type": "application/json", "token": token}
        return self._ask(method, self._url + path, headers, body, self._timeout)


def classify(status: int, data: bytes, retry_after: str | None) -> Answer:
    """Sort an answer of the call endpoint."""
    body = _json_object(data)
    message = str(body.get("message") or f"HTTP {status}")[:300]
    wait = wait_for(retry_after, datetime.now(UTC))
    if status in {429, 503}:
        return Later(message, wait)
    if status >= 500 or 300 <= status < 400:
        return Unheard(f"the API answered HTTP {status}, which does not say whether a phone rang")
    if status in _ACCOUNT:
        return AccountRefused(message, cause=_ACCOUNT[status])
    if status in _NOT_ITS_OWN and not body:
        return Later(f"{message}, with a body that is not the API's own", wait)
    if status >= 400 or body.get("error") is True or body.get("success") is False:
        return _refusal(message, wait)
    if status == 200 and body.get("success") is True:
        return _success(body)
    return Unheard(f"the API answered HTTP {status} with a body that it does not document")


def _success(body: Mapping[str, Any]) -> Answer:
    data = body.get("data")
    said = data if isinstance(data, dict) else {}
    execution_id = said.get("execution_id")
    if not execution_id:
        return Unheard("the API said success, but gave no execution_id")
    status = str(said.get("call_status") or "").strip().lower().replace("_", "-")
    if status in _GIVEN_UP:
        return Refused(f"the API began the call and gave it up: {status}", str(execution_id))
    return Initiated(str(execution_id))


def _refusal(message: str, retry_after: float) -> Answer:
    words = message.lower()
    sort = next((sort for sort, pattern in _TABLE if pattern.search(words)), None)
    match sort:
        case "later":
            return Later(message, retry_after)
        case "never":
            return Refused(message)
        case None:
            return Refused(f"{message} (words that Ringhook does not know: see `ringhook replay`)")
    return AccountRefused(message, cause=sort)


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
