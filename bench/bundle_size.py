"""What is uploaded for each function, by size."""

from __future__ import annotations

import functools
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING

from bench.functions import FUNCTIONS
from bench.progress import say
from bench.report import Cell, Part, Ratio, Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.functions import Code
    from bench.setup import Setup

NOTE = """\
Megabytes (10⁶ bytes) as zipped for the upload, by what lies at the top of the bundle; the {top}
largest, and the rest together."""
TOP = 12


def measure(setup: Setup) -> Part:
    """Weigh each function's parts; nothing, where nothing is built."""
    code = setup.code
    if not code.built:
        return Part(tables=[])
    say("the bundle's size")
    sizes = {name: _parts(code, f"ringhook.{name}") for name in FUNCTIONS}
    names = {part for parts in sizes.values() for part in parts}
    largest = sorted(names, key=lambda part: -max(p.get(part, 0) for p in sizes.values()))[:TOP]
    rest = {name: sum(parts.values()) for name, parts in sizes.items()}
    rows: list[list[Cell]] = []
    for part in largest:
        rows.append([part, *(parts.get(part, 0) for parts in sizes.values())])
        for name, parts in sizes.items():
            rest[name] -= parts.get(part, 0)
    rows.append(["the rest", *rest.values()])
    rows.append(["all", *(sum(parts.values()) for parts in sizes.values())])
    table = Table(
        title="Bundle",
        note=NOTE.format(top=TOP),
        columns=("", *FUNCTIONS),
        rows=rows,
    )
    return Part(
        tables=[table],
        ratios=[
            Ratio(
                what=f"{name}'s bundle, zipped", measured=sum(parts.values()), target=5, unit="MB"
            )
            for name, parts in sizes.items()
        ],
    )


def _parts(code: Code, module: str) -> Mapping[str, float]:
    """Zipped megabytes by the name at the top."""
    sizes: dict[str, float] = defaultdict(float)
    for directory in code.path(module):
        for file in directory.rglob("*"):
            if file.is_file():
                sizes[file.relative_to(directory).parts[0]] += _zipped(file) / 1e6
    return sizes


@functools.cache
def _zipped(file: Path) -> int:
    return len(zlib.compress(file.read_bytes()))
