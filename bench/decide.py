"""What it costs to decide whether a phone may ring now: where it may be, and the hours there."""

from __future__ import annotations

import timeit
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.progress import say
from bench.report import Part, Table
from ringhook.deciding import prefixes, zones
from ringhook.deciding.calling_hours import closure, default_hours, next_permitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.setup import Setup

NOTE = """\
Microseconds to tell where a phone may be, and to decide at the dearest moment whether it may ring.
Numbers without an area cost the most, as each of their clocks is asked. Each figure is the least of
{runs} runs, for a number that is not remembered from before."""
NUMBERS = {
    "New York": "+12125552671",
    "an Indian mobile": "+919876543210",
    "an Australian mobile": "+61412345678",
    "a Russian mobile of any region": "+79001234567",
}
ADDRESS = zones.Address("United States", "TX", "79901")
MOMENTS = [
    datetime(2026, 11, day, hour, tzinfo=UTC) for day in (25, 28) for hour in range(0, 24, 3)
]


def decide(number: str, moment: datetime) -> None:
    """Decide as the policy does."""
    prefixes.places_of.cache_clear()
    found = zones.places(number)
    if isinstance(found, zones.Found) and closure(
        moment, found.places, default_hours(), "marketing"
    ):
        next_permitted(moment, found.places, default_hours(), "marketing")


def place(number: str) -> None:
    """Tell where a phone may be, from all evidence there is."""
    prefixes.places_of.cache_clear()
    zones.places(number, "Eastern Time (US & Canada)", ADDRESS)


def measure(setup: Setup) -> Part:
    """Measure each number."""
    say("decisions")
    runs = 1 if setup.quick else 50

    def microseconds(work: Callable[[], Any]) -> float:
        return min(timeit.repeat(work, number=1, repeat=runs)) * 1e6

    rows = []
    for name, number in NUMBERS.items():
        found = zones.places(number)
        clocks = len(found.places) if isinstance(found, zones.Found) else 0
        dearest = max(microseconds(partial(decide, number, moment)) for moment in MOMENTS)
        rows.append((name, clocks, microseconds(partial(place, number)), dearest))
    table = Table(
        title="Deciding",
        note=NOTE.format(runs=runs),
        columns=("number", "clocks", "where, µs", "dearest decision, µs"),
        rows=rows,
    )
    return Part(tables=[table])
