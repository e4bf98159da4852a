"""What one more request costs a function that is warm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.progress import say
from bench.report import Part, Ratio, Table
from bench.stub import Stub
from bench.webhooks import event_of, lead

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.setup import Setup

NOTE = """\
Processor time a request, in a process that has had {warm_up} already; the least of {rounds} rounds
of {count} requests (dialer: {calls}), with the rows in turns. The floor is `json`, HMAC and one
request that is signed for SQS by hand and sent on a kept connection
(`bench/handlers/floor_sending.py`). AWS is on loopback over plain HTTP; the dialer asks the API
over TLS, with a connection for each call."""


def measure(setup: Setup) -> Part:
    """Measure the receiver, what it is compared with, and the dialer, in turns."""
    rounds, count, calls, warm_up = (1, 5, 3, 2) if setup.quick else (7, 200, 100, 20)
    with Stub(tls=True) as api:
        rows = _rows(setup, api, rounds, count, calls, warm_up)
        least = dict.fromkeys(rows, float("inf"))
        for number in range(1, rounds + 1):
            say(f"warm requests, round {number} of {rounds}")
            for name, seconds in rows.items():
                least[name] = min(least[name], seconds() * 1000)
        api.check(rounds * (calls + warm_up))
    floor = least["json, HMAC and one signed request"]
    table = Table(
        title="Warm",
        note=NOTE.format(rounds=rounds, count=count, calls=calls, warm_up=warm_up),
        columns=("", "CPU ms a request", "times the floor with its request"),
        rows=[(name, figure, figure / floor) for name, figure in least.items()],
    )
    return Part(
        tables=[table],
        ratios=[
            Ratio(
                what="receiver, warm / json, HMAC and one signed request",
                measured=least["receiver"] / floor,
                target=2.5,
            ),
            Ratio(
                what="dialer, warm, a call over TLS",
                measured=least["dialer, a call over TLS"],
                target=8,
                unit="ms",
            ),
        ],
    )


def _rows(
    setup: Setup, api: Stub, rounds: int, count: int, calls: int, warm_up: int
) -> dict[str, Callable[[], float]]:
    """What to run for each row; gives the seconds of processor time a request."""
    code, account = setup.code, setup.account
    events = [event_of(lead()) for _ in range(count + warm_up)]
    say("calls for the dialer")
    wanted = [lead() for _ in range(rounds * (calls + warm_up))]
    waiting = iter(account.queued(code, wanted))
    receiver = account.environment("receiver")
    dialer = account.environment("dialer") | api.environment

    def dial() -> float:
        batch = [next(waiting) for _ in range(calls + warm_up)]
        return code.run("ringhook.dialer", batch, dialer, warm_up=warm_up).warm

    def take(module: str) -> Callable[[], float]:
        return lambda: code.run(module, events, receiver, warm_up=warm_up).warm

    return {
        "json and HMAC": take("bench.handlers.floor"),
        "json, HMAC and one signed request": take("bench.handlers.floor_sending"),
        "the usual handler": take("bench.handlers.usual"),
        "receiver": take("ringhook.receiver"),
        "dialer, a call over TLS": dial,
    }
