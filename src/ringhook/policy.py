"""May this phone ring now? A pure function of the call, its route and the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringhook import phone

if TYPE_CHECKING:
    from datetime import datetime

    from ringhook.calls import Call
    from ringhook.routes import Routes


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Suppress:
    """Never ring for this call, because."""

    reason: str


Decision = Ring | Suppress


def decide(call: Call, routes: Routes, now: datetime) -> Decision:
    """Hold a call to its route's policy as it stands at the moment of dialling."""
    route = routes.named(call.route)
    if route is None:
        return Suppress(f"route {call.route!r} is no longer in routes.toml")
    policy = route.policy
    if call.test and policy.test_events == "suppress":
        return Suppress('a test event; test_events = "ring" would let it ring')
    if objection := phone.objection(call.phone_number, routes.countries):
        return Suppress(objection)
    age = now - call.occurred_at
    if age > policy.expires_after:
        late, limit = age.total_seconds() / 60, policy.expires_after.total_seconds() / 60
        return Suppress(
            f"expired: the event is {late:.0f} minutes old, expires_after is {limit:.0f}"
        )
    return Ring('calling hours "any"')
