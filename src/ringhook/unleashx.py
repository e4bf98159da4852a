"""UnleashX's Global Call API: every answer is sorted by one question, was a phone rung?

Source: docs.unleashx.ai, "Make Call" and "Call Summary" (the list of executions). The body is
believed before the status: `error: true` or `success: false` is a refusal whatever the status.
"""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

from ringhook.errors import UnavailableError
from ringhook.times import parse_time

if TYPE_CHECKING:
    from ringhook.calls import Call

CALL_PATH = "/api/v1/global/agents/call"
LIST_PATH = "/api/v1/global/agents/executions/list"
_CONNECT_TIMEOUT = 3.0
_PAGE = 100
# Between this clock and the API's.
_SKEW = timedelta(seconds=30)
# An API that asks for more is not believed: a call is to expire by its own limit.
_LONGEST_WAIT = 86_400.0
# The furthest that a local time can be from UTC, and a margin.
_ZONES = timedelta(hours=15)


@dataclass(frozen=True, slots=True)
class Initiated:
    """The phone rings."""

    execution_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No phone rang, and none will for this request."""

    reason: str


@dataclass(frozen=True, slots=True)
class RefusedForNow:
    """No phone rang; the same request may succeed later, not before `retry_after` seconds."""

    reason: str
    retry_after: float = 0


@dataclass(frozen=True, slots=True)
class TokenRejected:
    """No phone rang: the API does not know the token."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unheard:
    """Asked, and no answer that says whether a phone rang."""

    reason: str


Answer = Initiated | Refused | RefusedForNow | TokenRejected | Unheard


@dataclass(frozen=True, slots=True)
class Unclear:
    """The list holds something that may be this call, or may not."""

    reason: str


class UnleashX:
    """The API at `url`; `timeout` is how many seconds an answer may take."""

    def __init__(self, url: str, timeout: float) -> None:
        """Connect to nothing yet."""
        self._url = url.rstrip("/")
        self._timeout = urllib3.Timeout(connect=_CONNECT_TIMEOUT, read=timeout)

    def call(self, call: Call, token: str) -> Answer:
        """Ask for the call, once."""
        body = {"agent_id": call.agent_id, "phone_number": call.phone_number}
        if call.metadata:
            body["metadata"] = call.metadata
        try:
            response = self._request("POST", CALL_PATH, token, json.dumps(body))
        except (NewConnectionError, ConnectTimeoutError) as error:
            return RefusedForNow(f"the API cannot be reached ({type(error).__name__})")
        except SSLError as error:
            if isinstance(error.args[0], ssl.SSLCertVerificationError):
                return RefusedForNow("the API's certificate is not valid")
            return Unheard("the TLS connection broke")
        except HTTPError as error:
            return Unheard(f"no answer ({type(error).__name__})")
        return classify(response.status, response.data, response.headers.get("Retry-After"))

    def find(self, call: Call, token: str, asked_at: datetime) -> str | Unclear | None:
        """The execution that an unheard request of `asked_at` started: its id, or None.

        Raises UnavailableError if the list cannot be read.
        """
        query = urlencode(
            {
                "agent_id": call.agent_id,
                "calling_number": call.phone_number.removeprefix("+"),
                "fromdate": (asked_at - timedelta(days=1)).date().isoformat(),
                "todate": (asked_at + timedelta(days=2)).date().isoformat(),
                "page": 1,
                "limit": _PAGE,
            }
        )
        try:
            response = self._request("GET", f"{LIST_PATH}?{query}", token)
            rows = json.loads(response.data)["datalist"]
            if response.status != 200 or not isinstance(rows, list):
                raise ValueError(response.status)  # noqa: TRY301 - one way out
        except (HTTPError, ValueError, KeyError, TypeError) as error:
            message = f"the list of executions cannot be read ({type(error).__name__})"
            raise UnavailableError(message) from error
        return _match(rows, call, asked_at)

    def _request(
        self, method: str, path: str, token: str, body: str | None = None
    ) -> urllib3.BaseHTTPResponse:
        """One request, and one only: a retry or a redirect would be a second one.

        On a connection of its own: a kept one that the API has closed meanwhile breaks in a way
        that cannot be told from a call unheard.
        """
        with urllib3.PoolManager(retries=False, timeout=self._timeout) as http:
            headers = {"Content-Type": "application/json", "token": token}
            return http.request(
                method, self._url + path, body=body, headers=headers, redirect=False
            )


def classify(status: int, data: bytes, retry_after: str | None) -> Answer:
    """Sort an answer of the call endpoint."""
    body = _json_object(data)
    message = str(body.get("message") or f"HTTP {status}")[:300]
    refused = body.get("error") is True or body.get("success") is False
    if status == 401 or (refused and "auth key" in message.lower()):
        return TokenRejected(message)
    if status in (429, 503):
        return RefusedForNow(message, _seconds(retry_after))
    if refused:
        return Refused(message)
    if status == 200 and body.get("success") is True:
        data_part = body.get("data")
        execution_id = data_part.get("execution_id") if isinstance(data_part, dict) else None
        if execution_id:
            return Initiated(str(execution_id))
        return Unheard("the API said success, but gave no execution_id")
    if 400 <= status < 500:
        return Refused(message)
    return Unheard(f"the API answered HTTP {status} with a body that it does not document")


def _match(rows: list[Any], call: Call, asked_at: datetime) -> str | Unclear | None:
    mine = [row for row in rows if isinstance(row, dict) and _same(row, call)]
    for row in mine:
        text = str(row.get("CREATED_AT"))
        created = parse_time(text)
        has_zone = text.endswith("Z") or "+" in text
        if created is None or (not has_zone and abs(created - asked_at) < _ZONES):
            # Its hour is anybody's guess, so it may be this call.
            return Unclear(f"execution {row.get('ID')} was made at {text!r}, in no known time zone")
        if has_zone and created >= asked_at - _SKEW:
            return str(row.get("EXECUTION_ID") or row.get("ID"))
    if len(rows) >= _PAGE:
        return Unclear("the list of executions is longer than a page")
    return None


def _same(row: dict[str, Any], call: Call) -> bool:
    number = "".join(c for c in str(row.get("CALLING_NUMBER", "")) if c.isdigit())
    return number == call.phone_number.removeprefix("+") and str(row.get("AGENT_ID")) == str(
        call.agent_id
    )


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _seconds(retry_after: str | None) -> float:
    """Retry-After in seconds, at most a day; its other form is a date; 0 if it is neither."""
    if not retry_after:
        return 0
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", retry_after):
        return min(float(retry_after), _LONGEST_WAIT)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - rare, and slow to import

    try:
        wait = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        return min(max(0.0, wait), _LONGEST_WAIT)
    except (ValueError, TypeError, OverflowError):
        return 0
