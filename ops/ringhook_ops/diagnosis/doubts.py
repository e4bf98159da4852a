"""What is doubtful in a valid file: fields that no sample has, quotes, routes that overlap."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from itertools import combinations
from typing import Any

from jmespath import lexer

from ringhook.errors import Problem
from ringhook.reading import countries, phone
from ringhook.reading.expressions import Expression, Template
from ringhook.reading.tables import Table
from ringhook.routing.routes import Route, Routes
from ringhook.routing.toml_lines import problem_at
from ringhook_ops.dry_run import trying
from ringhook_ops.dry_run.trying import MADE_BY_USERS, Tried

# What a field must be like another to be taken for a slip of the pen.
_LIKE = 0.8
Place = tuple[str | int, ...]


def doubts(routes: Routes, text: str, tried: list[Tried]) -> list[Problem]:
    """Everything doubtful, in the order of the file's lines."""
    found: list[Problem] = []
    for index, route in enumerate(routes.routes):
        known = trying.payloads(route, routes)
        own = routes.sources[route.source].source.provider in MADE_BY_USERS
        for place, expression in _expressions(route):
            messages = _about(expression, [] if own else known)
            found += [problem_at(text, ("routes", index, *place), message) for message in messages]
        found += _regions(route, index, text)
    for name, connection in routes.sources.items():
        if advice := connection.source.advice:
            found.append(problem_at(text, ("sources", name), advice))
    found += overlaps(routes, text, tried)
    return sorted(dict.fromkeys(found), key=lambda problem: problem.line)


def _expressions(route: Route) -> Iterator[tuple[Place, Expression]]:
    """Every expression of a route, with where it stands."""
    tables: list[tuple[Place, Any]] = [((), route)]
    while tables:
        place, table = tables.pop()
        names = table if isinstance(table, dict) else [one.name for one in fields(table)]
        for name in names:
            value = table[name] if isinstance(table, dict) else getattr(table, name)
            at = (*place, name)
            if isinstance(value, Expression):
                yield at, value
            elif isinstance(value, Template):
                yield from ((at, part) for part in value.parts if isinstance(part, Expression))
            elif isinstance(value, dict | Table):
                tables.append((at, value))


def _about(expression: Expression, known: list[Any]) -> Iterator[str]:
    quoted = {
        token["value"]
        for token in lexer.Lexer().tokenize(expression.text)
        if token["type"] == "quoted_identifier"
    }
    said = set(_texts(expression.tree)) & quoted
    for name in sorted(said):
        yield f"\"{name}\" in double quotes is a field's name: write the text as '{name}'"
    look = _Look(known)
    look.at(expression.tree, known)
    for name, near in look.unknown:
        if name in said:
            continue
        hint = f"; did you mean {near!r}?" if near else " (right if it is a field of your own)"
        yield f"no sample has the field {name!r}{hint}"


def _texts(node: Any) -> Iterator[str]:
    """Bare fields where a text is what one mostly writes: compared with, or a second argument."""
    if not isinstance(node, dict):
        return
    children: list[Any] = node.get("children", [])
    if node["type"] in ("comparator", "function_expression"):
        for child in children[1:]:
            if isinstance(child, dict) and child["type"] == "field":
                yield child["value"]
    for child in children:
        yield from _texts(child)


@dataclass
class _Look:
    """Goes through an expression with every sample at once, and notes the fields that none has.

    `values` are all that may stand at a place. What is only one of several alternatives (of `||`,
    or the places of first_phone) is noted where it is like a field that is there: a slip.
    """

    known: list[Any]
    unknown: list[tuple[str, str]] = field(default_factory=list)

    def at(self, node: Any, values: list[Any]) -> list[Any]:
        """All that may come out of this node."""
        look: Callable[[Any, list[Any]], list[Any]] | None = getattr(self, f"_{node['type']}", None)
        if look:
            return look(node, values)
        for child in node.get("children", ()):
            self.at(child, values)
        return []

    def _alternatives(self, nodes: list[Any], values: list[Any]) -> list[Any]:
        """What any of these gives; one that is there excuses those that are not."""
        before, found, missed, whole = self.unknown, [], [], False
        for node in nodes:
            self.unknown = []
            found += self.at(node, values)
            missed += self.unknown
            whole = whole or not (self.unknown or node["type"] == "literal")
        self.unknown = before + [one for one in missed if one[1] or not whole]
        return found

    def _field(self, node: Any, values: list[Any]) -> list[Any]:
        tables = [value for value in values if isinstance(value, dict)]
        name = node["value"]
        found = [table[name] for table in tables if name in table]
        if tables and not found:
            names = sorted({key for table in tables for key in table})
            near = difflib.get_close_matches(name, names, 1, _LIKE)
            self.unknown.append((name, near[0] if near else ""))
        return found

    def _subexpression(self, node: Any, values: list[Any]) -> list[Any]:
        for child in node["children"]:
            values = self.at(child, values)
        return values

    _pipe = _index_expression = _subexpression

    def _index(self, _node: Any, values: list[Any]) -> list[Any]:
        return _elements(values)

    def _identity(self, _node: Any, values: list[Any]) -> list[Any]:
        return values

    _current = _slice = _identity

    def _literal(self, node: Any, _values: list[Any]) -> list[Any]:
        return [node["value"]]

    def _projection(self, node: Any, values: list[Any]) -> list[Any]:
        left, right = node["children"]
        return [self.at(right, _elements(self.at(left, values)))]

    def _value_projection(self, node: Any, values: list[Any]) -> list[Any]:
        left, right = node["children"]
        tables = [value for value in self.at(left, values) if isinstance(value, dict)]
        return [self.at(right, [part for table in tables for part in table.values()])]

    def _filter_projection(self, node: Any, values: list[Any]) -> list[Any]:
        left, right, condition = node["children"]
        elements = _elements(self.at(left, values))
        self.at(condition, elements)
        return [self.at(right, elements)]

    def _flatten(self, node: Any, values: list[Any]) -> list[Any]:
        inner = _elements(self.at(node["children"][0], values))
        return [[part for one in inner for part in (one if isinstance(one, list) else [one])]]

    def _or_expression(self, node: Any, values: list[Any]) -> list[Any]:
        return self._alternatives(_branches(node), values)

    def _not_expression(self, node: Any, values: list[Any]) -> list[Any]:
        # What must not be there is missing in most.
        before = self.unknown
        self.unknown = []
        self.at(node["children"][0], values)
        self.unknown = before + [one for one in self.unknown if one[1]]
        return []

    def _and_expression(self, node: Any, values: list[Any]) -> list[Any]:
        self.at(node["children"][0], values)
        return self.at(node["children"][1], values)

    def _multi_select_list(self, node: Any, values: list[Any]) -> list[Any]:
        return [self._alternatives(node["children"], values)]

    def _function_expression(self, node: Any, values: list[Any]) -> list[Any]:
        if node["value"] == "first_phone":
            self._alternatives(node["children"], values)
            return []
        given = [self.at(child, values) for child in node["children"]]
        if node["value"] == "values":
            return [[part for one in given[0] if isinstance(one, dict) for part in one.values()]]
        if node["value"] == "pairs":
            rows, others = _elements(given[0]), _elements(given[2])
            # Any row may stand beside any other; [0] and [1] are told apart by what they have.
            return [[[row, other] for row in rows for other in others]]
        return []


def _elements(values: list[Any]) -> list[Any]:
    return [part for value in values if isinstance(value, list) for part in value]


def _branches(node: Any) -> list[Any]:
    """The alternatives of `a || b || c`, whichever way they were bracketed."""
    if node["type"] != "or_expression":
        return [node]
    return [one for child in node["children"] for one in _branches(child)]


def _regions(route: Route, index: int, text: str) -> Iterator[Problem]:
    """Countries that are written out where their code is wanted."""
    for name in ("region", "country"):
        template = getattr(route.call or route.record, name, None)
        if isinstance(template, Template) and template.is_literal:
            written = template.text
            if written not in phone.COUNTRIES:
                code = countries.code_of(written)
                table = "call" if route.call else "record"
                means = f"is read as {code!r}: write that" if code else "names no country"
                yield problem_at(text, ("routes", index, table, name), f"{written!r} {means}")


def overlaps(routes: Routes, text: str, tried: list[Tried]) -> Iterator[Problem]:
    """The routes that ring whom an earlier one rings, for the same event."""
    rung = {(row.route, row.sample, row.phone_number) for row in tried if row.outcome == "rings"}
    for one, other in combinations(routes.routes, 2):
        # A call before an appointment is another than one about the booking.
        apart = one.source != other.source or (one.policy.at is None) != (other.policy.at is None)
        if apart or not (one.call and other.call):
            continue
        both = [s for route, s, number in sorted(rung) if route == one.name]
        both = [s for s in both if any((other.name, s, n) in rung for _, _, n in rung)]
        if both or _alike(one, other):
            sample = f" (the sample {both[0]!r}, for one)" if both else ""
            message = (
                f"rings whom {one.name!r} rings, for the same event{sample}:"
                " give one of them a `when` that leaves out the other's, or take one away"
            )
            yield problem_at(text, ("routes", routes.routes.index(other), "name"), message)


def _alike(one: Route, other: Route) -> bool:
    """Whether two routes take the same events and ring the same field of them."""
    if one.on is not None and other.on is not None and not set(one.on) & set(other.on):
        return False
    conditions = [route.when.text if route.when else "" for route in (one, other)]
    numbers = {route.call.phone_number.text for route in (one, other) if route.call}
    return conditions[0] == conditions[1] and len(numbers) == 1
