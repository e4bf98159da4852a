"""What every command shares of talking to a person: where answers and complaints go."""

from __future__ import annotations

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
