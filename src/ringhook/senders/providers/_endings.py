"""Where a body says how a call ended, by the names that such bodies have: tolerant of their forms.

Names are compared without case, hyphens and underscores, at the top of the body and in the parts
that such bodies are wrapped in. What is JSON within a text is read.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The parts that a body may be wrapped in, outermost first.
_WRAPPED = ("data", "call", "execution", "session", "message", "result", "calldata", "recording")
# Where the metadata that went along with the call comes back.
_METADATA = ("metadata", "inputdata", "variables", "customdata")
_WORDS = ("status", "callstatus", "disconnectionreason", "endedreason", "terminationreason",
          "hangupreason", "hangupcause", "answeredby")  # fmt: skip
_FACTS = {
    "execution_id": ("executionid", "trackid"),
    "phone_number": ("callingnumber", "phonenumber", "tonumber", "customernumber"),
    "agent_id": ("agentid",),
    "duration": ("totalduration", "duration", "callduration", "durationseconds",
                 "conversationduration"),
    "started_at": ("startedat", "starttime", "createdat"),
    "ended_at": ("endedat", "endtime"),
    "disposition": ("disposition", "calldisposition"),
    "recording": ("recordingurl", "recording", "filepath", "audiourl"),
    "transcript": ("transcripturl", "transcript"),
    "cost": ("cost", "totalcost", "callcost"),
    "currency": ("currency",),
}  # fmt: skip


def told(body: Any) -> dict[str, Any]:
    """What a body says of how a call ended; empty where it names nothing that is known.

    `marks` are the values that the metadata has under `call_id`, `words` those that say how it
    ended, by the names of their fields.
    """
    parts = list(_parts(body))
    facts = {name: _first(parts, names) for name, names in _FACTS.items()}
    words = {
        written: value
        for part in parts
        for name in _WORDS
        for written, value in _named(part, name)
        if value not in (None, "")
    }
    marks = [
        value
        for part in parts
        for name in _METADATA
        for _, given in _named(part, name)
        if isinstance(inner := _read(given), dict)
        for _, value in _named(inner, "callid")
    ]
    return {**{k: v for k, v in facts.items() if v is not None}, "words": words, "marks": marks}


def _parts(body: Any) -> Iterator[Mapping[str, Any]]:
    """The body, and the parts of it that may hold what is looked for."""
    if not isinstance(body, dict):
        return
    yield body
    for name in _WRAPPED:
        for _, value in _named(body, name):
            yield from _parts(_read(value))


def _named(part: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    """The fields of this name, however it is written."""
    return [(key, value) for key, value in part.items() if _plain(key) == name]


def _plain(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _first(parts: list[Mapping[str, Any]], names: tuple[str, ...]) -> Any:
    found = (v for name in names for part in parts for _, v in _named(part, name))
    return next((v for v in found if v not in (None, "") and not isinstance(v, dict | list)), None)


def _read(value: Any) -> Any:
    """JSON within a text, as some send it."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value
