"""What a routes file enforces, route by route, as a person or a program reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from datetime import timedelta
from typing import Any

from ringhook.errors import Problem
from ringhook.reading.expressions import Expression, Template
from ringhook.reading.tables import Table
from ringhook.routing.route_values import Cap, WrittenHours
from ringhook.routing.routes import Route, Routes
from ringhook_ops.dry_run.trying import Tried


def located(file: str, problem: Problem) -> str:
    """A problem as compilers write it, for editors to jump to: `FILE:LINE: where: message`."""
    place = f"{file}:{problem.line}:" if problem.line else f"{file}:"
    where = f" {problem.where}:" if problem.where else ""
    return f"{place}{where} {problem.message}"


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """A problem for programs."""
    return {"line": problem.line, "where": problem.where, "message": problem.message}


def report(
    file: str,
    problems: Sequence[Problem],
    warnings: Sequence[Problem] = (),
    routes: Routes | None = None,
    tried: Sequence[Tried] = (),
) -> dict[str, Any]:
    """All that is said of a file, for programs."""
    return {
        "file": file,
        "problems": [problem_as_json(problem) for problem in problems],
        "warnings": [problem_as_json(problem) for problem in warnings],
        "routes": [enforced(route, routes) for route in routes.routes] if routes else [],
        "tried": [row.as_json() for row in tried],
    }


def enforced(route: Route, routes: Routes) -> dict[str, Any]:
    """Everything that a call of this route is held to, unset things (None) included.

    It goes through the models' fields, so that no rule can be forgotten here.
    """
    return {
        "route": route.name,
        "source": route.source,
        "provider": routes.sources[route.source].source.provider,
        "on": list(route.on) if route.on is not None else None,
        "when": _plain(route.when),
        "action": route.action,
        "agent_id": _plain(route.call.agent_id) if route.call else None,
        "countries": sorted(routes.countries),
        "max_calls_per_day": routes.max_calls_per_day,
        "time_zone": routes.time_zone,
        **_plain(route.policy),
    }


def _plain(value: Any) -> Any:
    """A setting as it could be written in the file."""
    if isinstance(value, WrittenHours):
        return value.hours.text
    if isinstance(value, Template | Expression | Cap):
        return value.text
    if isinstance(value, timedelta):
        return _span(value)
    if isinstance(value, Table):
        return {_key(one): _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _key(field: Field[Any]) -> str:
    """How a field is called in the file."""
    return str(field.metadata.get("alias", field.name))


def _span(span: timedelta) -> str:
    """A duration as the file has it, in its largest whole unit; a day is 24h, as people say."""
    seconds = round(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0 and seconds >= size * (2 if unit == "d" else 1):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
