"""What is uploaded for each function, by size."""

from __future__ import annotations

import shutil
import tempfile
import zlib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench.functions import FUNCTIONS
from bench.progress import say
from bench.report import Cell, Part, Ratio, Table
from ringhook_ops.deployed import manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.functions import Code
    from bench.setup import Setup

NOTE = """\
Megabytes (10⁶ bytes) of each function's zip file as `make build` makes it, here for this machine's
processor, by what lies at the top of it: the {top} largest, and the rest together with
the bill of materials and the zip file's own directory."""
TOP = 8


def measure(setup: Setup) -> Part:
    """Weigh each function's parts; nothing, where nothing is built."""
    code = setup.code
    if not code.built:
        return Part(tables=[])
    say("the bundle's size")
    weighed = {name: _weighed(code, name) for name in FUNCTIONS}
    names = {part for parts, _ in weighed.values() for part in parts}

    def largest(part: str) -> float:
        return max(parts.get(part, 0) for parts, _ in weighed.values())

    top = sorted(names, key=largest, reverse=True)[:TOP]
    rows: list[list[Cell]] = [
        [part, *(parts.get(part, 0) for parts, _ in weighed.values())] for part in top
    ]
    rest = [whole - sum(parts.get(part, 0) for part in top) for parts, whole in weighed.values()]
    rows += [["the rest", *rest], ["all", *(whole for _, whole in weighed.values())]]
    table = Table(title="Bundle", note=NOTE.format(top=TOP), columns=("", *FUNCTIONS), rows=rows)
    return Part(
        tables=[table],
        ratios=[
            Ratio(what=f"{name}'s bundle, zipped", measured=whole, target=5, unit="MB")
            for name, (_, whole) in weighed.items()
        ],
    )


def _weighed(code: Code, name: str) -> tuple[Mapping[str, float], float]:
    """Zipped megabytes by the name at the top, and of the whole, as for the upload."""
    with tempfile.TemporaryDirectory(dir=code.directory.parent) as directory:
        function = Path(directory) / name
        for part in reversed(code.path(f"ringhook.{name}")):  # the function's own files win
            shutil.copytree(part, function, dirs_exist_ok=True)
        parts: dict[str, float] = defaultdict(float)
        for file in function.rglob("*"):
            if file.is_file():
                top = file.relative_to(function).parts[0]
                parts[top] += len(zlib.compress(file.read_bytes())) / 1e6
        (function / manifest.BILL).write_text(manifest.bill_of_materials(function))
        return parts, manifest.zipped(function) / 1e6
