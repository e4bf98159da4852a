"""What a scheme accepts, in more detail than a receiver may know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ringhook.errors import RejectedError, StaleError, UnavailableError
from ringhook.senders.request import Request
from ringhook.senders.signatures import Scheme


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds; `age` seconds from now (ahead: below 0) where `limit` allows less."""

    age: int = 0
    limit: int = 0

    @property
    def is_fresh(self) -> bool:
        """Whether it holds now, too."""
        return not self.limit

    def __str__(self) -> str:
        when = "ahead of the clock" if self.age < 0 else "old"
        return f"it is {abs(self.age)} s {when}: at most {self.limit} s are allowed"


def prove(scheme: Scheme, request: Request, secret: str, now: datetime) -> Proof | None:
    """Whether the scheme accepts the request, at least at the time at which it was signed."""
    try:
        scheme.verify(request, [secret], now)
    except StaleError as stale:
        age = round(stale.age)
        try:
            scheme.verify(request, [secret], now - timedelta(seconds=age))
        except (RejectedError, UnavailableError, OverflowError):
            return None
        return Proof(age, round(stale.limit))
    except (RejectedError, UnavailableError):
        return None
    return Proof()


class _Asked(dict[str, str]):
    """No headers at all, and a note of each that was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __contains__(self, name: object) -> bool:
        self.names.append(str(name))
        return False

    def get(self, name: str, default: Any = None) -> Any:
        """Nothing, as noted."""
        self.names.append(name)
        return default


def headers_of(scheme: Scheme) -> list[str]:
    """The headers that a scheme's proof stands in, as it tells by looking for them."""
    asked = _Asked()
    nothing = Request(
        source="none",
        method="POST",
        url="https://hooks.example.com/hooks/none",
        headers=asked,
        body=b"",
        received_at=datetime.now(UTC),
    )
    scheme.applies(nothing)
    # A proof in the body is read by these, and stands in neither.
    others = {"content-type", "content-encoding"}
    return [name for name in dict.fromkeys(asked.names) if name not in others]
