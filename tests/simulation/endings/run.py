"""One history of orders that are called about, and of how those calls end."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from tests.simulation.cloud import Function, Scheduler, Secrets, Sqs
from tests.simulation.dynamo import Dynamo
from tests.simulation.endings.facts import History, Kept, Order, Ring
from tests.simulation.endings.phones import HOUR, MINUTE, Phones
from tests.simulation.functions import Functions
from tests.simulation.invocation import at_the_door, within
from tests.simulation.world import START, Process, World

from ringhook.clients import wire
from ringhook.clients.table import plain
from ringhook.errors import CutError
from ringhook.routing import routes_file
from ringhook.routing.routes import Routes

_DEADLINE = 6 * HOUR
_REDIALS = {
    "order": (("no_answer", "busy"), (2 * HOUR, 5 * HOUR)),
    "offer": (("voicemail",), (HOUR,)),
    "once": ((), ()),
}
_FILE = """
countries = ["GB"]
[sources.shop]
provider = "bearer"
topic = "{{ topic }}"
event_id = "{{ event }}"
occurred_at = "{{ at }}"
[sources.agent]
provider = "unleashx"
opt_out = "analysis.opt_out"
callback_at = "analysis.call_back"
"""
_ROUTE = """
[[routes]]
name = "NAME"
source = "shop"
on = ["NAME"]
call.agent_id = AGENT
call.phone_number = "{{ phone }}"
call.metadata = { key = "{{ id }}" }
policy.key = "{{ id }}"
policy.cancelled_by = ["NAME.cancelled"]
policy.purpose = "service"
policy.calling_hours = "HOURS"
policy.expires_after = "30h"
REDIAL
"""


@cache
def _routes(hours: str) -> Routes:
    text = _FILE
    for agent, (name, (on, after)) in enumerate(_REDIALS.items(), start=1):
        waits = [f"{seconds / HOUR:.0f}h" for seconds in after]
        redial = f"policy.redial = {{ on = {list(on)}, after = {waits} }}" if on else ""
        route = _ROUTE.replace("NAME", name).replace("AGENT", str(agent))
        text += route.replace("HOURS", hours).replace("REDIAL", redial.replace("'", '"'))
    return routes_file.load(text)


class _Run:
    """Everything of one history."""

    def __init__(self, seed: int, orders: int, lost: float | None) -> None:
        self.world = world = World(seed)
        self.plan = plan = Random(seed + 1_000_000)
        hours = plan.random() < 0.4
        until = START + plan.choice([0, 0, 1, 3]) * HOUR
        self.facts = History(
            seed=seed,
            hours=(9, 20) if hours else (0, 24),
            plan=plan.choice([20, 100]),
            well=until,
            deadline=_DEADLINE,
            redials=dict(_REDIALS),
        )
        self.rates = {name: plan.choice([0, 0.02, 0.08]) for name in ("aws", "death")}
        self.routes = _routes("09:00-20:00" if hours else "any")
        self.sqs = Sqs(world, self._trouble, self._die_at)
        self.table = Dynamo(world, self._trouble)
        self.secrets = Secrets(world, self._trouble)
        self.scheduler = Scheduler(world, self.sqs, "calls", self._trouble)
        self.secrets.values = {
            "signing": {"shop": "shop secret", "agent": "secret"},
            "tokens": {"default": "token"},
        }
        self.phones = Phones(world, self._is_troubled, self._tell, lost)
        self.functions = Functions(
            world,
            self.routes,
            {
                "dynamodb": self.table,
                "sqs": self.sqs,
                "scheduler": self.scheduler,
                "secretsmanager": self.secrets,
            },
            {
                "RINGHOOK_CALLS_PER_MINUTE": str(self.facts.plan),
                "RINGHOOK_BREAKER_CALLS": "0",
            },
            self._ask,
        )
        self.sqs.functions = {
            "calls": Function("dialer", self.functions.run("dial"), 60, 360, 10),
            "told": Function("keeper", self.functions.run("keep"), 30, 180, 10),
        }
        self._script(orders)

    def _is_troubled(self) -> bool:
        return self.world.now < self.facts.well

    def _trouble(self) -> str:
        if not self._is_troubled() or not self.world.chance(self.rates["aws"]):
            return ""
        return self.world.random.choice(["throttled", "lost", "twice"])

    def _die_at(self) -> int:
        dies = self._is_troubled() and self.world.chance(2 * self.rates["death"])
        return self.world.random.randint(1, 12) if dies else 0

    def _ask(
        self, method: str, url: str, _headers: Any, body: str | None, timeout: float
    ) -> wire.Response:
        answer = self.phones.ask(method, url, body, timeout)
        if isinstance(answer, str):
            raise CutError("TimeoutError")
        return wire.Response(*answer)

    def _sweep(self) -> None:
        self.world.at(self.world.now + MINUTE, self._sweep)
        due = [float(i["sweep_at"]["N"]) for i in self.table.items.values() if "sweep_at" in i]
        if due and min(due) < self.world.now:
            run = self.functions.run("keep")

            def sweep() -> None:
                try:
                    run({}, 30)
                except Exception as error:  # noqa: BLE001 - the next one follows
                    self.world.tell(f"the sweep fails: {error}")

            process = Process("sweep", self.world.now + 30, self._die_at())
            self.world.start(process, sweep, lambda _: None)

    # --- senders, and agents -------------------------------------------------------------------

    def _script(self, orders: int) -> None:
        plan = self.plan
        for n in range(orders):
            route = plan.choice(["order", "order", "offer", "once"])
            made = START + plan.uniform(0, 4 * HOUR)
            order = Order(f"{route}-{n}", route, f"+44207946{n // 2:04}", made)
            if plan.random() < 0.2:
                order.cancelled = made + plan.choice([1, 60, 600, 5000, 8000])
            self.facts.orders.append(order)
            self._order(order, "", made)
            if order.cancelled:
                self._order(order, ".cancelled", order.cancelled)

    def _order(self, order: Order, what: str, made: float) -> None:
        event = {
            "topic": f"{order.route}{what}",
            "event": f"{order.key}{what}",
            "at": datetime.fromtimestamp(made, UTC).isoformat(),
            "id": order.key,
            "phone": order.number,
        }

        def told() -> None:
            if what:
                order.told_at = order.told_at or self.world.now

        headers = {"authorization": "Bearer shop secret"}
        self.world.at(made, lambda: self._post("shop", "", headers, event, told, 0))

    def _tell(self, ring: Ring, body: dict[str, Any], secret: str) -> None:
        """An agent's webhook, sent again until it is taken; or a stranger's, once."""
        if secret == "secret":
            taken = self.world.now
            self._post("agent", secret, {}, body, lambda: ring.webhooks.append(taken), 0)
            return
        self._post("agent", secret, {}, body, lambda: None, 99)

    def _post(
        self,
        source: str,
        secret: str,
        headers: dict[str, str],
        body: dict[str, Any],
        taken: Callable[[], None],
        tries: int,
    ) -> None:
        event = at_the_door(source, headers, json.dumps(body), source, secret)
        answers: list[int] = []

        def run() -> None:
            answers.append(self.functions.run("receive")(event, 10)["statusCode"])

        def ended(lived: bool) -> None:
            status = answers[0] if answers and lived else 500
            self.world.tell(f"{source} is answered {status}: {json.dumps(body)[:150]}")
            if tries == 99:
                if answers and lived and status != 503:
                    self.facts.strangers.append(status)
            elif status < 300:
                taken()
            elif tries < 12:
                at = self.world.now + min(1800.0, 10.0 * 2**tries)
                self.world.at(
                    at, lambda: self._post(source, secret, headers, body, taken, tries + 1)
                )

        process = Process("receiver", self.world.now + 10, self._die_at())
        self.world.start(process, run, ended)

    def go(self) -> History:
        self._sweep()
        facts, world = self.facts, self.world
        with within(world):
            facts.rests = world.run(START + 60 * HOUR, self._rests)
        facts.rings, facts.requests = self.phones.rings, self.phones.requests
        facts.looks = self.phones.looks
        facts.deaths, facts.dead_letters = world.deaths, len(self.sqs.dead)
        facts.failures, facts.story = world.failures, world.story
        facts.kept = [_kept(plain(i)) for i in self.table.items.values() if "call_id" in i]
        return facts

    def _rests(self, due: int) -> bool:
        waits = any("waiting" in item for item in self.table.items.values())
        return due == 1 and not waits


def _kept(item: dict[str, Any]) -> Kept:
    """As an operator reads it."""
    return Kept(
        key=item["key"],
        status=item["status"],
        outcomes={int(o["attempt"]): o["outcome"] for o in item.get("outcomes", []) if o["final"]},
    )


def simulate(seed: int, orders: int = 6, *, lost: float | None = None) -> History:
    """The history of this seed, with so many orders, and this share of the webhooks never sent."""
    return _Run(seed, orders, lost).go()
