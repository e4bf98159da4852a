"""What can be seen of how calls end: senders, phones, and the ledger that an operator reads."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Order:
    """An order that is to be called about, cancelled at some time (0: never)."""

    key: str
    route: str
    number: str
    made: float
    cancelled: float = 0.0
    told_at: float = 0.0


@dataclass
class Ring:
    """A phone that rang, and how that ended, as the API knows it.

    `heard`: whether the asker heard that it did. `ending` is the true one; "": nobody will ever
    know. `listed` is from when on the list has the ending (0: never), `webhooks` when its agent's
    webhook was accepted. `opt_out` and `callback` are what the person said, and the agent told.
    """

    at: float
    key: str
    number: str
    agent: int
    heard: bool
    ending: str = ""
    ended: float = 0.0
    listed: float = 0.0
    opt_out: bool = False
    callback: float = 0.0
    webhooks: list[float] = field(default_factory=list)


@dataclass
class Kept:
    """A call as the ledger has it in the end: `outcomes` by attempt."""

    key: str
    status: str
    outcomes: dict[int, str]


@dataclass
class History:
    """Everything that the checker may know.

    `redials` has by route after which endings and how long a call is made again, `deadline` how
    long it is asked for. Until `well` something may fail. `strangers` are the answers to webhooks
    of those who do not know the secret.
    """

    seed: int
    hours: tuple[int, int]
    plan: int
    well: float
    deadline: float
    redials: dict[str, tuple[tuple[str, ...], tuple[float, ...]]]
    orders: list[Order] = field(default_factory=list)
    rings: list[Ring] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    looks: int = 0
    strangers: list[int] = field(default_factory=list)
    deaths: int = 0
    dead_letters: int = 0
    failures: list[BaseException] = field(default_factory=list)
    rests: bool = False
    story: list[str] = field(default_factory=list)
