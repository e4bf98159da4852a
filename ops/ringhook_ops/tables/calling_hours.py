"""Make, of the table that people edit, what the functions load and the page that people read.

`calling_hours.toml` has each row's sources; `calling_hours.json` in the package has what a decision
needs, and reads thirty times as fast on a cold start; `docs/law-table.md` shows it by place. Run it
after a change of the table:

    python -m ringhook_ops.tables.calling_hours
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("calling_hours.toml")
ROOT = Path(__file__).parents[3]
TARGET = ROOT / "src" / "ringhook" / "deciding" / "calling_hours.json"
PAGE = ROOT / "docs" / "law-table.md"

# What only people read.
_SOURCES = frozenset({"applies_to", "source", "certainty", "voice"})
_ABOUT = (
    "Written by `python -m ringhook_ops.tables.calling_hours` from"
    " [calling_hours.toml](../ops/ringhook_ops/tables/calling_hours.toml), where each row names its"
    " source. What the words mean, and what is not in it: [law.md](law.md). Hours are the"
    " recipient's. A state's row comes on top of its country's law. *text*: the rule's own words"
    " were read; *second*, *weak*: others report it; *own*: known, not looked up."
)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def render(table: str) -> str:
    """Give the text of the functions' file: one line a row, so that a change is read as such."""
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


def page(table: str) -> str:
    """Give the page of the documentation: for each purpose, what holds in each place."""
    data = tomllib.loads(table)
    parts = [
        "# Hours, caps and consent by place",
        f"The table of {data['version']}. {_ABOUT}",
    ]
    for purpose in ("marketing", "service", "collection"):
        rows = [row for row in data["rows"] if purpose in row["purpose"]]
        head = (
            "| place | by law | our default | law's caps (ours) | consent | certainty of the law |"
        )
        lines = [f"## {purpose.title()}", "\n".join([head, "| --- " * 6 + "|", *_lines(rows)])]
        parts += lines
    return "\n\n".join(parts) + "\n"


def _lines(rows: list[dict[str, Any]]) -> Iterable[str]:
    """Give a line for each set of places to which the same rows apply."""
    places = sorted({where for row in rows for where in row["applies_to"]} - {"*"})
    by_cells: dict[tuple[str, ...], list[str]] = {}
    for where in [*places, "*"]:
        here = [row for row in rows if where in row["applies_to"]]
        cells = _cells(here)
        if not cells[1]:
            above = where.partition("-")[0] if "-" in where else "everywhere else"
            cells = (cells[0], f"as {above}", *cells[2:])
        by_cells.setdefault(cells, []).append(where)
    for cells, wheres in by_cells.items():
        named = ", ".join(wheres).replace("*", "everywhere else")
        yield f"| {named} | {' | '.join(cells)} |"


def _cells(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    laws = [row for row in rows if row["kind"] == "law"]
    own = [row for row in rows if row["kind"] == "default"]
    caps = [*(cap for row in laws for cap in row.get("caps", ()))]
    caps += [f"({cap})" for row in own for cap in row.get("caps", ())]
    consent = [f"{row['consent']} ({row['cite']}){_since(row)}" for row in laws if "consent" in row]
    return (
        "<br>".join(f"{_hours(row)} ({row['cite']})" for row in laws if _hours(row)),
        "<br>".join(_hours(row) for row in own),
        ", ".join(caps),
        "<br>".join(consent),
        ", ".join(dict.fromkeys(row["certainty"] for row in laws)),
    )


def _hours(row: dict[str, Any]) -> str:
    """Write: Mon-Fri 09:00-20:00, Sat 09:00-17:00, holidays closed."""
    days = [
        f"{key.title()} {' and '.join(value) if isinstance(value, list) else value}"
        for key, value in row.items()
        if key.partition("-")[0] in _DAYS
    ]
    if not days:
        return ""
    if row["holidays"] != "open":
        days.append(f"holidays {row['holidays']}")
    clock = f", on the clock of {row['clock']}" if "clock" in row else ""
    season = f"in {row['season'].title()} " if "season" in row else ""
    return season + ", ".join(days) + clock + _since(row)


def _since(row: dict[str, Any]) -> str:
    since = f" from {row['from']}" if "from" in row else ""
    return since + (f" until {row['until']}" if "until" in row else "")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


if __name__ == "__main__":
    text = TABLE.read_text(encoding="utf-8")
    TARGET.write_text(render(text), encoding="utf-8")
    PAGE.write_text(page(text), encoding="utf-8")
