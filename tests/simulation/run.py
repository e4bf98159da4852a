"""One history: the real functions among fakes, and senders that do what senders do."""

from __future__ import annotations

import hmac
import inspect
import json
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any
from unittest.mock import patch

from tests.simulation.cloud import TROUBLES, Api, Function, Scheduler, Secrets, Sqs
from tests.simulation.dynamo import Dynamo
from tests.simulation.facts import History, Sent
from tests.simulation.world import START, Process, World

from ringhook import dialer, keeper, receiver, settings, telemetry, wiring
from ringhook.clients import wire
from ringhook.errors import CutError, UnsentError
from ringhook.routing import routes_file
from ringhook.routing.routes import Routes

MINUTE, HOUR = 60.0, 3600.0
_RECEIVE, _DIAL, _KEEP = (inspect.unwrap(m.handler) for m in (receiver, dialer, keeper))
_FILE = """
countries = ["GB"]
[sources.shop]
provider = "bearer"
topic = "{{ topic }}"
event_id = "{{ event }}"
occurred_at = "{{ at }}"
[sources.privacy]
provider = "shopify"
[[routes]]
name = "order"
source = "shop"
on = ["order"]
call.agent_id = 1
call.phone_number = "{{ phone }}"
call.metadata = { key = "{{ id }}", version = "{{ version }}" }
policy.key = "{{ id }}"
policy.cancelled_by = ["order.cancelled"]
policy.purpose = "service"
policy.calling_hours = "HOURS"
policy.expires_after = "20h"
policy.on_uncertain = "UNCERTAIN"
[[routes]]
name = "reminder"
source = "shop"
on = ["booking"]
call.agent_id = 2
call.phone_number = "{{ phone }}"
call.metadata = { key = "{{ id }}", version = "{{ version }}" }
policy.key = "{{ id }}"
policy.at = "{{ starts }}"
policy.before = "1h"
policy.cancelled_by = ["booking.cancelled"]
policy.purpose = "service"
policy.calling_hours = "any"
policy.gap = "none"
policy.on_uncertain = "UNCERTAIN"
[[routes]]
name = "stop"
source = "shop"
on = ["stop"]
action = "suppress"
record.phone_number = "{{ phone }}"
"""
_SECRETS = {"shop": "shop secret", "privacy": "privacy secret"}


@cache
def _routes(hours: str, uncertain: str) -> Routes:
    return routes_file.load(_FILE.replace("HOURS", hours).replace("UNCERTAIN", uncertain))


class _Run:
    """Everything of one history."""

    def __init__(self, seed: int) -> None:
        self.world = world = World(seed)
        plan = Random(seed + 1_000_000)
        self.plan = plan
        redials, hours = plan.random() < 0.5, plan.random() < 0.3
        begins = START + plan.uniform(0, 3 * HOUR)
        troubled = (begins, begins + plan.choice([0, 0, 0.1, 0.5, 2]) * HOUR)
        bad = (START, START + plan.choice([0, 1, 4, 4]) * HOUR)
        self.bad_until, self.badness = bad[1], plan.choice([0.2, 0.5, 1.0])
        self.facts = History(
            seed=seed,
            redials=redials,
            hours=(9, 20) if hours else (0, 24),
            plan=plan.choice([6, 20, 100]),
            troubled=troubled,
            well=max(troubled[1], bad[1], START + 4 * HOUR),
        )
        self.routes = _routes("09:00-20:00" if hours else "any", "redial" if redials else "leave")
        # How often each sort of client fails, and how often a function dies, while that lasts.
        self.rates = {
            name: plan.choice([0, 0, 0.02, 0.15])
            for name in ("dynamodb", "sqs", "scheduler", "secrets", "death")
        }
        self.outages = {
            name for name in ("dynamodb", "sqs", "scheduler", "secrets") if plan.random() < 0.06
        }
        self.sqs = Sqs(world, self._trouble("sqs"), self._die_at)
        self.table = Dynamo(world, self._trouble("dynamodb"))
        self.secrets = Secrets(world, self._trouble("secrets"))
        self.scheduler = Scheduler(world, self.sqs, "calls", self._trouble("scheduler"))
        self.api = Api(world, self._mood, self._lists, {"token-1"})
        self.secrets.values = {"signing": _SECRETS, "tokens": {"default": "token-1"}}
        self.never = {f"+44207946{n:04}" for n in range(10) if plan.random() < 0.03}
        # Functions that are warm keep what they know.
        self._idle: dict[str, list[Any]] = {"dial": [], "keep": [], "receive": []}
        self._owners = 0
        at_once = plan.choice([2, 10])
        self.sqs.functions = {
            "calls": Function("dialer", self._invoke("dial", _DIAL), 60, 360, at_once),
            "told": Function("keeper", self._invoke("keep", _KEEP), 30, 180, 10),
        }

    # --- what goes wrong -----------------------------------------------------------------------

    @property
    def _is_troubled(self) -> bool:
        first, last = self.facts.troubled
        return first <= self.world.now < last

    def _trouble(self, name: str) -> Callable[[], str]:
        def trouble() -> str:
            if not self._is_troubled:
                return ""
            if name in self.outages:
                return "throttled"
            if not self.world.chance(self.rates[name]):
                return ""
            return self.world.random.choice(["throttled", "lost", "twice"])

        return trouble

    def _die_at(self) -> int:
        if not self._is_troubled or not self.world.chance(4 * self.rates["death"]):
            return 0
        return self.world.random.randint(1, 12)

    def _mood(self, number: str) -> str:
        if number in self.never:
            return "never"
        if self.world.now < self.bad_until and self.world.chance(self.badness):
            return self.world.random.choice(TROUBLES)
        return "well"

    def _lists(self) -> str:
        if self.world.now < self.bad_until and self.world.chance(self.badness / 2):
            return self.world.random.choice(["cut", "500", "loose"])
        return "well"

    # --- functions -----------------------------------------------------------------------------

    def _invoke(self, kind: str, handler: Any) -> Callable[[Any, float], Any]:
        def run(event: Any, seconds: float) -> Any:
            idle = self._idle[kind]
            # One that dies is not put back.
            parts = idle.pop() if idle else self._parts(kind)
            ends = self.world.now + seconds
            module, name = _MADE_BY[kind]
            setattr(module, name, lambda: parts)
            answer = handler(event, _Context(lambda: ends - self.world.now))
            idle.append(parts)
            return answer

        return run

    def _parts(self, kind: str) -> Any:
        """What a function that starts is put together from: as it is on Lambda, in this world."""
        clients = {
            "dynamodb": self.table,
            "sqs": self.sqs,
            "scheduler": self.scheduler,
            "secretsmanager": self.secrets,
        }
        world = wiring.World(
            client=clients.__getitem__,
            clock=self._clock,
            monotonic=self._clock,
            sleep=self.world.sleep,
            jitter=self.world.random.random,
            names=self._owner,
            ask=self._ask,
        )
        config = settings.read(
            {
                "RINGHOOK_QUEUE_URL": "calls",
                "RINGHOOK_TOLD_QUEUE_URL": "told",
                "RINGHOOK_QUEUE_ARN": "calls",
                "RINGHOOK_SCHEDULE_GROUP": "group",
                "RINGHOOK_SCHEDULE_ROLE": "role",
                "RINGHOOK_TABLE_NAME": "ledger",
                "RINGHOOK_SIGNING_SECRETS": "signing",
                "RINGHOOK_TOKENS": "tokens",
                "RINGHOOK_CREDENTIALS": "signing",
                "UNLEASHX_URL": "https://api.example.com",
                "RINGHOOK_CALLS_PER_MINUTE": str(self.facts.plan),
                "RINGHOOK_BREAKER_CALLS": "1000",
            }
        )
        match kind:
            case "dial":
                return dialer.Dialer.of(world, config, self.routes)
            case "keep":
                return keeper.Keeper.of(world, config)
        return receiver.Receiver(
            routes=self.routes,
            secrets=world.secret(config.signing_secrets),
            deliver=receiver.through_queue(world.queue(config)),
        )

    def _clock(self) -> float:
        return self.world.now

    def _owner(self) -> str:
        self._owners += 1
        return f"owner-{self._owners}"

    def _ask(
        self, method: str, url: str, headers: Any, body: str | None, timeout: float
    ) -> wire.Response:
        answer = self.api.ask(method, url, headers["token"], body, timeout)
        if answer == "unsent":
            raise UnsentError("ConnectionRefusedError")
        if isinstance(answer, str):
            raise CutError("TimeoutError")
        return wire.Response(*answer)

    def _sweep(self) -> None:
        self.world.at(self.world.now + 5 * MINUTE, self._sweep)
        # Where nothing is overdue it would find nothing.
        due = [float(i["sweep_at"]["N"]) for i in self.table.items.values() if "sweep_at" in i]
        if due and min(due) < self.world.now:
            process = Process("sweep", self.world.now + 30, self._die_at())
            run = self._invoke("keep", _KEEP)

            def sweep() -> None:
                try:
                    run({}, 30)
                except Exception as error:  # noqa: BLE001 - the next one follows
                    self.world.tell(f"the sweep fails: {error}")

            self.world.start(process, sweep, lambda _: None)

    # --- senders -------------------------------------------------------------------------------

    def _script(self) -> None:
        plan = self.plan
        for n in range(plan.randint(1, 4)):
            number = f"+44207946{n // 2:04}"
            booking = plan.random() < 0.4
            key = f"{'booking' if booking else 'order'}-{n}"
            at = START + plan.uniform(0, 3 * HOUR)
            starts = at + plan.choice([0.5, 1.2, 3, 6]) * HOUR if booking else 0.0
            self._later(Sent("ask", key, "v1", at, number, starts))
            for version in range(2, plan.choice([2, 3, 3, 5])):
                at += plan.choice([0.5, 3, 10, 20, 40, 60, 600, 2400])
                if plan.random() < 0.5:
                    self._later(Sent("cancel", key, f"v{version}", at, number))
                else:
                    # To a time that it never had before.
                    starts += plan.choice([-0.25, 0.5, 2]) * HOUR + 7 if booking else 0
                    self._later(Sent("ask", key, f"v{version}", at, number, starts))
            if plan.random() < 0.15:
                does = plan.choice(["stop", "erase"])
                at += plan.choice([0.5, 5, 60, 1200])
                self._later(Sent(does, f"{does}-{n}", "v1", at, number))  # type: ignore[arg-type]

    def _later(self, sent: Sent) -> None:
        plan = self.plan
        late = plan.choice([0.2, 0.2, 0.2, 1, 10, 300])
        self.facts.sent.append(sent)
        self.world.at(sent.made + late, lambda: self._post(sent, 0))
        if plan.random() < 0.2:
            again = plan.choice([0.1, 5, 60, 1800, 7200])
            self.world.at(sent.made + late + again, lambda: self._post(sent, 20))

    def _post(self, sent: Sent, tries: int) -> None:
        """Send it, and again until it is accepted; a copy (from 20 on) is sent once."""
        event = _webhook(sent)
        answers: list[int] = []
        if tries < 20 and not sent.began:
            sent.began = self.world.now

        def run() -> None:
            answers.append(self._invoke("receive", _RECEIVE)(event, 10)["statusCode"])

        def ended(lived: bool) -> None:
            status = answers[0] if answers and lived else 500
            self.world.tell(f"{sent.does} {sent.key} {sent.version} is answered {status}")
            if not sent.accepted:
                sent.answered, sent.status = self.world.now, status
            if not sent.accepted and tries < 12:
                wait = min(1800.0, 10.0 * 2**tries)
                self.world.at(self.world.now + wait, lambda: self._post(sent, tries + 1))

        made = datetime.fromtimestamp(sent.made, UTC).strftime("%H:%M:%S")
        more = f", starts {datetime.fromtimestamp(sent.starts, UTC):%H:%M}" if sent.starts else ""
        self.world.tell(f"{sent.does} {sent.key} {sent.version} of {made} for {sent.number}{more}")
        deadline = self.world.now + 10
        self.world.start(Process("receiver", deadline, self._die_at()), run, ended)

    def _rotate(self) -> None:
        """The token changes: now here first, now there, and some minutes apart."""
        at, apart = START + self.plan.uniform(0, 3 * HOUR), self.plan.uniform(-300, 300)

        def accept() -> None:
            self.world.tell("the API takes a new token, and the old one no more")
            self.api.tokens = {"token-2"}

        def store() -> None:
            self.secrets.values["tokens"] = {"default": "token-2"}

        self.world.at(at, accept)
        self.world.at(at + apart, store)

    def go(self) -> History:
        self._script()
        if self.plan.random() < 0.15:
            self._rotate()
        self._sweep()
        facts, world = self.facts, self.world
        with _in(world):
            facts.rests = world.run(facts.well + 40 * HOUR, self._idle_now)
        facts.asked, facts.requests = self.api.asked, self.api.requests
        facts.deaths, facts.dead_letters = world.deaths, len(self.sqs.dead)
        facts.failures, facts.story = world.failures, world.story
        return facts

    def _idle_now(self, due: int) -> bool:
        """Whether nothing is to come but the sweep, which has nothing to find."""
        waits = any("waiting" in item for item in self.table.items.values())
        return due == 1 and not waits


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
        return datetime.fromtimestamp(self._world.now, zone)


_MADE_BY = {
    "dial": (dialer, "_dialer"),
    "keep": (keeper, "_keeper"),
    "receive": (receiver, "_receiver"),
}


@contextmanager
def _in(world: World) -> Iterator[None]:
    """The handlers' own clock is the world's, and what they log is its story."""

    def info(text: str, **more: Any) -> None:
        said = {name: more[name] for name in ("reason", "again_at") if more.get(name)}
        if "again_at" in said:
            said["again_at"] = f"in {said['again_at'] - world.now:.1f} s"
        world.tell(f"    {text} {str(more.get('call_id', ''))[-6:]} {said or ''}")

    def exception(text: str, **more: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and "UnavailableError" not in type(error).__name__:
            world.failures.append(error)
        world.tell(f"    {text}: {error!r}")

    clock, logger = _Clock(world), telemetry.logger
    with ExitStack() as stack:
        for module, name in _MADE_BY.values():
            stack.enter_context(patch.object(module, name))
        stack.enter_context(patch.object(receiver, "datetime", clock))
        for name in ("info", "warning", "error"):
            stack.enter_context(patch.object(logger, name, info))
        stack.enter_context(patch.object(logger, "exception", exception))
        stack.enter_context(patch.object(logger, "set_correlation_id", lambda _: None))
        stack.enter_context(patch.object(telemetry.metrics, "add_metric", lambda **_: None))
        yield


def _webhook(sent: Sent) -> dict[str, Any]:
    """As API Gateway hands it over."""
    made = datetime.fromtimestamp(sent.made, UTC).isoformat()
    if sent.does == "erase":
        source, headers = "privacy", {"x-shopify-topic": "customers/redact"}
        customer = {"id": sent.key, "phone": sent.number}
        body = json.dumps({"shop_domain": "ours.myshopify.com", "customer": customer})
        digest = hmac.new(_SECRETS["privacy"].encode(), body.encode(), "sha256").digest()
        headers |= {"x-shopify-hmac-sha256": b64encode(digest).decode()}
        headers |= {"x-shopify-triggered-at": made}
    else:
        source, headers = "shop", {"authorization": f"Bearer {_SECRETS['shop']}"}
        what = sent.key.partition("-")[0]
        event = {
            "topic": f"{what}.cancelled" if sent.does == "cancel" else what,
            "event": f"{sent.key}/{sent.version}",
            "at": made,
            "id": sent.key,
            "version": sent.version,
            "phone": sent.number,
        }
        if sent.starts:
            event["starts"] = datetime.fromtimestamp(sent.starts, UTC).isoformat()
        body = json.dumps(event)
    path = f"/hooks/{source}"
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", **headers},
        "requestContext": {
            "domainName": "hooks.example.com",
            "http": {"method": "POST", "path": path},
            "requestId": sent.key,
            "stage": "$default",
        },
        "pathParameters": {"source": source},
        "body": body,
        "isBase64Encoded": False,
    }


def simulate(seed: int) -> History:
    """The history of this seed."""
    return _Run(seed).go()
