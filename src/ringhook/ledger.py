"""The ledger: one DynamoDB item a call, claimed by a conditional write before anybody dials.

A call is `calling` while one dialer holds its lease. When the lease has run out, the process that
held it died between asking and hearing: the call is `uncertain`, like one that was never answered,
and stays so until the list of executions has been looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from ringhook.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from ringhook.calls import Call, Status

_to_dynamodb = TypeSerializer().serialize
_from_dynamodb = TypeDeserializer().deserialize
# From these a call may be claimed: it was provably not made.
_OPEN = ("queued", "deferred", "unmapped")


@dataclass(frozen=True, slots=True)
class Claimed:
    """The call is this process's to dial; `attempt` counts from 1."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Busy:
    """Another process is dialling; it has until `until` (epoch seconds)."""

    until: float


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It is not known whether the request of `asked_at` rang; look at `look_at` (epoch seconds)."""

    asked_at: datetime
    look_at: float
    looks: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The call has ended with this status."""

    status: Status


Claim = Claimed | Busy | Uncertain | Settled


class Ledger:
    """The table of this name."""

    def __init__(self, client: DynamoDBClient, table: str, retention: timedelta) -> None:
        """Keep items for `retention` after their last change."""
        self._client = client
        self._table = table
        self._retention = retention

    def claim(self, call: Call, *, now: datetime, lease_until: float) -> Claim:
        """Take the call for dialling, if it has not been taken and has not ended.

        Raises UnavailableError if the table cannot be asked: then nobody may dial.
        """
        item = self._origin(call, now) | {
            "status": "calling",
            "lease_until": lease_until,
            "asked_at": now.isoformat(),
        }
        old = self._write(
            call.call_id,
            item,
            condition="attribute_not_exists(pk) OR #status IN (:s0, :s1, :s2)",
            values={f":s{i}": status for i, status in enumerate(_OPEN)},
            add={"attempt_count": 1},
            remove=("reason", "payload", "look_at", "looks"),
        )
        if not old.refused:
            return Claimed(int(old.item["attempt_count"]))
        status = old.item["status"]
        asked_at = datetime.fromisoformat(old.item.get("asked_at", now.isoformat()))
        if status == "calling":
            until = float(old.item["lease_until"])
            return Busy(until) if until > now.timestamp() else Uncertain(asked_at, 0, 0)
        if status == "uncertain" and "look_at" in old.item:
            return Uncertain(asked_at, float(old.item["look_at"]), int(old.item.get("looks", 0)))
        return Settled(status)

    def record_unmapped(self, call: Call, now: datetime) -> None:
        """Keep a call that cannot be made, unless the same call was made or tried already."""
        item = self._origin(call, now) | {
            "status": "unmapped",
            "reason": call.unmapped,
            "payload": call.payload,
        }
        self._write(
            call.call_id,
            item,
            condition="attribute_not_exists(pk) OR #status = :unmapped",
            values={":unmapped": "unmapped"},
        )

    def record(
        self,
        call: Call,
        status: Status,
        reason: str,
        *,
        now: datetime,
        attempt: Mapping[str, Any] | None = None,
        execution_id: str = "",
        look_at: float | None = None,
        looks: int = 0,
    ) -> None:
        """Say how the call stands now, and why; `attempt` is the request that was made for it.

        What a dialer heard outlives its lease: `initiated` is written over `uncertain` too.
        """
        item: dict[str, Any] = {"status": status, "reason": reason} | self._stamps(now)
        if execution_id:
            item["execution_id"] = execution_id
        if look_at is not None:
            item |= {"look_at": look_at, "looks": looks}
        self._write(
            call.call_id,
            item,
            condition="#status IN (:calling, :uncertain)",
            values={":calling": "calling", ":uncertain": "uncertain"},
            append={
                "decisions": {"at": now.isoformat(), "status": status, "reason": reason},
                **({"attempts": dict(attempt)} if attempt else {}),
            },
            remove=("lease_until",) if look_at is not None else ("lease_until", "look_at"),
        )

    def _origin(self, call: Call, now: datetime) -> dict[str, Any]:
        """What a call's item says of where it comes from."""
        return self._stamps(now) | {
            "call_id": call.call_id,
            "source": call.source,
            "provider": call.provider,
            "route": call.route,
            "topic": call.topic,
            "event_id": call.event_id,
            "occurred_at": call.occurred_at.isoformat(),
            "received_at": call.received_at.isoformat(),
            "correlation_id": call.correlation_id,
            "account": call.account,
            "agent_id": call.agent_id,
            # An index's key may not be empty.
            **({"phone_number": call.phone_number} if call.phone_number else {}),
            "metadata": call.metadata,
            "notes": list(call.notes),
        }

    def _stamps(self, now: datetime) -> dict[str, Any]:
        return {
            "updated_at": now.isoformat(),
            "day": now.date().isoformat(),
            "expires_at": int((now + self._retention).timestamp()),
        }

    def _write(
        self,
        call_id: str,
        item: Mapping[str, Any],
        *,
        condition: str,
        values: Mapping[str, Any],
        add: Mapping[str, int] | None = None,
        append: Mapping[str, Any] | None = None,
        remove: tuple[str, ...] = (),
    ) -> _Written:
        """One conditional update; an item is created with `created_at`, lists grow at the end."""
        names = {"#status": "status", "#created": "created_at"}
        filled = {**values, ":now": item["updated_at"]}
        sets = ["#created = if_not_exists(#created, :now)"]
        for index, (name, value) in enumerate(item.items()):
            names[f"#n{index}"] = name
            filled[f":v{index}"] = value
            sets.append(f"#n{index} = :v{index}")
        for name, value in (append or {}).items():
            names[f"#{name}"] = name
            filled |= {f":{name}": [value], ":none": []}
            sets.append(f"#{name} = list_append(if_not_exists(#{name}, :none), :{name})")
        expression = "SET " + ", ".join(sets)
        if add:
            filled |= {f":{name}": number for name, number in add.items()}
            expression += " ADD " + ", ".join(f"{name} :{name}" for name in add)
        if unset := [name for name in remove if name not in item]:
            names |= {f"#r_{name}": name for name in unset}
            expression += " REMOVE " + ", ".join(f"#r_{name}" for name in unset)
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": f"call#{call_id}"}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={
                    name: real for name, real in names.items() if name in expression + condition
                },
                ExpressionAttributeValues={k: _to_dynamodb(_exact(v)) for k, v in filled.items()},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return _Written(refused=True, item=_plain(_item_of(error)))
            message = f"the ledger does not answer ({error.response['Error']['Code']})"
            raise UnavailableError(message) from error
        except BotoCoreError as error:
            message = f"the ledger does not answer ({type(error).__name__})"
            raise UnavailableError(message) from error
        return _Written(refused=False, item=_plain(answer["Attributes"]))


@dataclass(frozen=True, slots=True)
class _Written:
    """The item after an update, or as it stands where the condition did not hold."""

    refused: bool
    item: dict[str, Any]


def _exact(value: Any) -> Any:
    """DynamoDB's numbers are decimal: a float becomes the decimal that it is written as."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: _exact(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(part) for part in value]
    return value


def _item_of(error: ClientError) -> dict[str, Any]:
    """The item that a failed condition was held to, which botocore's types leave out."""
    item: dict[str, Any] = cast("dict[str, Any]", error.response).get("Item", {})
    return item


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _from_dynamodb(value) for name, value in item.items()}
