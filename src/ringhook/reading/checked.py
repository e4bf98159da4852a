"""What is written, held to the tables of `reading.tables`: for who checks a file, by pydantic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from ringhook.reading.tables import Table

T = TypeVar("T", bound="Table")


def read(table: type[T], written: object, document: dict[str, Any] | None = None) -> T:
    """The table that this is, in this document.

    Raises pydantic's ValidationError, with all that is wrong.
    """
    made: T = _adapter(table).validate_python(written, context=document)
    return made


def json_schema(table: type[Table]) -> dict[str, Any]:
    """The JSON Schema of a table."""
    return _adapter(table).json_schema()


_adapters: dict[type[Table], TypeAdapter[Any]] = {}


def _adapter(table: type[Table]) -> TypeAdapter[Any]:
    """Made once for each kind of table."""
    if table not in _adapters:
        _adapters[table] = TypeAdapter(table)
    return _adapters[table]
