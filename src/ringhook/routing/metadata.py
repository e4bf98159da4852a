"""What of a payload may reach a language model on a phone line: clean, bounded, and as JSON."""

from __future__ import annotations

import math
from typing import Any

from ringhook.errors import UnmappedError
from ringhook.reading.text import tidy

# Free text from a form reaches a language model on a phone line: short is safe, and an API body
# of a few kilobytes is what the API was made for.
LONGEST_VALUE = 500
LARGEST_METADATA = 4000
# Writers of JSON follow it down only so far, and so do people.
DEEPEST_METADATA = 20


def clean(name: str, value: Any, notes: list[str], depth: int = 0) -> Any:
    """Text without control and invisible characters, of a bounded length, all the way down."""
    if depth > DEEPEST_METADATA:
        message = f"metadata.{name}: nested more than {DEEPEST_METADATA} deep: name what is meant"
        raise UnmappedError(message)
    if isinstance(value, dict):
        cleaned = {
            clean(name, key, notes): clean(name, part, notes, depth + 1)
            for key, part in value.items()
        }
        if "" in cleaned or len(cleaned) < len(value):
            message = f"metadata.{name}: it has names that are empty, or that become the same"
            raise UnmappedError(message)
        return cleaned
    if isinstance(value, list):
        return [clean(name, part, notes, depth + 1) for part in value]
    if isinstance(value, int | float) and not _is_held(value):
        message = f"metadata.{name}: a number that JSON or the ledger cannot hold: send it as text"
        raise UnmappedError(message)
    if not isinstance(value, str):
        return value
    text = tidy(value, len(value))
    if len(text) > LONGEST_VALUE:
        notes.append(f"metadata.{name} was cut from {len(text)} to {LONGEST_VALUE} characters")
    return text[:LONGEST_VALUE]


def _is_held(number: float) -> bool:
    """Whether a number is one in JSON and in DynamoDB, which keeps 38 digits and 1e-130 to 1e126.

    Source: DynamoDB's developer guide, "Supported data types".
    """
    if isinstance(number, int):
        return abs(number) < 10**38
    return number == 0 or (math.isfinite(number) and 1e-130 <= abs(number) < 1e126)
