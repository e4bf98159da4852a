"""How a request's cost grows: with the routes, with the body, with the events in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.progress import say
from bench.report import Part, Table
from bench.webhooks import event_of, lead, routes

if TYPE_CHECKING:
    from bench.functions import Code
    from bench.setup import Setup

ROUTES = (1, 10, 100, 1000)
BODIES = {"1 kB": 1_000, "10 kB": 10_000, "100 kB": 100_000, "1 MB": 1_000_000, "6 MB": 6_000_000}
BATCHES = (1, 10, 100)
_LINE = {"sku": "BLR-24", "title": "A boiler that is quiet", "quantity": 1, "price": "1,499.00"}
_LINE_BYTES = 90
# So many bytes go through the receiver in one run, so that large bodies do not take minutes.
_RUN_BYTES = 10_000_000


def measure(setup: Setup) -> Part:
    """Measure the three."""
    return Part(tables=[_by_routes(setup), _by_body(setup), _by_batch(setup)])


def _by_routes(setup: Setup) -> Table:
    rows = []
    for number in ROUTES[:1] if setup.quick else ROUTES:
        say(f"{number} routes")
        same = setup.code.with_routes(routes(same=number))
        others = setup.code.with_routes(routes(others=number))
        rows.append(
            (
                f"{number:,}",
                _warm(setup, same, lead()),
                _warm(setup, others, lead()),
                _cold(setup, others),
            )
        )
    return Table(
        title="Growth with the routes",
        note=f"{_note(setup)} Each route of the same source looks at the webhook; the last one"
        " takes it.",
        columns=(
            "routes",
            "of the same source, ms",
            "of other sources, ms",
            "of other sources, cold start, ms",
        ),
        rows=rows,
    )


def _by_body(setup: Setup) -> Table:
    rows = []
    for name, size in list(BODIES.items())[: 1 if setup.quick else None]:
        say(f"a body of {name}")
        figure = _warm(setup, setup.code, lead(lines=[_LINE] * (size // _LINE_BYTES)), size)
        rows.append((name, figure, figure / size * 1e6))
    return Table(
        title="Growth with the body",
        note=_note(setup),
        columns=("body", "ms", "ms a megabyte"),
        rows=rows,
    )


def _by_batch(setup: Setup) -> Table:
    rows = []
    for size in BATCHES[:1] if setup.quick else BATCHES:
        say(f"a batch of {size}")
        figure = _warm(setup, setup.code, [lead() for _ in range(size)])
        rows.append((f"{size}", figure, figure / size))
    return Table(
        title="Growth with the events in one request",
        note=_note(setup),
        columns=("events", "ms", "ms an event"),
        rows=rows,
    )


def _note(setup: Setup) -> str:
    return (
        f"The receiver's processor time a request, the least of {_rounds(setup)} rounds; warm"
        " unless it says otherwise."
    )


def _rounds(setup: Setup) -> int:
    return 1 if setup.quick else 3


def _warm(setup: Setup, code: Code, payload: Any, size: int = 1_000) -> float:
    """Milliseconds that a warm receiver takes for this payload, of about `size` bytes."""
    count = 1 if setup.quick else max(2, min(50, _RUN_BYTES // size))
    warm_up = min(20, count)
    events = [event_of(payload) for _ in range(count + warm_up)]
    environment = setup.account.environment("receiver")
    least = float("inf")
    for _ in range(_rounds(setup)):
        ran = code.run("ringhook.receiver", events, environment, warm_up=warm_up)
        if ran.answers[0]["statusCode"] != 202:
            message = f"the receiver did not take it: {ran.answers[0]}"
            raise RuntimeError(message)
        least = min(least, ran.warm * 1000)
    return least


def _cold(setup: Setup, code: Code) -> float:
    """Milliseconds of a process with one request."""
    environment = setup.account.environment("receiver")
    runs = [
        code.run("ringhook.receiver", [event_of(lead())], environment)
        for _ in range(_rounds(setup))
    ]
    return min(ran.whole for ran in runs) * 1000
