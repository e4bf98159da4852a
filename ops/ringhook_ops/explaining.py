"""What each route would make of a request: through the code that serves, with nothing sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ringhook import signatures
from ringhook.calls import Call
from ringhook.errors import RejectedError
from ringhook.mapping import Ignored, map_event
from ringhook.policy import Ring, decide
from ringhook.receiver import check_tenant
from ringhook.request import Request
from ringhook.routes import Routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An event and a route (None: the event never rings); `at` is when it rings."""

    topic: str
    route: str | None
    decision: Literal["ring", "defer", "suppress", "unmapped", "ignored"]
    reason: str
    at: datetime | None = None
    call: Call | None = None

    def as_json(self) -> dict[str, Any]:
        """The row as `ringhook map --json` prints it."""
        call = self.call
        wanted = call and not call.unmapped
        return {
            "route": self.route,
            "decision": self.decision,
            "at": self.at.isoformat() if self.at else None,
            "reason": self.reason,
            "call_id": call.call_id if call else None,
            "request": {
                "agent_id": call.agent_id,
                "phone_number": call.phone_number,
                "metadata": call.metadata,
            }
            if call and wanted
            else None,
        }


def explain(request: Request, routes: Routes, secrets: list[str] | None) -> list[Explained]:
    """A row for each event and route of the request's source, as of `request.received_at`.

    `secrets` None skips the signature. Raises RejectedError, BadRequestError and UnavailableError
    as the receiver does.
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
        if event.never:
            rows.append(
                Explained(topic=event.topic, route=None, decision="suppress", reason=event.never)
            )
        mapped = map_event(event, routes, now=now, correlation_id=request.correlation_id)
        rows += [_row(event.topic, one, routes, now) for one in mapped]
    return rows


def _row(topic: str, mapped: Call | Ignored, routes: Routes, now: datetime) -> Explained:
    if isinstance(mapped, Ignored):
        return Explained(topic=topic, route=mapped.route, decision="ignored", reason=mapped.reason)
    if mapped.unmapped:
        return Explained(
            topic=topic,
            route=mapped.route,
            decision="unmapped",
            reason=mapped.unmapped,
            call=mapped,
        )
    decision = decide(mapped, routes, now)
    rings = isinstance(decision, Ring)
    return Explained(
        topic=topic,
        route=mapped.route,
        decision="ring" if rings else "suppress",
        reason=decision.reason,
        at=now if rings else None,
        call=mapped,
    )
