"""The mark by which an attempt is found again: it goes along in the metadata of its call."""

from __future__ import annotations

import re

# The key of the metadata that holds it.
KEY = "call_id"
_MARK = re.compile(r"(call_[0-9A-Za-z_]{1,64})(?:\.([1-9][0-9]{0,3}))?")


def mark(call_id: str, attempt: int) -> str:
    """What finds this attempt of a call again."""
    return call_id if attempt == 1 else f"{call_id}.{attempt}"


def read(text: object) -> tuple[str, int] | None:
    """The call and the attempt that a mark is of; None if it is none of ours."""
    match = _MARK.fullmatch(text.strip()) if isinstance(text, str) else None
    return (match[1], int(match[2] or 1)) if match else None
