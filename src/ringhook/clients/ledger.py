"""The ledger: one DynamoDB item a call, and what is known of a number that may be rung.

Every change is written on the condition that the item is still what was read (`version`), so of two
that change one item at once, one is told to read it again. A claim is one transaction: the call,
the counts of its number, and the day's if there is a budget; whoever claimed is its owner, and
knows its own claim again after an answer that was lost.

Keys: `call#<call_id>`; those of `numbers.py`; `day#<date>` for the calls of a day, if they are
limited; `stops` for what an operator has stopped; `hold#<account>` for an account that cannot ring.
"""

from __future__ import annotations

import zlib
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from ringhook.calls import outcomes
from ringhook.calls.call import Call
from ringhook.calls.item import Cancel, Item
from ringhook.calls.lifecycle import rung_before
from ringhook.calls.outcomes import Outcome
from ringhook.clients.numbers import (
    LONGEST_CAP,
    SPENT,
    Numbers,
    day_update,
    history_of,
    mark,
    number_check,
    number_update,
)
from ringhook.clients.table import NEW, Table, Update, as_json, stamp
from ringhook.errors import ConflictError, UnavailableError
from ringhook.ringing.book import Hold, Known

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from mypy_boto3_dynamodb import DynamoDBClient

    from ringhook.clients.services import DynamoDb
    from ringhook.deciding.policy import History
    from ringhook.ringing.book import Count

_CALL_FIELDS = frozenset(Call.__struct_fields__)
# What of a call is kept beside it, or not at all.
_NOT_KEPT = {"payload", "unmapped", "phone_number"}
# Whom the payload of an unmapped call is about cannot always be told, so nobody could forget it on
# request: it goes by itself, well within the month that GDPR, art. 12 (3), and Shopify give.
_UNMAPPED_KEPT = timedelta(days=14)
# What waits is in so many parts of an index, so that none takes all of its writes; and is overdue
# so many seconds after its time, since a wake may have a few messages before it.
_SHARDS, _GRACE, _RANG = 8, 120.0, "rang-"
_TRIES = 10
# So many items are read in one request.
_TOGETHER = 100


class Ledger(Numbers):
    """The table of this name."""

    def __init__(
        self,
        client: DynamoDBClient | DynamoDb,
        table: str,
        retention: timedelta,
        zone: tzinfo = UTC,
    ) -> None:
        """Keep calls for `retention` after their last change, unless a call says how long.

        By `zone` a day of the budget begins.
        """
        super().__init__(Table(client, table), retention)
        self._zone = zone

    def read(self, call_id: str) -> Item | None:
        """The call as it stands now; None if it was never heard of.

        Raises UnavailableError if the table cannot be asked: then nobody may dial.
        """
        found = self.table.one(f"call#{call_id}")
        return _item(found) if found else None

    def known(self, call_id: str, number: str, account: str, now: datetime) -> Known:
        """The call, what is known of the number, of today, of stops and holds, in one request."""
        call, person, erased = f"call#{call_id}", f"number#{number}", mark(number)
        day, hold = f"day#{self._day(now)}", f"hold#{account}"
        found = self.table.get([call, day, hold, "stops", *([person, erased] if number else [])])
        about = found.get(hold)
        return Known(
            _item(found[call]) if call in found else None,
            number,
            account,
            history_of(found.get(person, {}), found.get(day, {}), found.get(erased, {})),
            found.get("stops", {}).get("stops", {}),
            _hold(about) if about else None,
        )

    def history(self, number: str, now: datetime) -> History:
        """What is known of a number, and of today."""
        return self.known("", number, "", now).history

    def write(
        self,
        item: Item,
        *,
        over: Item | None,
        now: datetime,
        attempt: Mapping[str, Any] | None = None,
        give_back: Collection[Count] = (),
    ) -> Item:
        """Make the call so as it was read (`over`; None: it was not there).

        `attempt` is what was asked of the API for it. `give_back` are the counts to be taken back,
        since no phone rang. Raises ConflictError if it is not as it was read any more,
        UnavailableError if nothing answers, UnstorableError if the table cannot hold it.
        """
        change = self._changed(item, over, now, attempt)
        version = over.version if over else 0
        if give_back:
            backs = [self._back(item, count, now) for count in sorted(give_back)]
            try:
                self.table.transact([change, *backs], f"{item.call.call_id[-24:]}-{version}")
            except ConflictError:
                # Of them all, the call is what matters; the number may be forgotten by now.
                self.table.update(change)
                self.release(item.call, now)
        else:
            self.table.update(change)
        return replace(item, version=version + 1)

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
        """Take the call for its `owner`, on what was read of it and of its number (`history`).

        `counts` are those that it is counted for; `a_day`: how many calls may be made today. Raises
        ConflictError if another took or changed any of it: then nothing is done. Also if it was
        done, and the answer lost: then the owner is to look.
        """
        call = item.call
        changes = [self._changed(item, over, now, None)]
        if "number" in counts:
            kept = bool(history.do_not_call or history.consents)
            rung = _rung(history, item, now)
            changes.append(
                number_update(
                    call.phone_number, {"rung": rung}, history.version, kept=kept, now=now
                )
            )
        else:
            changes.append(number_check(call.phone_number, history.version))
        if "day" in counts:
            changes.append(self._counted(now, 1, a_day))
        self.table.transact(changes, item.owner)
        return replace(item, version=(over.version if over else 0) + 1)

    def hold(self, account: str, hold: Hold, *, over: Hold | None) -> bool:
        """Ask nothing more for an account until the hold's probe; False if another was first."""
        update = Update(
            key=f"hold#{account}",
            item=asdict(hold),
            condition="probe_at = :probe_at" if over else NEW,
            values={":probe_at": over.probe_at} if over else {},
        )
        try:
            self.table.update(update)
        except ConflictError:
            return False
        return True

    def let_go(self, account: str) -> None:
        """Ask again for an account."""
        self.table.delete(f"hold#{account}")

    def _back(self, item: Item, count: Count, now: datetime) -> Update:
        if count == "day":
            return self._counted(item.asked_at or now, -1, None)
        return Update(
            key=f"number#{item.call.phone_number}",
            item=stamp(now),
            condition="attribute_exists(#rung.#call)",
            names={"#rung": "rung", "#call": item.call.call_id},
            remove=["#rung.#call"],
            add={"version": 1},
        )

    def stops(self) -> dict[str, str]:
        """What is stopped, and why."""
        found = self.table.one("stops") or {}
        return dict(found.get("stops", {}))

    def stop(self, what: str, reason: str, now: datetime) -> None:
        """Ask the API for nothing more of `what`: all, route:NAME, source:NAME or account:NAME."""
        self._change_stops(lambda stops: stops | {what: reason}, now)

    def resume(self, what: str, now: datetime) -> None:
        """Let it go on from where it is."""
        self._change_stops(lambda stops: {k: v for k, v in stops.items() if k != what}, now)

    def _change_stops(
        self, change: Callable[[dict[str, str]], dict[str, str]], now: datetime
    ) -> None:
        for _ in range(_TRIES):
            found = self.table.one("stops") or {}
            version = int(found.get("version", 0))
            update = Update(
                key="stops",
                item={"stops": change(found.get("stops", {})), "version": version + 1} | stamp(now),
                condition="version = :version" if version else NEW,
                values={":version": version} if version else {},
            )
            try:
                self.table.update(update)
            except ConflictError:
                continue
            return
        message = "what is stopped is changed by too many at once"
        raise UnavailableError(message)

    # The sweep: what waits or is busy stands in an index, sorted by when it should have been taken
    # up at the latest.

    def overdue(self, now: float, limit: int) -> Iterator[tuple[str, float]]:
        """The ids of calls that should have been taken up by now, and when; `limit` at most."""
        return self._due("", now, limit)

    def rang(self, now: float, limit: int) -> Iterator[tuple[str, float]]:
        """The ids of calls that rang, and of which it is to be asked now how they ended."""
        return self._due(_RANG, now, limit)

    def _due(self, lane: str, now: float, limit: int) -> Iterator[tuple[str, float]]:
        for shard in range(_SHARDS):
            found = self.table.query(
                "by-due",
                KeyConditionExpression="waiting = :shard AND sweep_at < :now",
                ExpressionAttributeValues={
                    ":shard": {"S": f"{lane}{shard}"},
                    ":now": {"N": repr(now)},
                },
            )
            for item in islice(found, limit // _SHARDS):
                yield item["pk"].removeprefix("call#"), float(item["sweep_at"])

    def called(self, number: str, execution_id: str) -> str:
        """The id of the call to this number that has this execution; "" if there is none."""
        items = (one for one in self.calls_to(number) if one.get("execution_id") == execution_id)
        return str(next((one["call_id"] for one in items), ""))

    def read_all(self, call_ids: Sequence[str]) -> list[Item]:
        """Those of these calls that there are. Raises UnavailableError."""
        found: list[Item] = []
        for first in range(0, len(call_ids), _TOGETHER):
            keys = [f"call#{one}" for one in call_ids[first : first + _TOGETHER]]
            found += [_item(one) for one in self.table.get(keys).values()]
        return found

    def swept(self, call_id: str, since: float, until: float) -> bool:
        """Leave an overdue call to its wake until then; whether it was still overdue."""
        update = Update(
            key=f"call#{call_id}",
            item={"sweep_at": until},
            condition="sweep_at = :since",
            values={":since": since},
        )
        try:
            self.table.update(update)
        except ConflictError:
            return False
        return True

    def _counted(self, now: datetime, step: int, limit: int | None) -> Update:
        expires_at = int((now + timedelta(days=7)).timestamp())
        return day_update(self._day(now), step, expires_at, limit, now)

    def _day(self, now: datetime) -> str:
        return now.astimezone(self._zone).date().isoformat()

    def _changed(
        self, item: Item, over: Item | None, now: datetime, attempt: Mapping[str, Any] | None
    ) -> Update:
        version = over.version if over else 0
        append: dict[str, Any] = {}
        if over is None or (item.status, item.reason) != (over.status, over.reason):
            append["decisions"] = {
                "at": now.isoformat(),
                "status": item.status,
                "reason": item.reason,
            }
        if attempt:
            append["attempts"] = dict(attempt)
        fields = self._fields(item, now) | {"version": version + 1}
        if over is None:
            fields["created_at"] = now.isoformat()
        return Update(
            key=f"call#{item.call.call_id}",
            item=fields,
            condition="version = :version" if over else NEW,
            values={":version": version} if over else {},
            append=append,
        )

    def _fields(self, item: Item, now: datetime) -> dict[str, Any]:
        call = item.call
        kept = self._retention if call.retention is None else call.retention
        if item.status == "unmapped":
            kept = min(kept, _UNMAPPED_KEPT)
        # One that waits is there when its time comes, however far off that is.
        last = max(now.timestamp(), item.due_at or 0.0)
        said = _said(call)
        fields = {k: None if v == "" else v for k, v in said.items() if k not in _NOT_KEPT}
        fields |= {
            "status": item.status,
            "reason": item.reason,
            "due_at": item.due_at,
            "waiting": _lane(item),
            "sweep_at": item.due_at
            if item.due_at is None or item.awaits_outcome
            else item.due_at + _GRACE,
            "owner": item.owner or None,
            "asked_at": item.asked_at.isoformat() if item.asked_at else None,
            "attempt_count": item.requests,
            "ringing": item.ringing,
            "redials": item.redials or None,
            "looks": item.looks,
            "waits": item.waits,
            "execution_id": item.execution_id or None,
            "seen": list(item.seen),
            "cancel": _word(item.cancel) if item.cancel else None,
            "next": _said(item.next) | {"payload": ""} if item.next else None,
            "expires_at": int(last + kept.total_seconds()),
            "day": now.date().isoformat(),
            **_ended(item),
            "payload": call.payload if item.status == "unmapped" else None,
            # An index's key may not be empty.
            "phone_number": call.phone_number or None,
        }
        return fields | stamp(now)


def _rung(history: History, item: Item, now: datetime) -> dict[str, float]:
    """When the number was rung, with this call."""
    oldest = (now - LONGEST_CAP).timestamp()
    rung = {one: at for one, at in rung_before(item, history.rung).items() if at > oldest}
    return rung | {item.call.call_id: now.timestamp()}


def _lane(item: Item) -> str | None:
    """In which part of the index it waits, if it waits: what rang stands apart."""
    if item.due_at is None:
        return None
    shard = str(zlib.crc32(item.call.call_id.encode()) % _SHARDS)
    return _RANG + shard if item.awaits_outcome else shard


def _ended(item: Item) -> dict[str, Any]:
    """How it ended: of the last attempt, for who reads the item; and of each of them."""
    said = outcomes.as_json(item.outcome) if item.outcome else {}
    names = (one.name for one in fields(Outcome) if one.name not in ("attempt", "final"))
    rows = [outcomes.as_json(one) for one in item.outcomes]
    return {name: said.get(name) for name in names} | {"outcomes": rows or None}


def _word(cancel: Cancel) -> dict[str, str]:
    return {
        "topic": cancel.topic,
        "event_id": cancel.event_id,
        "occurred_at": cancel.occurred_at.isoformat(),
        "received_at": cancel.received_at.isoformat(),
    }


def _item(found: Mapping[str, Any]) -> Item:
    if found["status"] == "forgotten":
        at = datetime.fromisoformat(found["updated_at"])
        call = Call(
            call_id=found["call_id"],
            source="",
            provider="",
            event_id="",
            occurred_at=at,
            received_at=at,
        )
        return Item(call=call, status="forgotten", version=SPENT)
    fields = as_json(dict(found))
    asked_at, cancel, following = (fields.get(name) for name in ("asked_at", "cancel", "next"))
    due_at = fields.get("due_at")
    if due_at is None and fields["status"] == "calling":
        due_at = fields.get("lease_until", 0.0)  # as an older Ringhook wrote it
    return Item(
        call=_call(fields),
        status=fields["status"],
        reason=fields.get("reason", ""),
        version=fields["version"],
        due_at=None if due_at is None else float(due_at),
        owner=fields.get("owner", ""),
        asked_at=datetime.fromisoformat(asked_at) if asked_at else None,
        requests=fields.get("attempt_count", 0),
        ringing=fields.get("ringing", 1),
        looks=fields.get("looks", 0),
        waits=fields.get("waits", 0),
        execution_id=fields.get("execution_id", ""),
        seen=tuple(fields.get("seen", [fields["event_id"]])),
        cancel=_cancel(cancel) if cancel else None,
        next=_call(following) if following else None,
        redials=fields.get("redials", 0),
        outcomes=tuple(outcomes.of_json(one) for one in fields.get("outcomes", [])),
    )


def _said(call: Call) -> dict[str, Any]:
    """All that a call says, in JSON's values."""
    said: dict[str, Any] = msgspec.to_builtins(msgspec.structs.asdict(call))
    return said


def _call(said: Mapping[str, Any]) -> Call:
    """The call, whatever else an item or an older Ringhook says beside it."""
    return msgspec.convert({k: v for k, v in said.items() if k in _CALL_FIELDS}, Call)


def _cancel(word: Mapping[str, str]) -> Cancel:
    times = (datetime.fromisoformat(word[name]) for name in ("occurred_at", "received_at"))
    return Cancel(word["topic"], word["event_id"], *times)


def _hold(found: Mapping[str, Any]) -> Hold:
    fields = as_json({name: found[name] for name in ("reason", "cause", "since", "probe_at")})
    return Hold(token=found.get("token", ""), **fields)
