"""`{{ JMESPath }}` in `routes.toml`: compiled once, typed results, errors that name the place."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jmespath
from jmespath import exceptions, functions, parser

from ringhook.errors import UnmappedError
from ringhook.reading import questions
from ringhook.reading.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# JMESPath checks the first of a variadic function's values only: `merge(a, b)` without a `b`
# fails as Python does, and so does `to_number` of a number too large.
_MISUSES = (
    exceptions.JMESPathError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
DURATION = re.compile(r"([0-9]{1,6})([smhd])")


class _Functions(functions.Functions):  # type: ignore[misc] # jmespath has no type hints
    """What webhook payloads need beyond JMESPath's own functions.

    `now` is by the clock of the source, which times are by that name no zone.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now

    @functions.signature({"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_lower(self, text: str) -> str:
        return text.lower()

    @functions.signature({"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_upper(self, text: str) -> str:
        return text.upper()

    @functions.signature({"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_trim(self, text: str) -> str:
        return text.strip()

    @functions.signature({"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_split(self, text: str, separator: str) -> list[str]:
        return text.split(separator) if separator else list(text)

    @functions.signature({"types": ["string"]}, {"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_replace(self, text: str, old: str, new: str) -> str:
        return text.replace(old, new) if old else text

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_items(self, table: object) -> list[list[Any]]:
        """Names and values, where the sender makes up the names; none of what has no names."""
        return [[name, value] for name, value in table.items()] if isinstance(table, dict) else []

    @functions.signature(  # type: ignore[untyped-decorator]
        {"types": ["array", "null"]},
        {"types": ["string"]},
        {"types": ["array", "null"]},
        {"types": ["string"]},
    )
    def _func_pairs(
        self, rows: list[Any] | None, place: str, others: list[Any] | None, other_place: str
    ) -> list[list[Any]]:
        """Each row with the other that has the same value (or null): an answer and its question."""
        here, there = jmespath.compile(place), jmespath.compile(other_place)
        known = [(there.search(other), other) for other in others or ()]
        return [
            [row, next((other for at, other in known if at == here.search(row)), None)]
            for row in rows or ()
        ]

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_asks_phone(self, text: object) -> bool:
        """Whether a question, or a field's name, asks for the phone number of who answers."""
        return isinstance(text, str) and questions.asks_phone(text)

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_asks_another(self, text: object) -> bool:
        """Whether a question is about somebody else: their number is not to be rung."""
        return isinstance(text, str) and questions.asks_another(text)

    @functions.signature({"types": [], "variadic": True})  # type: ignore[untyped-decorator]
    def _func_first_phone(self, *places: object) -> str | int | None:
        """The first of these places, or of the lists in them, that holds what may be a number.

        Where none does, the first with a digit: whoever reads it can say what is wrong with it.
        """
        found = list(_flat(places))
        written = [one for one in found if questions.may_be_phone(one)]
        return next(iter(written or filter(questions.has_digit, found)), None)

    @functions.signature()  # type: ignore[untyped-decorator]
    def _func_now(self) -> str:
        return self._now.astimezone(UTC).isoformat(timespec="seconds")

    @functions.signature({"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_date_add(self, time: str, duration: str) -> str | None:
        start = parse_time(time, self._now.tzinfo or UTC)
        step = parse_duration(duration.removeprefix("-"))
        if start is None or step is None:
            return None
        try:
            return (start - step if duration.startswith("-") else start + step).isoformat()
        except OverflowError:
            return None


FUNCTION_NAMES = frozenset(_Functions.FUNCTION_TABLE)


@dataclass(frozen=True, slots=True)
class Expression:
    """A JMESPath expression; it is parsed when it is first asked, for most never are."""

    source: str
    """As it is written."""

    @property
    def text(self) -> str:
        """As it is told in reasons, which are lines."""
        return " ".join(self.source.split())

    @property
    def negates_too_little(self) -> bool:
        """Whether it looks into what a `!` made true or false, as `!a.b` does: it means `(!a).b`.

        That is null, whatever the payload.
        """
        return _negates_too_little(self.tree)

    @property
    def tree(self) -> Any:
        """What it was read as: jmespath's own nodes, for those who look at it without a payload."""
        return _parsed(self.source).parsed

    def __call__(self, payload: Any, now: datetime) -> Any:
        """Evaluate; raises UnmappedError, naming the expression, if a function is misused."""
        try:
            options = jmespath.Options(custom_functions=_Functions(now))
            return _parsed(self.source).search(payload, options=options)
        except exceptions.JMESPathTypeError as error:
            # Its own text quotes the value, which is the sender's and may be personal.
            wrong = f"{error.function_name}() does not take a value of type {error.actual_type}"
            message = f"{{{{ {self.text} }}}} cannot be evaluated: {wrong}"
            raise UnmappedError(message) from None
        except _MISUSES as error:
            message = f"{{{{ {self.text} }}}} cannot be evaluated ({type(error).__name__})"
            raise UnmappedError(message) from None


def compile_expression(text: str) -> Expression:
    """Compile JMESPath; raises ValueError saying what is wrong, unknown functions included."""
    expression = Expression(text)
    try:
        tree = expression.tree
    except exceptions.JMESPathError as error:
        message = f"not a JMESPath expression: {_first_line(error)}"
        raise ValueError(message) from error
    for name in _functions_of(tree):
        if name not in FUNCTION_NAMES:
            message = (
                f"there is no function {name}(); there are {', '.join(sorted(FUNCTION_NAMES))}"
            )
            raise ValueError(message)
    return expression


@functools.cache
def _parsed(source: str) -> Any:
    """All that was ever parsed: it is in files, and nobody sends any."""
    return parser.Parser().parse(source)


@dataclass(frozen=True, slots=True)
class Template:
    """A string of `routes.toml`: literal text with `{{ JMESPath }}` in it."""

    text: str

    @property
    def parts(self) -> tuple[str | Expression, ...]:
        """What it is made of, in order, one at least. Raises ValueError for an unclosed `{{`."""
        return _parts_of(self.text)

    @property
    def is_literal(self) -> bool:
        """Whether it holds no expression."""
        return not any(isinstance(part, Expression) for part in self.parts)

    def render(self, payload: Any, now: datetime) -> Any:
        """The value for this payload: one lone `{{ … }}` keeps its type, anything else is text.

        Raises UnmappedError if an expression finds nothing, or a list or object for a text.
        """
        parts = self.parts
        if len(parts) == 1 and isinstance(parts[0], Expression):
            return _found(parts[0], payload, now)
        return "".join(
            part if isinstance(part, str) else _text(part, _found(part, payload, now))
            for part in parts
        )


def compile_template(text: str) -> Template:
    """Compile a template; raises ValueError for a bad expression or an unclosed `{{`."""
    template = Template(text)
    for part in template.parts:
        if isinstance(part, Expression):
            compile_expression(part.source)
    return template


@functools.cache
def _parts_of(text: str) -> tuple[str | Expression, ...]:
    return tuple(_parts(text)) or ("",)


def parse_duration(text: str) -> timedelta | None:
    """`90s`, `10m`, `6h` or `30d` as a time span; None for anything else."""
    match = DURATION.fullmatch(text.strip())
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def _parts(text: str) -> Iterator[str | Expression]:
    at = 0
    while (opened := text.find("{{", at)) >= 0:
        if opened > at:
            yield text[at:opened]
        closed = _end_of_expression(text, opened + 2)
        if closed < 0:
            message = "'{{' is not closed by '}}'"
            raise ValueError(message)
        yield Expression(text[opened + 2 : closed])
        at = closed + 2
    if at < len(text):
        yield text[at:]


def _end_of_expression(text: str, start: int) -> int:
    """Where the `}}` stands: not inside quotes, nor closing a JMESPath `{key: value}`."""
    depth, quote, at = 0, "", start
    while at < len(text):
        char = text[at]
        if quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "'\"`":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            if not depth and text[at : at + 2] == "}}":
                return at
            depth -= 1
        at += 1
    return -1


def _found(expression: Expression, payload: Any, now: datetime) -> Any:
    value = expression(payload, now)
    if value is None:
        message = f"{{{{ {expression.text} }}}} finds nothing in the payload"
        raise UnmappedError(message)
    return value


def _text(expression: Expression, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    message = (
        f"{{{{ {expression.text} }}}} is {'a list' if isinstance(value, list) else 'an object'}"
    )
    raise UnmappedError(message + ", which has no place inside a text")


def _flat(values: Iterable[object]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value


def _functions_of(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("type") == "function_expression":
            yield node["value"]
        for child in node.get("children", ()):
            yield from _functions_of(child)


def _negates_too_little(node: Any) -> bool:
    children: list[Any] = node.get("children", []) if isinstance(node, dict) else []
    looks_into = bool(children) and node["type"] in ("subexpression", "filter_projection")
    of_a_truth = looks_into and children[0]["type"] == "not_expression"
    return of_a_truth or any(map(_negates_too_little, children))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(":")
