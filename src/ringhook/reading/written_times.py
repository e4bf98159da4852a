"""Times in words and in local forms, where their order is plain: never a guess.

`05/06/2026` is in May or in June, so it is no time here. Nor is one with `IST`, which India,
Ireland and Israel share, unless the clock that the source goes by is called so at that very moment.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfoNotFoundError

from ringhook import clock

_LONGEST = 100
# January to December: English, then as forms in German, French, Spanish, Portuguese, Italian and
# Dutch write them.
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier enero janeiro gennaio januari",
            "feb february februar février fevrier febrero fevereiro febbraio februari",
            "mar march märz mars marzo março maart",
            "apr april avril abril aprile",
            "may mai mayo maio maggio mei",
            "jun june juni juin junio junho giugno",
            "jul july juli juillet julio julho luglio",
            "aug august août aout agosto augustus",
            "sep sept september septembre septiembre setembro settembre",
            "oct october oktober octobre octubre outubro ottobre",
            "nov november novembre noviembre novembro",
            "dec december dezember décembre decembre diciembre dezembro dicembre",
        ),
        start=1,
    )
    for name in names.split()
}
_DAYS = re.compile(
    r"(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?"
    r"|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|lundi|mardi|mercredi|jeudi|vendredi|samedi"
    r"|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo"
)
_FILLERS = frozenset({"at", "on", "of", "the", "um", "uhr", "à", "de", "del", "le", "el", "den"})
_CLOCK = re.compile(
    r"(?<![\d:.+-])(\d{1,2})(?:[:h](\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?(?:\s*([ap])\.?m\b\.?)?"
    r"|\s*([ap])\.?m\b\.?)(?![\d:])"
)
_OFFSET = re.compile(r"(?:\s*(?:gmt|utc|ut))?\s*([+-])(\d{2})(?::?([0-5]\d))?(?!\d)")
_NET = re.compile(r"\\?/Date\((\d{9,13})(?:[+-]\d{4})?\)\\?/")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?")
# The zones that RFC 5322 knows, and those that mean one clock. CST is missing, which is Chicago's,
# Havana's and Beijing's.
_OFFSETS = {
    **dict.fromkeys(("z", "utc", "gmt", "ut"), 0.0),
    "est": -5,
    "edt": -4,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
    "akst": -9,
    "akdt": -8,
    "hst": -10,
    "wet": 0,
    "west": 1,
    "cet": 1,
    "cest": 2,
    "eet": 2,
    "eest": 3,
    "msk": 3,
    "sast": 2,
    "pkt": 5,
    "sgt": 8,
    "hkt": 8,
    "jst": 9,
    "kst": 9,
    "awst": 8,
    "acst": 9.5,
    "acdt": 10.5,
    "aest": 10,
    "aedt": 11,
    "nzst": 12,
    "nzdt": 13,
}


def read(text: str, zone: tzinfo) -> datetime | None:
    """The instant, in UTC; `zone` is whose clock it is where the text names none.

    None if it cannot be read in exactly one way. Raises ValueError and OverflowError for what no
    calendar has.
    """
    if len(text) > _LONGEST:
        return None
    if match := _NET.fullmatch(text):
        return datetime.fromtimestamp(int(match[1]) / 1000, UTC)
    if match := _COMPACT.fullmatch(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - its zone comes next
        return _instant(moment, zone)
    if not text.isascii() and any(char.isdigit() and not char.isascii() for char in text):
        return None
    # What stands in brackets at the end repeats the zone in words.
    plain, _, _ = text.partition("(" if text.endswith(")") else "[" if text.endswith("]") else "\n")
    return _read(re.sub(r"[,\s]+", " ", plain).strip(), zone)


def _read(text: str, zone: tzinfo) -> datetime | None:
    lower = re.sub(r"(?<=\d)t(?=\d)", " ", text.lower())
    clocks = list(_CLOCK.finditer(lower))
    if len(clocks) > 1:
        return None
    before, after, hour, minute, second = lower, "", 0, 0, 0
    if clocks:
        clock = clocks[0]
        before, after = lower[: clock.start()], lower[clock.end() :]
        minute, second = int(clock[2] or 0), int(clock[3] or 0)
        hour = _hour(int(clock[1]), clock[4] or clock[5] or "")
    offset = _OFFSET.match(after)
    rest = before + " " + (after[offset.end() :] if offset else after)
    words, names = _sorted_out(rest, text)
    found = _date(" ".join(words))
    if found is None or len(names) > 1:
        return None
    moment = datetime(*found, hour, minute, second)  # noqa: DTZ001 - its zone comes next
    if offset:
        span = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return _instant(moment, timezone(span if offset[1] == "+" else -span))
    named = _zone(names[0], moment, zone) if names else zone
    return _instant(moment, named) if named else None


def _hour(hour: int, half: str) -> int:
    if not half:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(hour)
    return hour % 12 + (12 if half == "p" else 0)


def _sorted_out(rest: str, text: str) -> tuple[list[str], list[str]]:
    """The words that make the date, and those that must name a zone, as they were written."""
    words: list[str] = []
    names: list[str] = []
    for word in rest.split():
        bare = word.strip(".")
        if bare in _FILLERS or _DAYS.fullmatch(bare):
            continue
        if bare[:1].isalpha() and bare not in _MONTHS and not re.search(r"\d", bare):
            at = text.lower().find(bare)
            names.append(text[at : at + len(bare)])
        else:
            words.append(bare)
    return words, names


def _date(text: str) -> tuple[int, int, int] | None:
    """Year, month and day, in whatever order if it is plain."""
    if match := re.fullmatch(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", text):
        return int(match[1]), int(match[3]), int(match[4])
    if match := re.fullmatch(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        if match[2] == "." or first > 12 or first == second:
            return year, second, first
        return (year, first, second) if second > 12 else None
    return _in_words(re.split(r"[\s./-]+", text))


def _in_words(parts: list[str]) -> tuple[int, int, int] | None:
    """Year, month and day of a date whose month is a word."""
    months = [part for part in parts if part in _MONTHS]
    numbers = [
        re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", part) for part in parts if part not in _MONTHS
    ]
    if len(months) != 1 or len(numbers) != 2 or not all(re.fullmatch(r"\d+", n) for n in numbers):
        return None
    month = _MONTHS[months[0]]
    shorter, longer = sorted(numbers, key=len)
    if len(longer) == 4 and len(shorter) <= 2:
        return int(longer), month, int(shorter)
    # `16-Nov-26`: with the month in the middle, the day stands first.
    if parts[1] == months[0] and len(numbers[1]) == 2 and len(numbers[0]) <= 2:
        return 2000 + int(numbers[1]), month, int(numbers[0])
    return None


def _zone(name: str, moment: datetime, zone: tzinfo) -> tzinfo | None:
    """The zone of this name; an abbreviation that the source's own clock has then is that."""
    if (zone.tzname(moment) or "").lower() == name.lower():
        return zone
    if name.lower() in _OFFSETS:
        return timezone(timedelta(hours=_OFFSETS[name.lower()]))
    if "/" not in name:
        return None
    try:
        return clock.zone(name)
    except ZoneInfoNotFoundError:
        return None


def _instant(moment: datetime, zone: tzinfo) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC)
