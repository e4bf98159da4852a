"""How the values of `routes.toml` are written: templates, durations, caps, hours, consents."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from ringhook.reading.expressions import (
    Expression,
    Template,
    compile_expression,
    compile_template,
    parse_duration,
)
from ringhook.reading.tables import Check, Finite, Read
from ringhook.senders.request import SOURCE_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringhook.deciding.calling_hours import Hours

NAME = SOURCE_NAME.pattern


def _template(value: Any) -> Any:
    return compile_template(value) if isinstance(value, str) else value


def _expression(value: Any) -> Any:
    if isinstance(value, str) and "{{" in value:
        message = "write the bare JMESPath here, without {{ }}"
        raise ValueError(message)
    return compile_expression(value) if isinstance(value, str) else value


def _duration(value: Any) -> Any:
    span = parse_duration(value) if isinstance(value, str) else None
    if span is None:
        message = "write a number with s, m, h or d, like '90s', '10m', '6h' or '3d'"
        raise ValueError(message)
    return span


_TEXT: dict[str, Any] = {"type": "string"}
TemplateText = Annotated[Template, Read(_template, _TEXT)]
ExpressionText = Annotated[Expression, Read(_expression, _TEXT)]
Duration = Annotated[
    timedelta, Read(_duration, {"type": "string", "pattern": "^[0-9]{1,6}[smhd]$"})
]


class Cap(NamedTuple):
    """At most so many calls within a time; written `3/24h`."""

    calls: int
    window: timedelta
    text: str


def read_caps(value: Any) -> Any:
    """Read a cap, as `3/24h`, or a list of them. Raises ValueError."""
    caps = []
    for text in value if isinstance(value, list) else [value]:
        count, _, window = text.partition("/") if isinstance(text, str) else ("", "", "")
        span = parse_duration(window)
        held = span is not None and timedelta(0) < span <= LONGEST_CAP
        if not re.fullmatch(r"[1-9][0-9]{0,5}", count) or span is None or not held:
            message = f"{text!r} is no cap: write '3/24h', with a time of 31d at most"
            raise ValueError(message)
        caps.append(Cap(int(count), span, text))
    return tuple(caps)


def _caps_or_none(value: Any) -> Any:
    return () if value == "none" else read_caps(value)


def _gap(value: Any) -> Any:
    return None if value == "none" else _duration(value)


@dataclass(frozen=True, slots=True)
class WrittenHours:
    """A route's `calling_hours` as the file has them, in JSON: read by who looks at a clock.

    `name`: of the table in [calling_hours] that they are.
    """

    written: str
    name: str = ""

    @property
    def hours(self) -> Hours:
        """When the phone may ring. Raises CallingHoursError, which is a ValueError."""
        return _hours_of(self)


@cache
def _hours_of(setting: WrittenHours) -> Hours:
    # Loaded here: who receives a webhook looks at no clock.
    from ringhook.deciding.calling_hours import parse_hours  # noqa: PLC0415

    value = json.loads(setting.written)
    return parse_hours(setting.name, {setting.name: value}) if setting.name else parse_hours(value)


def _hours(value: Any, document: Mapping[str, Any]) -> Any:
    if not isinstance(value, str | dict):
        message = "write 'default', 'any', '09:00-20:00', or a table by weekday"
        raise ValueError(message)  # noqa: TRY004 - pydantic reads ValueError
    from ringhook.deciding.calling_hours import parse_hours  # noqa: PLC0415 - for who checks a file

    tables = document.get("calling_hours")
    named = {
        name: table
        for name, table in (tables.items() if isinstance(tables, dict) else ())
        if isinstance(table, dict)
    }
    parse_hours(value, named)
    if isinstance(value, str) and value in named and value not in {"default", "any"}:
        return WrittenHours(json.dumps(named[value]), value)
    return WrittenHours(json.dumps(value))


def known_country(code: str) -> str:
    """Take a country's code (ISO 3166-1 alpha-2). Raises ValueError for anything else."""
    from ringhook.reading import phone  # noqa: PLC0415 - for who checks a file

    if code not in phone.COUNTRIES:
        message = f"{code!r} is not a country's code of two capital letters, like 'US'"
        raise ValueError(message)
    return code


def _name_of_hours(name: str) -> str:
    if name in {"default", "any"}:
        message = f"{name!r} has a meaning of its own: give the table another name"
        raise ValueError(message)
    return name


def _table_of_hours(table: dict[str, Any]) -> dict[str, Any]:
    from ringhook.deciding.calling_hours import parse_hours  # noqa: PLC0415 - for who checks a file

    parse_hours(table)
    return table


def _consent(value: Any) -> Any:
    """The name of a recorded consent's purpose, or an expression over the payload."""
    recorded = re.fullmatch(rf"recorded:({NAME})", value) if isinstance(value, str) else None
    if recorded:
        return recorded[1]
    match = _LONE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        message = "write '{{ JMESPath }}' that must hold, or 'recorded:PURPOSE'"
        raise ValueError(message)
    return compile_expression(match[1])


# Of no more digits than every reader of JSON keeps.
AGENT_ID = re.compile(r"0*[1-9][0-9]{0,14}")
_LONE = re.compile(r"\s*\{\{(.*)\}\}\s*", re.DOTALL)
LONGEST_CAP = timedelta(days=31)
HoursSetting = Annotated[
    WrittenHours,
    Read(_hours, {"anyOf": [{"type": "string"}, {"type": "object"}]}, whole=True),
]
FiniteNumber = Annotated[float, Finite()]
HoursName = Annotated[str, Check(_name_of_hours)]
HoursTable = Annotated[dict[str, Any], Check(_table_of_hours)]
Caps = Annotated[
    tuple[Cap, ...], Read(_caps_or_none, {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]})
]
Gap = Annotated[
    timedelta | None, Read(_gap, {"type": "string", "pattern": "^([0-9]{1,6}[smhd]|none)$"})
]
ConsentSetting = Annotated[Expression | str, Read(_consent, _TEXT)]
