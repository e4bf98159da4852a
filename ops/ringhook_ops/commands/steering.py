"""The commands that steer a deployment: stop it, let it go on, have ended calls made after all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape

from ringhook.calls.call import Call
from ringhook.calls.item import Item
from ringhook.calls.lifecycle import replayed
from ringhook.calls.messages import ThinEvent, identity
from ringhook.clients.ledger import Ledger
from ringhook.clients.queue import CallQueue
from ringhook.errors import ConflictError, RoutesError, UnavailableError
from ringhook.reading.packing import unpack
from ringhook.routing import routes_file
from ringhook.routing.mapping import map_event
from ringhook.routing.receiving import receive
from ringhook.routing.routes import Routes
from ringhook.senders.providers import Event
from ringhook.senders.request import Reply
from ringhook_ops.commands.operating import StackOption, told
from ringhook_ops.deployed import deployment
from ringhook_ops.deployed.deployment import Deployment
from ringhook_ops.deployed.ledger_reader import LedgerReader
from ringhook_ops.samples import gateway
from ringhook_ops.terminal import fail, out

RouteOption = Annotated[str | None, typer.Option(metavar="NAME", help="This route alone.")]
SourceOption = Annotated[str | None, typer.Option(metavar="NAME", help="This source alone.")]
AccountOption = Annotated[str | None, typer.Option(metavar="NAME", help="This account alone.")]


def pause(
    *,
    stack: StackOption = None,
    route: RouteOption = None,
    source: SourceOption = None,
    account: AccountOption = None,
    reason: Annotated[str, typer.Option(help="Why; every call that waits says it.")],
) -> None:
    """Ask the API for nothing more, within seconds: webhooks are taken on, and their calls wait.

    Example: `ringhook pause --route confirm-cod-order --reason "wrong text" --stack ringhook`
    """
    what = _what(route, source, account)
    with told():
        ledger = _ledger(deployment.find(stack))
        ledger.stop(what, reason, datetime.now(UTC))
        _tell(ledger)


def resume(
    *,
    stack: StackOption = None,
    route: RouteOption = None,
    source: SourceOption = None,
    account: AccountOption = None,
) -> None:
    """Let it go on: what is still in time rings within ten minutes, at the plan's pace.

    Example: `ringhook resume --route confirm-cod-order --stack ringhook`
    """
    what = _what(route, source, account)
    with told():
        ledger = _ledger(deployment.find(stack))
        if what not in ledger.stops():
            stopped = ", ".join(ledger.stops()) or "nothing"
            fail(f"{what} is not stopped; stopped is {stopped}")
        ledger.resume(what, datetime.now(UTC))
        _tell(ledger)


def replay(
    call_ids: Annotated[list[str] | None, typer.Argument(metavar="CALL_ID…")] = None,
    *,
    stack: StackOption = None,
    status: Annotated[
        str | None, typer.Option(help="All that stand so: unmapped, suppressed, refused, …")
    ] = None,
    route: RouteOption = None,
) -> None:
    """Have calls made that had ended unrung: under their ids, and by the whole policy.

    An unmapped one is mapped anew by the routes as deployed; a request that could not be read is
    read anew, and its calls have the ids that they would have had. One that expired stays so.

    Example: `ringhook replay --status unmapped --stack ringhook`
    """
    if bool(call_ids) == bool(status):
        fail("name calls, or all of a --status")
    with told():
        found = deployment.find(stack)
        reader = LedgerReader(found.client("dynamodb"), found.table_name)
        names = call_ids or [
            item["call_id"]
            for item in reader.newest(datetime.now(UTC).date())
            if item["status"] == status and route in (None, item.get("route", ""))
        ]
        try:
            routes = routes_file.load(found.routes_text())
        except RoutesError as error:
            fail(f"the deployed routes are not valid: {error}")
        for call_id in dict.fromkeys(names):
            out.print(f"{call_id}  {escape(_replayed(found, routes, call_id))}", soft_wrap=True)
    if not names:
        out.print("No such calls.")


def _replayed(found: Deployment, routes: Routes, call_id: str) -> str:
    """Write that the call is wanted once more, and wake it; what came of it."""
    ledger = _ledger(found)
    try:
        item = ledger.read(call_id)
        if item is None or item.status == "forgotten":
            return "the ledger does not have it, or it was forgotten"
        if item.status == "unmapped" and item.call.payload and not item.call.route:
            return _read_anew(found, routes, ledger, item)
        call = _mapped(item, routes) if item.status == "unmapped" else item.call
        if isinstance(call, str):
            return call
        now = datetime.now(UTC)
        wanted = replayed(item, call, now.timestamp())
        if wanted is None:
            return f"it is {item.status}: it rings, has rung, or waits for its time"
        ledger.write(wanted, over=item, now=now)
        _queue(found).wake(call_id, at=now.timestamp(), now=now.timestamp())
    except (ConflictError, UnavailableError) as error:
        return f"not replayed: {error}"
    return "replayed: `ringhook show` tells what comes of it"


def _read_anew(found: Deployment, routes: Routes, ledger: Ledger, item: Item) -> str:
    """Queue what a request asks for that could not be read when it came; what came of it."""
    call, form = item.call, unpack(item.call.payload)
    if form.get("replayable") is False:
        return "only the beginning or the digest of its request was kept: have it sent again"
    request = gateway.read(form, public_url="", received_at=call.received_at)
    received = receive(replace(request, correlation_id=call.correlation_id), routes, secrets=None)
    if isinstance(received, Reply):
        return f"it is answered {received.status}, and rings nobody"
    if received.kept:
        return f"still unmapped: {received.kept.unmapped}"
    tasks = [
        ThinEvent.of(task, call.received_at, call.correlation_id)
        if isinstance(task, Event)
        else task
        for task in received.tasks
    ]
    if not tasks:
        return f"it rings nobody: {'; '.join(received.reasons)}"
    _queue(found).send(tasks)
    names = ", ".join(
        task.event_id if isinstance(task, ThinEvent) else identity(task) for task in tasks
    )
    done = replace(item, status="cancelled", reason=f"read anew by an operator: {names}")
    ledger.write(done, over=item, now=datetime.now(UTC))
    return f"replayed: {names}"


def _mapped(item: Item, routes: Routes) -> Call | str:
    """What the routes make of the kept event now, under the id that it had; or why nothing."""
    call = item.call
    if not call.route or not call.payload:
        return "no event of it was kept"
    event = Event(
        source=call.source,
        topic=call.topic,
        event_id=call.event_id,
        occurred_at=call.occurred_at,
        payload=unpack(call.payload),
        test=call.test,
    )
    mapped = map_event(event, routes, now=call.received_at, correlation_id=call.correlation_id)
    named = routes.named(call.route)
    for one in mapped:
        if named and one.route == named.name and isinstance(one, Call):
            if one.unmapped:
                return f"still unmapped: {one.unmapped}"
            return msgspec.structs.replace(one, call_id=call.call_id)
    return "no route of that name makes a call of it now"


def _queue(found: Deployment) -> CallQueue:
    told = found.outputs.get("ToldQueueUrl", "")
    return CallQueue(found.client("sqs"), found.outputs["QueueUrl"], told_url=told)


def _ledger(found: Deployment) -> Ledger:
    days = int(found.parameters.get("RetentionDays", "90"))
    return Ledger(found.client("dynamodb"), found.table_name, timedelta(days=days))


def _what(route: str | None, source: str | None, account: str | None) -> str:
    named: list[Any] = [
        f"{kind}:{name}"
        for kind, name in (("route", route), ("source", source), ("account", account))
        if name
    ]
    if len(named) > 1:
        fail("one of --route, --source and --account at a time")
    return str(named[0]) if named else "all"


def _tell(ledger: Ledger) -> None:
    stops = ledger.stops()
    for what, why in sorted(stops.items()):
        out.print(f"stopped: {what} ({escape(json.dumps(why, ensure_ascii=False))})")
    if not stops:
        out.print("Nothing is stopped.")
