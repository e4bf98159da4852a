"""A call: one intended phone call, known by an id that every copy of its webhook derives again."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

Status = Literal[
    "queued",
    "deferred",
    "calling",
    "initiated",
    "ended",
    "refused",
    "suppressed",
    "cancelled",
    "unmapped",
    "uncertain",
    "forgotten",
]


class FromEvent(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What is known of the event, in everything that an event asks for.

    `route` is "" where the provider's own event asks, and no route. `received_at` is our clock's,
    `occurred_at` the sender's. `correlation_id` is the request's.
    """

    source: str
    provider: str
    route: str = ""
    topic: str = ""
    event_id: str
    occurred_at: datetime
    received_at: datetime
    correlation_id: str = ""
    test: bool = False


class Call(FromEvent, frozen=True, kw_only=True):
    """A call that an event asks for, or why it cannot be made (`unmapped`).

    `payload` (the event's, as gzip in base64) goes along only with an unmapped call, to be replayed
    after a fix. Where the person lives (`time_zone`, `country`, `province`, `postal_code`) is as
    the sender wrote it. `ring_at` is when a call that waits may ring; `appointment` is what it must
    come before. `retention` is how long the ledger keeps it after its last change (None: as long as
    the deployment says). `key` is the route's, for this event; `notify` names whom to tell how the
    call ends.
    """

    call_id: str
    key: str = ""
    account: str = "default"
    agent_id: int = 0
    phone_number: str = ""
    metadata: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    unmapped: str = ""
    time_zone: str = ""
    country: str = ""
    province: str = ""
    postal_code: str = ""
    ring_at: datetime | None = None
    appointment: datetime | None = None
    consent: bool = False
    consent_evidence: str = ""
    retention: timedelta | None = None
    notify: tuple[str, ...] = ()
    payload: str = ""

    @property
    def rings(self) -> bool:
        """Whether a phone can ring for it."""
        return not self.unmapped


def call_id(source: str, route: str, by: Literal["key", "event"], value: str) -> str:
    """The id of the call that this route of this source makes for this key, or this event.

    It depends on nothing that differs between two deliveries of one event, so a redelivery, a
    second subscription, a duplicate in the queue and a replay all meet at one ledger item. A key
    and an event id are told apart, so that a key cannot be made to collide with an event.
    """
    text = json.dumps([source, route, by, value])
    return "call_" + hashlib.sha256(text.encode()).hexdigest()[:32]
