"""What a scheme accepts, in more detail than a receiver may know, and how a scheme is told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ringhook.errors import RejectedError, UnavailableError
from ringhook.senders.providers._body_token import BodyToken
from ringhook.senders.request import Request
from ringhook.senders.signatures import Basic, HeaderToken, Hmac, Scheme

STALE = re.compile(r"stale: signed (\d+) s (ago|ahead), at most (\d+)")


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
    except UnavailableError:
        return None
    except RejectedError as error:
        stale = STALE.fullmatch(str(error))
        if stale is None:
            return None
        age = int(stale[1]) * (1 if stale[2] == "ago" else -1)
        try:
            scheme.verify(request, [secret], now - timedelta(seconds=age))
        except (RejectedError, UnavailableError, OverflowError):
            return None
        return Proof(age, int(stale[3]))
    return Proof()


def spoken(scheme: Scheme) -> str:
    """How a scheme proves itself, in a line."""
    match scheme:
        case Hmac():
            over = scheme.signed.replace("{body}", "the body").replace("{url}", "the address")
            for name in ("timestamp", "id", "method"):
                over = over.replace(f"{{{name}}}", f"<{name}>")
            algorithm = f"HMAC-{scheme.algorithm.upper()} ({scheme.encoding})"
            return f"{algorithm} over {over}, in the header {scheme.header}"
        case HeaderToken():
            before = f" after {scheme.prefix.strip()!r}" if scheme.prefix else ""
            return f"the secret itself{before}, in the header {scheme.header}"
        case BodyToken():
            return f"the secret itself, in the body's {scheme.place}"
        case Basic():
            return "user and password (HTTP Basic), in the header authorization"
    text = (type(scheme).__doc__ or type(scheme).__name__).partition("\n")[0].rstrip(".")
    return text if text[:2].isupper() else text[0].lower() + text[1:]


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
