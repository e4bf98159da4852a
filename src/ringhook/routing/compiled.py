"""A checked `routes.toml` in the form that the functions load: JSON, and no checks.

The build makes it, so that a start needs neither a parser of TOML nor pydantic. It is data: what it
may become is listed here, and nothing else can be made of it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ringhook.reading.expressions import Expression, Template
from ringhook.routing.notify import Notify
from ringhook.routing.route_values import Cap, WrittenHours, read_caps
from ringhook.routing.routes import (
    CallTemplate,
    Connection,
    Policy,
    RecordTemplate,
    Redial,
    Route,
    Routes,
)
from ringhook.senders import providers
from ringhook.senders.enrichment import Lookup

if TYPE_CHECKING:
    from pathlib import Path

NAME = "routes.json"
"""What the compiled file is called, beside `routes.toml`."""

_KIND = ""  # the key that says what an object is made into; TOML has no such name for a table
_TABLES: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(CallTemplate, Expression, Lookup, Notify, Policy, RecordTemplate, Redial, Route),
        *(Template, WrittenHours),
    )
}


def load(path: Path) -> Routes:
    """The routes of this `routes.toml`: compiled, as the build leaves them beside it, or else read.

    Those that were compiled from another text are not taken. Raises RoutesError with all that is
    wrong.
    """
    written = path.read_bytes()
    try:
        document = json.loads(path.with_name(NAME).read_bytes())
    except FileNotFoundError:
        document = {}
    if document.get("of") == _digest(written):
        return _routes(document)
    # Loaded here, for it takes longer than all that a webhook needs.
    from ringhook.routing import routes_file  # noqa: PLC0415

    return routes_file.load(written.decode())


def write(routes: Routes, text: str) -> str:
    """The compiled form of the routes that were read from this text."""
    document = {
        "of": _digest(text.encode()),
        "countries": sorted(routes.countries),
        "max_calls_per_day": routes.max_calls_per_day,
        "time_zone": routes.time_zone,
        "closures": [
            [one.country, one.part, str(one.first), str(one.last), one.reason]
            for one in routes.closures
        ],
        "notify": {name: _plain(one) for name, one in routes.notify.items()},
        "stated": {name: sorted(keys) for name, keys in routes.stated.items()},
        "sources": {
            name: [_fields(one.source), [_plain(lookup) for lookup in one.lookups]]
            for name, one in routes.sources.items()
        },
        "routes": [_plain(route) for route in routes.routes],
    }
    return json.dumps(document, separators=(",", ":"))


def _routes(document: dict[str, Any]) -> Routes:
    return Routes(
        countries=frozenset(document["countries"]),
        sources={
            name: _connection(settings, lookups)
            for name, (settings, lookups) in document["sources"].items()
        },
        routes=tuple(map(_made, document["routes"])),
        max_calls_per_day=document["max_calls_per_day"],
        time_zone=document["time_zone"],
        closures=tuple(_closure(*row) for row in document["closures"]),
        notify={name: _made(one) for name, one in document["notify"].items()},
        stated={name: frozenset(keys) for name, keys in document["stated"].items()},
    )


def _connection(settings: dict[str, Any], lookups: list[Any]) -> Connection:
    provider = providers.find(settings["provider"])
    source = provider.settings(**{name: _made(value) for name, value in settings.items()})
    return Connection(source, provider.adapted(source), tuple(map(_made, lookups)))


def _closure(country: str, part: str | None, first: str, last: str, reason: str) -> Any:
    # Loaded here: hardly any file has closures, and a module is slow to load.
    from ringhook.deciding.closed_days import ClosedDays  # noqa: PLC0415

    return ClosedDays(country, part, date.fromisoformat(first), date.fromisoformat(last), reason)


def _plain(value: Any) -> Any:
    """A value as JSON has it. Raises TypeError for one that could not be made again."""
    if isinstance(value, Cap):
        return {_KIND: "Cap", "text": value.text}
    if isinstance(value, timedelta):
        return {_KIND: "timedelta", "seconds": value.total_seconds()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, list):
        return {_KIND: "list", "of": [_plain(part) for part in value]}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if type(value) in _TABLES.values():
        return {_KIND: type(value).__name__, **_fields(value)}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(type(value).__name__)


def _fields(table: Any) -> dict[str, Any]:
    """What a table says that it would not say by itself."""
    return {
        one.name: _plain(value)
        for one in fields(table)
        if (value := getattr(table, one.name)) != _default(one)
    }


def _default(field: Any) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _made(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_made, value))
    if not isinstance(value, dict):
        return value
    parts = {name: _made(part) for name, part in value.items()}
    match parts.pop(_KIND, None):
        case None:
            return parts
        case "timedelta":
            return timedelta(**parts)
        case "list":
            return list(parts["of"])
        case "Cap":
            (cap,) = read_caps(parts["text"])
            return cap
        case kind:
            return _TABLES[kind](**parts)


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
