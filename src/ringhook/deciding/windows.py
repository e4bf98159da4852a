"""The open times of a day and of a week: how they are written, read and said.

Minutes count from local midnight. The opening time is part of a window, the closing time is not,
and no window runs over midnight.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Windows: TypeAlias = tuple[tuple[int, int], ...]
"""The open times of a day in order: (540, 1200) is 09:00-20:00."""

Week: TypeAlias = tuple[Windows, ...]
"""Seven days, Monday first, as `date.weekday()` counts."""

Spans: TypeAlias = "tuple[tuple[datetime, datetime], ...]"
"""Open times as moments, in UTC."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = 24 * 60
ALL_DAY: Windows = ((0, MIDNIGHT),)


class CallingHoursError(ValueError):
    """Hours that cannot be read; the text names what is wrong and the cure."""


def parse_week(table: Mapping[str, Any]) -> tuple[Week, Windows]:
    """Read a table by weekday: the week, and the windows of holidays.

    Keys are days, ranges of days and `holidays`. A value is a window, a list of windows, "open"
    (all day) or "closed", which is also what a day that is not named is.

    Raises CallingHoursError.
    """
    by_day: dict[str, Windows] = {}
    for key, value in table.items():
        for day in _days(key):
            if day in by_day:
                raise CallingHoursError(f'"{key}" names {day} a second time: name each day once')
            by_day[day] = parse_windows(value)
    if not any(windows for day, windows in by_day.items() if day != "holidays"):
        raise CallingHoursError(
            f"every weekday is closed, so no call could ever be made: write mon-fri = {EXAMPLE}"
        )
    return tuple(by_day.get(day, ()) for day in DAYS), by_day.get("holidays", ())


def parse_windows(value: object) -> Windows:
    """Read "closed", "open", a window or a list of windows; windows that touch become one.

    Raises CallingHoursError.
    """
    if value == "closed":
        return ()
    if value == "open":
        return ALL_DAY
    texts = value if isinstance(value, list) else [value]
    windows = sorted(_parse_window(text) for text in texts)
    if not windows:
        raise CallingHoursError('an empty list is no hours: write "closed"')
    merged = windows[:1]
    for opening, closing in windows[1:]:
        before = merged[-1]
        if opening < before[1]:
            raise CallingHoursError(
                f"{say((before,))} and {say(((opening, closing),))} overlap: write one window"
            )
        if opening == before[1]:
            merged[-1] = (before[0], closing)
        else:
            merged.append((opening, closing))
    return tuple(merged)


EXAMPLE = '"09:00-20:00"'
_WINDOW = re.compile(r"(\d{1,2}):(\d{2})\s*[-\u2013]\s*(\d{1,2}):(\d{2})", re.ASCII)


def _days(key: str) -> tuple[str, ...]:
    """Read "sat", "mon-fri" or "holidays"."""
    if key == "holidays":
        return (key,)
    first, _, last = key.partition("-")
    last = last or first
    if first in DAYS and last in DAYS and DAYS.index(first) <= DAYS.index(last):
        return DAYS[DAYS.index(first) : DAYS.index(last) + 1]
    raise CallingHoursError(
        f'"{key}" is no day: write one of {", ".join(DAYS)}, a range such as mon-fri, or holidays'
    )


def _parse_window(text: object) -> tuple[int, int]:
    found = _WINDOW.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        raise CallingHoursError(f'"{text}" is no window: write {EXAMPLE} or "closed"')
    hours, minutes, last_hours, last_minutes = (int(group) for group in found.groups())
    opening, closing = hours * 60 + minutes, last_hours * 60 + last_minutes
    if max(minutes, last_minutes) > 59 or max(opening, closing) > MIDNIGHT:
        raise CallingHoursError(f'"{text}" has a time that no clock shows: the last is 24:00')
    if closing < opening:
        raise CallingHoursError(
            f'"{text}" ends before it begins: a window ends at 24:00 at the latest; write two,'
            f' "{_clock(opening)}-24:00" and "00:00-{_clock(closing)}", if the night is meant'
        )
    if closing == opening:
        raise CallingHoursError(f'"{text}" is empty: write "closed", or "00:00-24:00" for all day')
    return opening, closing


Edge = TypeVar("Edge", int, "datetime")


def intersect(
    these: tuple[tuple[Edge, Edge], ...], those: tuple[tuple[Edge, Edge], ...]
) -> tuple[tuple[Edge, Edge], ...]:
    """Give what is open in both."""
    both = (
        (max(opening, other_opening), min(closing, other_closing))
        for opening, closing in these
        for other_opening, other_closing in those
    )
    return tuple(sorted(window for window in both if window[0] < window[1]))


def say(windows: Windows) -> str:
    """Write windows as a person would: 10:00-13:00 and 14:00-20:00, with a longer dash."""
    spans = (f"{_clock(opening)}\N{EN DASH}{_clock(closing)}" for opening, closing in windows)
    return " and ".join(spans) or "closed"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
