"""From a request to its reply, or to what it asks for: pure, for the receiver and for a desk."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ringhook.calls import messages, outcomes
from ringhook.calls.call import Call
from ringhook.calls.messages import Ended
from ringhook.calls.outcomes import Said
from ringhook.errors import BadRequestError, MisfitError, RejectedError
from ringhook.reading.packing import pack
from ringhook.reading.text import tidy
from ringhook.routing.keeping import LARGEST_PAYLOAD, kept_request
from ringhook.routing.mapping import Ignored, map_event
from ringhook.senders import signatures
from ringhook.senders.enrichment import is_thin
from ringhook.senders.providers import Event
from ringhook.senders.request import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ringhook.calls.messages import Asked
    from ringhook.routing.routes import Connection, Routes
    from ringhook.senders.providers import Provider
    from ringhook.senders.request import Request

# Why a request or one of its events cannot be told, in words that hold nothing of it.
_TOO_DEEP = "it is nested too deeply"
# An id of another API is no longer than this; and a body holds no more marks of calls.
_LONGEST_ID, _MOST_MARKS = 100, 5


@dataclass(frozen=True, slots=True)
class Taken:
    """An event, with what each route makes of it.

    `thin`: the rest of it is fetched first, so no route has looked at it yet.
    """

    event: Event
    mapped: tuple[Asked | Ignored, ...] = ()
    thin: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """What a genuine request asks for.

    `kept`: the request itself, as an unmapped call of no route, where something in it cannot be
    told. `faults`: the errors, of ours, that are among the reasons.
    """

    provider: Provider
    events: tuple[Taken, ...] = ()
    kept: Call | None = None
    faults: tuple[Exception, ...] = ()

    @property
    def tasks(self) -> list[Asked | Event]:
        """What is to be done, each once: what is asked for, and events yet to be made whole."""
        tasks: dict[tuple[type, str], Asked | Event] = {}
        for taken in self.events:
            if taken.thin:
                tasks[Event, taken.event.event_id] = taken.event
            for one in taken.mapped:
                if isinstance(one, Ignored):
                    continue
                known_by = type(one), messages.identity(one)
                # What can be mapped says more than a copy of it that cannot.
                if known_by not in tasks or not (isinstance(one, Call) and one.unmapped):
                    tasks[known_by] = one
        return [*tasks.values(), *([self.kept] if self.kept else [])]

    @property
    def reasons(self) -> list[str]:
        """Why nothing is to be done where it is not, each once."""
        said: dict[str, None] = {}
        for taken in self.events:
            if taken.event.never:
                topic = taken.event.topic or "the event"
                said[f"{topic} never rings anybody: {taken.event.never}"] = None
            said |= dict.fromkeys(
                f"{one.route}: {one.reason}" for one in taken.mapped if isinstance(one, Ignored)
            )
        return list(said) or ["no route takes this source's events"]


def receive(
    request: Request, routes: Routes, secrets: Callable[[], Sequence[str]] | None
) -> Reply | Received:
    """What this request is answered at once, or what it asks for.

    `secrets` gives those of the request's source; None takes every request for genuine. What a
    genuine request holds that cannot be told is kept: no error comes of it.
    Raises RejectedError and, without a secret, UnavailableError.
    """
    connection = routes.sources.get(request.source)
    if connection is None:
        return Reply(404, {"error": f"there is no source {request.source!r}"})
    provider = connection.provider
    if reply := _at_once(request, provider):
        return reply
    keys = list(secrets()) if secrets else []
    if secrets:
        signatures.verify(provider.schemes, request, keys, request.received_at)
    doubts = _Doubts()
    events: list[Taken] = []
    try:
        payload = provider.payload(request)
        if reply := _without_event(request, provider, payload):
            return reply
        check_tenant(connection, request, payload)
        items = provider.items(payload)
    except RejectedError:
        raise
    except Exception as error:  # noqa: BLE001 - a genuine request is kept, whatever is wrong
        doubts.add("the request", error)
        items = []
    for number, item in enumerate(items, start=1):
        try:
            event = provider.event(request, item)
            events.append(_take(event, routes, request))
        except Exception as error:  # noqa: BLE001 - nor are the other events lost for one of them
            doubts.add(f"event {number} of {len(items)}", error)
    return Received(
        provider,
        tuple(events),
        kept_request(request, connection, doubts.said, keys, private=doubts.private)
        if doubts.said
        else None,
        tuple(doubts.faults),
    )


def _at_once(request: Request, provider: Provider) -> Reply | None:
    """The answer to a request that needs no proof and is no event."""
    if greeting := provider.greet(request):
        return greeting
    if request.method == "HEAD":
        # Some senders ask so whether there is anybody before they send anything.
        return Reply(200, "", "text/plain")
    if request.method != "POST" and not (provider.gets and request.method == "GET"):
        return Reply(405, {"error": "webhooks are sent with POST"})
    return None


def _without_event(request: Request, provider: Provider, payload: Any) -> Reply | None:
    """The answer to a genuine request that is no event."""
    if request.method == "GET" and not payload:
        return Reply(200, {"calls": [], "reason": "there is no event in the address"})
    return provider.challenge(payload)


def check_tenant(connection: Connection, request: Request, payload: Any) -> None:
    """Raise RejectedError if any event is of another account than the source is pinned to."""
    pinned = connection.source.tenant
    if pinned is None:
        return
    if others := connection.provider.tenants(request, payload) - {pinned}:
        message = f"another account: {', '.join(sorted(others))}, not {pinned}"
        raise RejectedError(message)


class _Doubts:
    """What cannot be told of a request, in words for the ledger, and which errors are ours."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.faults: list[Exception] = []
        self.private = False

    def add(self, what: str, error: Exception) -> None:
        self.private = self.private or (isinstance(error, MisfitError) and error.private)
        if isinstance(error, BadRequestError):
            self.said.append(f"{what}: {error}")
        elif isinstance(error, RecursionError):
            self.said.append(f"{what}: {_TOO_DEEP}")
        else:
            # Its own text may quote what was sent.
            self.said.append(f"{what}: it cannot be told ({type(error).__name__})")
            self.faults.append(error)


def _take(event: Event, routes: Routes, request: Request) -> Taken:
    provider = routes.sources[event.source].provider
    if provider.ending:
        told = provider.ending(event.payload, request.received_at)
        return Taken(event, (_ended(event, told, routes, request),))
    missing = ""
    if is_thin(event, routes):
        if len(pack(event.payload)) <= LARGEST_PAYLOAD:
            return Taken(event, thin=True)
        missing = "the payload is too large to wait for what is to be fetched"
    mapped = map_event(
        event,
        routes,
        now=request.received_at,
        correlation_id=request.correlation_id,
        missing=missing,
    )
    return Taken(event, tuple(mapped))


def _ended(
    event: Event, told: Mapping[str, Any], routes: Routes, request: Request
) -> Ended | Ignored:
    """What an agent says of how a call ended, if it says that it is over."""
    connection = routes.sources[event.source]
    facts = {one.name: told[one.name] for one in fields(Said) if one.name in told}
    words = told.get("words")
    words = words if isinstance(words, dict) else {"status": words}
    said = Said(**{**facts, "words": words, "zone": connection.source.zone})
    outcome = outcomes.fold(said, learnt_from="webhook", confirmed=False)
    wishes = outcome.opt_out or outcome.callback_at
    if outcome.outcome is None and not wishes:
        return Ignored(event.source, "it does not say that a call is over")
    ids = {
        name: tidy(str(told[name]), _LONGEST_ID)
        for name in ("execution_id", "phone_number", "agent_id")
        if isinstance(told.get(name), str | int) and not isinstance(told[name], bool)
    }
    marks = tuple(one for one in told.get("marks", ()) if isinstance(one, str))
    return Ended(
        source=event.source,
        provider=connection.source.provider,
        topic=event.topic,
        event_id=event.event_id,
        occurred_at=event.occurred_at,
        received_at=request.received_at,
        correlation_id=request.correlation_id,
        test=event.test,
        marks=marks[:_MOST_MARKS],
        outcome=outcomes.as_json(outcome),
        execution_id=ids.get("execution_id", ""),
        phone_number=ids.get("phone_number", ""),
        agent_id=ids.get("agent_id", ""),
    )
