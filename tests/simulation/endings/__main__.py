"""`python -m tests.simulation.endings SEED` tells one history; `… FIRST COUNT [ORDERS]` checks."""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.simulation.endings.checker import faults
from tests.simulation.endings.run import simulate


def main(first: int, count: int = 0, orders: int = 6) -> int:
    began, wrong, rings, looks = time.monotonic(), 0, 0, 0
    said: Counter[str] = Counter()
    for seed in range(first, first + max(1, count)):
        history = simulate(seed, orders)
        found = faults(history)
        wrong += bool(found)
        rings, looks = rings + len(history.rings), looks + history.looks
        said.update(outcome for one in history.kept for outcome in one.outcomes.values())
        lines = [*(history.story if not count else []), *found]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    seconds = time.monotonic() - began
    sys.stdout.write(
        f"{max(1, count)} histories, {wrong} with faults, {rings} rings, {looks} looks at the list,"
        f" {dict(said)}, {seconds:.1f} s\n"
    )
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
