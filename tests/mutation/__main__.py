"""Break one thing at a time, and see that a test fails.

`python -m tests.mutation` makes the changes of `changes.toml` that bear the names given, or all,
and prints what became of each. Its exit code is 1 if one survives, or stands nowhere in the code.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.changes import changes
from tests.mutation.workshop import Workshop


def main(names: Sequence[str]) -> int:
    """Make these changes, or all, one after the other; 1 if one was not caught, else 0."""
    known = changes()
    wrong = [name for name in names if name not in known]
    wrong += [one.name for one in known.values() if one.found != 1]
    if wrong:
        sys.stderr.write(f"no such change, or no such text in its file: {', '.join(wrong)}\n")
        return 1
    wanted = [known[name] for name in names or known]
    survivors: list[str] = []
    with tempfile.TemporaryDirectory(prefix="ringhook-mutation-") as folder:
        workshop = Workshop.within(Path(folder).resolve())
        for change in wanted:
            began = time.monotonic()
            failed = workshop.first_failure(change)
            survivors += [] if failed else [change.name]
            seconds = time.monotonic() - began
            sys.stdout.write(f"{change.name:44} {seconds:5.1f} s  {failed or 'SURVIVED'}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(wanted) - len(survivors)} of {len(wanted)} are caught\n")
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
