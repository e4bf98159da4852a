"""Fetching what events leave out, from their providers' APIs: GET alone, so it may be repeated."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.exceptions import HTTPError

from ringhook.errors import LaterError, UnavailableError, UnmappedError
from ringhook.routing.mapping import Ignored, map_event
from ringhook.senders.enrichment import put, read_answer
from ringhook.telemetry import count, logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ringhook.calls.messages import Asked, ThinEvent
    from ringhook.clients.secret_store import SecretStore
    from ringhook.routing.routes import Connection, Routes
    from ringhook.senders.enrichment import Lookup
    from ringhook.senders.providers import Event

# A person's record is a few kilobytes.
LARGEST_ANSWER = 500_000
_CONNECT_TIMEOUT = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Asks with the credentials that `credentials` holds; an answer may take `timeout` seconds.

    `base` (for local runs) is asked instead of https://: at `base`/HOST/PATH.
    """

    credentials: SecretStore
    base: str = ""
    timeout: float = 6.0
    clock: Callable[[], float] = time.monotonic

    def complete(self, thin: ThinEvent, routes: Routes) -> list[Asked]:
        """What an event asks for once its rest is fetched; unmapped calls if it never can be.

        Raises as `enrich` does for what may be otherwise later.
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

        What must never ring is asked anew: the fetched part may tell. Raises LaterError if an API
        may answer later, UnmappedError if it never will, and UnavailableError without a credential.
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
        status, retry_after, data = self._ask(lookup, address, credential)
        if status == 401:
            # It may have been changed since it was read. Asking again with the same one is idle.
            newer = self._credential(lookup, fresh=True)
            if newer != credential:
                status, retry_after, data = self._ask(lookup, address, newer)
        if status == 401:
            count("CredentialRejected")
            message = f"the credential {lookup.credential!r} is not accepted"
            raise LaterError(message)
        return read_answer(status, data, retry_after)

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

    def _ask(self, lookup: Lookup, address: str, credential: str) -> tuple[int, str | None, bytes]:
        """One request: its status, Retry-After and, if it succeeded, its body."""
        address = lookup.vouched(address, credential)
        if self.base:
            address = f"{self.base.rstrip('/')}/{address.removeprefix('https://')}"
        # Not compressed, so that a small answer is not a large one in disguise.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        started = self.clock()
        timeout = urllib3.Timeout(connect=_CONNECT_TIMEOUT, read=self.timeout)
        try:
            with urllib3.PoolManager(retries=False, timeout=timeout) as http:
                response = http.request(
                    "GET",
                    address,
                    headers=headers | lookup.headers(credential),
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                )
                try:
                    ok = 200 <= response.status < 300
                    data = self._body(response, started + self.timeout) if ok else b""
                finally:
                    response.close()
        except HTTPError as error:
            message = f"no answer ({type(error).__name__})"
            raise LaterError(message) from error
        logger.info(
            "api.asked",
            host=lookup.host,
            into=lookup.into,
            status=response.status,
            milliseconds=round((self.clock() - started) * 1000),
        )
        return response.status, response.headers.get("Retry-After"), data

    def _body(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        """The body, as long as it comes in time and is of a person's size."""
        body = b""
        while chunk := response.read1(65_536):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                message = f"the answer is larger than {LARGEST_ANSWER} bytes"
                raise UnmappedError(message)
            if self.clock() > deadline:
                message = "the answer takes too long"
                raise LaterError(message)
        return body


def asked_of(thin: ThinEvent, event: Event, routes: Routes, *, missing: str = "") -> list[Asked]:
    """What the event asks for, as if it had come so; `missing` is why it is still not whole."""
    mapped = map_event(
        event,
        routes,
        now=thin.received_at,
        correlation_id=thin.correlation_id,
        missing=missing,
    )
    return [one for one in mapped if not isinstance(one, Ignored)]
