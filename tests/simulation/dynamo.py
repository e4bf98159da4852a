"""DynamoDB as its clients see it: conditions, transactions with a token, and everything that fails.

Values stay as DynamoDB writes them ({"S": …}); expressions are evaluated on those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError
from tests.simulation.world import World

Item = dict[str, Any]
# An index has what was written after so many seconds.
_INDEX_LAG = 0.3
_TOKEN_KEPT = 600.0
_INDEXES = {"by-due": ("waiting", "sweep_at"), "by-phone": ("phone_number", "created_at")}
_CLAUSES = re.compile(r"\b(SET|REMOVE|ADD)\b")
_APPEND = re.compile(r"list_append\(if_not_exists\(([^,]+), :none\), (:\w+)\)")


class UnknownExpressionError(BaseException):
    """The fake cannot do what it is asked for."""


def refusal(code: str, operation: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": code}, **more}
    return ClientError(response, operation)


class Dynamo:
    """One table. `trouble` is what goes wrong: throttled, lost, twice, or nothing ("")."""

    def __init__(self, world: World, trouble: Callable[[], str]) -> None:
        self._world = world
        self._trouble = trouble
        self.items: dict[str, Item] = {}
        self._before: dict[str, tuple[float, Item | None]] = {}
        self._tokens: dict[str, tuple[float, str]] = {}
        self._next_expiry = 0.0

    def calm(self) -> Dynamo:
        """The same table, as somebody has it whose requests are all answered."""
        other = Dynamo(self._world, lambda: "")
        other.items, other._before, other._tokens = self.items, self._before, self._tokens
        return other

    def batch_get_item(self, *, RequestItems: Any) -> Any:
        ((table, asked),) = RequestItems.items()
        trouble = self._begin("BatchGetItem")
        if trouble == "twice" and len(asked["Keys"]) > 1:
            return {"Responses": {table: []}, "UnprocessedKeys": {table: asked}}
        found = [
            self.items[key["pk"]["S"]] for key in asked["Keys"] if key["pk"]["S"] in self.items
        ]
        self._end(trouble)
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def update_item(self, **asked: Any) -> Any:
        def change() -> Any:
            key = asked["Key"]["pk"]["S"]
            if not self._holds(asked, self.items.get(key)):
                raise refusal("ConditionalCheckFailedException", "UpdateItem")
            self._put(key, self._updated(key, asked))
            return {"Attributes": self.items[key]}

        return self._written("UpdateItem", change)

    def put_item(self, *, TableName: str, Item: Item) -> Any:
        return self._written("PutItem", lambda: self._put(Item["pk"]["S"], Item))

    def delete_item(self, *, TableName: str, Key: Item) -> Any:
        return self._written("DeleteItem", lambda: self._put(Key["pk"]["S"], None))

    def transact_write_items(self, *, TransactItems: list[Any], ClientRequestToken: str) -> Any:
        asked = json.dumps(TransactItems, sort_keys=True)
        operation = "TransactWriteItems"

        def change() -> None:
            at, before = self._tokens.get(ClientRequestToken, (0.0, ""))
            if before and self._world.now - at < _TOKEN_KEPT:
                if before != asked:
                    raise refusal("IdempotentParameterMismatchException", operation)
                return
            parts = [next(iter(part.items())) for part in TransactItems]
            keys = [part["Key"]["pk"]["S"] for _, part in parts]
            if len(set(keys)) < len(keys):
                raise refusal("ValidationException", operation)
            codes = [
                "None" if self._holds(part, self.items.get(key)) else "ConditionalCheckFailed"
                for key, (_, part) in zip(keys, parts, strict=True)
            ]
            if any(code != "None" for code in codes):
                raise _cancelled(codes)
            for key, (kind, part) in zip(keys, parts, strict=True):
                if kind == "Update":
                    self._put(key, self._updated(key, part))
            self._tokens[ClientRequestToken] = (self._world.now, asked)

        return self._written(operation, change)

    def query(self, **asked: Any) -> Any:
        found = self._found(asked)
        first = asked.get("ExclusiveStartKey", 0)
        page: dict[str, Any] = {"Items": found[first : first + 3]}
        if len(found) > first + 3:
            page["LastEvaluatedKey"] = first + 3
        return page

    def _found(self, asked: Any) -> list[Item]:
        self._end(self._begin("Query"))
        hash_key, sort_key = _INDEXES[asked["IndexName"]]
        found = []
        for key in sorted(self.items.keys() | self._before.keys()):
            at, before = self._before.get(key, (0.0, None))
            item = before if self._world.now - at < _INDEX_LAG else self.items.get(key)
            if item and hash_key in item and sort_key in item:
                told = {"ConditionExpression": asked["KeyConditionExpression"], **asked}
                if self._holds(told, item):
                    found.append(item)
        return sorted(found, key=lambda item: _plain(item[sort_key]))

    # --- what goes wrong -----------------------------------------------------------------------

    def _begin(self, operation: str) -> str:
        self._world.step()
        self._expire()
        trouble = self._trouble()
        if trouble:
            self._world.tell(f"    DynamoDB {operation}: {trouble}")
        if trouble == "throttled":
            if operation == "TransactWriteItems":
                raise _cancelled(["ThrottlingError", "None"])
            raise refusal("ProvisionedThroughputExceededException", operation)
        return trouble

    def _end(self, trouble: str) -> None:
        if trouble == "lost":
            raise ReadTimeoutError(endpoint_url="dynamodb")

    def _expire(self) -> None:
        """What is past its time to live goes; here it does so at once."""
        if self._world.now >= self._next_expiry:
            self._next_expiry = self._world.now + 3600
            for key, item in list(self.items.items()):
                if "expires_at" in item and float(item["expires_at"]["N"]) < self._world.now:
                    self._put(key, None)

    def _written(self, operation: str, change: Callable[[], Any]) -> Any:
        trouble = self._begin(operation)
        answer = change()
        if trouble == "twice":
            # The first answer was lost, and the client asks once more.
            self._world.step()
            answer = change()
        self._end(trouble)
        return answer or {}

    def _put(self, key: str, item: Item | None) -> None:
        self._before[key] = (self._world.now, self.items.get(key))
        if item is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item

    # --- expressions ---------------------------------------------------------------------------

    def _holds(self, asked: Any, item: Item | None) -> bool:
        names = asked.get("ExpressionAttributeNames", {})
        values = asked.get("ExpressionAttributeValues", {})
        return any(
            all(
                _term(term.strip(), item or {}, names, values)
                for term in re.split(r" AND (?!:by\b)", either)
            )
            for either in asked["ConditionExpression"].split(" OR ")
        )

    def _updated(self, key: str, asked: Any) -> Item:
        item = dict(self.items.get(key, {"pk": {"S": key}}))
        names = asked.get("ExpressionAttributeNames", {})
        values = asked.get("ExpressionAttributeValues", {})
        _, *clauses = _CLAUSES.split(asked["UpdateExpression"])
        for verb, written in zip(clauses[::2], clauses[1::2], strict=True):
            for part in re.split(r", (?![^()]*\))", written.strip()):
                if verb == "SET":
                    path, _, value = part.partition(" = ")
                    within, last = _place(path, item, names)
                    if append := _APPEND.fullmatch(value):
                        before = within.get(last, {"L": []})["L"]
                        within[last] = {"L": before + values[append[2]]["L"]}
                    else:
                        within[last] = values[value]
                elif verb == "REMOVE":
                    within, last = _place(part, item, names)
                    within.pop(last, None)
                else:
                    path, _, value = part.partition(" ")
                    within, last = _place(path, item, names)
                    before = Decimal(within.get(last, {"N": "0"})["N"])
                    within[last] = {"N": str(before + Decimal(values[value]["N"]))}
        return item


def _cancelled(codes: list[str]) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    return refusal(
        "TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons
    )


def _term(term: str, item: Item, names: Any, values: Any) -> bool:
    if found := re.fullmatch(r"attribute_(not_)?exists\((.+)\)", term):
        try:
            within, last = _place(found[2], dict(item), names)
        except KeyError:
            return bool(found[1])
        return (last in within) != bool(found[1])
    if found := re.fullmatch(r"(\S+) (=|<) (:\w+)", term):
        held, given = item.get(found[1]), values[found[3]]
        if held is None or held.keys() != given.keys():
            return False
        one, other = _plain(held), _plain(given)
        return bool(one == other if found[2] == "=" else one < other)
    if found := re.fullmatch(r"(\S+) BETWEEN (:\w+) AND (:\w+)", term):
        held = item.get(found[1])
        return held is not None and bool(
            _plain(values[found[2]]) <= _plain(held) <= _plain(values[found[3]])
        )
    raise UnknownExpressionError(f"cannot evaluate {term!r}")


def _place(path: str, item: Item, names: Any) -> tuple[Item, str]:
    *outer, last = (names.get(part, part) for part in path.strip().split("."))
    within = item
    for part in outer:
        # A copy, since an item that is stored is never changed.
        within[part] = {"M": dict(within[part]["M"])}
        within = within[part]["M"]
    return within, last


def _plain(value: Item) -> Any:
    ((kind, held),) = value.items()
    return Decimal(held) if kind == "N" else held
