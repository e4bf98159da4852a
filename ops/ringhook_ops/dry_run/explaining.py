"""What each route would make of a request: through the code that serves, with nothing sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from ringhook.calls import messages
from ringhook.calls.call import Call
from ringhook.calls.messages import Asked, Cancel, Ended, Export, Forget, Wish
from ringhook.deciding.policy import Defer, History, Ring, Suppress, decide
from ringhook.errors import RejectedError
from ringhook.routing.mapping import Ignored, map_event
from ringhook.routing.receiving import Taken, receive
from ringhook.routing.routes import Routes
from ringhook.senders.providers import Event
from ringhook.senders.request import Reply, Request

Decision = Literal["ring", "defer", "suppress", "unmapped", "ignored", "answered"]
_KINDS = {
    "cancel": "the waiting call of its key is cancelled",
    "suppress": "the number is put on the do-not-call list",
    "consent": "what was said of consent is recorded",
    "forget": "what is known of the number is deleted",
    "export": "what is known of the number is exported",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An event and a route (None: of no route); `at` is when it rings, `status` an answer's."""

    decision: Decision
    reason: str
    topic: str = ""
    route: str | None = None
    status: int | None = None
    at: datetime | None = None
    asked: Asked | None = None

    def request(self) -> dict[str, Any] | None:
        """What the API would be asked, if this is about a call at all."""
        call = self.asked
        if not isinstance(call, Call) or not call.rings:
            return None
        return {
            "agent_id": call.agent_id,
            "phone_number": call.phone_number,
            "metadata": call.metadata,
        }

    def as_json(self) -> dict[str, Any]:
        """The row as `ringhook map --json` prints it."""
        return {
            "route": self.route,
            "decision": self.decision,
            "at": self.at.isoformat() if self.at else None,
            "reason": self.reason,
            "call_id": messages.identity(self.asked) if self.asked else None,
            "request": self.request(),
            **({"status": self.status} if self.status else {}),
        }


_NOTHING_KNOWN = History()


def explain(
    request: Request,
    routes: Routes,
    secrets: list[str] | None,
    history: History = _NOTHING_KNOWN,
) -> list[Explained]:
    """A row for each event and route of the request's source, as of `request.received_at`.

    A request that is answered at once is a row of its own, with the answer's status.
    `secrets` None skips the signature; `history` is what the ledger would know of the number.
    Raises RejectedError and UnavailableError as the receiver does.
    """
    if request.source not in routes.sources:
        known = ", ".join(routes.sources)
        raise RejectedError(f"there is no source {request.source!r}; there are {known}")
    received = receive(request, routes, None if secrets is None else lambda: secrets)
    if isinstance(received, Reply):
        reason = f"answered at once: {_text(received)}"
        return [Explained(decision="answered", reason=reason, status=received.status)]
    rows = [row for taken in received.events for row in _rows(taken, request, routes, history)]
    if received.kept:
        kept = received.kept
        rows.append(Explained(decision="unmapped", reason=kept.unmapped, asked=kept))
    return rows


def _text(reply: Reply) -> str:
    return reply.body if isinstance(reply.body, str) else json.dumps(reply.body)


def _rows(taken: Taken, request: Request, routes: Routes, history: History) -> list[Explained]:
    event, now = taken.event, request.received_at
    if taken.thin:
        # Nothing is fetched here: whoever tries it puts the rest into the body.
        as_it_is = map_event(event, routes, now=now, correlation_id=request.correlation_id)
        taken = replace(taken, mapped=tuple(as_it_is))
    if event.never:
        return [_never(event, taken.mapped)]
    # A route that this event cancels says so once.
    cancelled = {one.route for one in taken.mapped if isinstance(one, Cancel)}
    rows = [
        _row(event.topic, one, routes, history, now)
        for one in taken.mapped
        if not isinstance(one, Ignored) or one.route not in cancelled
    ]
    return [_as_it_is(row) for row in rows] if taken.thin else rows


def _as_it_is(row: Explained) -> Explained:
    return replace(row, reason=f"{row.reason} (as it is; the dialer fetches the rest first)")


def _never(event: Event, mapped: Sequence[Asked | Ignored]) -> Explained:
    done = {
        one.unmapped if isinstance(one, Call) else _done(one)
        for one in mapped
        if not isinstance(one, Ignored)
    }
    said = "".join(f"; {what}" for what in sorted(done))
    return Explained(topic=event.topic, decision="suppress", reason=event.never + said)


def _done(change: Cancel | Ended | Wish) -> str:
    """What is done where nobody is rung."""
    if isinstance(change, Ended):
        ending = change.outcome.get("outcome")
        whose = "" if change.marks else ", if its number and execution are known"
        return f"it tells how a call ended: {ending}{whose}"
    if isinstance(change, Forget | Export) and not change.phone_number:
        return "no number is named, so an operator is alarmed"
    return _KINDS[messages.kind(change)]


def _row(
    topic: str, mapped: Asked | Ignored, routes: Routes, history: History, now: datetime
) -> Explained:
    def row(decision: Decision, reason: str, at: datetime | None = None) -> Explained:
        asked = None if isinstance(mapped, Ignored) else mapped
        return Explained(
            topic=topic, route=mapped.route, decision=decision, reason=reason, at=at, asked=asked
        )

    if isinstance(mapped, Ignored):
        return row("ignored", mapped.reason)
    if not isinstance(mapped, Call):
        return row("suppress", f"rings nobody: {_done(mapped)}")
    if mapped.unmapped:
        return row("unmapped", mapped.unmapped)
    match decide(mapped, routes, history, now):
        case Ring(reason):
            return row("ring", reason, now)
        case Defer(until, reason):
            return row("defer", reason, until)
        case Suppress(reason):
            return row("suppress", reason)
