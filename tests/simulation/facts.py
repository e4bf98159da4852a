"""What can be seen of a history from outside: senders, the API, and the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Sent:
    """A webhook: `made` is when; it was first sent at `began`, and `answered` for good then.

    `says` is the time that its sender's clock gives it. `status` is 0 until an answer comes.
    `starts` is the appointment's time (0: there is none).
    """

    does: Literal["ask", "cancel", "stop", "erase", "agree", "withdraw"]
    key: str
    version: str
    made: float
    number: str
    starts: float = 0.0
    says: float = 0.0
    began: float = 0.0
    answered: float = 0.0
    status: int = 0
    statuses: list[int] = field(default_factory=list)

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
    `stops` are what an operator stopped, from when to when; `resumed` when they let all go on that
    had stopped itself; `replayed` the keys that they had made once more, and when. `skew`: by how
    much senders' clocks are ahead. `breaker`: of so many calls half may not fail. `deaf`: while it
    is troubled, what the API answered may find no place in the ledger nor in a queue.
    """

    seed: int
    redials: bool
    hours: tuple[int, int]
    plan: int
    troubled: tuple[float, float]
    well: float
    expires: float = 20 * 3600.0
    direct: bool = False
    marked: bool = True
    skew: float = 0.0
    breaker: int = 1000
    deaf: bool = False
    stops: list[tuple[str, float, float]] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)
    replayed: list[tuple[float, str]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    deaths: int = 0
    dead_letters: int = 0
    failures: list[BaseException] = field(default_factory=list)
    rests: bool = False
    story: list[str] = field(default_factory=list)
