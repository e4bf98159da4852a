"""What may come of a request to the API, sorted by two questions.

Can a phone have rung? And will the same request ever succeed?
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Initiated:
    """The phone rings."""

    execution_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """This request will never succeed: this number, or this agent.

    No phone rang, unless there is an `execution_id`: then the API began the call and gave it up.
    """

    reason: str
    execution_id: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """No phone rang; the same request may succeed later, not before `retry_after` seconds."""

    reason: str
    retry_after: float = 0


@dataclass(frozen=True, slots=True)
class AccountRefused:
    """No phone rang, and none will for this account until somebody mends it.

    `until` is when to take the call up again (epoch seconds; whoever asked fills it in); `cause` is
    token, credit or plan.
    """

    reason: str
    until: float = 0
    cause: str = "token"


@dataclass(frozen=True, slots=True)
class Unheard:
    """Asked, and no answer that says whether a phone rang."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Claimed, and provably not asked."""

    reason: str


Answer = Initiated | Refused | Later | AccountRefused | Unheard | NotAsked

_SORTS = {
    one.__name__: one for one in (Initiated, Refused, Later, AccountRefused, Unheard, NotAsked)
}


def as_json(answer: Answer) -> dict[str, Any]:
    """An answer as a message carries it."""
    return {"sort": type(answer).__name__, **asdict(answer)}


def of_json(said: dict[str, Any]) -> Answer:
    """The answer that `as_json` wrote. Raises KeyError and TypeError for what it did not write."""
    fields = {name: value for name, value in said.items() if name != "sort"}
    answer: Answer = _SORTS[said["sort"]](**fields)
    return answer


@dataclass(frozen=True, slots=True)
class Unclear:
    """The list of executions holds something that may be this call, or may not."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The list of executions cannot be read."""

    reason: str


# An execution's id, or why there is none; None: the list does not have the call.
Found = str | Unclear | Unreadable | None
