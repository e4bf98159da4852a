"""What a seed decides of a history beforehand: who sends what when, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.simulation.facts import Sent
from tests.simulation.world import START

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
# Seconds from one word of a sender's to the next.
_SOON, _LATER = (0.5, 1, 3, 5, 10, 20), (0.5, 3, 10, 20, 40, 60, 600, 2400)
_SLOW = ("late", "slow", "cut", "500")
AWS = ("dynamodb", "sqs", "scheduler", "secrets")


@dataclass
class Stop:
    """An operator stops `what` (all, or a route) from `began` to `ended`."""

    what: str
    began: float
    ended: float


@dataclass
class Posting:
    """A webhook and the times at which its sender first sends it, and perhaps a copy."""

    sent: Sent
    at: float
    copy_at: float = 0.0


@dataclass
class Plan:
    """Everything of a history that is known before it begins.

    `rates` are how often each sort of client fails, and how often a function dies, during
    `troubled`; those in `outages` do not answer at all then. `badness`: how often the API
    misbehaves until `bad_until`; `moods`: in which ways. `skew`: by how much senders' clocks are
    ahead; `rotates`: when the API takes a new token, and how long after that it is stored.
    """

    seed: int
    redials: bool = False
    hours: tuple[int, int] = (0, 24)
    expires: float = 20 * HOUR
    per_minute: int = 100
    dialers: int = 10
    marked: bool = True
    direct: bool = False
    troubled: tuple[float, float] = (START, START)
    rates: dict[str, float] = field(default_factory=dict)
    outages: set[str] = field(default_factory=set)
    bad_until: float = START
    badness: float = 0.0
    moods: tuple[str, ...] = ()
    never: set[str] = field(default_factory=set)
    breaker: int = 1000
    retention_days: int = 90
    skew: float = 0.0
    rotates: tuple[float, float] | None = None
    stops: list[Stop] = field(default_factory=list)
    replays: bool = False
    postings: list[Posting] = field(default_factory=list)
    well_from: float = START + 4 * HOUR
    sender_tries: int = 12

    @property
    def well(self) -> float:
        """When all that goes wrong is over for good."""
        stopped = (stop.ended for stop in self.stops)
        return max(self.troubled[1], self.bad_until, self.well_from, *stopped, START)


def plan_of(seed: int, moods: tuple[str, ...]) -> Plan:
    """The plan of a seed."""
    random = Random(seed + 1_000_000)
    begins = START + random.uniform(0, 3 * HOUR)
    hurried = random.random() < 0.2
    plan = Plan(
        seed=seed,
        redials=random.random() < 0.5,
        hours=(9, 20) if random.random() < 0.3 else (0, 24),
        per_minute=random.choice([6, 20, 100]),
        dialers=random.choice([2, 10]),
        marked=random.random() < 0.8,
        direct=random.random() < 0.08,
        troubled=(begins, begins + random.choice([0, 0, 0.1, 0.5, 2]) * HOUR),
        rates={name: random.choice([0, 0, 0.02, 0.15]) for name in (*AWS, "death")},
        outages={name for name in AWS if random.random() < 0.06},
        bad_until=START + random.choice([0, 1, 4, 4]) * HOUR,
        badness=random.choice([0.2, 0.5, 1.0]),
        # Now and then every answer is late or lost, and everybody in a hurry.
        moods=_SLOW if hurried else moods,
        never={f"+44207946{n:04}" for n in range(10) if random.random() < 0.03},
        breaker=random.choice([2, 4]) if random.random() < 0.1 else 1000,
        retention_days=random.choice([2, 30, 90]),
        skew=random.choice([0, 0, 0, -120, 120]),
        replays=random.random() < 0.15,
    )
    if random.random() < 0.15:
        apart = random.uniform(-300, 300)
        plan.rotates = (START + random.uniform(0, 3 * HOUR), apart)
    if random.random() < 0.15 and not plan.direct:
        what = random.choice(["all", "route:order", "route:reminder", "source:shop"])
        first = START + random.uniform(0, 3 * HOUR)
        plan.stops = [Stop(what, first, first + random.choice([60, 1200, 5400]))]
    _script(random, plan, _SOON if hurried else _LATER)
    return plan


def _script(random: Random, plan: Plan, pauses: tuple[float, ...]) -> None:
    for n in range(random.randint(1, 4)):
        number = f"+44207946{n // 2:04}"
        what = random.choices(["order", "booking", "offer", "lead"], [4, 4, 1, 1])[0]
        key, at = f"{what}-{n}", START + random.uniform(0, 3 * HOUR)
        if what == "offer":
            for m in range(random.choice([0, 1, 1, 2, 3])):
                does = random.choice(["agree", "agree", "withdraw"])
                _later(random, plan, Sent(does, f"{does}-{n}", f"v{m}", at, number))  # type: ignore[arg-type]
                at += random.choice([1, 20, 60, 1200, 3600])
        starts = at + _ahead(random) * HOUR if what == "booking" else 0.0
        _later(random, plan, Sent("ask", key, "v1", at, number, starts))
        for version in range(2, random.choice([2, 3, 3, 5, 7])):
            at += random.choice(pauses)
            if random.random() < (0.3 if starts else 0.5):
                _later(random, plan, Sent("cancel", key, f"v{version}", at, number))
            else:
                # To a time that it never had before.
                starts += random.choice([-0.25, 0.5, 2]) * HOUR + 7 if starts else 0
                _later(random, plan, Sent("ask", key, f"v{version}", at, number, starts))
        if random.random() < 0.15:
            does = random.choice(["stop", "erase"])
            at += random.choice([0.5, 5, 60, 1200])
            _later(random, plan, Sent(does, f"{does}-{n}", "v1", at, number))  # type: ignore[arg-type]


def _ahead(random: Random) -> float:
    """Hours to an appointment; some are further off than a queue or the ledger keeps anything."""
    return 24.0 * 20 if random.random() < 0.05 else random.choice([0.5, 1.2, 3, 6])


def _later(random: Random, plan: Plan, sent: Sent) -> None:
    late = random.choice([0.2, 0.2, 0.2, 1, 10, 300])
    copy = random.choice([0.1, 5, 60, 1800, 7200]) if random.random() < 0.2 else 0.0
    at = sent.made + late
    plan.postings.append(Posting(sent, at, at + copy if copy else 0.0))
