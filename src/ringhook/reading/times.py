"""An instant as senders write it. What is written in other ways than ISO 8601 is read elsewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

# Seconds since 1970 have nine digits from 1973 on; thousandths, millionths and billionths of them
# have so many more that none is taken for another before the year 5138.
_EPOCH = re.compile(r"[0-9]{9,11}(?:\.[0-9]+)?|[0-9]{13}(?:\.[0-9]+)?|[0-9]{16}|[0-9]{19}")
_LEAST = 1e8
_LONGEST_WAIT = 86_400.0
# So far may a sender's clock be ahead of ours.
SKEW = timedelta(minutes=5)


def parse_time(value: object, zone: tzinfo = UTC) -> datetime | None:
    """The instant, in UTC: of ISO 8601, of other forms whose order is plain, or of an epoch.

    `zone` is whose clock it is where the text names none. None if it cannot be read, or if it can
    be read in several ways.
    """
    try:
        if isinstance(value, str):
            text = value.strip()
            if not text.isascii() or not _EPOCH.fullmatch(text):
                return _written(text, zone)
            return _since_1970(float(text))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _since_1970(float(value))
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _since_1970(number: float) -> datetime | None:
    if number < _LEAST:
        return None
    for _ in range(3):
        if number > 1e11:
            number /= 1000
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number)


def _written(text: str, zone: tzinfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        # Imported here: hardly any sender needs it.
        from ringhook.reading.written_times import read  # noqa: PLC0415

        return read(text, zone)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def wait_for(retry_after: str | None, now: datetime) -> float:
    """The seconds that a Retry-After asks for, at most a day; 0 where it asks for none.

    Whoever asks for more is not believed: a call is to expire by its own limit. Shopify writes
    "2.0"; the other form is a date (RFC 9110, 10.2.3).
    """
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return min(float(text), _LONGEST_WAIT)
    # Imported here: it is rare, and slow to load.
    from email.utils import parsedate_to_datetime  # noqa: PLC0415

    try:
        wait = (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(0.0, wait), _LONGEST_WAIT)
