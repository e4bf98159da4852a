"""The list of executions: which of its rows is which call, and what a row says of how it ended.

A row that shows INPUT_DATA has the call's mark, one with an execution's id the id; any other is
known by agent, number and time alone. Two that may be the same call are neither. Names are read in
capitals and small letters, as the pages have both.

Source: docs.unleashx.ai, "Call Summary".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ringhook.calls.answers import Unclear
from ringhook.calls.outcomes import Said
from ringhook.reading.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from ringhook.calls.answers import Found
    from ringhook.calls.call import Call

# So many rows are asked for at once.
PAGE = 100
# Between this clock and the API's (seconds).
_EARLY, _LATE = 2.0, 10.0
# Times without a zone are UTC or India's, where the API is at home.
_ZONES = {0.0, 19_800.0}
# Where a row may say how its call ended, and what else of it is kept.
_WORDS = ("status", "call_status", "termination_reason", "disconnection_reason", "ended_reason",
          "hangup_cause", "hangup_reason", "answered_by")  # fmt: skip
_FACTS = {
    "ended_at": ("ended_at", "end_time"),
    "disposition": ("disposition",),
    "recording": ("file_path", "recording_url", "audio_url"),
    "transcript": ("transcript", "transcript_url"),
    "cost": ("cost", "call_cost", "total_cost"),
    "currency": ("currency",),
}


@dataclass(frozen=True, slots=True)
class Sought:
    """What tells an attempt from others: its `mark` in the metadata (""; it has none), and more."""

    call: Call
    asked_at: datetime
    mark: str = ""
    execution_id: str = ""


def query(
    agent_id: int, since: datetime, phone_number: str = "", mark: str = "", page: int = 1
) -> dict[str, Any]:
    """What the list is asked for: an agent's executions since then, or those of one call."""
    asked: dict[str, Any] = {
        "agent_id": agent_id,
        "fromdate": (since - timedelta(days=1)).date().isoformat(),
        "todate": (since + timedelta(days=2)).date().isoformat(),
        "page": page,
        "limit": PAGE,
    }
    if phone_number:
        asked["calling_number"] = phone_number.removeprefix("+")
    if mark:
        asked["input_data"] = mark
    return asked


def found(rows: Sequence[Mapping[str, Any]], sought: Sought, timeout: float) -> Found:
    """The execution that an unheard request started, if rows asked for by its number have it.

    An answer of the API takes `timeout` seconds at most.
    """
    same = [row for row in rows if _same(row, sought)]
    if sought.mark:
        return _marked(same, sought)
    if len(rows) >= PAGE:
        return Unclear("the list of executions is longer than a page")
    return _timed(same, sought, timeout)


def placed(
    rows: Sequence[Mapping[str, Any]],
    sought: Sequence[Sought],
    timeout: float,
    *,
    filtered: bool = False,
) -> dict[str, list[Said]]:
    """What rows say of those that are sought, by call_id.

    `filtered`: the list was asked for a mark, so that a row is known by about the time alone, in
    whatever zone that is.
    """
    told: dict[str, list[Said]] = {}
    near: list[tuple[int, str]] = []
    for number, row in enumerate(rows):
        if named := [one for one in sought if _names(row, one)]:
            told.setdefault(named[0].call.call_id, []).append(said(row))
            continue
        near += [
            (number, one.call.call_id)
            for one in sought
            if not (one.mark and _given(row) is not None)
            and _same(row, one)
            and (
                _about(row, one.asked_at)
                if filtered
                else _fits(row, one.asked_at, timeout) & _ZONES
            )
        ]
    for number, call_id in near:
        alone = sum(n == number for n, _ in near) == sum(c == call_id for _, c in near) == 1
        if alone and call_id not in told:
            told[call_id] = [said(rows[number])]
    return told


def said(row: Mapping[str, Any]) -> Said:
    """What a row says of how its call ended."""
    values = {name: _field(row, name) for name in _WORDS}
    facts: dict[str, Any] = {
        fact: next((v for name in names if (v := _field(row, name)) not in (None, "")), None)
        for fact, names in _FACTS.items()
    }
    seconds = row.get("TOTAL_DURATION")
    return Said(
        words={name.upper(): word for name, word in values.items() if word not in (None, "")},
        duration=row.get("total_duration") if seconds is None else seconds,
        started_at=_field(row, "created_at"),
        **facts,
    )


def _names(row: Mapping[str, Any], sought: Sought) -> bool:
    """Whether a row says by mark or id that it is this attempt."""
    given = _given(row)
    if sought.mark and given is not None:
        return _holds(given, sought.mark)
    ids = {str(_field(row, name) or "") for name in ("execution_id", "track_id", "id")}
    return bool(sought.execution_id) and sought.execution_id in ids


def _given(row: Mapping[str, Any]) -> str | None:
    """The metadata that a row shows, as text; None: it shows none."""
    given = next((row[key] for key in row if key.lower() == "input_data"), None)
    return given if given is None or isinstance(given, str) else json.dumps(given)


def _holds(given: str, mark: str) -> bool:
    return bool(re.search(rf"(?<![\w.]){re.escape(mark)}(?![\w.])", given))


def _marked(rows: Sequence[Mapping[str, Any]], sought: Sought) -> Found:
    """The row of this mark. An API that overlooks the filter gives others' rows as well."""
    unclear: Found = None
    for row in rows:
        given = _given(row)
        if given is not None:
            if _holds(given, sought.mark):
                return _id(row)
        elif _apart(row, sought.asked_at) is None:
            unclear = Unclear(f"execution {row.get('ID')} was made at no time that can be read")
        elif _about(row, sought.asked_at):
            return _id(row)
    return unclear


def _timed(rows: Sequence[Mapping[str, Any]], sought: Sought, timeout: float) -> Found:
    """The one row of about the time of the request."""
    near, unclear = [], None
    for row in rows:
        if _apart(row, sought.asked_at) is None:
            unclear = row
            continue
        fits = _fits(row, sought.asked_at, timeout)
        if fits & _ZONES:
            near.append(row)
        elif fits:
            unclear = row
    if len(near) == 1 and not unclear:
        return _id(near[0])
    if near or unclear:
        several = unclear or near[0]
        at = _field(several, "created_at")
        return Unclear(f"execution {_id(several)} of {at!r} may be this call, or another")
    return None


def _fits(row: Mapping[str, Any], asked_at: datetime, timeout: float) -> set[float]:
    """The zones (seconds from UTC) in which a row is of about the time of a request."""
    apart = _apart(row, asked_at)
    if apart is None:
        return set()
    zones = {0.0} if _has_zone(row) else set(_all_zones())
    return {zone for zone in zones if -_EARLY <= apart - zone <= timeout + _LATE}


def _about(row: Mapping[str, Any], asked_at: datetime) -> bool:
    """Whether a row is of about the time of a request, in whatever zone that is."""
    apart = _apart(row, asked_at)
    return apart is not None and any(-60 <= apart - zone <= 300 for zone in _all_zones())


def _all_zones() -> Iterator[float]:
    """How far a local time can be from UTC, in seconds."""
    return (quarter * 900.0 for quarter in range(-48, 57))


def _apart(row: Mapping[str, Any], asked_at: datetime) -> float | None:
    """Seconds from the request to the row's time, taken as UTC where it names no zone."""
    created = parse_time(str(_field(row, "created_at")))
    return None if created is None else (created - asked_at).total_seconds()


def _has_zone(row: Mapping[str, Any]) -> bool:
    return bool(re.search(r"(Z|[+-]\d\d:?\d\d)$", str(_field(row, "created_at"))))


def _same(row: Mapping[str, Any], sought: Sought) -> bool:
    number = "".join(c for c in str(_field(row, "calling_number")) if c.isdigit())
    same_agent = str(_field(row, "agent_id")) == str(sought.call.agent_id)
    return same_agent and number == sought.call.phone_number.removeprefix("+")


def _field(row: Mapping[str, Any], name: str) -> Any:
    """A row's field: the pages write the names in capitals and in small letters."""
    return row.get(name.upper(), row.get(name, ""))


def _id(row: Mapping[str, Any]) -> str:
    return str(_field(row, "execution_id") or _field(row, "id"))
