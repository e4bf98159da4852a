"""Tables of `routes.toml` as dataclasses, which say beside each field what may be written there.

Who checks a file lets pydantic read what is said here (`reading.checked`). A function only holds
such tables, so it loads no pydantic: that takes longer than all that a webhook needs.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOTHING = dataclasses.MISSING


class Table:
    """A table with these keys and no others, each of just the type that it says."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "strict": True,
        "arbitrary_types_allowed": True,
    }

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """TOML's table stands for the dataclass, however strict its fields are."""
        schema = handler(source)
        handler.resolve_ref_schema(schema)["strict"] = False
        return schema


def Field(  # noqa: N802 - it says of a dataclass's field what pydantic's says of a model's
    *,
    default: Any = _NOTHING,
    default_factory: Callable[[], Any] | None = None,
    description: str = "",
    **constraints: Any,
) -> Any:
    """A field, what it means, and what it is held to, in pydantic's words (`pattern`, `ge`, …)."""
    facts = {**({"description": description} if description else {}), **constraints}
    if default_factory is not None:
        return dataclasses.field(default_factory=default_factory, metadata=facts)
    return dataclasses.field(default=default, metadata=facts)


class Read:
    """How a value is made of what is written, in an annotation; `schema` is its JSON Schema.

    `read` raises ValueError, or gives back what it cannot read. With `whole` it is given the whole
    document as well.
    """

    def __init__(
        self, read: Callable[..., Any], schema: Mapping[str, Any], *, whole: bool = False
    ) -> None:
        self._read = read
        self._schema = schema
        self._whole = whole

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # noqa: PLC0415 - for who checks a file

        if self._whole:
            return core_schema.with_info_before_validator_function(
                lambda value, info: self._read(value, info.context or {}), handler(source)
            )
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return dict(self._schema)


class Pattern:
    """What every name in a table must look like, in an annotation."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        from pydantic_core import core_schema  # noqa: PLC0415 - for who checks a file

        return core_schema.str_schema(pattern=self._pattern)


class Finite:
    """A number that JSON has, in an annotation."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), "allow_inf_nan": False}


class Check:
    """What a value that was read is held to, in an annotation; `check` raises ValueError."""

    def __init__(self, check: Callable[[Any], Any]) -> None:
        self._check = check

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # noqa: PLC0415 - for who checks a file

        return core_schema.no_info_after_validator_function(self._check, handler(source))
