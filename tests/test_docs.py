"""The documents say what the code does: keys, commands, settings, and no file that is not there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from ringhook.routing import routes, routes_file, whole_file
from ringhook.senders import providers
from ringhook.senders.providers.hmac import HmacSource
from ringhook_ops.cli import app

ROOT = Path(__file__).parent.parent
DOCS = [ROOT / "README.md", *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def keys(table: Any) -> list[str]:
    """What may be written in a table."""
    return [str(field.metadata.get("alias", field.name)) for field in fields(table)]


def models() -> list[tuple[str, str]]:
    tables = (
        whole_file.File,
        routes.Route,
        routes.CallTemplate,
        routes.Policy,
        routes.RecordTemplate,
        providers.Source,
        HmacSource,
    )
    return [(table.__name__, name) for table in tables for name in keys(table)]


@pytest.mark.parametrize(("table", "key"), models())
def test_every_key_of_routes_toml_is_explained(table: str, key: str) -> None:
    text = (ROOT / "docs" / "routes.md").read_text()
    assert re.search(rf"`(\[+)?{key}(\.NAME)?(\]+)?`|\[{key}[.\]]|\[routes\.{key}\]", text), (
        f"{table}.{key}"
    )


def commands_named(text: str) -> set[str]:
    return set(re.findall(r"(?:^|[`/ ])ringhook ([a-z]+)", text, re.MULTILINE)) - {"is", "the"}


@pytest.mark.parametrize("document", sorted(set(DOCS)), ids=lambda path: path.name)
def test_every_command_that_a_document_names_exists(document: Path) -> None:
    command = get_command(app)
    known = set(getattr(command, "commands", {}))
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", document.read_text(), re.DOTALL))
    assert commands_named(code) - known == set()


@pytest.mark.parametrize("document", sorted(set(DOCS)), ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readmes_routes_are_routes() -> None:
    text = (ROOT / "README.md").read_text()
    [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert routes_file.load(re.sub(r"^   ", "", example, flags=re.MULTILINE)).warnings == []
