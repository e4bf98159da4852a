"""What senders that can sign nothing share: a secret in the address that they are given."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringhook.errors import RejectedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ringhook.request import Request


@dataclass(frozen=True, slots=True)
class UrlToken:
    """A shared secret in a parameter of the address: `…/hooks/crm?token=…`."""

    parameter: str = "token"

    def applies(self, request: Request) -> bool:
        """Whether the address has the parameter."""
        return self.parameter in request.query

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - a shared secret has no age
        """Compare the parameter with each secret."""
        given = request.query.get(self.parameter, "").encode(errors="replace")
        same = [hmac.compare_digest(secret.encode(), given) for secret in secrets]
        if not any(same):
            message = f"the address has another secret as its {self.parameter}"
            raise RejectedError(message)
