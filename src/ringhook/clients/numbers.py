"""What the ledger knows of a number: whether it may be rung, what was agreed, when it was rung.

Keys: `number#<E.164>`, in clear, since an operator must be able to export the numbers that may not
be rung, and they stay when a person's calls are forgotten; `export#<id>` for what a person who
asked was known by then; `forgotten#<mark>` for when a person was erased. Of an erased call nothing
stays but that its id is spent, so that no redelivery and no dead letter rings for it again.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ringhook.calls.consents import Consent, from_item, stands
from ringhook.clients.table import ALWAYS, Table, Update, as_json, stamp
from ringhook.deciding.policy import History
from ringhook.errors import ConflictError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ringhook.calls.call import Call
    from ringhook.calls.messages import Export

# The caps look back this far at most (routes.py refuses longer ones).
LONGEST_CAP = timedelta(days=31)
_TRIES = 10
# For as long a person who asks must be answered (GDPR, art. 12 (3)).
_EXPORT_KEPT = timedelta(days=30)
_LARGEST_EXPORT = 300_000  # characters; DynamoDB takes 400 kB an item
# An event may wait in the queue and then among the dead letters, 14 days in each at most.
_LONGEST_REDRIVE = timedelta(days=28)
# No version that a dialer may have read of a call, so that none writes over a spent id.
SPENT = -1


class Numbers:
    """What is known of numbers, in this table; spent ids stay for `retention` at least."""

    def __init__(self, table: Table, retention: timedelta) -> None:
        """Ask nothing yet."""
        self.table = table
        self._retention = retention

    def suppress_number(self, number: str, reason: str, now: datetime) -> None:
        """Never ring this number again, for any route."""
        self._change_number(number, lambda _: {"do_not_call": reason}, now)

    def allow_number(self, number: str, now: datetime) -> None:
        """Take a number off the do-not-call list."""
        self._change_number(number, lambda _: {"do_not_call": ""}, now)

    def record_consent(self, number: str, purpose: str, consent: Consent, now: datetime) -> None:
        """Remember what a person said of being called for a purpose, and how it is known."""

        def with_it(known: dict[str, Any]) -> dict[str, Any]:
            consents = known.get("consents", {})
            before = from_item(consents[purpose]) if purpose in consents else None
            if not stands(consent, before):
                return {"consents": consents}
            return {"consents": consents | {purpose: consent.as_item(now)}}

        self._change_number(number, with_it, now)

    def release(self, call: Call, now: datetime) -> None:
        """Do not count a call any more that was provably not made."""

        def without(known: dict[str, Any]) -> dict[str, Any]:
            return {"rung": {c: at for c, at in known.get("rung", {}).items() if c != call.call_id}}

        self._change_number(call.phone_number, without, now)

    def calls_to(self, number: str) -> list[dict[str, Any]]:
        """Every call's item that this number has, oldest first."""
        return [item for item in self._items_of(number) if "call_id" in item]

    def _items_of(self, number: str) -> list[dict[str, Any]]:
        found = self.table.query(
            "by-phone",
            KeyConditionExpression="phone_number = :number",
            ExpressionAttributeValues={":number": {"S": number}},
        )
        return list(found)

    def export(self, wish: Export, now: datetime) -> None:
        """Keep what is known of this number now, for an operator to hand out.

        The newest calls, if not all have a place in one item (`left_out` says how many have not).
        """
        number = wish.phone_number
        known = self.table.one(f"number#{number}") if number else None
        calls = self.calls_to(number) if number else []
        kept: list[dict[str, Any]] = []
        size = 0
        for item in reversed(calls):
            size += len(json.dumps(as_json(item)))
            if size > _LARGEST_EXPORT:
                break
            kept.append(item)
        item = {
            "source": wish.source,
            "topic": wish.topic,
            "event_id": wish.event_id,
            "phone_number": number or None,
            "number": known,
            "calls": kept,
            "left_out": len(calls) - len(kept),
            "created_at": now.isoformat(),
            "expires_at": int((now + _EXPORT_KEPT).timestamp()),
        }
        self.table.update(Update(key=f"export#{wish.wish_id}", item=item | stamp(now)))

    def forget(self, number: str, now: datetime) -> list[str]:
        """Delete a person's calls, exports and consents; the call_ids that were deleted.

        That the number may not be rung stays known, if it was: an erased person who is rung again
        is worse off than one whose number stays on a list. Their calls' ids are spent; and what
        was asked for before, and is not in the ledger yet, is known by the number's mark.
        """
        until = self._spent_until(now)
        self.table.put(mark(number), {"at": now.timestamp(), "expires_at": until, **stamp(now)})
        items = self._items_of(number)
        known = self.table.one(f"number#{number}") or {}
        forgotten = [item["call_id"] for item in items if "call_id" in item]
        rung = [one.partition(".")[0] for one in known.get("rung", {})]
        for call_id in dict.fromkeys([*forgotten, *rung]):
            self.spend(call_id, now)
        for item in items:
            if "call_id" not in item:
                self.delete(item["pk"])
        if known.get("do_not_call"):
            self._change_number(number, lambda _: {"consents": {}, "rung": {}}, now)
        elif known:
            self.delete(f"number#{number}")
        return forgotten

    def spend(self, call_id: str, now: datetime) -> None:
        """Delete a call, and keep that its id is spent: it never rings again."""
        item = {"call_id": call_id, "status": "forgotten", "version": SPENT}
        until = self._spent_until(now)
        self.table.put(f"call#{call_id}", {**item, "expires_at": until, **stamp(now)})

    def delete(self, key: str) -> None:
        """Delete an item. Raises UnavailableError if nothing answers."""
        self.table.delete(key)

    def _spent_until(self, now: datetime) -> int:
        return int((now + max(self._retention, _LONGEST_REDRIVE)).timestamp())

    def _change_number(
        self, number: str, change: Callable[[dict[str, Any]], dict[str, Any]], now: datetime
    ) -> None:
        """Change what is known of a number; anew, if another changed it meanwhile."""
        for _ in range(_TRIES):
            known = self.table.one(f"number#{number}") or {}
            changed = change(known)
            after = known | changed
            kept = bool(after.get("do_not_call") or after.get("consents"))
            version = int(known.get("version", 0))
            try:
                self.table.update(number_update(number, changed, version, kept=kept, now=now))
            except ConflictError:
                continue
            return
        message = "what is known of a number is changed by too many at once"
        raise UnavailableError(message)


def number_update(
    number: str, item: Mapping[str, Any], version: int, *, kept: bool, now: datetime
) -> Update:
    """Write a number's item over this version. Unless `kept`, it expires when no cap needs it."""
    expires_at = None if kept else int((now + LONGEST_CAP).timestamp())
    about = {"number": number, "version": version + 1, "expires_at": expires_at}
    return Update(
        key=f"number#{number}",
        item={**item, **about} | stamp(now),
        condition="version = :version" if version else "attribute_not_exists(version)",
        values={":version": version} if version else {},
    )


def number_check(number: str, version: int) -> Update:
    """Whether it is still this version of a number's item."""
    return Update(
        key=f"number#{number}",
        condition="version = :version" if version else "attribute_not_exists(version)",
        values={":version": version} if version else {},
        check=True,
    )


def day_update(day: str, step: int, expires_at: int, limit: int | None, now: datetime) -> Update:
    """Count a call for a day of a budget, up to a limit; or take it back."""
    return Update(
        key=f"day#{day}",
        item={"expires_at": expires_at} | stamp(now),
        condition=ALWAYS if limit is None else "attribute_not_exists(calls) OR calls < :limit",
        values={} if limit is None else {":limit": limit},
        add={"calls": step},
    )


def history_of(
    known: Mapping[str, Any], today: Mapping[str, Any], mark: Mapping[str, Any]
) -> History:
    """Read a number's history from its own item, the day's item and the mark of an erasure."""
    return History(
        do_not_call=known.get("do_not_call", ""),
        consents={purpose: from_item(one) for purpose, one in known.get("consents", {}).items()},
        rung={call_id: float(at) for call_id, at in known.get("rung", {}).items()},
        today=int(today.get("calls", 0)),
        version=int(known.get("version", 0)),
        forgotten_at=float(mark.get("at", 0)),
    )


def mark(number: str) -> str:
    """The key that marks an erased number. It is so short that many numbers share it."""
    return f"forgotten#{hashlib.sha256(number.encode()).hexdigest()[:5]}"
