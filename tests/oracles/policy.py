"""When a call to an Indian phone may ring: read from the promises, minute by minute.

It knows nothing of the code that it checks. India has one clock, half an hour off the others', and
no summer time; its hours for calls hold on every day of the year (TRAI's TCCCPR for marketing, the
Reserve Bank's for a debt, none for a service).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

DAY = 1440
INDIA = 330  # minutes ahead of UTC
LAW = {"marketing": (600, 1260), "service": (0, 1440), "collection": (480, 1140)}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that is known of a call. Moments are whole minutes since the epoch."""

    now: int
    occurred_at: int
    purpose: str
    hours: tuple[int, int] | None
    """The route's window in minutes after midnight; None: "any"."""
    expires_after: int
    ring_at: int | None
    gap: int | None
    caps: tuple[tuple[int, int], ...]
    """Of (calls, minutes)."""
    rung: tuple[int, ...]
    """When other calls rang the number."""
    rung_before: int | None
    """When this call rang it at an earlier attempt, which counts for nothing."""
    appointment: int | None
    """What it must come before, whatever `expires_after` says."""
    do_not_call: bool
    is_test: bool
    asks_consent: bool
    consent: tuple[bool, int | None] | None
    """What the person said last, and until when it counts."""
    made_today: int
    a_day: int | None
    closed: tuple[int, int] | None
    """The first and the last day that is closed, in days since the epoch, by India's calendar."""


def first_moment(facts: Facts) -> int | None:
    """The first minute, from now to the expiry, at which every promise lets it ring."""
    if forbidden(facts):
        return None
    last = max(facts.occurred_at, facts.ring_at or facts.occurred_at) + facts.expires_after
    if facts.appointment is not None:
        last = facts.appointment
    return next((m for m in range(facts.now, last + 1) if _all_hold(facts, m)), None)


def forbidden(facts: Facts) -> bool:
    """Whether it may not ring at any minute, as things stand now."""
    if facts.do_not_call or facts.is_test:
        return True
    if not facts.asks_consent:
        return False
    if facts.consent is None:
        return True
    granted, until = facts.consent
    return not granted or (until is not None and facts.now >= until)


def _all_hold(facts: Facts, minute: int) -> bool:
    promises: tuple[Callable[[Facts, int], bool], ...] = (
        lambda f, m: f.ring_at is None or m >= f.ring_at,
        lambda f, m: f.gap is None or all(m - at >= f.gap for at in f.rung),
        lambda f, m: all(
            sum(m - window < at <= m for at in f.rung) < calls for calls, window in f.caps
        ),
        lambda f, m: f.a_day is None or m // DAY > f.now // DAY or f.made_today < f.a_day,
        _in_hours,
        lambda f, m: f.closed is None or not f.closed[0] <= (m + INDIA) // DAY <= f.closed[1],
    )
    return all(promise(facts, minute) for promise in promises)


def _in_hours(facts: Facts, minute: int) -> bool:
    if facts.hours is None:
        return True
    wall = (minute + INDIA) % DAY
    opens, closes = LAW[facts.purpose]
    return max(opens, facts.hours[0]) <= wall < min(closes, facts.hours[1])
