"""What senders share that can add neither a signature nor a header: a secret in the body."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringhook.errors import BadRequestError, RejectedError, UnavailableError
from ringhook.senders.request import read_payload

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ringhook.senders.request import Request


@dataclass(frozen=True, slots=True)
class BodyToken:
    """A shared secret in the body: `place` is its name, with dots where it is further down.

    The provider `hides` the same place, so that the secret is not kept. A secret of fewer than
    `least` characters is refused: whoever guesses it may ring whom he likes.
    """

    place: str
    least: int = 1

    @property
    def description(self) -> str:
        """As `Scheme` says."""
        return f"the secret itself, in the body's {self.place}"

    def applies(self, request: Request) -> bool:
        """Whether the body holds one."""
        return bool(self._given(request))

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - a shared secret has no age
        """Compare it with each secret. Raises UnavailableError if one is too short."""
        if any(len(secret) < self.least for secret in secrets):
            message = f"the source's secret is too short: give one of {self.least} characters"
            raise UnavailableError(message)
        given = self._given(request).encode(errors="replace")
        same = [hmac.compare_digest(secret.encode(), given) for secret in secrets]
        if not any(same):
            message = f"the body's {self.place} is another one"
            raise RejectedError(message)

    def proven(self, request: Request) -> Request:
        """All of it: who shows the token vouches for what comes with it."""
        return request

    def _given(self, request: Request) -> str:
        try:
            part = read_payload(request)
        except (BadRequestError, RecursionError):
            return ""
        for name in self.place.split("."):
            part = part.get(name) if isinstance(part, dict) else None
        return part if isinstance(part, str) else ""
