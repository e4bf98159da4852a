"""The ledger's table: items read together, changed on a condition, several of them at once.

Every error means one of three things: another was first (ConflictError), nothing answers now
(UnavailableError), or the table cannot hold what it was given (UnstorableError).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ringhook.clients import stored_values
from ringhook.clients.services import code_of, failures, reasons_of
from ringhook.errors import ConflictError, UnavailableError, UnstorableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from ringhook.clients.services import DynamoDb

# A condition that holds for any item, and for none.
ALWAYS = "attribute_exists(pk) OR attribute_not_exists(pk)"
NEW = "attribute_not_exists(pk)"
# Why a change was not made, where that says that another was first (or at the same moment).
_OTHERS = {"ConditionalCheckFailed", "TransactionConflict"}
_OTHERS_ALONE = {"ConditionalCheckFailedException", "TransactionConflictException"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A change of one item: `item` is set, and what is None in it removed; lists are appended to.

    `condition` may use `values`, and `#n` where `names` says what that is. `check` changes nothing:
    the item must only be as the condition says.
    """

    key: str
    item: Mapping[str, Any] = field(default_factory=dict)
    condition: str = ALWAYS
    values: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    append: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, float] = field(default_factory=dict)
    remove: Sequence[str] = ()
    check: bool = False


class Table:
    """The table of this name."""

    def __init__(self, client: DynamoDBClient | DynamoDb, name: str) -> None:
        """Ask nothing yet."""
        self.client = client
        self.name = name

    def get(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The items of these keys that there are, by key, in one request."""
        wanted = [{"pk": {"S": key}} for key in dict.fromkeys(keys)]
        try:
            answer = self.client.batch_get_item(
                RequestItems={self.name: {"Keys": wanted, "ConsistentRead": True}}
            )
        except failures() as error:
            raise unavailable(error) from error
        if answer.get("UnprocessedKeys"):
            message = "the ledger does not answer (throttled)"
            raise UnavailableError(message)
        items = [plain(item) for item in answer["Responses"].get(self.name, [])]
        return {item["pk"]: item for item in items}

    def one(self, key: str) -> dict[str, Any] | None:
        """The item of this key, if there is one."""
        return self.get([key]).get(key)

    def update(self, change: Update) -> dict[str, Any]:
        """Make this change; the item as it is then."""
        try:
            answer = self.client.update_item(**self._asked(change), ReturnValues="ALL_NEW")
        except failures() as error:
            raise _told(error) from error
        return plain(answer["Attributes"])

    def transact(self, changes: Sequence[Update], token: str) -> None:
        """Make all of these changes or none, once for this token (at most 36 characters)."""
        items: list[Any] = [
            {"ConditionCheck" if change.check else "Update": self._asked(change)}
            for change in changes
        ]
        try:
            self.client.transact_write_items(TransactItems=items, ClientRequestToken=token)
        except failures() as error:
            raise _told(error) from error

    def put(self, key: str, item: Mapping[str, Any]) -> None:
        """Put this in place of whatever is there."""
        fields = {name: stored_values.written(value) for name, value in item.items()}
        try:
            self.client.put_item(TableName=self.name, Item={"pk": {"S": key}, **fields})
        except failures() as error:
            raise unavailable(error) from error

    def delete(self, key: str) -> None:
        """Delete an item."""
        try:
            self.client.delete_item(TableName=self.name, Key={"pk": {"S": key}})
        except failures() as error:
            raise unavailable(error) from error

    def query(self, index: str, **asked: Any) -> Iterator[dict[str, Any]]:
        """All items that an index has for this."""
        more: dict[str, Any] = {"TableName": self.name, "IndexName": index, **asked}
        while more:
            try:
                page: Any = self.client.query(**more)
            except failures() as error:
                raise unavailable(error) from error
            yield from map(plain, page["Items"])
            last = page.get("LastEvaluatedKey")
            more = more | {"ExclusiveStartKey": last} if last else {}

    def _asked(self, change: Update) -> Any:
        """One change as DynamoDB is asked for it."""
        names, values = dict(change.names), dict(change.values)
        sets, unset = [], list(change.remove)
        for index, (name, value) in enumerate(change.item.items()):
            names[f"#n{index}"] = name
            if value is None:
                unset.append(f"#n{index}")
            else:
                values[f":v{index}"] = value
                sets.append(f"#n{index} = :v{index}")
        for name, value in change.append.items():
            names[f"#{name}"] = name
            values |= {f":{name}": [value], ":none": []}
            sets.append(f"#{name} = list_append(if_not_exists(#{name}, :none), :{name})")
        adds = []
        for index, (name, number) in enumerate(change.add.items()):
            names[f"#a{index}"] = name
            values[f":a{index}"] = number
            adds.append(f"#a{index} :a{index}")
        clauses = (("SET", sets), ("REMOVE", unset), ("ADD", adds))
        expression = " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses if parts)
        asked: dict[str, Any] = {
            "TableName": self.name,
            "Key": {"pk": {"S": change.key}},
            "ConditionExpression": change.condition,
        }
        if not change.check:
            asked["UpdateExpression"] = expression
        if names:
            asked["ExpressionAttributeNames"] = names
        if values:
            asked["ExpressionAttributeValues"] = {
                k: stored_values.written(v) for k, v in values.items()
            }
        return asked


def unavailable(error: Exception) -> UnavailableError:
    """The table does not answer: the error for whoever asked it."""
    return UnavailableError(f"the ledger does not answer ({code_of(error)})")


def _told(error: Exception) -> Exception:
    code = code_of(error)
    codes = reasons_of(error) or {code}
    if codes <= _OTHERS or code in _OTHERS_ALONE:
        return ConflictError("it was changed by another")
    if "ValidationError" in codes or code == "ValidationException":
        return UnstorableError(f"the ledger cannot hold it ({code})")
    return unavailable(error)


def as_json(value: Any) -> Any:
    """DynamoDB's decimals as JSON's numbers."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: as_json(part) for key, part in value.items()}
    if isinstance(value, list):
        return [as_json(part) for part in value]
    return value


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as Python's own values; numbers are decimals."""
    return {name: stored_values.read(value) for name, value in item.items()}


def stamp(now: datetime) -> dict[str, Any]:
    """The field in which every item says when it was last changed."""
    return {"updated_at": now.isoformat()}
