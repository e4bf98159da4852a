"""`routes.toml` as a whole: read, checked, each problem with its line and its cure."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ringhook.deciding.closed_days import ClosedDays
from ringhook.errors import Problem, RoutesError
from ringhook.reading import checked
from ringhook.reading.expressions import Expression
from ringhook.routing.notify import ACCOUNT
from ringhook.routing.routes import Connection, Route, Routes
from ringhook.routing.toml_lines import problem_at
from ringhook.routing.whole_file import File
from ringhook.senders import enrichment, providers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringhook.senders.enrichment import Lookup
    from ringhook.senders.providers import Provider, Source


def load(text: str) -> Routes:
    """Read and check the text of a `routes.toml`. Raises RoutesError with all that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        raise RoutesError([Problem(line, "", f"not TOML: {error}")]) from error
    try:
        file = checked.read(File, document, document)
    except ValidationError as error:
        raise RoutesError(list(_problems(error, text))) from error
    sources, problems = _connect(file, text)
    warnings: list[Problem] = []
    for index, route in enumerate(file.routes):
        problems += _conflicts(file, index, text)
        problems += _untold(file, index, text)
        warnings += _negations(route, index, text)
        if route.source in sources:
            wrong, doubtful = _topics(file, index, sources[route.source].provider, text)
            problems += wrong
            warnings += doubtful
        elif route.source not in file.sources:
            message = f"there is no source {route.source!r}{_nearest(route.source, file.sources)}"
            problems.append(problem_at(text, ("routes", index, "source"), message))
    if ACCOUNT in file.notify:
        message = f"is what the account's own bus or topic is called: give {ACCOUNT!r} another name"
        problems.append(problem_at(text, ("notify", ACCOUNT), message))
    for name, connection in sources.items():
        topics = {topic for lookup in connection.lookups for topic in lookup.topics}
        at = ("sources", name, "enrich", "on")
        warnings += _doubtful(sorted(topics), connection.provider, at, text)
    if problems:
        raise RoutesError(problems)
    closures = tuple(
        ClosedDays(one.country, one.part, one.first, one.last, one.reason) for one in file.closures
    )
    stated = {
        route.name: frozenset(written.get("policy", {}))
        for route, written in zip(file.routes, document["routes"], strict=True)
    }
    return Routes(
        file.countries,
        sources,
        file.routes,
        file.max_calls_per_day,
        file.time_zone,
        closures,
        file.notify,
        stated,
        warnings,
    )


def _connect(file: File, text: str) -> tuple[dict[str, Connection], list[Problem]]:
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
            if isinstance(kind, str) and kind in providers.SERVED_BY:
                message = f"{kind} is served by provider = {providers.SERVED_BY[kind]!r}"
            if kind is None:
                message = f"say which provider it is: {', '.join(known)}"
            problems.append(problem_at(text, ("sources", name, "provider"), message))
            continue
        try:
            source = checked.read(provider.settings, settings)
        except ValidationError as error:
            problems += _problems(error, text, ("sources", name))
            continue
        adapted = provider.adapted(source)
        lookups, wrong = _lookups(name, source, adapted, text)
        problems += wrong
        sources[name] = Connection(source, adapted, lookups)
    return sources, problems


def _lookups(
    name: str, source: Source, provider: Provider, text: str
) -> tuple[tuple[Lookup, ...], list[Problem]]:
    """What a source says of how the rest of its events is fetched: one way, or several in turn."""
    found: tuple[Lookup, ...] = ()
    problems: list[Problem] = []
    listed = isinstance(source.enrich, list)
    ways = source.enrich if listed else [source.enrich] if source.enrich is not None else []
    for index, written in enumerate(ways):
        place: tuple[str | int, ...] = ("sources", name, "enrich")
        place += (index,) if listed else ()
        try:
            found += enrichment.lookups(written, provider, tenant=source.tenant, source=name)
        except ValidationError as error:
            problems += _problems(error, text, place)
        except ValueError as error:
            place += ("url",) if isinstance(written, dict) else ()
            problems.append(problem_at(text, place, str(error)))
    return found, problems


def _conflicts(file: File, index: int, text: str) -> Iterator[Problem]:
    route = file.routes[index]
    others = [other for other in file.routes if other is not route]
    if route.was and any(route.was in (other.name, other.was) for other in others):
        message = f"another route is, or was, called {route.was!r}"
        yield problem_at(text, ("routes", index, "was"), message)
    if any(other.name == route.name for other in file.routes[:index]):
        yield problem_at(text, ("routes", index, "name"), f"two routes are called {route.name!r}")
    if file.require_consent and route.action == "call" and route.policy.consent is None:
        message = "is missing, and require_consent is true"
        yield problem_at(text, ("routes", index, "policy", "consent"), message)
    for name, message in route.policy.conflicts():
        yield problem_at(text, ("routes", index, "policy", name), message)
    if both := set(route.on or ()) & set(route.policy.cancelled_by):
        message = f"{min(both)!r} is in policy.cancelled_by too, so it never rings: leave out one"
        yield problem_at(text, ("routes", index, "on"), message)
    place = ("routes", index, "policy", "cancelled_by")
    for other in file.routes:
        if other.name in route.policy.cancelled_by and other.policy.key is None:
            message = f"route {other.name!r} has no policy.key, so it cannot say which call to end"
            yield problem_at(text, place, message)


def _untold(file: File, index: int, text: str) -> Iterator[Problem]:
    """What a route names in `notify` and nobody wrote."""
    route = file.routes[index]
    for name in route.notify or ():
        if name not in file.notify:
            message = f"there is no [notify.{name}]{_nearest(name, file.notify)}"
            yield problem_at(text, ("routes", index, "notify"), message)


def _negations(route: Route, index: int, text: str) -> Iterator[Problem]:
    """The conditions in which a `!` takes less than it seems to."""
    conditions = {
        ("when",): route.when,
        ("policy", "consent"): route.policy.consent,
        ("record", "granted"): route.record and route.record.granted,
    }
    for place, condition in conditions.items():
        if isinstance(condition, Expression) and condition.negates_too_little:
            message = "`!` takes only what is next to it: !a.b is always null, write !(a.b)"
            yield problem_at(text, ("routes", index, *place), message)


def _topics(
    file: File, index: int, provider: Provider, text: str
) -> tuple[list[Problem], list[Problem]]:
    """What is wrong, and what is doubtful, about the topics that a route waits for."""
    route = file.routes[index]
    wrong: list[Problem] = []
    doubtful: list[Problem] = []
    place = ("routes", index, "on")
    if provider.ending:
        message = f"{provider.title} asks for no calls, so this route is never reached"
        wrong.append(problem_at(text, ("routes", index, "source"), message))
    elif route.on and not provider.has_topics:
        message = (
            f"source {route.source!r} has no topics, so this route is never reached:"
            " leave `on` out, or say where the topic is with the source's `topic`"
        )
        wrong.append(problem_at(text, place, message))
    for topic in route.on or ():
        reason = provider.never.get(topic)
        if reason and (route.action == "call" or topic in provider.privacy):
            message = f"{topic!r} never rings anybody ({reason}), so this route is never reached"
            wrong.append(problem_at(text, place, message))
        else:
            doubtful += _doubtful([topic], provider, place, text)
    names = {other.name for other in file.routes}
    ends = [one for one in route.policy.cancelled_by if one not in names]
    ending = ("routes", index, "policy", "cancelled_by")
    doubtful += _doubtful(ends, provider, ending, text)
    doubtful += _powerless(ends, provider, ending, text)
    if route.record:
        doubtful += _powerless(route.on or (), provider, place, text)
    return wrong, doubtful


def _powerless(
    topics: Iterable[str], provider: Provider, place: tuple[str | int, ...], text: str
) -> Iterator[Problem]:
    """The topics that may end nothing, for nobody signs them and no body tells them.

    Of one that the provider is not known to send, that is said instead.
    """
    for topic in topics if provider.hints_topics else ():
        if topic not in provider.shapes and (topic in provider.topics or not provider.topics):
            message = (
                f"nobody signs the topic {topic!r}, and what its body looks like is not known, so"
                " it has no effect here: name a route whose `when` says what the body holds"
            )
            yield problem_at(text, place, message)


def _doubtful(
    topics: Iterable[str], provider: Provider, place: tuple[str | int, ...], text: str
) -> Iterator[Problem]:
    """The topics that a provider is not known to send."""
    for topic in topics:
        if provider.topics and topic not in provider.topics:
            near = _nearest(topic, provider.topics)
            message = f"{provider.title} is not known to send {topic!r}{near}"
            yield problem_at(text, place, message)


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
        if place in seen or (finding["type"] == "too_short" and finding["input"]):
            continue
        seen.add(place)
        message = finding["msg"].removeprefix("Value error, ")
        yield problem_at(text, place, _WORDS.get(finding["type"], message))


# Pydantic speaks of Python's types; who edits the file writes TOML's.
_WORDS = {
    "bool_type": "must be true or false",
    "dataclass_exact_type": "must be text in quotes",
    "dataclass_type": "must be a table",
    "dict_type": "must be a table",
    "extra_forbidden": "there is no such key: remove it, or correct its name",
    "finite_number": "must be a finite number",
    "frozen_set_type": "must be a list, in [ ]",
    "int_type": "must be a whole number, without quotes",
    "missing": "is missing",
    "model_type": "must be a table",
    "string_type": "must be text in quotes",
    "unexpected_keyword_argument": "there is no such key: remove it, or correct its name",
    "too_short": "is empty: write one at least",
    "tuple_type": "must be a list, in [ ]",
}


def _is_branch(part: str | int) -> bool:
    return isinstance(part, str) and (
        part in {"int", "float", "bool", "[key]"} or part.startswith(("function-", "is-instance["))
    )
