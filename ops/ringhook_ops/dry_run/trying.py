"""What the routes of a file make of the samples of their senders: by the code that serves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from ringhook.calls.call import Call
from ringhook.errors import UnavailableError, UnmappedError
from ringhook.routing.routes import Connection, Route, Routes
from ringhook.senders.enrichment import put
from ringhook.senders.request import Request
from ringhook_ops.dry_run.explaining import Explained, explain
from ringhook_ops.samples import library, webhooks
from ringhook_ops.samples.library import SampleError
from ringhook_ops.sandbox.senders import CREDENTIAL, Senders

# One moment for all, so that the same file gives the same answer whenever it is checked.
NOW = datetime(2026, 7, 14, 16, 0, tzinfo=UTC)
# Senders whose users choose what they send: their samples are examples and no promise.
MADE_BY_USERS = frozenset(
    {
        "basic",
        "bearer",
        "contact-form-7",
        "elementor",
        "framer",
        "frappe",
        "freshdesk",
        "google-forms",
        "gravity-forms",
        "header-token",
        "hmac",
        "odoo",
        "pabbly",
        "power-automate",
        "standard-webhooks",
        "url-token",
        "viasocket",
        "webflow",
        "wpforms",
    }
)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a route makes of a sample that it takes: `rings` (now or later), nobody, or unmapped."""

    route: str
    sample: str
    outcome: Literal["rings", "nobody", "unmapped"]
    reason: str
    phone_number: str = ""

    def as_json(self) -> dict[str, Any]:
        """The row as `ringhook check --json` prints it."""
        return {
            "route": self.route,
            "sample": self.sample,
            "outcome": self.outcome,
            "reason": self.reason,
            "phone_number": self.phone_number or None,
        }


def tried(routes: Routes) -> list[Tried]:
    """A row for each route and each sample of its provider whose topic it takes."""
    rows: list[Tried] = []
    for name, connection in routes.sources.items():
        whole = replace(routes, sources={**routes.sources, name: fetched(connection)})
        for sample, request in _requests(name, routes):
            for row in explain(request, whole, None):
                route = routes.named(row.route or "")
                if route and (route.on is None or row.topic in route.on):
                    rows.append(_tried(route, sample, row))
    return rows


def payloads(route: Route, routes: Routes) -> list[Any]:
    """The samples' payloads that a route takes, with what is fetched for them."""
    connection = fetched(routes.sources[route.source])
    found: list[Any] = []
    for _, request in _requests(route.source, routes):
        provider = connection.provider
        events = provider.events(request, provider.payload(request))
        found += [one.payload for one in events if route.on is None or one.topic in route.on]
    return found


def fetched(connection: Connection) -> Connection:
    """The connection as if what it fetches for the samples' events were in them."""
    if not connection.lookups:
        return connection
    senders, provider = Senders(library.answers()), connection.provider

    def whole(payload: Any) -> list[Any]:
        items = provider.items(payload)
        for lookup in connection.lookups:
            items = [_filled(item, lookup, senders) for item in items]
        return items

    return replace(connection, provider=replace(provider, items=whole), lookups=())


def _filled(item: Any, lookup: Any, senders: Senders) -> Any:
    try:
        address = lookup.vouched(lookup.address(item, NOW), CREDENTIAL).removeprefix("https://")
    except UnmappedError:
        return item  # of a topic that names nobody to fetch
    status, answer = senders.answer(address, lookup.headers(CREDENTIAL), NOW)
    return put(item, lookup.into, answer) if status == 200 else item


def _requests(source: str, routes: Routes) -> Iterator[tuple[str, Request]]:
    provider = routes.sources[source].source.provider
    for name in library.names(provider):
        try:
            sample = library.find(provider, name)
            yield name, webhooks.webhook(sample, routes, now=NOW, source=source)
        except (SampleError, UnavailableError):
            # The source's own settings ask for what the sample has not.
            continue


def _tried(route: Route, sample: str, row: Explained) -> Tried:
    if row.decision in ("ring", "defer") and isinstance(row.asked, Call):
        return Tried(route.name, sample, "rings", row.reason, row.asked.phone_number)
    outcome: Literal["nobody", "unmapped"] = "unmapped" if row.decision == "unmapped" else "nobody"
    return Tried(route.name, sample, outcome, row.reason)
