"""What the sandbox answers: the API's documented answers, and the misbehaviour asked of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from ringhook_ops.sandbox.orders import DAY, Order, PhoneNumber, is_e164

INVALID_TOKEN = (401, "Invalid Auth Key or Session Expired")
NO_SUCH_AGENT = (404, "Agent not found or not active")
TOO_MANY = (429, "Too many requests")
TROUBLE = "<html>the sandbox was told to answer like this</html>"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; a string goes out as plain text, anything else as JSON."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Silence:
    """No answer: the connection closes after `seconds`, or when the client goes away (None)."""

    seconds: float | None


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Make the documented error answer."""
    return Answer(status, {"error": True, "message": message}, headers or {})


class RefusalError(Exception):
    """The contract refuses the request, with `answer`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = error(status, message)


class Behaviour(Order):
    """How to answer the next `times` requests for a call that the contract would let through.

    `refuse` answers 422; `401`, `429`, `500` and `503` those statuses, the last two without the
    documented error body; `rubbish` 200 and no JSON. `hang` never answers; `cut` closes the
    connection without a byte. None of these places the call; `hang_after_call` does, then hangs.
    `retry_after` (seconds) is for 429 (else 2) and 503 (else none); `seconds` is how long a hang
    lasts (else until the client goes away).
    """

    phone_number: PhoneNumber
    do: Literal["refuse", "401", "429", "500", "503", "hang", "hang_after_call", "cut", "rubbish"]
    times: int = Field(default=1, ge=1)
    retry_after: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, gt=0, le=DAY)

    @field_validator("retry_after")
    @classmethod
    def _waits(cls, wait: int | None, info: ValidationInfo) -> int | None:
        if wait is not None and info.data.get("do") not in ("429", "503"):
            message = "goes with 429 or 503"
            raise ValueError(message)
        return wait

    @field_validator("seconds")
    @classmethod
    def _hangs(cls, seconds: float | None, info: ValidationInfo) -> float | None:
        if seconds is not None and info.data.get("do") not in ("hang", "hang_after_call"):
            message = "goes with hang or hang_after_call"
            raise ValueError(message)
        return seconds

    def answer(self) -> Answer | Silence:
        """Say what such a request gets."""
        wait = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        match self.do:
            case "refuse":
                return error(422, "Validation error: this number cannot be called")
            case "401":
                return error(*INVALID_TOKEN)
            case "429":
                return error(*TOO_MANY, wait or {"Retry-After": "2"})
            case "rubbish":
                return Answer(200, TROUBLE)
            case "cut":
                return Silence(0)
            case "500" | "503":
                return Answer(int(self.do), TROUBLE, wait)
        return Silence(self.seconds)


def asked_call(body: object) -> tuple[int, str, dict[str, Any]]:
    """Agent, number and metadata of a request that keeps the contract, else a RefusalError."""
    if not isinstance(body, dict):
        raise RefusalError(422, "Validation error: the body must be a JSON object")
    agent_id, phone_number = body.get("agent_id"), body.get("phone_number")
    if phone_number in (None, ""):
        raise RefusalError(400, "Phone Number is required")
    if agent_id in (None, ""):
        raise RefusalError(400, "Agent ID is required")
    if not is_e164(phone_number):
        raise RefusalError(422, "Validation error: phone_number must be E.164, with a +")
    if not isinstance(agent_id, int) or isinstance(agent_id, bool):
        raise RefusalError(422, "Validation error: agent_id must be an integer")
    metadata = body.get("metadata", {})
    if not isinstance(metadata, dict):
        raise RefusalError(422, "Validation error: metadata must be an object")
    return agent_id, phone_number, metadata


def is_integer(value: object) -> bool:
    """Whether JSON said an integer: `true` is none, though Python's bool is an int."""
    return isinstance(value, int) and not isinstance(value, bool)


def iso(time: datetime) -> str:
    """Write a UTC time as the API does: milliseconds and a Z."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of(query: Mapping[str, str], name: str, default: str, zone: tzinfo) -> datetime:
    """Read a date or time of a query; one without an offset is by the clock of `zone`."""
    try:
        time = datetime.fromisoformat(query.get(name, default))
    except ValueError:
        raise RefusalError(422, f"Validation error: {name} must be a date or time") from None
    return time if time.tzinfo else time.replace(tzinfo=zone)


def integer_of(query: Mapping[str, str], name: str, default: int) -> int:
    """Read a positive integer of a query."""
    if name in query and not re.fullmatch("[1-9][0-9]{0,8}", query[name]):
        raise RefusalError(422, f"Validation error: {name} must be a positive integer")
    return int(query.get(name, default))
