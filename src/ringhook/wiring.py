"""The one place where the functions are put together from what they ask the outside with.

All of that is in `World`: who plays it (a simulation, a test) plays the outside.
"""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from ringhook.clients import services, wire
from ringhook.clients.alarm_clock import AlarmClock
from ringhook.clients.fetching import Fetcher
from ringhook.clients.ledger import Ledger
from ringhook.clients.pace import Pacer
from ringhook.clients.queue import CallQueue
from ringhook.clients.secret_store import SecretStore
from ringhook.clients.unleashx import UnleashX
from ringhook.ringing.attempts import Dialing
from ringhook.ringing.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from ringhook.routing.routes import Routes
    from ringhook.settings import Settings

# A lease outlives the invocation that took it, whatever its clock says.
LEASE_MARGIN = 5.0
# What an invocation needs beside the API's answer: to connect, to claim, to write, its margin.
_PATIENCE = 3.0 + LEASE_MARGIN + 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that the functions ask the outside with.

    `client` gives a client of an AWS service; `clock` epoch seconds, `monotonic` seconds that never
    go back, `jitter` 0 to 1, `names` a new owner's name each time; `ask` sends one request to the
    API, or to a sender's (see `wire.request`).
    """

    client: Callable[[str], Any] = services.client
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    names: Callable[[], str] = lambda: secrets.token_hex(12)
    ask: Callable[[str, str, Mapping[str, str], str | None, float], wire.Response] = wire.request

    def ledger(self, config: Settings, zone: tzinfo = UTC) -> Ledger:
        """The ledger; by `zone` a day of the budget begins."""
        retention = timedelta(days=config.retention_days)
        return Ledger(self.client("dynamodb"), config.table_name, retention, zone)

    def secret(self, arn: str) -> SecretStore:
        """A secret."""
        return SecretStore(self.client("secretsmanager"), arn, self.monotonic)

    def api(self, config: Settings) -> UnleashX:
        """The Global Call API."""
        return UnleashX(
            config.unleashx_url, config.api_timeout, marked=config.mark_calls, ask=self.ask
        )

    def fetcher(self, config: Settings) -> Fetcher:
        """The client that fetches what events leave out."""
        credentials = self.secret(config.credentials)
        return Fetcher(
            credentials=credentials, base=config.enrich_url, clock=self.monotonic, ask=self.ask
        )

    def queue(self, config: Settings) -> CallQueue:
        """The calls queue, as the receiver and the dialer send to it."""
        alarm_clock = None
        if config.schedule_group:
            alarm_clock = AlarmClock(
                self.client("scheduler"),
                config.schedule_group,
                config.schedule_role,
                config.queue_arn,
                config.dead_letters,
            )
        sqs = self.client("sqs")
        return CallQueue(sqs, config.queue_url, alarm_clock, config.told_queue_url)

    def told_queue(self, config: Settings) -> CallQueue:
        """The queue of cancels and wishes, as the keeper takes from it."""
        return CallQueue(self.client("sqs"), config.told_queue_url)

    def dialing(self, config: Settings, routes: Routes) -> Dialing:
        """The runner that brings each call as far as it gets now."""
        ledger = self.ledger(config, routes.zone)
        return Dialing(
            api=self.api(config),
            book=ledger,
            routes=routes,
            tokens=self.secret(config.tokens),
            clock=self.clock,
            jitter=self.jitter,
            names=self.names,
            pace=Pacer(
                ledger.table,
                config.calls_per_minute,
                self.clock,
                self.sleep,
                dialers=config.max_concurrency,
            ),
            patience=config.api_timeout + _PATIENCE,
            breaker=Breaker(ledger, config.breaker_calls),
        )
