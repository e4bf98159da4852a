"""A stand-in for the senders' own APIs: whom it is asked about, for sources that `enrich`."""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from pydantic import Field, field_validator

from ringhook_ops.sandbox.orders import Order

CREDENTIAL = "sandbox-credential"  # what every sender's API takes here, in whichever header


class Said(Order):
    """What is said at the addresses (host, path and query) that `at` matches; `*` is any text.

    `times` None: always.
    """

    at: str
    answer: Any = None
    status: int = Field(default=200, ge=200, le=599)
    times: int | None = Field(default=None, ge=1)

    @field_validator("at")
    @classmethod
    def _host_and_path(cls, at: str) -> str:
        if "/" not in at.strip("/"):
            message = 'must be host and path, such as "api.hubapi.com/crm/v3/*"'
            raise ValueError(message)
        return at


class Senders:
    """Answers GETs as it was told, the latest first; `known` is what it always says."""

    def __init__(self, known: Iterable[Mapping[str, Any]] = ()) -> None:
        """Know these (see `Said`)."""
        self._known = [Said(**one) for one in known]
        self._told: list[Said] = []
        self._asked: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def tell(self, order: object) -> None:
        """Say this from now on; a ValueError names the fields that are wrong."""
        said = Said.read(order)
        with self._lock:
            self._told.insert(0, said)

    def told(self) -> list[dict[str, Any]]:
        """What it was told and still says."""
        with self._lock:
            return [said.model_dump() for said in self._told]

    def asked(self) -> list[dict[str, Any]]:
        """Every request so far, oldest first: when, at which address, and with what status."""
        with self._lock:
            return [one.copy() for one in self._asked]

    def clear(self) -> None:
        """Forget what it was told and asked."""
        with self._lock:
            self._told.clear()
            self._asked.clear()

    def answer(self, address: str, headers: Mapping[str, str], now: datetime) -> tuple[int, Any]:
        """Status and JSON for a GET of this address (without https://)."""
        with self._lock:
            status, answer = 401, {"error": f"the credential here is {CREDENTIAL}"}
            # A few APIs want it in the address.
            if any(CREDENTIAL in value for value in (address, *headers.values())):
                status, answer = self._say(unquote(address))
            row = {"received_at": now.isoformat(), "address": address, "status": status}
            self._asked.append(row)
            return status, answer

    def _say(self, address: str) -> tuple[int, Any]:
        for said in (*self._told, *self._known):
            if fnmatch.fnmatchcase(address, said.at):
                if said.times is not None:
                    said.times -= 1
                    if not said.times:
                        self._told.remove(said)
                return said.status, said.answer
        return 404, {"error": f"nothing is known at {address}: PUT /_sandbox/answers"}
