"""What every command shares of talking to a person: where answers and complaints go."""

from __future__ import annotations

import json
from typing import NoReturn

import typer
from rich.console import Console

# Answers on stdout, for pipes; progress and complaints on stderr.
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def fail(message: str) -> NoReturn:
    """Say what is wrong and end with status 1."""
    err.print("[red]error:[/red]", end=" ")
    err.print(message, markup=False, soft_wrap=True)
    raise typer.Exit(1)


def complain(text: str) -> None:
    """Say something on stderr, as it is."""
    err.print(text, markup=False, soft_wrap=True)


def json_text(document: object) -> str:
    """JSON for people and programs alike."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def print_json(document: object) -> None:
    """Print JSON on stdout."""
    typer.echo(json_text(document))
