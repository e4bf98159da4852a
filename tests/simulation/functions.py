"""The real functions, put together among fakes, as they are put together in `wiring`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.cloud import Sqs
from tests.simulation.dynamo import Dynamo
from tests.simulation.invocation import MODULES, Clock, Context
from tests.simulation.world import World

from ringhook import dialer, keeper, receiver, settings, wiring
from ringhook.clients import wire
from ringhook.clients.ledger import Ledger
from ringhook.routing.routes import Routes
from ringhook_ops.commands import steering

API = "https://api.example.com"
# One request to the API, or to a sender's: see `wire.request`.
Ask = Callable[[str, str, Mapping[str, str], str | None, float], wire.Response]


class Functions:
    """Runs a handler with what it needs; one that is warm keeps what it knows.

    `clients` are those of AWS, by service; `environ` what the template says besides the names of
    things. The clocks of two machines are up to `apart` seconds before or behind the world's.
    """

    def __init__(
        self,
        world: World,
        routes: Routes,
        clients: Mapping[str, Any],
        environ: Mapping[str, str],
        ask: Ask,
        *,
        apart: float = 0.0,
    ) -> None:
        self._world, self._routes, self._clients = world, routes, clients
        self._ask, self._apart = ask, apart
        self._config = settings.read(
            {
                "RINGHOOK_QUEUE_URL": "calls",
                "RINGHOOK_TOLD_QUEUE_URL": "told",
                "RINGHOOK_QUEUE_ARN": "calls",
                "RINGHOOK_SCHEDULE_GROUP": "group",
                "RINGHOOK_SCHEDULE_ROLE": "role",
                "RINGHOOK_TABLE_NAME": "ledger",
                "RINGHOOK_SIGNING_SECRETS": "signing",
                "RINGHOOK_TOKENS": "tokens",
                "RINGHOOK_CREDENTIALS": "credentials",
                "UNLEASHX_URL": API,
                **environ,
            }
        )
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
            answer = handler(event, Context(lambda: ends - self._world.now))
            idle.append(parts)
            return answer

        return run

    def _parts(self, kind: str) -> Any:
        """What a function that starts is put together from: as it is on Lambda, in this world."""
        # No two machines have quite the same time.
        ahead = self._world.random.uniform(-self._apart, self._apart) if self._apart else 0.0

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
        config = self._config
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
        return Clock(self._world).now(None)
