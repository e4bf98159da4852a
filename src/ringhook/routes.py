"""`routes.toml`: the one file that a user edits, as models; checked whole, with lines and cures."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
)

from ringhook import phone, providers
from ringhook.errors import Problem, RoutesError
from ringhook.expressions import (
    Expression,
    Template,
    compile_expression,
    compile_template,
    parse_duration,
)
from ringhook.request import SOURCE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringhook.providers import Provider, Source

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
TemplateText = Annotated[Template, BeforeValidator(_template), WithJsonSchema(_TEXT)]
ExpressionText = Annotated[Expression, BeforeValidator(_expression), WithJsonSchema(_TEXT)]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,6}[smhd]$"}),
]


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, strict=True
    )


class CallTemplate(_Table):
    """What the call is made of: fields of the payload, or text."""

    agent_id: TemplateText | int = Field(
        union_mode="left_to_right", description="the agent that speaks: its number"
    )
    phone_number: TemplateText = Field(description="whom to ring, e.g. {{ customer.phone }}")
    region: TemplateText | None = Field(
        default=None, description="country (ISO 3166, two letters) of numbers written without +"
    )
    metadata: dict[str, TemplateText | int | float | bool] = Field(
        default_factory=dict, description="what the agent is told; nothing else reaches it"
    )
    account: str = Field(
        default="default", description="which API token makes the call, where there are several"
    )


class Policy(_Table):
    """When the call may be made."""

    calling_hours: Literal["any"] = Field(description="'any': this route rings at any hour")
    key: TemplateText | None = Field(
        default=None,
        description="one call per value of this, whatever the number of events; else one per event",
    )
    expires_after: Duration = Field(
        default=timedelta(hours=24),
        description="how long after the event, by the sender's clock, it is too late to ring",
        json_schema_extra={"default": "24h"},
    )
    on_uncertain: Literal["leave", "redial"] = Field(
        default="leave",
        description="when it cannot be learnt whether the phone rang: leave it, or ring (again)",
    )
    test_events: Literal["suppress", "ring"] = Field(
        default="suppress", description="whether events that the provider marks as tests ring"
    )


class Route(_Table):
    """The rule that turns an event into a call."""

    name: str = Field(pattern=f"^{NAME}$", description="how logs and the ledger call it")
    source: str = Field(description="the source whose events it takes")
    on: tuple[str, ...] | None = Field(
        default=None, strict=False, min_length=1, description="the topics; left out: all of them"
    )
    when: ExpressionText | None = Field(
        default=None, description="JMESPath over the payload that must hold"
    )
    call: CallTemplate
    policy: Policy


class _File(_Table):
    """Which webhooks ring whom."""

    countries: frozenset[str] = Field(
        strict=False,
        min_length=1,
        description="countries (ISO 3166) this deployment may ring at all",
    )
    sources: dict[Annotated[str, Field(pattern=f"^{NAME}$")], dict[str, Any]] = Field(
        min_length=1, description="who sends webhooks, by the name in /hooks/{name}"
    )
    routes: tuple[Route, ...] = Field(strict=False, description="what becomes a call")

    @field_validator("countries")
    @classmethod
    def _are_countries(cls, countries: frozenset[str]) -> frozenset[str]:
        for country in sorted(countries):
            if country not in phone.COUNTRIES:
                message = f"{country!r} is not a country's code of two capital letters, like 'US'"
                raise ValueError(message)
        return countries


@dataclass(frozen=True, slots=True)
class Connection:
    """A source with its provider, as its settings adapt it."""

    source: Source
    provider: Provider


@dataclass(frozen=True, slots=True)
class Routes:
    """A whole, checked `routes.toml`. `warnings` are for the person who edits it."""

    countries: frozenset[str]
    sources: dict[str, Connection]
    routes: tuple[Route, ...]
    warnings: list[Problem] = field(default_factory=list)

    def of(self, source: str) -> tuple[Route, ...]:
        """The routes that take this source's events."""
        return tuple(route for route in self.routes if route.source == source)

    def named(self, name: str) -> Route | None:
        """The route of this name, if it is still there."""
        return next((route for route in self.routes if route.name == name), None)


def load(text: str) -> Routes:
    """Read and check the text of a `routes.toml`. Raises RoutesError with all that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        raise RoutesError([Problem(line, "", f"not TOML: {error}")]) from error
    try:
        file = _File.model_validate(document)
    except ValidationError as error:
        raise RoutesError(list(_problems(error, text))) from error
    sources, problems = _connect(file, text)
    warnings: list[Problem] = []
    for index, route in enumerate(file.routes):
        problems += _conflicts(file, index, text)
        if route.source in sources:
            wrong, doubtful = _topics(route, sources[route.source].provider, index, text)
            problems += wrong
            warnings += doubtful
        elif route.source not in file.sources:
            message = f"there is no source {route.source!r}{_nearest(route.source, file.sources)}"
            problems.append(_at(text, ("routes", index, "source"), message))
    if problems:
        raise RoutesError(problems)
    return Routes(file.countries, sources, file.routes, warnings)


def _connect(file: _File, text: str) -> tuple[dict[str, Connection], list[Problem]]:
    """Find each source's provider and let it read its settings."""
    sources: dict[str, Connection] = {}
    problems: list[Problem] = []
    for name, settings in file.sources.items():
        kind = settings.get("provider")
        try:
            provider = providers.find(str(kind))
        except KeyError:
            known = providers.names()
            message = (
                f"there is no provider {kind!r}{_nearest(str(kind), known)}: {', '.join(known)}"
            )
            if kind is None:
                message = f"say which provider it is: {', '.join(known)}"
            problems.append(_at(text, ("sources", name, "provider"), message))
            continue
        try:
            source = provider.settings.model_validate(settings)
        except ValidationError as error:
            problems += _problems(error, text, ("sources", name))
            continue
        sources[name] = Connection(source, provider.adapt(provider, source))
    return sources, problems


def _conflicts(file: _File, index: int, text: str) -> Iterator[Problem]:
    name = file.routes[index].name
    if any(route.name == name for route in file.routes[:index]):
        yield _at(text, ("routes", index, "name"), f"two routes are called {name!r}")


def _topics(
    route: Route, provider: Provider, index: int, text: str
) -> tuple[list[Problem], list[Problem]]:
    """What is wrong, and what is doubtful, about the topics that a route waits for."""
    wrong: list[Problem] = []
    doubtful: list[Problem] = []
    place = ("routes", index, "on")
    if route.on and not provider.has_topics:
        message = (
            f"source {route.source!r} has no topics, so this route is never reached:"
            " leave `on` out, or say where the topic is with the source's `topic`"
        )
        wrong.append(_at(text, place, message))
    for topic in route.on or ():
        if reason := provider.never.get(topic):
            message = f"{topic!r} never rings anybody ({reason}), so this route is never reached"
            wrong.append(_at(text, place, message))
        elif provider.topics and topic not in provider.topics:
            near = _nearest(topic, provider.topics)
            message = f"{provider.title} is not known to send {topic!r}{near}"
            doubtful.append(_at(text, place, message))
    return wrong, doubtful


def _nearest(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _problems(
    error: ValidationError, text: str, inside: tuple[str | int, ...] = ()
) -> Iterator[Problem]:
    """Pydantic's findings in the words of the file, each once, with its line."""
    seen = set()
    for finding in error.errors():
        # A union's branches stand in the place too ("int", "function-before[…]"): they are no keys.
        place = inside + tuple(p for p in finding["loc"] if not _is_branch(p))
        if place in seen:
            continue
        seen.add(place)
        message = finding["msg"].removeprefix("Value error, ")
        if finding["type"] == "extra_forbidden":
            message = "there is no such key: remove it, or correct its name"
        elif finding["type"] == "is_instance_of":
            message = "must be text in quotes"
        elif finding["type"] == "missing":
            message = "is missing"
            if place[-1] == "calling_hours":
                message = 'is missing: write calling_hours = "any" to ring at any hour'
        yield _at(text, place, message)


def _is_branch(part: str | int) -> bool:
    return isinstance(part, str) and (
        part in {"int", "float", "bool", "[key]"} or part.startswith(("function-", "is-instance["))
    )


def _at(text: str, place: tuple[str | int, ...], message: str) -> Problem:
    return Problem(line_of(text, place), _spoken(place), message)


def _spoken(place: tuple[str | int, ...]) -> str:
    spoken = ""
    for part in place:
        spoken += f"[{part}]" if isinstance(part, int) else f"{'.' if spoken else ''}{part}"
    return spoken


_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)


def line_of(text: str, place: tuple[str | int, ...]) -> int:
    """The line (from 1) where this key stands, or else the nearest table around it; 0 if none.

    The standard library's parser keeps no positions; this reads just the headers and keys.
    """
    best, best_length = 0, 0
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _resolve(_keys(header[2]), counts, new=header[1] == "[[")
            path = table
        elif key := _KEY.match(line):
            path = table + tuple(_keys(key[1]))
        else:
            continue
        if path == place[: len(path)] and len(path) > best_length:
            best, best_length = number, len(path)
    return best


def _keys(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", dotted)]


def _resolve(
    names: list[str], counts: dict[tuple[str | int, ...], int], *, new: bool
) -> tuple[str | int, ...]:
    """A header's path with the index of each array of tables that it goes through."""
    path: tuple[str | int, ...] = ()
    for position, name in enumerate(names):
        path += (name,)
        if new and position == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (counts[path],)
    return path


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `routes.toml`, for editors: every provider's settings included."""
    schema = _File.model_json_schema()
    options = []
    for name in providers.names():
        provider = providers.find(name)
        option = provider.settings.model_json_schema()
        option["title"] = provider.title
        option["properties"]["provider"] = {"const": name, "description": provider.title}
        options.append(option)
    schema["properties"]["sources"]["additionalProperties"] = {"oneOf": options}
    schema["properties"]["sources"].pop("patternProperties", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Ringhook routes",
    }
