"""What may come of a request to the API, sorted by two questions.

Can a phone have rung? And will the same request ever succeed?
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


class _Answer(msgspec.Struct, frozen=True, tag_field="sort"):
    """A message carries it with its own name as its `sort`."""


class Initiated(_Answer, frozen=True, tag=True):
    """The phone rings."""

    execution_id: str


class Refused(_Answer, frozen=True, tag=True):
    """This request will never succeed: this number, or this agent.

    No phone rang, unless there is an `execution_id`: then the API began the call and gave it up.
    """

    reason: str
    execution_id: str = ""


class Later(_Answer, frozen=True, tag=True):
    """No phone rang; the same request may succeed later, not before `retry_after` seconds."""

    reason: str
    retry_after: float = 0


class AccountRefused(_Answer, frozen=True, tag=True):
    """No phone rang, and none will for this account until somebody mends it.

    `until` is when to take the call up again (epoch seconds; whoever asked fills it in); `cause` is
    token, credit or plan.
    """

    reason: str
    until: float = 0
    cause: str = "token"


class Unheard(_Answer, frozen=True, tag=True):
    """Asked, and no answer that says whether a phone rang."""

    reason: str


class NotAsked(_Answer, frozen=True, tag=True):
    """Claimed, and provably not asked."""

    reason: str


Answer = Initiated | Refused | Later | AccountRefused | Unheard | NotAsked


class Heard(msgspec.Struct, frozen=True):
    """What came of the one request of a claim's owner, until the ledger has it."""

    owner: str
    answer: Answer


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
