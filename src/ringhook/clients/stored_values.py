"""Values as DynamoDB writes them, and back: text, numbers, truth, None, lists and tables."""

from __future__ import annotations

from decimal import (
    Clamped,
    Context,
    Decimal,
    DecimalException,
    Inexact,
    Overflow,
    Rounded,
    Underflow,
)
from typing import Any

from ringhook.errors import UnstorableError

# DynamoDB keeps 38 digits, from 1E-130 to 9.99E+125; a number that it would change is refused.
_NUMBERS = Context(
    Emin=-128, Emax=126, prec=38, traps=[Clamped, Overflow, Inexact, Rounded, Underflow]
)


def written(value: Any) -> dict[str, Any]:
    """A value as DynamoDB has it. Raises UnstorableError."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float() | Decimal():
            return {"N": _number(value)}
        case dict():
            return {"M": {name: written(part) for name, part in value.items()}}
        case list() | tuple():
            return {"L": [written(part) for part in value]}
    raise UnstorableError(f"the ledger cannot hold it ({type(value).__name__})")


def read(value: dict[str, Any]) -> Any:
    """The value that DynamoDB wrote so; numbers are decimals."""
    ((kind, held),) = value.items()
    match kind:
        case "S" | "BOOL":
            return held
        case "N":
            return Decimal(held)
        case "M":
            return {name: read(part) for name, part in held.items()}
        case "L":
            return [read(part) for part in held]
        case "NULL":
            return None
    raise TypeError(f"the ledger writes no {kind}")


def _number(value: float | Decimal) -> str:
    """A float is the decimal that it is written as."""
    try:
        exact = _NUMBERS.create_decimal(repr(value) if isinstance(value, float) else value)
    except DecimalException as error:
        raise UnstorableError(f"the ledger cannot hold it ({type(error).__name__})") from error
    if not exact.is_finite():
        raise UnstorableError("the ledger cannot hold it (no number)")
    return str(exact)
