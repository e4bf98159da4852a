"""The ledger: one DynamoDB item a call, and what is known of a number that may be rung.

A call is `calling` while one dialer holds its lease. When the lease has run out, the process that
held it died between asking and hearing: whether the phone rang is then as unknown as after a
request that was never answered.

Every change is written on the condition that the item is still what was read (`version`), so of two
that change one item at once, one is told to read it again.

Keys: `call#<call_id>`; `number#<E.164>` for what is known of a number, in clear, since an operator
must be able to export the numbers that may not be rung, and they stay when a person's calls are
forgotten; `day#<date>` for the number of calls on a day (UTC); `export#<id>` for what a person who
asked was known by then; `forgotten#<mark>` for when a person was erased. Of an erased call nothing
stays but that its id is spent, so that no redelivery and no dead letter rings for it again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from ringhook.calls import Call, Status
from ringhook.consents import Consent, from_item, stands
from ringhook.errors import ConflictError, UnavailableError
from ringhook.policy import History

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

_to_dynamodb = TypeSerializer().serialize
_from_dynamodb = TypeDeserializer().deserialize
_CALL_FIELDS = frozenset(Call.model_fields)
# A condition that holds for any item, and for none.
ALWAYS = "attribute_exists(pk) OR attribute_not_exists(pk)"
# The caps look back this far at most (routes.py refuses longer ones).
_LONGEST_CAP = timedelta(days=31)
_TRIES = 10
# Whom the payload of an unmapped call is about cannot always be told, so nobody could forget it on
# request: it goes by itself, well within the month that GDPR, art. 12 (3), and Shopify give.
_UNMAPPED_KEPT = timedelta(days=14)
# For as long a person who asks must be answered (the same article).
_EXPORT_KEPT = timedelta(days=30)
# An event may wait in the queue and then among the dead letters, 14 days in each at most.
_LONGEST_REDRIVE = timedelta(days=28)
# No version that a dialer may have read of a call, so that none writes over a spent id.
_SPENT = -1
_LARGEST_EXPORT = 300_000  # characters; DynamoDB takes 400 kB an item


@dataclass(frozen=True, slots=True)
class Entry:
    """A call as the ledger has it. Times are epoch seconds; `due_at`: when to take it up again."""

    call: Call
    status: Status
    version: int
    due_at: float = 0.0
    lease_until: float = 0.0
    asked_at: datetime | None = None
    attempts: int = 0
    looks: int = 0
    settled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a call stands from now on, and why; `attempt` is the request that was made for it."""

    status: Status
    reason: str
    due_at: float | None = None
    lease_until: float | None = None
    asked_at: datetime | None = None
    attempts: int = 0
    looks: int = 0
    execution_id: str = ""
    attempt: Mapping[str, Any] = field(default_factory=dict)


class Ledger:
    """The table of this name."""

    def __init__(self, client: DynamoDBClient, table: str, retention: timedelta) -> None:
        """Keep calls for `retention` after their last change, unless a call says how long."""
        self._client = client
        self._table = table
        self._retention = retention

    def read(self, call_id: str) -> Entry | None:
        """The call as it stands now; None if it was never heard of.

        Raises UnavailableError if the table cannot be asked: then nobody may dial.
        """
        item = self._one(f"call#{call_id}")
        return _entry(item) if item else None

    def write(self, call: Call, change: Change, *, over: Entry | None, now: datetime) -> Entry:
        """Make this change to the call as it was read (`over`; None: it was not there).

        Raises ConflictError if it is not so any more, UnavailableError if nothing answers.
        """
        version = over.version if over else 0
        item = self._item(call, change, now) | {"version": version + 1}
        row = {"at": now.isoformat(), "status": change.status, "reason": change.reason}
        append: dict[str, Any] = {"decisions": row}
        if change.attempt:
            append["attempts"] = dict(change.attempt)
        written = self._update(
            f"call#{call.call_id}",
            item,
            condition="version = :version" if over else "attribute_not_exists(pk)",
            values={":version": version} if over else {},
            append=append,
        )
        return _entry(written)

    def history(self, number: str, now: datetime) -> History:
        """What is known of a number, and of today."""
        keys = [f"number#{number}", f"day#{now.date().isoformat()}", _mark(number)]
        items = self._get(keys)
        known = items.get(keys[0], {})
        return History(
            do_not_call=known.get("do_not_call", ""),
            consents={
                purpose: from_item(one) for purpose, one in known.get("consents", {}).items()
            },
            rung={call_id: float(at) for call_id, at in known.get("rung", {}).items()},
            today=int(items.get(keys[1], {}).get("calls", 0)),
            version=int(known.get("version", 0)),
            forgotten_at=float(items.get(keys[2], {}).get("at", 0)),
        )

    def reserve(self, call: Call, history: History, now: datetime, a_day: int | None) -> None:
        """Count a call that is about to be made, on the history that allowed it.

        Raises ConflictError if another call to the number was counted meanwhile, or if as
        many as `a_day` have been made today; then nothing is counted.
        """
        self._count_day(now, 1, a_day)
        oldest = (now - _LONGEST_CAP).timestamp()
        rung = {call_id: at for call_id, at in history.rung.items() if at > oldest}
        rung[call.call_id] = now.timestamp()
        kept = bool(history.do_not_call or history.consents)
        try:
            self._write_number(
                call.phone_number, {"rung": rung}, version=history.version, kept=kept, now=now
            )
        except ConflictError:
            self._count_day(now, -1)
            raise

    def release(self, call: Call, reserved_at: datetime) -> None:
        """Take back the count of a call that was provably not made."""

        def without(known: dict[str, Any]) -> dict[str, Any]:
            return {"rung": {c: at for c, at in known.get("rung", {}).items() if c != call.call_id}}

        self._change_number(call.phone_number, without, reserved_at)
        self._count_day(reserved_at, -1)

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

    def calls_to(self, number: str) -> list[dict[str, Any]]:
        """Every call's item that this number has, oldest first."""
        return [item for item in self._items_of(number) if "call_id" in item]

    def _items_of(self, number: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by-phone",
            KeyConditionExpression="phone_number = :number",
            ExpressionAttributeValues={":number": {"S": number}},
        )
        try:
            return [_plain(item) for page in pages for item in page["Items"]]
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error

    def export(self, call: Call, now: datetime) -> None:
        """Keep what is known of this call's number now, for an operator to hand out.

        The newest calls, if not all have a place in one item (`left_out` says how many have not).
        """
        known = self._one(f"number#{call.phone_number}") if call.phone_number else None
        calls = self.calls_to(call.phone_number) if call.phone_number else []
        kept: list[dict[str, Any]] = []
        size = 0
        for item in reversed(calls):
            size += len(json.dumps(_json(item)))
            if size > _LARGEST_EXPORT:
                break
            kept.append(item)
        item = {
            **call.model_dump(mode="json", include={"source", "topic", "event_id"}),
            "phone_number": call.phone_number or None,
            "number": known,
            "calls": kept,
            "left_out": len(calls) - len(kept),
            "expires_at": int((now + _EXPORT_KEPT).timestamp()),
        }
        self._update(f"export#{call.call_id}", item | _stamp(now))

    def forget(self, number: str, now: datetime) -> list[str]:
        """Delete a person's calls, exports and consents; the call_ids that were deleted.

        That the number may not be rung stays known, if it was: an erased person who is rung again
        is worse off than one whose number stays on a list. Their calls' ids are spent; and what
        was asked for before, and is not in the ledger yet, is known by the number's mark.
        """
        until = self._spent_until(now)
        self._put(_mark(number), {"at": now.timestamp(), "expires_at": until, **_stamp(now)})
        items = self._items_of(number)
        known = self._one(f"number#{number}") or {}
        forgotten = [item["call_id"] for item in items if "call_id" in item]
        for call_id in dict.fromkeys([*forgotten, *known.get("rung", {})]):
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
        item = {"call_id": call_id, "status": "forgotten", "version": _SPENT}
        self._put(f"call#{call_id}", {**item, "expires_at": self._spent_until(now), **_stamp(now)})

    def _spent_until(self, now: datetime) -> int:
        return int((now + max(self._retention, _LONGEST_REDRIVE)).timestamp())

    def delete(self, key: str) -> None:
        """Delete an item. Raises UnavailableError if nothing answers."""
        try:
            self._client.delete_item(TableName=self._table, Key={"pk": {"S": key}})
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error

    def _change_number(
        self, number: str, change: Callable[[dict[str, Any]], dict[str, Any]], now: datetime
    ) -> None:
        """Change what is known of a number; anew, if another changed it meanwhile."""
        for _ in range(_TRIES):
            known = self._one(f"number#{number}") or {}
            changed = change(known)
            after = known | changed
            kept = bool(after.get("do_not_call") or after.get("consents"))
            version = int(known.get("version", 0))
            try:
                self._write_number(number, changed, version=version, kept=kept, now=now)
            except ConflictError:
                continue
            return
        message = "what is known of a number is changed by too many at once"
        raise UnavailableError(message)

    def _write_number(
        self, number: str, item: Mapping[str, Any], *, version: int, kept: bool, now: datetime
    ) -> None:
        """Write over this version. Who was rung when is not `kept` longer than a cap looks back."""
        expires_at = None if kept else int((now + _LONGEST_CAP).timestamp())
        about = {"number": number, "version": version + 1, "expires_at": expires_at}
        self._update(
            f"number#{number}",
            {**item, **about} | _stamp(now),
            condition="version = :version" if version else "attribute_not_exists(version)",
            values={":version": version} if version else {},
        )

    def _count_day(self, now: datetime, step: int, limit: int | None = None) -> None:
        self._update(
            f"day#{now.date().isoformat()}",
            {"expires_at": int((now + timedelta(days=7)).timestamp())} | _stamp(now),
            condition=ALWAYS if limit is None else "attribute_not_exists(calls) OR calls < :limit",
            values={} if limit is None else {":limit": limit},
            add={"calls": step},
        )

    def _item(self, call: Call, change: Change, now: datetime) -> dict[str, Any]:
        said = call.model_dump(mode="json", exclude={"payload", "unmapped", "phone_number"})
        kept = self._retention if call.retention is None else call.retention
        if change.status == "unmapped":
            kept = min(kept, _UNMAPPED_KEPT)
        # One that waits is there when its time comes, however far off that is.
        last = max(now.timestamp(), change.due_at or 0.0)
        item = {name: None if value == "" else value for name, value in said.items()}
        item |= {
            "status": change.status,
            "reason": change.reason,
            "attempt_count": change.attempts,
            "looks": change.looks,
            "expires_at": int(last + kept.total_seconds()),
            "day": now.date().isoformat(),
            "payload": call.payload if change.status == "unmapped" else None,
            # An index's key may not be empty.
            "phone_number": call.phone_number or None,
            "execution_id": change.execution_id or None,
            "due_at": change.due_at,
            "lease_until": change.lease_until,
            "asked_at": change.asked_at.isoformat() if change.asked_at else None,
        }
        return item | _stamp(now)

    def _one(self, key: str) -> dict[str, Any] | None:
        return self._get([key]).get(key)

    def _get(self, keys: list[str]) -> dict[str, dict[str, Any]]:
        try:
            answer = self._client.batch_get_item(
                RequestItems={
                    self._table: {
                        "Keys": [{"pk": {"S": key}} for key in keys],
                        "ConsistentRead": True,
                    }
                }
            )
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error
        if answer.get("UnprocessedKeys"):
            message = "the ledger does not answer (throttled)"
            raise UnavailableError(message)
        items = [_plain(item) for item in answer["Responses"].get(self._table, [])]
        return {item["pk"]: item for item in items}

    def _put(self, key: str, item: Mapping[str, Any]) -> None:
        """Put this in place of whatever is there."""
        fields = {name: _to_dynamodb(_exact(value)) for name, value in item.items()}
        try:
            self._client.put_item(TableName=self._table, Item={"pk": {"S": key}, **fields})
        except (BotoCoreError, ClientError) as error:
            raise _unavailable(error) from error

    def _update(
        self,
        key: str,
        item: Mapping[str, Any],
        *,
        condition: str = ALWAYS,
        values: Mapping[str, Any] | None = None,
        append: Mapping[str, Any] | None = None,
        add: Mapping[str, int] | None = None,
    ) -> dict[str, Any]:
        """One update: set what has a value, remove what is None, append to lists, add up."""
        names = {"#created": "created_at"}
        filled = {**(values or {}), ":now": item["updated_at"]}
        sets = ["#created = if_not_exists(#created, :now)"]
        unset = []
        for index, (name, value) in enumerate(item.items()):
            names[f"#n{index}"] = name
            if value is None:
                unset.append(f"#n{index}")
            else:
                filled[f":v{index}"] = value
                sets.append(f"#n{index} = :v{index}")
        for name, value in (append or {}).items():
            names[f"#{name}"] = name
            filled |= {f":{name}": [value], ":none": []}
            sets.append(f"#{name} = list_append(if_not_exists(#{name}, :none), :{name})")
        clauses = ["SET " + ", ".join(sets)]
        if unset:
            clauses.append("REMOVE " + ", ".join(unset))
        for name, number in (add or {}).items():
            names["#add"] = name
            filled[":add"] = number
            clauses.append("ADD #add :add")
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": key}},
                UpdateExpression=" ".join(clauses),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={k: _to_dynamodb(_exact(v)) for k, v in filled.items()},
                ReturnValues="ALL_NEW",
                ConditionExpression=condition,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                message = f"{key} was changed by another"
                raise ConflictError(message) from error
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
        return _plain(answer["Attributes"])


def _entry(item: Mapping[str, Any]) -> Entry:
    if item["status"] == "forgotten":
        at = datetime.fromisoformat(item["updated_at"])
        unknown = {"source": "", "provider": "", "event_id": "", "occurred_at": at}
        call = Call.model_validate({"call_id": item["call_id"], "received_at": at, **unknown})
        return Entry(call, "forgotten", _SPENT)
    due_at = item.get("due_at")
    asked_at = item.get("asked_at")
    return Entry(
        call=Call.model_validate({k: v for k, v in _json(item).items() if k in _CALL_FIELDS}),
        status=item["status"],
        version=int(item["version"]),
        due_at=float(due_at or 0),
        lease_until=float(item.get("lease_until") or 0),
        asked_at=datetime.fromisoformat(asked_at) if asked_at else None,
        attempts=int(item.get("attempt_count", 0)),
        looks=int(item.get("looks", 0)),
        settled=item["status"] != "calling" and due_at is None,
    )


def _mark(number: str) -> str:
    """The key by which an erased number is known: too short to tell it from ten thousand others."""
    return f"forgotten#{hashlib.sha256(number.encode()).hexdigest()[:5]}"


def _stamp(now: datetime) -> dict[str, Any]:
    return {"updated_at": now.isoformat()}


def _unavailable(error: Exception) -> UnavailableError:
    what = (
        error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    )
    return UnavailableError(f"the ledger does not answer ({what})")


def _exact(value: Any) -> Any:
    """DynamoDB's numbers are decimal: a float becomes the decimal that it is written as."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: _exact(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(part) for part in value]
    return value


def _json(value: Any) -> Any:
    """DynamoDB's decimals as JSON's numbers."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _json(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_json(part) for part in value]
    return value


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _from_dynamodb(cast("Any", value)) for name, value in item.items()}
