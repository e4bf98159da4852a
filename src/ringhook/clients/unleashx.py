"""UnleashX's Global Call API: each answer is sorted by two questions.

Can a phone have rung? At 500 and above it may, whatever the body says (503 excepted, which no
application has seen); so it may after a cut, or an answer that nobody documents. Below 500, `error:
true` and `success: false` say that it did not. Will the same request ever succeed? The words tell.

Sources: docs.unleashx.ai, "Make Call", "Call Summary" (the list of executions) and its FAQs.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ringhook.calls.answers import (
    AccountRefused,
    Initiated,
    Later,
    Refused,
    Unclear,
    Unheard,
    Unreadable,
)
from ringhook.clients import wire
from ringhook.errors import CutError, UnsentError
from ringhook.reading.times import parse_time, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringhook.calls.answers import Answer, Found
    from ringhook.calls.call import Call

CALL_PATH = "/api/v1/global/agents/call"
LIST_PATH = "/api/v1/global/agents/executions/list"
# The key of the metadata by which a call is found again in the list.
CALL_ID = "call_id"
_PAGE = 100

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
# Between this clock and the API's (seconds).
_EARLY, _LATE = 2.0, 10.0
# Times without a zone are UTC or India's, where the API is at home.
_ZONES = {0.0, 19_800.0}


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
        if mark := self._mark(call, ringing):
            metadata[CALL_ID] = mark
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
        mark = self._mark(call, ringing)
        query: dict[str, Any] = {
            "agent_id": call.agent_id,
            "calling_number": call.phone_number.removeprefix("+"),
            "fromdate": (asked_at - timedelta(days=1)).date().isoformat(),
            "todate": (asked_at + timedelta(days=2)).date().isoformat(),
            "page": 1,
            "limit": _PAGE,
        }
        if mark:
            query["input_data"] = mark
        try:
            response = self._request("GET", f"{LIST_PATH}?{urlencode(query)}", token)
            rows = json.loads(response.data)["datalist"]
        except (UnsentError, CutError) as error:
            return Unreadable(f"the list of executions cannot be read ({error})")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return Unreadable(f"the list of executions cannot be read ({type(error).__name__})")
        if response.status != 200 or not isinstance(rows, list):
            return Unreadable(f"the list of executions cannot be read (HTTP {response.status})")
        found = [row for row in rows if isinstance(row, dict) and _same(row, call)]
        if mark:
            return _marked(found, mark, asked_at)
        if len(rows) >= _PAGE:
            return Unclear("the list of executions is longer than a page")
        return _timed(found, asked_at, self._timeout)

    def _mark(self, call: Call, ringing: int) -> str:
        """What finds the call again; a route that uses the key for itself keeps it."""
        if not self._marked or CALL_ID in call.metadata:
            return ""
        return call.call_id if ringing == 1 else f"{call.call_id}.{ringing}"

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


def _marked(rows: list[dict[str, Any]], mark: str, asked_at: datetime) -> Found:
    """The row of this mark. An API that overlooks the filter gives others' rows as well."""
    unclear: Found = None
    for row in rows:
        given = next((row[key] for key in row if key.lower() == "input_data"), None)
        if given is not None:
            text = given if isinstance(given, str) else json.dumps(given)
            if re.search(rf"{re.escape(mark)}(?![\w.])", text):
                return _id(row)
        elif (apart := _apart(row, asked_at)) is None:
            unclear = Unclear(f"execution {row.get('ID')} was made at no time that can be read")
        elif any(-60 <= apart - zone <= 300 for zone in _all_zones()):
            return _id(row)
    return unclear


def _timed(rows: list[dict[str, Any]], asked_at: datetime, timeout: float) -> Found:
    """The one row of about the time of the request."""
    near, unclear = [], None
    for row in rows:
        apart = _apart(row, asked_at)
        if apart is None:
            unclear = row
            continue
        zones = {0.0} if _has_zone(row) else _all_zones()
        fits = {zone for zone in zones if -_EARLY <= apart - zone <= timeout + _LATE}
        if fits & _ZONES:
            near.append(row)
        elif fits:
            unclear = row
    if len(near) == 1 and not unclear:
        return _id(near[0])
    if near or unclear:
        several = unclear or near[0]
        at = _field(several, "created_at")
        return Unclear(f"execution {_id(several)} of {at!r} may be this call, or another")
    return None


def _all_zones() -> set[float]:
    """How far a local time can be from UTC, in seconds."""
    return {quarter * 900.0 for quarter in range(-48, 57)}


def _apart(row: Mapping[str, Any], asked_at: datetime) -> float | None:
    """Seconds from the request to the row's time, taken as UTC where it names no zone."""
    created = parse_time(str(_field(row, "created_at")))
    return None if created is None else (created - asked_at).total_seconds()


def _has_zone(row: Mapping[str, Any]) -> bool:
    return bool(re.search(r"(Z|[+-]\d\d:?\d\d)$", str(_field(row, "created_at"))))


def _same(row: Mapping[str, Any], call: Call) -> bool:
    number = "".join(c for c in str(_field(row, "calling_number")) if c.isdigit())
    same_agent = str(_field(row, "agent_id")) == str(call.agent_id)
    return same_agent and number == call.phone_number.removeprefix("+")


def _field(row: Mapping[str, Any], name: str) -> Any:
    """A row's field: the pages write the names in capitals and in small letters."""
    return row.get(name.upper(), row.get(name, ""))


def _id(row: Mapping[str, Any]) -> str:
    return str(_field(row, "execution_id") or _field(row, "id"))


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
