"""Fetching what events leave out, from their providers' APIs: GET alone, so it may be repeated."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringhook.clients import wire
from ringhook.errors import CutError, LaterError, UnavailableError, UnmappedError, UnsentError
from ringhook.routing.mapping import Ignored, map_event
from ringhook.senders.enrichment import put, read_answer
from ringhook.telemetry import count, logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ringhook.calls.messages import Asked, ThinEvent
    from ringhook.clients.secret_store import SecretStore
    from ringhook.clients.wire import Response
    from ringhook.routing.routes import Connection, Routes
    from ringhook.senders.enrichment import Lookup
    from ringhook.senders.providers import Event

# A person's record is a few kilobytes.
LARGEST_ANSWER = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Asks with the credentials that `credentials` holds; an answer may take `timeout` seconds.

    `base` (for local runs) is asked instead of https://: at `base`/HOST/PATH. `ask` sends one
    request, as `wire.request` does: it follows no redirect and asks for nothing compressed, so that
    a small answer is not a large one in disguise.
    """

    credentials: SecretStore
    base: str = ""
    timeout: float = 6.0
    clock: Callable[[], float] = time.monotonic
    ask: Callable[[str, str, Mapping[str, str], str | None, float], Response] = wire.request

    def complete(self, thin: ThinEvent, routes: Routes) -> list[Asked]:
        """Fetch the rest of an event, and say what the whole event asks for.

        If the rest can never be fetched, its calls are unmapped. Raises LaterError and
        UnavailableError as `enrich` does.
        """
        connection = routes.sources.get(thin.source)
        if connection is None:
            logger.warning("event.without_source", source=thin.source, topic=thin.topic)
            return []
        try:
            event = self.enrich(thin.event, connection, thin.received_at)
        except UnmappedError as error:
            return asked_of(thin, thin.event, routes, missing=str(error))
        if event.never:
            logger.info("event.never_rings", topic=event.topic, reason=event.never)
        return asked_of(thin, event, routes)

    def enrich(self, event: Event, connection: Connection, now: datetime) -> Event:
        """The event with all that its source fetches for it, in the order that the source says.

        The rules on what must never ring are checked again, on the whole event. Raises LaterError
        if an API may answer later, UnmappedError if it never will, and UnavailableError without a
        credential.
        """
        payload = event.payload
        for lookup in connection.lookups:
            if lookup.takes(event.topic):
                try:
                    answer = self._get(lookup, lookup.address(payload, now))
                    payload = put(payload, lookup.into, answer)
                except LaterError as error:
                    message = f"{lookup.into} cannot be fetched from {lookup.host} now: {error}"
                    raise LaterError(message, error.after) from error
                except UnmappedError as error:
                    message = f"{lookup.into} cannot be fetched from {lookup.host}: {error}"
                    raise UnmappedError(message) from error
        never = connection.provider.forbids(event.topic, payload, now)
        return replace(event, payload=payload, never=never)

    def _get(self, lookup: Lookup, address: str) -> Any:
        credential = self._credential(lookup)
        response = self._ask(lookup, address, credential)
        if response.status == 401:
            # It may have been changed since it was read. Asking again with the same one is idle.
            newer = self._credential(lookup, fresh=True)
            if newer != credential:
                response = self._ask(lookup, address, newer)
        if response.status == 401:
            count("CredentialRejected")
            message = f"the credential {lookup.credential!r} is not accepted"
            raise LaterError(message)
        return read_answer(response.status, response.data, response.retry_after)

    def _credential(self, lookup: Lookup, *, fresh: bool = False) -> str:
        credential = self.credentials.get(fresh=fresh).get(lookup.credential)
        if not isinstance(credential, str) or not credential:
            message = f"the credentials secret has no key {lookup.credential!r}"
            raise UnavailableError(message)
        if not (credential.isascii() and credential.isprintable()):
            # An HTTP library's own complaint would show it.
            message = f"the credential {lookup.credential!r} has characters that no header can hold"
            raise UnavailableError(message)
        return credential

    def _ask(self, lookup: Lookup, address: str, credential: str) -> Response:
        """One request, and its whole answer."""
        address = lookup.vouched(address, credential)
        if self.base:
            address = f"{self.base.rstrip('/')}/{address.removeprefix('https://')}"
        headers = {"Accept": "application/json", **lookup.headers(credential)}
        started = self.clock()
        try:
            response = self.ask("GET", address, headers, None, self.timeout)
        except (UnsentError, CutError) as error:
            raise LaterError(f"no answer ({error})") from error
        logger.info(
            "api.asked",
            host=lookup.host,
            into=lookup.into,
            status=response.status,
            milliseconds=round((self.clock() - started) * 1000),
        )
        if len(response.data) > LARGEST_ANSWER:
            raise UnmappedError(f"the answer is larger than {LARGEST_ANSWER} bytes")
        return response


def asked_of(thin: ThinEvent, event: Event, routes: Routes, *, missing: str = "") -> list[Asked]:
    """What this event asks for. `missing`: why its rest could not be fetched, if it could not."""
    mapped = map_event(
        event,
        routes,
        now=thin.received_at,
        correlation_id=thin.correlation_id,
        missing=missing,
    )
    return [one for one in mapped if not isinstance(one, Ignored)]
