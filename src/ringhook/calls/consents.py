"""What a person said of being called, kept so that a lawyer can use it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person said of being called for a purpose, and how it is known.

    `given_at`: when it was said, by the sender's clock; `expires_at`: until when it counts (None:
    until it is withdrawn); `text`: the words agreed to, or their version, where the event tells.
    """

    granted: bool
    evidence: str
    given_at: datetime | None = None
    expires_at: datetime | None = None
    text: str = ""

    def as_item(self, now: datetime) -> dict[str, Any]:
        """The consent as a ledger item, with the time at which it is recorded."""
        times = {"at": now, "given_at": self.given_at, "expires_at": self.expires_at}
        kept = {name: time.isoformat() for name, time in times.items() if time}
        text = {"text": self.text} if self.text else {}
        return {"granted": self.granted, "evidence": self.evidence, **kept, **text}


def from_item(item: Mapping[str, Any]) -> Consent:
    """Read a consent from a ledger item, or from an export of one."""
    given_at, expires_at = item.get("given_at"), item.get("expires_at")
    return Consent(
        granted=item["granted"] is True,
        evidence=item.get("evidence", ""),
        given_at=datetime.fromisoformat(given_at) if given_at else None,
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
        text=item.get("text", ""),
    )


def stands(said: Consent, before: Consent | None) -> bool:
    """Whether this consent replaces the one that is kept.

    The one that the person said last counts, in whatever order they arrive. Of two that were said
    at the same time, the withdrawal counts.
    """
    return before is None or _weight(said) >= _weight(before)


def _weight(consent: Consent) -> tuple[datetime, bool]:
    return consent.given_at or datetime.min.replace(tzinfo=UTC), not consent.granted
