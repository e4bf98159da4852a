"""Read the ledger as an operator does: the newest calls, one number's, or one call's story."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import phonenumbers
from boto3.dynamodb.types import TypeDeserializer

from ringhook.reading import phone
from ringhook.reading.packing import unpack

_from_dynamodb = TypeDeserializer().deserialize
_INDEX_KEYS = {"by-day": "day", "by-phone": "phone_number"}
DAYS = 30  # how far back the newest calls are looked for


class LedgerReader:
    """The table of this name."""

    def __init__(self, client: Any, table: str) -> None:
        """Read nothing yet."""
        self.client = client
        self.table = table

    def get(self, call_id: str) -> dict[str, Any] | None:
        """The item of this call, as JSON; None if there is none."""
        answer = self.client.get_item(
            TableName=self.table, Key={"pk": {"S": f"call#{call_id}"}}, ConsistentRead=True
        )
        return _plain(answer["Item"]) if "Item" in answer else None

    def newest(self, today: date) -> Iterator[dict[str, Any]]:
        """The calls that changed in the last DAYS days, the last one first."""
        for back in range(DAYS):
            yield from self._query("by-day", (today - timedelta(days=back)).isoformat())

    def of_number(self, phone_number: str) -> Iterator[dict[str, Any]]:
        """The calls to this number, the last one first."""
        return (item for item in self._query("by-phone", phone_number) if "call_id" in item)

    def number(self, number: str) -> dict[str, Any] | None:
        """What is known of this number apart from its calls."""
        key = {"pk": {"S": f"number#{number}"}}
        answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return _plain(answer["Item"]) if "Item" in answer else None

    def numbers(self) -> Iterator[dict[str, Any]]:
        """What is known of every number."""
        return self._scan("begins_with(pk, :of)", "number#")

    def exports(self) -> Iterator[dict[str, Any]]:
        """What persons asked to be told, through their senders."""
        return self._scan("begins_with(pk, :of)", "export#")

    def of_source(self, source: str) -> Iterator[dict[str, Any]]:
        """Every item that an event of this source left."""
        return self._scan("#key = :of", source, {"#key": "source"})

    def mentioning(self, number: str) -> Iterator[dict[str, Any]]:
        """The unmapped calls of no known number whose payload holds this one."""
        digits = str(phonenumbers.parse(number).national_number)
        for item in self._scan("#key = :of", "unmapped", {"#key": "status"}):
            unknown = item.get("payload") and not item.get("phone_number")
            if unknown and _holds(unpack(item["payload"]), digits):
                yield item

    def _scan(
        self, condition: str, value: str, names: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Read the whole table."""
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.table,
            FilterExpression=condition,
            ExpressionAttributeValues={":of": {"S": value}},
            **({"ExpressionAttributeNames": names} if names else {}),
        )
        return (_plain(item) for page in pages for item in page["Items"])

    def _query(self, index: str, value: str) -> Iterator[dict[str, Any]]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=index,
            KeyConditionExpression="#key = :value",
            ExpressionAttributeNames={"#key": _INDEX_KEYS[index]},
            ExpressionAttributeValues={":value": {"S": value}},
            ScanIndexForward=False,
        )
        return (_plain(item) for page in pages for item in page["Items"])


def masked(item: dict[str, Any]) -> dict[str, Any]:
    """The item without what tells who the person is: the number masked, no metadata or payload."""
    shown = {name: value for name, value in item.items() if name not in ("metadata", "payload")}
    if number := shown.get("phone_number"):
        shown["phone_number"] = phone.masked(number)
    return shown


def _holds(payload: Any, digits: str) -> bool:
    """Whether a number is written anywhere in a payload, in whatever way."""
    if isinstance(payload, dict):
        return any(_holds(part, digits) for part in payload.values())
    if isinstance(payload, list):
        return any(_holds(part, digits) for part in payload)
    return digits in re.sub(r"[^0-9]", "", str(payload))


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _json(_from_dynamodb(value)) for name, value in item.items()}


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _json(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_json(part) for part in value]
    return value
