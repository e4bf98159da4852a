"""The rooms: who may import whom, so that the core takes values and gives values."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "ringhook"
OPS = Path(__file__).parents[1] / "ops" / "ringhook_ops"
IO = {"boto3", "botocore", "urllib3", "http", "socket", "os"}

# The rooms that ask nothing of the outside: each imports from those before it.
CORE = ("errors", "clock", "reading", "senders", "calls", "deciding", "routing")
# Above them all: what asks the outside, what runs a call, and what puts both together.
EDGE = ("settings", "telemetry", "clients", "ringing", "wiring", "receiver", "dialer", "keeper")
# What makes the bundle, and is not in it.
BUILD = ("building",)
# SNS names the address of its certificate in each message: it is fetched where it is verified.
FETCHES = SRC / "senders" / "providers" / "sns.py"
ASKS = {"clients", "wiring", "telemetry", "settings", *BUILD}
FILES = sorted(SRC.glob("**/*.py"))


def room(path: Path) -> str:
    """The room of a file: its folder, or itself."""
    return path.relative_to(SRC).parts[0].removesuffix(".py")


def module(path: Path) -> str:
    """How a file is imported."""
    name = ".".join(("ringhook", *path.relative_to(SRC).with_suffix("").parts))
    return name.removesuffix(".__init__")


MODULES = {module(path) for path in FILES}


@functools.cache
def imports(path: Path, *, for_types: bool) -> frozenset[str]:
    """The modules that a file imports when it is loaded or later, or in annotations too."""
    tree = ast.parse(path.read_text())
    typed = {
        id(inner)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for inner in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typed and not for_types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            within = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES
            found |= within or {node.module}
    return frozenset(found)


@pytest.mark.parametrize("path", FILES, ids=module)
def test_only_the_clients_ask_the_outside(path: Path) -> None:
    if path == FETCHES or room(path) in ASKS:
        return

    found = {name.split(".")[0] for name in imports(path, for_types=True)}

    assert not found & IO


@pytest.mark.parametrize("path", [path for path in FILES if room(path) in CORE], ids=module)
def test_a_room_of_the_core_imports_from_the_rooms_below_it(path: Path) -> None:
    below = CORE[: CORE.index(room(path)) + 1]

    for name in imports(path, for_types=False):
        if name.startswith("ringhook."):
            assert name.split(".")[1] in below


@pytest.mark.parametrize("path", [path for path in FILES if room(path) in CORE], ids=module)
def test_the_core_knows_the_clients_not_even_by_type(path: Path) -> None:
    for name in imports(path, for_types=True):
        assert name.split(".")[1:2] not in ([room] for room in (*EDGE, *BUILD))


def test_nothing_imports_in_a_circle() -> None:
    asks = {module(path): imports(path, for_types=False) & MODULES for path in FILES}
    left = dict(asks)

    while free := [name for name, needs in left.items() if not needs & left.keys() - {name}]:
        for name in free:
            del left[name]

    assert not left


def test_every_room_is_in_the_order() -> None:
    assert {room(path) for path in FILES} - {"__init__"} == {*CORE, *EDGE, *BUILD}


@pytest.mark.parametrize("path", [*FILES, *sorted(OPS.glob("**/*.py"))], ids=lambda path: path.name)
def test_a_module_has_at_most_450_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 450


def test_at_most_eight_files_stand_directly_in_ops() -> None:
    assert len([path for path in OPS.iterdir() if path.is_file()]) <= 8
