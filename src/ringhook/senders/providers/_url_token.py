"""What senders that can sign nothing share: a secret in the address that they are given."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringhook.errors import RejectedError
from ringhook.senders.request import read_payload, read_query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ringhook.senders.request import Request

PARAMETER = "token"


@dataclass(frozen=True, slots=True)
class UrlToken:
    """A shared secret in the address: `…/hooks/crm?token=SECRET`, or `…/hooks/crm/SECRET`."""

    parameter: str = PARAMETER

    @property
    def description(self) -> str:
        """As `Scheme` says."""
        return (
            f"the secret itself, in the address: …/hooks/NAME?{self.parameter}=SECRET, or"
            " …/hooks/NAME/SECRET"
        )

    def applies(self, request: Request) -> bool:
        """Whether there is one in the address."""
        return bool(request.path_secret) or self.parameter in request.query

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - a shared secret has no age
        """Compare it with each secret."""
        given = self.given(request).encode(errors="replace")
        same = [hmac.compare_digest(secret.encode(), given) for secret in secrets]
        if not any(same):
            place = "in its path" if request.path_secret else f"as its {self.parameter}"
            message = f"the address has another secret {place}"
            raise RejectedError(message)

    def proven(self, request: Request) -> Request:
        """All of it: who knows the address vouches for what is sent there."""
        return request

    def given(self, request: Request) -> str:
        """The secret in the address; "" if there is none."""
        return request.path_secret or request.query.get(self.parameter, "")


def with_query(parameter: str = PARAMETER) -> Callable[[Request], Any]:
    """Read the body's fields with those of the address, but for the secret in it.

    For senders that push with GET, or write into the address that they are given.
    """

    def read(request: Request) -> Any:
        fields = read_query(request, without=parameter)
        if request.method == "GET" or not request.body.strip():
            return fields
        payload = read_payload(request)
        return {**fields, **payload} if isinstance(payload, dict) else payload

    return read
