"""Make what the functions load of the table that people read.

`calling_hours.toml` has each row's sources; `calling_hours.json` in the package has what a decision
needs, and reads forty times as fast on a cold start. Run it after a change of the table:

    python -m ringhook_ops.build_calling_hours
"""

from __future__ import annotations

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("calling_hours.toml")
TARGET = Path(__file__).parents[2] / "src" / "ringhook" / "calling_hours.json"

# What only people read.
_SOURCES = frozenset({"applies_to", "source", "certainty", "voice"})


def render(table: str) -> str:
    """Give the file's text: one line a row, so that a change is read as what it changes."""
    data = tomllib.loads(table)
    index: dict[str, list[int]] = {}
    rows: list[str] = []
    for number, row in enumerate(data["rows"]):
        for where in row["applies_to"]:
            index.setdefault(where, []).append(number)
        kept = {key: _plain(value) for key, value in row.items() if key not in _SOURCES}
        rows.append("    " + json.dumps(kept, ensure_ascii=False))
    places = [f"    {json.dumps(where)}: {numbers}" for where, numbers in sorted(index.items())]
    return (
        f'{{\n  "version": {json.dumps(data["version"])},\n  "rows": [\n'
        + ",\n".join(rows)
        + '\n  ],\n  "index": {\n'
        + ",\n".join(places)
        + "\n  }\n}\n"
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


if __name__ == "__main__":
    TARGET.write_text(render(TABLE.read_text(encoding="utf-8")), encoding="utf-8")
