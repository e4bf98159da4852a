"""One history: the real functions among fakes, and senders that do what senders do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tests.simulation.api import TROUBLES, Api
from tests.simulation.cloud import Function, Scheduler, Secrets, Sqs
from tests.simulation.dynamo import Dynamo
from tests.simulation.facts import History
from tests.simulation.functions import API, Functions, Operator
from tests.simulation.invocation import within
from tests.simulation.plans import HOUR, MINUTE, Plan, Posting, Stop, plan_of
from tests.simulation.senders import SECRETS, routes_of, webhook
from tests.simulation.world import Process, World

from ringhook.clients import wire
from ringhook.errors import CutError, UnsentError


class Run:
    """Everything of one history."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.world = plan, World(plan.seed)
        world = self.world
        self.facts = History(
            seed=plan.seed,
            redials=plan.redials,
            hours=plan.hours,
            expires=plan.expires,
            plan=plan.per_minute,
            troubled=plan.troubled,
            well=plan.well,
            direct=plan.direct,
            marked=plan.marked,
            skew=plan.skew,
            breaker=plan.breaker,
            deaf=all(name in plan.outages or plan.rates.get(name) for name in ("dynamodb", "sqs")),
            stops=[(stop.what, stop.began, stop.ended) for stop in plan.stops],
            sent=[posting.sent for posting in plan.postings],
        )
        routes = routes_of(plan.hours, plan.expires, redials=plan.redials)
        self.sqs = Sqs(world, self._trouble("sqs"), self._die_at)
        self.table = Dynamo(world, self._trouble("dynamodb"))
        self.secrets = Secrets(world, self._trouble("secrets"))
        self.secrets.values = {
            "signing": SECRETS,
            "tokens": {"default": "token-1"},
            "credentials": {"crm": "credential"},
        }
        self.api = Api(world, self._mood, self._lists, {"token-1"})
        self.api.leads = {one.sent.key: one.sent.number for one in plan.postings}
        self.functions = Functions(
            world,
            routes,
            {
                "dynamodb": self.table,
                "sqs": self.sqs,
                "scheduler": Scheduler(world, self.sqs, "calls", self._trouble("scheduler")),
                "secretsmanager": self.secrets,
            },
            {
                "RINGHOOK_DELIVERY": "direct" if plan.direct else "queue",
                "RINGHOOK_CALLS_PER_MINUTE": str(plan.per_minute),
                "RINGHOOK_MARK_CALLS": str(plan.marked).lower(),
                "RINGHOOK_BREAKER_CALLS": str(plan.breaker),
                "RINGHOOK_MAX_CONCURRENCY": str(plan.dialers),
                "RINGHOOK_RETENTION_DAYS": str(plan.retention_days),
            },
            self._ask,
            apart=0.04,
        )
        self.operator = Operator(world, self.sqs, self.table, routes)
        self.sqs.functions = {
            "calls": Function("dialer", self.functions.run("dial"), 60, 360, plan.dialers),
            "told": Function("keeper", self.functions.run("keep"), 30, 180, 10),
        }

    # --- what goes wrong -----------------------------------------------------------------------

    @property
    def _is_troubled(self) -> bool:
        first, last = self.plan.troubled
        return first <= self.world.now < last

    def _trouble(self, name: str) -> Callable[[], str]:
        def trouble() -> str:
            if not self._is_troubled:
                return ""
            if name in self.plan.outages:
                return "throttled"
            if not self.world.chance(self.plan.rates.get(name, 0)):
                return ""
            return self.world.random.choice(["throttled", "lost", "twice"])

        return trouble

    def _die_at(self) -> int:
        if not self._is_troubled or not self.world.chance(4 * self.plan.rates.get("death", 0)):
            return 0
        return self.world.random.randint(1, 12)

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None, timeout: float
    ) -> wire.Response:
        if url.startswith(f"{API}/"):
            answer = self.api.ask(method, url, headers["token"], body, timeout)
        else:
            answer = self.api.lead(url)
        if answer == "unsent":
            raise UnsentError("ConnectionRefusedError")
        if isinstance(answer, str):
            raise CutError("TimeoutError")
        return wire.Response(*answer)

    def _mood(self, number: str) -> str:
        if number in self.plan.never:
            return "never"
        if self.world.now < self.plan.bad_until and self.world.chance(self.plan.badness):
            return self.world.random.choice(self.plan.moods)
        return "well"

    def _lists(self) -> str:
        if self.world.now < self.plan.bad_until and self.world.chance(self.plan.badness / 2):
            return self.world.random.choice(["cut", "500", "loose"])
        return "well"

    # --- what happens --------------------------------------------------------------------------

    def _sweep(self) -> None:
        self.world.at(self.world.now + 5 * MINUTE, self._sweep)
        # Where nothing is overdue it would find nothing.
        due = [float(i["sweep_at"]["N"]) for i in self.table.items.values() if "sweep_at" in i]
        if due and min(due) < self.world.now:
            process = Process("sweep", self.world.now + 30, self._die_at())
            run = self.functions.run("keep")

            def sweep() -> None:
                try:
                    run({}, 30)
                except Exception as error:  # noqa: BLE001 - the next one follows
                    self.world.tell(f"the sweep fails: {error}")

            self.world.start(process, sweep, lambda _: None)

    def _post(self, posting: Posting, tries: int, *, copy: bool = False) -> None:
        """Send it, and again until it is accepted; a copy is sent once."""
        sent = posting.sent
        sent.says = sent.made + self.plan.skew
        event = webhook(sent, self.world.now + self.plan.skew)
        answers: list[int] = []
        if not copy and not sent.began:
            sent.began = self.world.now

        def run() -> None:
            answers.append(self.functions.run("receive")(event, 10)["statusCode"])

        def ended(lived: bool) -> None:
            status = answers[0] if answers and lived else 500
            self.world.tell(f"{sent.does} {sent.key} {sent.version} is answered {status}")
            sent.statuses.append(status)
            if not sent.accepted:
                sent.answered, sent.status = self.world.now, status
            if not sent.accepted and not copy and tries < self.plan.sender_tries:
                wait = min(1800.0, 10.0 * 2**tries)
                self.world.at(self.world.now + wait, lambda: self._post(posting, tries + 1))

        made = datetime.fromtimestamp(sent.made, UTC).strftime("%H:%M:%S")
        more = f", starts {datetime.fromtimestamp(sent.starts, UTC):%H:%M}" if sent.starts else ""
        self.world.tell(f"{sent.does} {sent.key} {sent.version} of {made} for {sent.number}{more}")
        # Direct delivery has as long as API Gateway waits.
        seconds = 29 if self.plan.direct else 10
        self.world.start(Process("receiver", self.world.now + seconds, self._die_at()), run, ended)

    def _rotate(self, at: float, apart: float) -> None:
        """The token changes: now here first, now there, and some minutes apart."""

        def accept() -> None:
            self.world.tell("the API takes a new token, and the old one no more")
            self.api.tokens = {"token-2"}

        def store() -> None:
            self.secrets.values["tokens"] = {"default": "token-2"}

        self.world.at(at, accept)
        self.world.at(at + apart, store)

    def _steer(self) -> None:
        """What an operator does: stops and resumes, and afterwards looks what needs a hand."""
        plan, world = self.plan, self.world

        def begin(stop: Stop) -> Callable[[], None]:
            return lambda: self.operator.stop(stop.what)

        def end(stop: Stop) -> Callable[[], None]:
            return lambda: self.operator.resume(stop.what)

        for stop in plan.stops:
            world.at(stop.began, begin(stop))
            world.at(stop.ended, end(stop))

        def let_go() -> None:
            for what in self.operator.stopped():
                self.operator.resume(what)
                self.facts.resumed.append(world.now)

        def replay() -> None:
            keys = self.operator.replay("refused", "uncertain", "suppressed", "unmapped")
            self.facts.replayed += [(world.now, key) for key in keys]

        if plan.breaker < 1000:
            # They look every hour, for as long as anybody waits.
            last = max(posting.sent.starts for posting in plan.postings)
            for hours in range(3 + max(0, int((last - plan.well) / HOUR))):
                world.at(plan.well + hours * HOUR + MINUTE, let_go)
        if plan.replays:
            world.at(plan.well + 2 * MINUTE, replay)

    def go(self) -> History:
        """Let it all happen."""
        plan, facts, world = self.plan, self.facts, self.world
        for posting in plan.postings:
            world.at(posting.at, lambda posting=posting: self._post(posting, 0))  # type: ignore[misc]
            if posting.copy_at:
                again = lambda posting=posting: self._post(posting, 0, copy=True)  # noqa: E731
                world.at(posting.copy_at, again)
        if plan.rotates:
            self._rotate(*plan.rotates)
        self._steer()
        if not plan.direct:
            self._sweep()
        last = max((sent.starts for sent in facts.sent), default=0.0)
        with within(world):
            facts.rests = world.run(max(facts.well, last) + 40 * HOUR, self._idle_now)
        facts.asked, facts.requests = self.api.asked, self.api.requests
        facts.deaths, facts.dead_letters = world.deaths, len(self.sqs.dead)
        facts.failures, facts.story = world.failures, world.story
        return facts

    def _idle_now(self, due: int) -> bool:
        """Whether nothing is to come but the sweep, which has nothing to find."""
        if due != (not self.plan.direct):
            return False
        return not any("waiting" in item for item in self.table.items.values())


def simulate(seed: int) -> History:
    """The history of this seed."""
    return Run(plan_of(seed, TROUBLES)).go()
