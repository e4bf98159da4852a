"""Lines on standard error that say what is being measured."""

from __future__ import annotations

import sys
import time

_BEGUN = time.monotonic()


def say(what: str) -> None:
    """Say what is under way, with the seconds since the start."""
    print(f"{time.monotonic() - _BEGUN:6.0f} s  {what}", file=sys.stderr, flush=True)
