"""The Lambda behind the webhook URL: prove who sent it, map it, hand its calls over, answer."""

from __future__ import annotations

import functools
import json
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringhook import settings
from ringhook.calls import messages
from ringhook.calls.call import Call
from ringhook.calls.messages import Asked, ThinEvent
from ringhook.clients import starting, wire
from ringhook.clients.queue import CallQueue
from ringhook.clients.secret_store import SecretStore, as_list
from ringhook.clients.services import SecretsManager, Sqs
from ringhook.errors import (
    BadRequestError,
    CutError,
    RejectedError,
    RinghookError,
    UnavailableError,
    UnsentError,
)
from ringhook.reading.text import without_quotes
from ringhook.routing import compiled
from ringhook.routing.receiving import Received, receive
from ringhook.senders.providers import Event
from ringhook.senders.request import Reply, from_gateway
from ringhook.telemetry import count, invocation, logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringhook.ringing.attempts import Result
    from ringhook.routing.routes import Routes
    from ringhook.senders.request import Request
    from ringhook.telemetry import Context
    from ringhook.wiring import World

ROUTES = Path(__file__).parent.parent / "routes.toml"
# What a request asks for, and events of which that is known once their rest is fetched.
Tasks = Sequence[Asked | ThinEvent]


def _visit(url: str) -> None:
    """Ask an address of a sender's own. Raises UnavailableError unless it agrees."""
    try:
        answer = wire.request("GET", url, {}, None, 5.0)
    except (UnsentError, CutError) as error:
        message = f"the sender's address cannot be asked: {error}"
        raise UnavailableError(message) from error
    if answer.status != 200:
        message = f"the sender's address answers {answer.status}"
        raise UnavailableError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Everything that answering a webhook needs."""

    routes: Routes
    secrets: SecretStore
    deliver: Callable[[Tasks, int], Reply]
    visit: Callable[[str], None] = _visit

    def answer(self, request: Request) -> Reply:
        """Answer one request; raises the errors that `handler` turns into statuses."""
        received = self._receive(request)
        if isinstance(received, Reply):
            if received.visit:
                self.visit(received.visit)
            return received
        _tell(received)
        provider = received.provider
        tasks = [
            ThinEvent.of(task, request.received_at, request.correlation_id)
            if isinstance(task, Event)
            else task
            for task in received.tasks
        ]
        if tasks:
            reply = self.deliver(tasks, provider.unmapped_status)
        else:
            reply = Reply(200, {"calls": [], "reason": "; ".join(received.reasons)})
        return _as_demanded(reply, provider.accepted)

    def _receive(self, request: Request) -> Reply | Received:
        try:
            return receive(request, self.routes, lambda: self._secrets(request.source))
        except (RejectedError, UnavailableError):
            # The secret may have been filled in or changed since it was read.
            return receive(request, self.routes, lambda: self._secrets(request.source, fresh=True))

    def _secrets(self, source: str, *, fresh: bool = False) -> list[str]:
        return as_list(self.secrets.get(fresh=fresh).get(source))


def _as_demanded(reply: Reply, accepted: Reply | int | None) -> Reply:
    """A success in the form that the sender knows it by."""
    if reply.status >= 300 or accepted is None:
        return reply
    return accepted if isinstance(accepted, Reply) else replace(reply, status=accepted)


def _tell(received: Received) -> None:
    """Log what comes of a request that its calls do not tell."""
    for taken in received.events:
        if taken.event.never:
            logger.info("event.never_rings", topic=taken.event.topic, reason=taken.event.never)
    if received.kept:
        count("WebhookUnreadable")
        logger.warning(
            "webhook.kept",
            source=received.kept.source,
            call_id=received.kept.call_id,
            reason=received.kept.unmapped,
        )
    for fault in received.faults:
        # Where, and not what it says: that may quote the payload.
        where = [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(fault.__traceback__)]
        logger.error("webhook.fault", kind=type(fault).__name__, where=where[-5:])


def _for_the_log(answer: Any, name: str = "") -> Any:
    """An answer whose reasons do not repeat what was sent."""
    if isinstance(answer, dict):
        return {key: _for_the_log(value, key) for key, value in answer.items()}
    if isinstance(answer, list):
        return [_for_the_log(row, name) for row in answer]
    return without_quotes(answer) if name in {"error", "reason"} else answer


def described(tasks: Tasks) -> dict[str, Any]:
    """What an answer says of what a request asks for."""
    calls = [task for task in tasks if isinstance(task, Call)]
    body: dict[str, Any] = {
        "calls": [{"route": c.route, "call_id": c.call_id} for c in calls if c.rings]
    }
    if enriching := sum(isinstance(task, ThinEvent) for task in tasks):
        body["enriching"] = enriching
    if others := [task for task in tasks if not isinstance(task, Call | ThinEvent)]:
        body["also"] = [
            {"route": c.route, "does": messages.kind(c), "call_id": messages.identity(c)}
            for c in others
        ]
    if unmapped := [c for c in calls if c.unmapped]:
        body["unmapped"] = [
            {"route": c.route, "call_id": c.call_id, "reason": c.unmapped} for c in unmapped
        ]
    return body


def through_queue(queue: CallQueue) -> Callable[[Tasks, int], Reply]:
    """Hand all over to the dialer; an answer is given once it is durably in the queue."""

    def deliver(tasks: Tasks, unmapped_status: int) -> Reply:
        queue.send(tasks)
        body = described(tasks)
        count("CallQueued", len(body["calls"]))
        unmapped = [task for task in tasks if isinstance(task, Call) and task.unmapped]
        if unmapped_status >= 400 and len(unmapped) == len(tasks):
            reasons = [f"{c.route}: " * bool(c.route) + c.unmapped for c in unmapped]
            return Reply(unmapped_status, {"error": "; ".join(reasons), **body})
        return Reply(202, body)

    return deliver


_STATUS = {
    "initiated": 200,
    "suppressed": 200,
    "cancelled": 200,
    "forgotten": 200,
    "recorded": 200,
    "uncertain": 504,
}


# What direct delivery without a ledger answers, so that nobody takes the defaults for kept.
UNGUARDED = (
    "this deployment has no ledger: repeated events, caps, gaps and the do-not-call list"
    " are not looked at"
)


def in_the_request(
    dial: Callable[[Asked], Result],
    complete: Callable[[ThinEvent], list[Asked]],
    *,
    unguarded: str = "",
) -> Callable[[Tasks, int], Reply]:
    """Dial before answering, so that the answer has the execution's id; the worst status rules.

    `unguarded` says in each answer which guards are off.
    """

    def deliver(tasks: Tasks, unmapped_status: int) -> Reply:
        # All that must be fetched is, before any phone rings: if some cannot be now, the sender
        # sends the whole request again.
        asked = [
            one
            for task in tasks
            for one in (complete(task) if isinstance(task, ThinEvent) else [task])
        ]
        rows, status = [], 200
        for one in asked:
            result = dial(one)
            # A call that is not ended could not be made now: the sender may send it again. Of what
            # can never be made, a sender hears that can do something about it.
            never = result.status in {"unmapped", "refused"}
            status = max(status, unmapped_status if never else _STATUS.get(result.status, 502))
            row = {
                "route": one.route,
                "call_id": messages.identity(one),
                "status": result.status,
            }
            row["execution_id" if result.execution_id else "reason"] = (
                result.execution_id or result.reason
            )
            rows.append(row)
        body: dict[str, Any] = {"calls": rows}
        if unguarded:
            body["unguarded"] = unguarded
        if status >= 400:
            body["error"] = "; ".join(row["reason"] for row in rows if "reason" in row)
        return Reply(status, body)

    return deliver


def _direct(
    config: settings.Settings, routes: Routes, world: World | None = None
) -> Callable[[Tasks, int], Reply]:
    # Imported here: a receiver with a queue never dials.
    from ringhook import wiring  # noqa: PLC0415
    from ringhook.ringing.attempts import Dialing  # noqa: PLC0415
    from ringhook.ringing.book import NoLedger  # noqa: PLC0415
    from ringhook.ringing.breaker import Breaker  # noqa: PLC0415

    stated = [] if config.table_name else routes.need_a_ledger
    if stated:
        message = f"without a ledger nothing can keep what routes.toml states: {', '.join(stated)}"
        raise UnavailableError(message)
    if told := sorted({name for route in routes.routes for name in routes.told_of(route)}):
        message = f"direct delivery tells nobody how calls end, and routes want: {', '.join(told)}"
        raise UnavailableError(message)
    world = world or wiring.World()
    ledger = world.ledger(config, routes.zone) if config.table_name else None
    dialing = Dialing(
        api=world.api(config),
        book=ledger or NoLedger(),
        routes=routes,
        tokens=world.secret(config.tokens),
        clock=world.clock,
        jitter=world.jitter,
        names=world.names,
        wakes=False,
        breaker=Breaker(ledger, config.breaker_calls) if ledger else None,
    )
    fetcher = world.fetcher(config)

    def dial(asked: Asked) -> Result:
        # API Gateway gives a request 30 seconds; a lease outlives them.
        if isinstance(asked, Call):
            return dialing.take(asked, lease_until=world.clock() + 35)
        return dialing.change(asked)

    return in_the_request(
        dial,
        lambda thin: fetcher.complete(thin, routes),
        unguarded="" if config.table_name else UNGUARDED,
    )


@functools.cache
def _receiver() -> Receiver:
    config = settings.read()
    routes = compiled.load(ROUTES)
    return Receiver(
        routes=routes,
        secrets=SecretStore(SecretsManager(), config.signing_secrets, time.monotonic),
        deliver=_direct(config, routes)
        if config.delivery == "direct"
        else through_queue(CallQueue(Sqs(), config.queue_url, told_url=config.told_queue_url)),
    )


@invocation
def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer an API Gateway event; the one place where errors become statuses."""
    count("WebhookReceived")
    source = (event.get("pathParameters") or {}).get("source")
    try:
        request = from_gateway(
            event, public_url=settings.read().public_url, received_at=datetime.now(UTC)
        )
        reply = _receiver().answer(request)
    except RejectedError as error:
        count("SignatureRejected")
        logger.warning("webhook.rejected", source=source, reason=str(error))
        reply = Reply(401, {"error": "not authorised"})
    except BadRequestError as error:
        logger.warning("webhook.unreadable", source=source, reason=str(error))
        reply = Reply(400, {"error": str(error)})
    except UnavailableError as error:
        logger.error("webhook.not_taken", source=source, reason=str(error))
        reply = Reply(503, {"error": "not ready to take webhooks: send it again later"})
    except RinghookError:
        logger.exception("webhook.failed", source=source)
        reply = Reply(500, {"error": "internal error"})
    else:
        # What rings nobody for a rule's sake is told by the names of its topics.
        answer = reply.body if reply.status == 200 else _for_the_log(reply.body)
        logger.info("webhook.answered", source=source, status=reply.status, answer=answer)
    return {
        "statusCode": reply.status,
        "headers": {"content-type": reply.content_type},
        "body": reply.body if isinstance(reply.body, str) else json.dumps(reply.body),
    }


starting.start(_receiver)
