"""What a cold start costs: a fresh interpreter, the imports, and the first request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.progress import say
from bench.report import Part, Ratio, Table
from bench.webhooks import event_of, lead

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bench.setup import Setup

NOTE = """\
Processor time (user and system) of a fresh Python process from its start to its end, with one
request: a signed webhook taken, a call rung, a cancel kept. The floor checks the same signature and
reads the same body with `json` and `hmac`; the usual handler is one file with boto3, Powertools,
pydantic and phonenumbers at its top, which reads its secret and sends to the queue
(`bench/handlers/usual.py`). AWS and the API are on loopback, over plain HTTP. Rows are measured in
turns, so that a slow moment of the machine falls on all of them; figures are the least of {rounds}
rounds, and ratios those of the leasts."""


def measure(setup: Setup) -> Part:
    """Measure each function's cold start in turns."""
    # The first round compiles what is not compiled yet.
    rounds, uncounted = (1, 0) if setup.quick else (15, 1)
    rows = _rows(setup, rounds + uncounted)
    least = dict.fromkeys(rows, float("inf"))
    for number in range(1 - uncounted, rounds + 1):
        say(f"cold starts, round {number} of {rounds}")
        for name, start in rows.items():
            seconds = start()
            if number:
                least[name] = min(least[name], seconds)
    setup.account.api.check(rounds + uncounted)
    floor, usual = least["the floor"], least["the usual handler"]
    table = Table(
        title="Cold start",
        note=NOTE.format(rounds=rounds),
        columns=("", "CPU ms", "times the floor", "times the usual"),
        rows=[
            (name, seconds * 1000, seconds / floor, seconds / usual)
            for name, seconds in least.items()
        ],
    )
    receiver, dialer = least["receiver"], least["dialer"]
    return Part(
        tables=[table],
        ratios=[
            Ratio(what="receiver's cold start / the floor", measured=receiver / floor, target=3),
            Ratio(
                what="receiver's cold start / the usual handler",
                measured=receiver / usual,
                target=0.25,
            ),
            Ratio(
                what="dialer's cold start / the usual handler", measured=dialer / usual, target=0.5
            ),
        ],
    )


def _rows(setup: Setup, starts: int) -> dict[str, Callable[[], float]]:
    """What to start for each row; gives the seconds of processor time."""
    code, account = setup.code, setup.account
    # Each dialer takes a call that is new, and each keeper a cancel: what the receiver sent.
    wanted = [lead() for _ in range(starts)]
    cancels = [lead(topic="lead.closed") for _ in range(starts)]
    calls = iter(account.queued(code, wanted))
    told = iter(account.queued(code, cancels, "told"))
    environment = account.environment("receiver")
    event = event_of(lead())

    def row(module: str, environment: dict[str, str], events: Callable[[], Any]) -> float:
        ran = code.run(module, [events()], environment)
        _check(module, ran.answers[0])
        return ran.whole

    return {
        "the floor": lambda: row("bench.handlers.floor", {}, lambda: event),
        "the usual handler": lambda: row("bench.handlers.usual", environment, lambda: event),
        "receiver": lambda: row("ringhook.receiver", environment, lambda: event_of(lead())),
        "dialer": lambda: row(
            "ringhook.dialer", account.environment("dialer"), lambda: next(calls)
        ),
        "keeper": lambda: row("ringhook.keeper", account.environment("keeper"), lambda: next(told)),
    }


def _check(module: str, answer: Any) -> None:
    """Raise unless the request was taken: what fails is quick and no figure."""
    if answer.get("statusCode", 202) != 202 or answer.get("batchItemFailures"):
        message = f"{module} did not take its request: {answer}"
        raise RuntimeError(message)
