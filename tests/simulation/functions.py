"""The real functions, put together among fakes, as they are put together in `wiring`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from tests.simulation.api import Api
from tests.simulation.cloud import Scheduler, Secrets, Sqs
from tests.simulation.dynamo import Dynamo
from tests.simulation.plans import Plan
from tests.simulation.world import World

from ringhook import dialer, keeper, receiver, settings, telemetry, wiring
from ringhook.clients import wire
from ringhook.clients.ledger import Ledger
from ringhook.errors import CutError, UnsentError
from ringhook.routing.routes import Routes
from ringhook_ops.commands import steering

MODULES: dict[str, tuple[Any, str]] = {
    "dial": (dialer, "_dialer"),
    "keep": (keeper, "_keeper"),
    "receive": (receiver, "_receiver"),
}


class Functions:
    """Runs a handler with what it needs; one that is warm keeps what it knows."""

    def __init__(
        self,
        world: World,
        plan: Plan,
        routes: Routes,
        *,
        sqs: Sqs,
        table: Dynamo,
        secrets: Secrets,
        scheduler: Scheduler,
        api: Api,
    ) -> None:
        self._world, self._routes, self._api = world, routes, api
        self._clients: dict[str, Any] = {
            "dynamodb": table,
            "sqs": sqs,
            "scheduler": scheduler,
            "secretsmanager": secrets,
        }
        self._environ = {
            "RINGHOOK_DELIVERY": "direct" if plan.direct else "queue",
            "RINGHOOK_QUEUE_URL": "calls",
            "RINGHOOK_TOLD_QUEUE_URL": "told",
            "RINGHOOK_QUEUE_ARN": "calls",
            "RINGHOOK_SCHEDULE_GROUP": "group",
            "RINGHOOK_SCHEDULE_ROLE": "role",
            "RINGHOOK_TABLE_NAME": "ledger",
            "RINGHOOK_SIGNING_SECRETS": "signing",
            "RINGHOOK_TOKENS": "tokens",
            "RINGHOOK_CREDENTIALS": "credentials",
            "UNLEASHX_URL": "https://api.example.com",
            "RINGHOOK_CALLS_PER_MINUTE": str(plan.per_minute),
            "RINGHOOK_MARK_CALLS": str(plan.marked).lower(),
            "RINGHOOK_BREAKER_CALLS": str(plan.breaker),
            "RINGHOOK_MAX_CONCURRENCY": str(plan.dialers),
            "RINGHOOK_RETENTION_DAYS": str(plan.retention_days),
        }
        self._idle: dict[str, list[Any]] = {kind: [] for kind in MODULES}
        self._owners = 0

    def run(self, kind: str) -> Callable[[Any, float], Any]:
        """What takes an event, and so many seconds that it has."""
        module, name = MODULES[kind]
        handler = inspect.unwrap(module.handler)

        def run(event: Any, seconds: float) -> Any:
            idle = self._idle[kind]
            # One that dies is not put back.
            parts = idle.pop() if idle else self._parts(kind)
            ends = self._world.now + seconds
            setattr(module, name, lambda: parts)
            answer = handler(event, _Context(lambda: ends - self._world.now))
            idle.append(parts)
            return answer

        return run

    def _parts(self, kind: str) -> Any:
        """What a function that starts is put together from: as it is on Lambda, in this world."""
        # No two machines have quite the same time.
        ahead = self._world.random.uniform(-0.04, 0.04)

        def clock() -> float:
            return self._world.now + ahead

        world = wiring.World(
            client=self._clients.__getitem__,
            clock=clock,
            monotonic=clock,
            sleep=self._world.sleep,
            jitter=self._world.random.random,
            names=self._owner,
            ask=self._ask,
        )
        config = settings.read(self._environ)
        match kind:
            case "dial":
                return dialer.Dialer.of(world, config, self._routes)
            case "keep":
                return keeper.Keeper.of(world, config)
        return receiver.Receiver(
            routes=self._routes,
            secrets=world.secret(config.signing_secrets),
            deliver=receiver._direct(config, self._routes, world)
            if config.delivery == "direct"
            else receiver.through_queue(world.queue(config)),
        )

    def _owner(self) -> str:
        self._owners += 1
        return f"owner-{self._owners}"

    def _ask(
        self, method: str, url: str, headers: Any, body: str | None, timeout: float
    ) -> wire.Response:
        if url.startswith("https://api.example.com/"):
            answer = self._api.ask(method, url, headers["token"], body, timeout)
        else:
            answer = self._api.lead(url)
        if answer == "unsent":
            raise UnsentError("ConnectionRefusedError")
        if isinstance(answer, str):
            raise CutError("TimeoutError")
        return wire.Response(*answer)


class Operator:
    """A person with the command: stops, lets go on, has calls made once more."""

    def __init__(self, world: World, sqs: Sqs, table: Dynamo, routes: Routes) -> None:
        self._world, self._routes = world, routes
        self._clients: dict[str, Any] = {"dynamodb": table.calm(), "sqs": sqs}
        self._table = table
        self._ledger = Ledger(self._clients["dynamodb"], "ledger", timedelta(days=90))
        # As much of a deployment as the command looks at.
        self.table_name, self.parameters = "ledger", dict[str, str]()
        self.outputs = {"QueueUrl": "calls"}

    def client(self, service: str) -> Any:
        return self._clients[service]

    def stop(self, what: str) -> None:
        self._world.tell(f"an operator stops {what}")
        self._ledger.stop(what, "by hand", self._now())

    def resume(self, what: str) -> None:
        self._world.tell(f"an operator lets {what} go on")
        self._ledger.resume(what, self._now())

    def stopped(self) -> list[str]:
        return list(self._ledger.stops())

    def may_not_be_rung(self, number: str) -> bool:
        return bool(self._ledger.history(number, self._now()).do_not_call)

    def replay(self, *statuses: str) -> list[str]:
        """Have every call that stands so made once more; the keys of those that are."""
        keys = []
        for item in list(self._table.items.values()):
            wanted = item.get("status", {}).get("S") in statuses and "due_at" not in item
            if not wanted or "metadata" not in item or "key" not in item["metadata"]["M"]:
                continue
            call_id, key = item["call_id"]["S"], item["metadata"]["M"]["key"]["S"]
            said = steering._replayed(self, self._routes, call_id)  # type: ignore[arg-type]
            self._world.tell(f"an operator has {key} replayed: {said}")
            keys += [key] * said.startswith("replayed")
        return keys

    def _now(self) -> datetime:
        return _Clock(self._world).now(None)


class _Context:
    """What Lambda tells a function of itself."""

    def __init__(self, left: Callable[[], float]) -> None:
        self._left = left

    def get_remaining_time_in_millis(self) -> int:
        return int(self._left() * 1000)


class _Clock:
    """`time` and `datetime`, as far as the handlers use them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def time(self) -> float:
        return self._world.now

    def now(self, zone: Any) -> datetime:
        return datetime.fromtimestamp(self._world.now, zone or UTC)


@contextmanager
def within(world: World) -> Iterator[None]:
    """The handlers' own clock is the world's, and what they log is its story."""

    def info(text: str, **more: Any) -> None:
        said = {name: more[name] for name in ("reason", "again_at") if more.get(name)}
        if "again_at" in said:
            said["again_at"] = f"in {said['again_at'] - world.now:.1f} s"
        world.tell(f"    {text} {str(more.get('call_id', ''))[-6:]} {said or ''}")

    def exception(text: str, **_: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and "UnavailableError" not in type(error).__name__:
            world.failures.append(error)
        world.tell(f"    {text}: {error!r}")

    clock, logger = _Clock(world), telemetry.logger
    with ExitStack() as stack:
        for module, name in MODULES.values():
            stack.enter_context(patch.object(module, name))
        stack.enter_context(patch.object(receiver, "datetime", clock))
        stack.enter_context(patch.object(steering, "datetime", clock))
        for name in ("info", "warning", "error"):
            stack.enter_context(patch.object(logger, name, info))
        stack.enter_context(patch.object(logger, "exception", exception))
        stack.enter_context(patch.object(logger, "set_correlation_id", lambda _: None))
        stack.enter_context(patch.object(telemetry.metrics, "add_metric", lambda **_: None))
        yield
