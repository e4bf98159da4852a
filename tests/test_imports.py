"""The core takes values and gives values: what asks the outside stands apart."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "ringhook"
IO = {"boto3", "botocore", "urllib3", "aws_lambda_powertools", "http", "socket", "os"}
# What may ask the outside, log or read the environment; all else is the core.
EDGE = {
    *("accounts", "aws", "breaker", "dialer", "dialing", "fetching", "keeper", "ledger", "numbers"),
    *("pace", "queue", "receiver", "secret_store", "settings", "table", "telemetry", "telling"),
    *("unleashx", "wire", "wiring"),
}
# SNS names the address of its certificate in each message: it is fetched where it is verified.
FETCHES = SRC / "providers" / "sns.py"
CORE = sorted(path for path in SRC.glob("**/*.py") if path.stem not in EDGE and path != FETCHES)


def imported(path: Path) -> set[str]:
    """The modules that a file imports, when it is loaded or later."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(SRC)))
def test_the_core_imports_nothing_that_asks_the_outside(path: Path) -> None:
    found = imported(path)
    edge = {f"ringhook.{name}" for name in EDGE}

    assert not {name for name in found if name.split(".")[0] in IO}
    assert not {name for name in found if name in edge and not _for_types(path, name)}


def _for_types(path: Path, name: str) -> bool:
    """Whether a module is only named in annotations."""
    tree = ast.parse(path.read_text())
    blocks = [
        n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)
    ]
    return any(name in ast.unparse(block) for block in blocks)
