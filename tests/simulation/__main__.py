"""`python -m tests.simulation SEED` tells one history; `… FIRST COUNT` checks so many."""

from __future__ import annotations

import sys
import time

from tests.simulation.checker import faults
from tests.simulation.run import simulate


def main(first: int, count: int = 0) -> int:
    began, wrong = time.monotonic(), 0
    for seed in range(first, first + max(1, count)):
        history = simulate(seed)
        found = faults(history)
        wrong += bool(found)
        lines = [*(history.story if not count else []), *found]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    seconds = time.monotonic() - began
    sys.stdout.write(f"{max(1, count)} histories, {wrong} with faults, {seconds:.1f} s\n")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
