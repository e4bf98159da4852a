"""What can be seen of a history from outside: senders, the API, and the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Sent:
    """A webhook: `made` is its sender's time; it was last sent at `began`, and `answered` then.

    `status` is 0 until an answer comes. `starts` is the appointment's time (0: there is none).
    """

    does: Literal["ask", "cancel", "stop", "erase"]
    key: str
    version: str
    made: float
    number: str
    starts: float = 0.0
    began: float = 0.0
    answered: float = 0.0
    status: int = 0

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Asked:
    """A request for a call, as the API saw it. `told`: whether its answer says if a phone rang."""

    at: float
    number: str
    key: str
    version: str
    answer: str
    rang: bool
    told: bool
    final: bool = False


@dataclass
class History:
    """Everything that the checker may know.

    `troubled` is when clients of AWS fail or functions die; `well` is when all of that, and the
    API's misbehaviour, is over for good. `requests` are the times of all requests to the API.
    """

    seed: int
    redials: bool
    hours: tuple[int, int]
    plan: int
    troubled: tuple[float, float]
    well: float
    sent: list[Sent] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    deaths: int = 0
    dead_letters: int = 0
    failures: list[BaseException] = field(default_factory=list)
    rests: bool = False
    story: list[str] = field(default_factory=list)
