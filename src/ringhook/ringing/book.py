"""What dialling needs of a ledger, and what it does without one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ringhook.deciding.policy import History
from ringhook.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from ringhook.calls.call import Call
    from ringhook.calls.consents import Consent
    from ringhook.calls.item import Item
    from ringhook.calls.messages import Export

# What counts a call: its number, where a route limits that, and its day, if there is a budget.
Count = Literal["number", "day"]


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing is asked for an account until `probe_at` (epoch seconds); one call tries it then.

    `since` is when it began; `token` tells the token that was rejected from a newer one.
    """

    reason: str
    cause: str
    since: float
    probe_at: float
    token: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """All that stands about a call before it is decided, read at once.

    `history` is of this number, `hold` of this account. `stops` says, by what is stopped (`all`,
    `route:NAME`, …), why.
    """

    item: Item | None
    number: str = ""
    account: str = ""
    history: History = field(default_factory=History)
    stops: Mapping[str, str] = field(default_factory=dict)
    hold: Hold | None = None


def stopped(stops: Mapping[str, str], call: Call) -> str | None:
    """Why nothing may be asked of the API for this call, if somebody has stopped it."""
    account = f"account:{call.account}"
    for what in ("all", f"route:{call.route}", f"source:{call.source}", account):
        if what in stops:
            return f"stopped ({what}): {stops[what]}"
    return None


class Book(Protocol):
    """What dialling needs of the ledger; `Ledger` says what each promises."""

    def read(self, call_id: str) -> Item | None:
        """The call as it stands."""

    def read_all(self, call_ids: Sequence[str]) -> list[Item]:
        """Those of these calls that there are, as they stand."""
        ...

    def called(self, number: str, execution_id: str) -> str:
        """The id of the call to this number that has this execution; "" if there is none."""
        ...

    def known(self, call_id: str, number: str, account: str, now: datetime) -> Known:
        """The call as it stands, and what is known of its number and account."""
        ...

    def write(
        self,
        item: Item,
        *,
        over: Item | None,
        now: datetime,
        attempt: Mapping[str, Any] | None = None,
        give_back: Collection[Count] = (),
    ) -> Item:
        """Change the call, unless another did meanwhile."""
        ...

    def claim(
        self,
        item: Item,
        *,
        over: Item | None,
        history: History,
        counts: Collection[Count],
        a_day: int | None,
        now: datetime,
    ) -> Item:
        """Take the call and count it, unless anything of it has changed meanwhile."""
        ...

    def hold(self, account: str, hold: Hold, *, over: Hold | None) -> bool:
        """Ask nothing more for an account; whether no other was first."""
        ...

    def let_go(self, account: str) -> None:
        """Ask again for an account."""

    def suppress_number(self, number: str, reason: str, now: datetime) -> None:
        """Never ring this number again."""

    def record_consent(self, number: str, purpose: str, consent: Consent, now: datetime) -> None:
        """Remember what was said."""

    def export(self, wish: Export, now: datetime) -> None:
        """Keep what is known of a number, to be handed out."""

    def forget(self, number: str, now: datetime) -> list[str]:
        """Delete a person's calls; their ids are spent."""
        ...

    def spend(self, call_id: str, now: datetime) -> None:
        """Delete a call and spend its id."""


class NoLedger:
    """The book of a `direct` delivery without a table: it knows but the call in hand."""

    def __init__(self) -> None:
        """Nothing is in hand."""
        self._item: Item | None = None

    def read(self, call_id: str) -> Item | None:
        """The call in hand, so that it is not made twice; of any other it never heard."""
        item = self._item
        return item if item and item.call.call_id == call_id else None

    def read_all(self, call_ids: Sequence[str]) -> list[Item]:
        """The call in hand, if it is one of them."""
        return [item for one in call_ids if (item := self.read(one))]

    def called(self, number: str, execution_id: str) -> str:  # noqa: ARG002 - as Book
        """Nothing was kept."""
        return ""

    def known(self, call_id: str, number: str, account: str, now: datetime) -> Known:  # noqa: ARG002 - as Book
        """The call in hand."""
        return Known(self.read(call_id), number, account)

    def write(
        self,
        item: Item,
        *,
        over: Item | None,
        now: datetime,  # noqa: ARG002 - as Book
        attempt: Mapping[str, Any] | None = None,  # noqa: ARG002 - as Book
        give_back: Collection[Count] = (),  # noqa: ARG002 - as Book
    ) -> Item:
        """Keep it in hand; the log has it."""
        self._item = replace(item, version=over.version + 1 if over else 1)
        return self._item

    def claim(
        self,
        item: Item,
        *,
        over: Item | None,
        history: History,  # noqa: ARG002 - as Book
        counts: Collection[Count],  # noqa: ARG002 - as Book
        a_day: int | None,  # noqa: ARG002 - as Book
        now: datetime,
    ) -> Item:
        """Keep it in hand, counted nowhere."""
        return self.write(item, over=over, now=now)

    def hold(self, account: str, hold: Hold, *, over: Hold | None) -> bool:  # noqa: ARG002 - as Book
        """Nothing is kept for others."""
        return True

    def let_go(self, account: str) -> None:
        """Nothing was kept."""

    def suppress_number(self, number: str, reason: str, now: datetime) -> None:  # noqa: ARG002 - as Book
        """Refuse: to forget that somebody may not be rung would be worse than an error."""
        message = "this deployment has no ledger to keep a do-not-call list in"
        raise UnavailableError(message)

    def record_consent(
        self,
        number: str,  # noqa: ARG002 - as Book
        purpose: str,  # noqa: ARG002
        consent: Consent,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> None:
        """Refuse, for the same reason."""
        message = "this deployment has no ledger to keep consents in"
        raise UnavailableError(message)

    def export(self, wish: Export, now: datetime) -> None:
        """Nothing was kept."""

    def forget(self, number: str, now: datetime) -> list[str]:  # noqa: ARG002 - as Book
        """Nothing was kept."""
        return []

    def spend(self, call_id: str, now: datetime) -> None:
        """Nothing was kept."""
