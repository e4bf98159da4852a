"""What each route would make of a request: through the code that serves, with nothing sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from ringhook import signatures
from ringhook.calls import Call
from ringhook.enrichment import is_thin
from ringhook.errors import RejectedError
from ringhook.mapping import Ignored, map_event
from ringhook.policy import Defer, History, Ring, Suppress, decide
from ringhook.providers import Event
from ringhook.receiver import check_tenant
from ringhook.request import Request
from ringhook.routes import Routes

Decision = Literal["ring", "defer", "suppress", "unmapped", "ignored"]
_KINDS = {
    "cancel": "the waiting call of its key is cancelled",
    "suppress": "the number is put on the do-not-call list",
    "consent": "what was said of consent is recorded",
    "forget": "what is known of the number is deleted",
    "export": "what is known of the number is exported",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An event and a route (None: the event never rings); `at` is when it rings."""

    topic: str
    route: str | None
    decision: Decision
    reason: str
    at: datetime | None = None
    call: Call | None = None

    def request(self) -> dict[str, Any] | None:
        """What the API would be asked, if this is about a call at all."""
        call = self.call
        if call is None or not call.rings:
            return None
        return call.model_dump(include={"agent_id", "phone_number", "metadata"})

    def as_json(self) -> dict[str, Any]:
        """The row as `ringhook map --json` prints it."""
        return {
            "route": self.route,
            "decision": self.decision,
            "at": self.at.isoformat() if self.at else None,
            "reason": self.reason,
            "call_id": self.call.call_id if self.call else None,
            "request": self.request(),
        }


_NOTHING_KNOWN = History()


def explain(
    request: Request,
    routes: Routes,
    secrets: list[str] | None,
    history: History = _NOTHING_KNOWN,
) -> list[Explained]:
    """A row for each event and route of the request's source, as of `request.received_at`.

    `secrets` None skips the signature; `history` is what the ledger would know of the number.
    Raises RejectedError, BadRequestError and UnavailableError as the receiver does.
    """
    connection = routes.sources.get(request.source)
    if connection is None:
        known = ", ".join(routes.sources)
        raise RejectedError(f"there is no source {request.source!r}; there are {known}")
    provider, now = connection.provider, request.received_at
    if provider.greet(request, secrets or []):
        return []
    if secrets is not None:
        signatures.verify(provider.schemes, request, secrets, now)
    payload = provider.read(request)
    if provider.challenge(payload):
        return []
    check_tenant(connection, request, payload)
    rows: list[Explained] = []
    for event in provider.events(request, payload):
        mapped = map_event(event, routes, now=now, correlation_id=request.correlation_id)
        if event.never:
            rows.append(_never(event, mapped))
            continue
        # A route that this event cancels says so once.
        cancelled = {one.route for one in mapped if isinstance(one, Call) and one.kind == "cancel"}
        found = [
            _row(event.topic, one, routes, history, now)
            for one in mapped
            if isinstance(one, Call) or one.route not in cancelled
        ]
        rows += [_as_it_is(row) for row in found] if is_thin(event, routes) else found
    return rows


def _as_it_is(row: Explained) -> Explained:
    """Nothing is fetched here: whoever tries it puts the rest into the body."""
    return replace(row, reason=f"{row.reason} (as it is; the dialer fetches the rest first)")


def _never(event: Event, asked: Sequence[Call | Ignored]) -> Explained:
    done = {one.unmapped or _done(one) for one in asked if isinstance(one, Call)}
    said = "".join(f"; {what}" for what in sorted(done))
    return Explained(topic=event.topic, route=None, decision="suppress", reason=event.never + said)


def _done(call: Call) -> str:
    """What becomes of a call that rings nobody."""
    if call.kind in ("forget", "export") and not call.phone_number:
        return "no number is named, so an operator is alarmed"
    return _KINDS[call.kind]


def _row(
    topic: str, mapped: Call | Ignored, routes: Routes, history: History, now: datetime
) -> Explained:
    def row(decision: Decision, reason: str, at: datetime | None = None) -> Explained:
        call = mapped if isinstance(mapped, Call) else None
        return Explained(
            topic=topic, route=mapped.route, decision=decision, reason=reason, at=at, call=call
        )

    if isinstance(mapped, Ignored):
        return row("ignored", mapped.reason)
    if mapped.unmapped:
        return row("unmapped", mapped.unmapped)
    if mapped.kind != "call":
        return row("suppress", f"rings nobody: {_done(mapped)}")
    match decide(mapped, routes, history, now):
        case Ring(reason):
            return row("ring", reason, now)
        case Defer(until, reason):
            return row("defer", reason, until)
        case Suppress(reason):
            return row("suppress", reason)
