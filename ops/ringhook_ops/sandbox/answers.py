"""What the sandbox answers: the API's documented answers, and the misbehaviour asked of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Self

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
INVALID_TOKEN = (401, "Invalid Auth Key or Session Expired")
NO_SUCH_AGENT = (404, "Agent not found or not active")
TOO_MANY = (429, "Too many requests")
TROUBLE = "<html>the sandbox was told to answer like this</html>"
HANGS = ("hang", "hang_after_call")
BEHAVIOURS = ("refuse", "401", "429", "500", "503", *HANGS, "cut", "rubbish")


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


@dataclass
class Behaviour:
    """How to answer the next `times` requests for a call that the contract would let through.

    `refuse` answers 422; `401`, `429`, `500` and `503` those statuses, the last two without the
    documented error body; `rubbish` 200 and no JSON. `hang` never answers; `cut` closes the
    connection without a byte. None of these places the call; `hang_after_call` does, then hangs.
    """

    phone_number: str  # E.164, or "*" for every number that has no behaviour of its own
    do: str
    times: int = 1
    retry_after: int | None = None  # seconds; for 429 (else 2) and 503 (else none)
    seconds: float | None = None  # length of a hang; else until the client goes away

    @classmethod
    def parse(cls, order: object) -> Self:
        """Read a behaviour from parsed JSON; a ValueError names the fields that are wrong."""
        known = {one.name: one.default for one in fields(cls)}
        asked = order if isinstance(order, dict) else {}
        do, number, times, wait, seconds = (
            asked.get(name, known[name])
            for name in ("do", "phone_number", "times", "retry_after", "seconds")
        )
        timed = is_integer(seconds) or isinstance(seconds, float)
        wrong = [f"{name}: there is no such field" for name in asked.keys() - known.keys()]
        if number != "*" and not is_e164(number):
            wrong.append('phone_number: must be E.164, such as "+14155550123", or "*"')
        if do not in BEHAVIOURS:
            wrong.append(f"do: must be one of {', '.join(BEHAVIOURS)}")
        if not (is_integer(times) and times > 0):
            wrong.append("times: must be a positive integer")
        if wait is not None and not (is_integer(wait) and wait >= 0 and do in ("429", "503")):
            wrong.append("retry_after: must be whole seconds, with 429 or 503")
        if seconds is not None and not (timed and 0 < seconds <= 86_400 and do in HANGS):
            wrong.append("seconds: must be a number up to a day's, with hang or hang_after_call")
        if wrong:
            raise ValueError("; ".join(wrong))
        return cls(**asked)

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


def is_integer(value: object) -> bool:
    """Whether JSON said an integer: `true` is none, though Python's bool is an int."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_e164(value: object) -> bool:
    """Whether the value has the form of an E.164 number with its +."""
    return isinstance(value, str) and E164.fullmatch(value) is not None


def iso(time: datetime) -> str:
    """Write a UTC time as the API does: milliseconds and a Z."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of(query: Mapping[str, str], name: str, default: str) -> datetime:
    """Read a date or time of a query; one without an offset is UTC."""
    try:
        time = datetime.fromisoformat(query.get(name, default))
    except ValueError:
        raise RefusalError(422, f"Validation error: {name} must be a date or time") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def integer_of(query: Mapping[str, str], name: str, default: int) -> int:
    """Read a positive integer of a query."""
    if name in query and not re.fullmatch("[1-9][0-9]{0,8}", query[name]):
        raise RefusalError(422, f"Validation error: {name} must be a positive integer")
    return int(query.get(name, default))
