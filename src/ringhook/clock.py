"""The clocks of the world, by the zone data that ships with the functions and by no other.

`zoneinfo.ZoneInfo` looks at the operating system first, whose data may be years old, and reads
PYTHONTZPATH. Here a zone is read from the tzdata wheel that src/requirements.txt pins, so that a
laptop, the tests and Lambda show the same time. Nothing that other libraries use is changed.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzdata

VERSION = tzdata.IANA_VERSION
"""The release of the zone data, "2026f"."""

_ZONES = Path(tzdata.__file__).parent / "zoneinfo"
_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


@cache
def zone(name: str) -> ZoneInfo:
    """Give the clock of an IANA zone, "America/Chicago". Raises ZoneInfoNotFoundError."""
    path = _ZONES / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise ZoneInfoNotFoundError(f"{name!r} is no time zone of the IANA data {VERSION}")
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
