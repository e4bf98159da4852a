"""The changes of `changes.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Change:
    """`old` becomes `new` in one file of `src/ringhook`; one of `tests` must fail then."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def found(self) -> int:
        """How often `old` stands in the file."""
        return (ROOT / "src" / "ringhook" / self.file).read_text().count(self.old)


def changes() -> dict[str, Change]:
    """All of them, by name, in the order of the file."""
    said = tomllib.loads(Path(__file__).with_name("changes.toml").read_text())
    rows = said["changes"]
    found = {
        row["name"]: Change(
            **row | {"tests": tuple(row.get("tests") or said["tests"][row["file"]])}
        )
        for row in rows
    }
    assert len(found) == len(rows), "two changes have one name"
    return found
