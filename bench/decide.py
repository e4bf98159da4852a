"""What it costs to decide whether a phone may ring now: where it may be, and the hours there.

    .venv/bin/python bench/decide.py

Numbers without an area cost the most, as each of their clocks is asked. Each figure is the least of
many runs, for a number that is not remembered from before.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable  # noqa: TC003 - read by people alone
from datetime import UTC, datetime
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from ringhook.deciding import prefixes, zones
from ringhook.deciding.calling_hours import closure, default_hours, next_permitted

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
RUNS = 50


def decide(number: str, moment: datetime) -> None:
    """Decide as the policy does."""
    prefixes.places_of.cache_clear()
    found = zones.places(number)
    if isinstance(found, zones.Found) and closure(
        moment, found.places, default_hours(), "marketing"
    ):
        next_permitted(moment, found.places, default_hours(), "marketing")


def microseconds(work: Callable[[], Any]) -> float:
    """The least time of one run: on a busy machine most runs are interrupted."""
    return min(timeit.repeat(work, number=1, repeat=RUNS)) * 1e6


def place(number: str) -> None:
    """Tell where a phone may be, from all evidence there is."""
    prefixes.places_of.cache_clear()
    zones.places(number, "Eastern Time (US & Canada)", ADDRESS)


def main() -> None:
    """Measure and print the table."""
    table = Table("number", "clocks", "where µs", "dearest decision µs")
    for name, number in NUMBERS.items():
        found = zones.places(number)
        clocks = len(found.places) if isinstance(found, zones.Found) else 0
        where = microseconds(partial(place, number))
        dearest = max(microseconds(partial(decide, number, moment)) for moment in MOMENTS)
        table.add_row(name, str(clocks), f"{where:.0f}", f"{dearest:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
