"""Settings as the text of a TOML table: what is added to a file that people edit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def table(name: str, settings: Mapping[str, Any]) -> str:
    """`[name]` with one `key = value` a line; values are texts, numbers, booleans, and lists."""
    # Of these, JSON is TOML.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()]
    return "\n".join([f"[{name}]", *lines])
