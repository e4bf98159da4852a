"""How a call ended for the person: the API's words folded into ours, and what comes late merged.

Pure. `fold` reads what one row of the executions list, or one webhook, says; `merged` puts together
what is known of an attempt and what is heard of it later, twice or in the wrong order; `given_up`
is what is left at the deadline. `as_json` and `of_json` are for the ledger and for messages.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from ringhook.calls.outcome_words import meaning
from ringhook.reading.text import tidy
from ringhook.reading.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

Ending = Literal["answered", "voicemail", "no_answer", "busy", "rejected", "failed", "unknown"]
EndedBy = Literal["person", "agent", "time_limit", "silence", "transfer", "error"]
Failure = Literal["invalid_number", "blocked", "no_credit", "provider", "concurrency"]
LearntFrom = Literal["webhook", "list", "deadline"]

# A word of an API is no longer than this, an address than that; and no call lasts longer (seconds).
_LONGEST_WORD, _LONGEST_ADDRESS, _LONGEST_CALL = 200, 2000, 86_400.0
_FULL = re.compile(
    r"(?:PT)?(?:(\d{1,4}) ?h(?:ours?|rs?)?)?[ ,]*(?:(\d{1,6}) ?m(?:in(?:ute)?s?)?)?[ ,]*"
    r"(?:(\d{1,9}(?:\.\d+)?) ?s(?:ec(?:ond)?s?)?)?",
    re.IGNORECASE | re.ASCII,
)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):([0-5]\d(?:\.\d+)?)", re.ASCII)
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)
# A time of day, so that a mere date is no moment; and a zone, or an epoch that needs none.
_OF_DAY = re.compile(r"\d[T ]?\d{0,2}:\d\d|\d\s?[ap]\.?m|T\d{4}|^\d{9,19}(\.\d+)?$", re.IGNORECASE)
_ZONED = re.compile(
    r"(Z|UTC|GMT|[+-]\d\d:?\d\d)(\s*\[[^\]]*\]|\s*\([^)]*\))?$|^\d{9,19}(\.\d+)?$", re.IGNORECASE
)
_PLAIN = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known of how an attempt ended; None: not known.

    `outcome` is None until the call is over. `final`: it changes no more, but for `unknown`, which
    whatever is certain may yet replace. Until then it is a hint. `duration_seconds`, `started_at`
    and `ended_at` (UTC) are as the API has them. `opt_out`: whether the person said not to be
    called again; `callback_at`: when to be called. `recording` and `transcript` are addresses.
    `raw` are the API's own words by the names of their fields.
    """

    attempt: int = 1
    outcome: Ending | None = None
    final: bool = False
    learnt_from: LearntFrom | None = None
    ended_by: EndedBy | None = None
    failure: Failure | None = None
    duration_seconds: float | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    disposition: str | None = None
    opt_out: bool | None = None
    callback_at: datetime | None = None
    recording: str | None = None
    transcript: str | None = None
    cost: float | None = None
    currency: str | None = None
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an API says of a call, as it wrote it: `words` by the names of the fields they are in.

    `zone` is whose clock its times are by that name none; None: then they say no moment.
    """

    words: Mapping[str, object]
    duration: object = None
    started_at: object = None
    ended_at: object = None
    disposition: object = None
    opt_out: object = None
    callback_at: object = None
    recording: object = None
    transcript: object = None
    cost: object = None
    currency: object = None
    zone: tzinfo | None = None


def fold(
    said: Said, *, learnt_from: LearntFrom, confirmed: bool = True, attempt: int = 1
) -> Outcome:
    """What an API's words mean. `confirmed`: they are certainly of this attempt."""
    seconds = duration(said.duration)
    ending, ended_by, failure = _ending(_words(said.words).values(), seconds)
    cost = said.cost if not isinstance(said.cost, str) else said.cost.strip()
    return Outcome(
        attempt=attempt,
        outcome=ending,
        final=confirmed and ending not in (None, "unknown"),
        learnt_from=learnt_from,
        ended_by=ended_by,
        failure=failure,
        duration_seconds=None if seconds is None or seconds > _LONGEST_CALL else seconds,
        started_at=moment(said.started_at, said.zone),
        ended_at=moment(said.ended_at, said.zone),
        disposition=_text(said.disposition),
        opt_out=plain_bool(said.opt_out),
        callback_at=moment(said.callback_at, said.zone),
        recording=_address(said.recording),
        transcript=_address(said.transcript),
        cost=_number(cost),
        currency=_currency(said.currency),
        raw=_words(said.words),
    )


def strange(said: Said) -> list[str]:
    """The words that nobody knows."""
    return [word for word in _words(said.words).values() if not meaning(word)]


def merged(known: Outcome | None, heard: Outcome) -> Outcome:
    """What is known of an attempt after something more was heard of it.

    What is certain does not change, and blanks are filled by what agrees with it. Of hints the
    first stands. Of another attempt nothing is heard.
    """
    if known is None:
        return heard
    if heard.attempt != known.attempt:
        return known
    first, second = (known, heard) if _weight(known) >= _weight(heard) else (heard, known)
    agrees = second.outcome in (None, "unknown", first.outcome)
    if not agrees:
        # That somebody does not want to be called is kept, whoever says so.
        return replace(first, opt_out=True) if second.opt_out else first
    blanks = {
        one.name: getattr(second, one.name)
        for one in fields(Outcome)
        if getattr(first, one.name) is None and one.name != "outcome"
    }
    if second.opt_out:
        blanks["opt_out"] = True
    return replace(first, **blanks, raw={**second.raw, **first.raw})


def given_up(known: Outcome | None, attempt: int) -> Outcome:
    """What is known at the deadline: that it is not known."""
    known = known if known and known.attempt == attempt else Outcome(attempt=attempt)
    return replace(
        known, outcome="unknown", final=True, learnt_from="deadline", ended_by=None, failure=None
    )


def with_outcome(outcomes: tuple[Outcome, ...], one: Outcome) -> tuple[Outcome, ...]:
    """These outcomes with this one in the place of what was known of its attempt."""
    others = [other for other in outcomes if other.attempt != one.attempt]
    return tuple(sorted([*others, one], key=lambda other: other.attempt))


def as_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON has it: times as ISO 8601, and nothing of what is not known."""
    values = {one.name: getattr(outcome, one.name) for one in fields(Outcome)}
    known = {name: value for name, value in values.items() if value is not None}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in known.items()
    } | {"raw": dict(outcome.raw)}


def of_json(written: Mapping[str, Any]) -> Outcome:
    """The outcome that `as_json` wrote; fields that a later Ringhook added are overlooked."""
    names = {one.name for one in fields(Outcome)}
    known = {name: value for name, value in written.items() if name in names}
    for name in ("started_at", "ended_at", "callback_at"):
        if known.get(name):
            known[name] = datetime.fromisoformat(known[name])
    return Outcome(**known)


def duration(value: object) -> float | None:
    """A duration in seconds: of a number, `2m 30s`, `2:30` or ISO 8601; None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if 0 <= value < 1e12 else None
    if not isinstance(value, str) or not value.strip():
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    if (match := _CLOCK.fullmatch(text)) or (match := _FULL.fullmatch(text)):
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + seconds
    return None


def moment(value: object, zone: tzinfo | None) -> datetime | None:
    """A moment in UTC, where day, hour and zone are plain; None where they are not."""
    text = str(value).strip() if isinstance(value, str | int | float) else ""
    if isinstance(value, bool) or not _OF_DAY.search(text):
        return None
    if zone is None and not _ZONED.search(text):
        return None
    found = parse_time(text, zone or UTC)
    return found.astimezone(UTC) if found else None


def plain_bool(value: object) -> bool | None:
    """What a plain yes or no says; None for whatever is not plain."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int):
        return _PLAIN.get(str(value).strip().lower())
    return None


def _weight(outcome: Outcome) -> int:
    """What is certain weighs most, then that nobody can tell, then a hint, then no word."""
    if outcome.final:
        return 3 if outcome.outcome == "unknown" else 4
    return 0 if outcome.outcome is None else 1 if outcome.outcome == "unknown" else 2


def _words(written: Mapping[str, object]) -> dict[str, str]:
    """The words that are there, as text."""
    return {
        name: tidy(str(word), _LONGEST_WORD)
        for name, word in written.items()
        if isinstance(word, str | int | float) and not isinstance(word, bool)
    }


def _ending(
    words: Any, seconds: float | None
) -> tuple[Ending | None, EndedBy | None, Failure | None]:
    """The outcome that words with this duration say, who ended it, and why it failed."""
    said = {meaning(word) for word in words} - {"nothing"}
    lasted = bool(seconds)
    going = "going" in said
    plain = {_by_duration(one, seconds) for one in said - {"going", ""}}
    specific = {one for one in plain if one not in ("over", "unknown")}
    if going and ("" in said or not (specific or lasted)):
        return None, None, None
    if not said:
        return None, None, None
    if "" in said:
        return "unknown", None, None
    if not specific and "over" in plain and lasted:
        return "answered", None, None
    # Of a failure and its cause, of an answer and who ended it, the longer says more.
    specific -= {one for one in specific if any(o.startswith(f"{one}:") for o in specific)}
    if "failed" in specific and not (lasted and plain - specific):
        specific = specific - {"failed"} or specific
    if "over" in plain and "failed" in specific and lasted:
        return "unknown", None, None
    if len(specific) != 1:
        return "unknown", None, None
    ending, _, more = specific.pop().partition(":")
    if ending == "failed":
        return "failed", None, _one_of(more or "provider", Failure)
    return _one_of(ending, Ending), _one_of(more, EndedBy), None


def _by_duration(sort: str, seconds: float | None) -> str:
    """What a word means with this duration."""
    if sort == "error":
        return "answered:error" if seconds else "failed"
    if sort in {"canceled", "timeout"}:
        if seconds is None:
            return "unknown"
        by = ":time_limit" if sort == "timeout" else ""
        return f"answered{by}" if seconds else "no_answer"
    if sort.startswith("answered") and not seconds:
        return "unknown"
    return sort


def _one_of(text: str, allowed: Any) -> Any:
    return text if text in get_args(allowed) else None


def _text(value: object) -> str | None:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    return tidy(str(value), _LONGEST_WORD) or None


def _address(value: object) -> str | None:
    """An address, never the thing itself."""
    if not isinstance(value, str) or not re.fullmatch(r"https?://[\x21-\x7e]+", value.strip()):
        return None
    return value.strip() if len(value) <= _LONGEST_ADDRESS else None


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, int | float) and math.isfinite(value) and 0 <= value < 1e9:
        return float(value)
    return None


def _currency(value: object) -> str | None:
    text = value.strip().upper() if isinstance(value, str) else ""
    return text if re.fullmatch(r"[A-Z]{3}", text) else None
