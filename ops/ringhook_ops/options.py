"""What the commands share: their options, and the files that they name."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ringhook.errors import RoutesError
from ringhook.reading.times import parse_time
from ringhook.routing import routes_file
from ringhook.routing.routes import Routes
from ringhook.senders import providers
from ringhook_ops.diagnosis import checking
from ringhook_ops.terminal import complain, fail

ROUTES = Path("src/routes.toml")


def time(text: str) -> datetime:
    """Read a time of the command line."""
    moment = parse_time(text)
    if moment is None:
        raise typer.BadParameter("write ISO 8601, like 2026-11-23T14:30-05:00, or epoch seconds")
    return moment


def served(name: str | None) -> str | None:
    """The provider that serves this sender, where it has none of its own."""
    return providers.SERVED_BY.get(name or "", name)


def field(text: str) -> tuple[str, str]:
    """Read one --set of the command line."""
    path, found, value = text.partition("=")
    if not (path and found):
        raise typer.BadParameter("write path=value, like shipping_address.phone=+14155550123")
    return path, value


RoutesOption = Annotated[Path, typer.Option("--routes", metavar="FILE", help="The routes file.")]
SecretsOption = Annotated[
    Path | None,
    typer.Option("--secrets", metavar="FILE", help='JSON: {"source": "secret" or ["new", "old"]}.'),
]
TimeOption = Annotated[
    datetime | None,
    typer.Option("--at", parser=time, metavar="TIME", help="ISO 8601 or epoch seconds; else now."),
]
SampleArgument = Annotated[
    str | None, typer.Argument(metavar="[TOPIC]", help="Which of its samples; else the first.")
]
SourceOption = Annotated[
    str | None,
    typer.Option(help="The source it is sent to; else the provider's first in the routes file."),
]
SecretOption = Annotated[
    str | None, typer.Option(help="What to sign with; else the sample's documented secret.")
]
FieldsOption = Annotated[
    list[Any] | None,
    typer.Option(
        "--set",
        parser=field,
        metavar="PATH=VALUE",
        help="Change a field of the body before it is signed. May be repeated.",
    ),
]
PublicUrlOption = Annotated[
    str,
    typer.Option(
        envvar="RINGHOOK_PUBLIC_URL",
        help="What stands before /hooks in the address, which some senders sign.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


def read(file: Path) -> str:
    """The text of a file, or the end of the command."""
    try:
        return file.read_text()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8 text")


def read_routes(file: Path) -> Routes:
    """The routes in a file, or all that is wrong with it and the end of the command."""
    try:
        return routes_file.load(read(file))
    except RoutesError as error:
        for problem in error.problems:
            complain(checking.located(str(file), problem))
        raise typer.Exit(1) from error


def read_secrets(file: Path) -> dict[str, Any]:
    """The signing secrets in a file, or the end of the command; its text goes into no message."""
    try:
        value = json.loads(read(file))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        fail(f'{file} is no JSON object of secrets: write {{"source": "secret"}}')
    return value
