"""The commands about a routes file: is it right, and what would it make of a request?"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ringhook.clients.secret_store import as_list
from ringhook.deciding.policy import History
from ringhook.errors import BadRequestError, RejectedError, RoutesError, UnavailableError
from ringhook.routing import routes_file
from ringhook_ops.diagnosis import checking, doubts
from ringhook_ops.diagnosis.cautions import cautions
from ringhook_ops.dry_run import trying
from ringhook_ops.dry_run.explaining import explain
from ringhook_ops.dry_run.knowing import read_history
from ringhook_ops.dry_run.trying import Tried
from ringhook_ops.options import (
    ROUTES,
    JsonOption,
    PublicUrlOption,
    RoutesOption,
    SecretsOption,
    TimeOption,
    read,
    read_routes,
    read_secrets,
)
from ringhook_ops.samples import gateway
from ringhook_ops.tables.schema import json_schema
from ringhook_ops.terminal import complain, fail, out, print_json


def check(
    file: Annotated[Path, typer.Argument(help="The routes file.")] = ROUTES,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check a routes file: what is wrong in which line, what each route enforces and would ring.

    Each route is tried on the samples of its sender, as they are sent, in the daytime.

    Example: `ringhook check src/routes.toml`
    """
    text = read(file)
    try:
        routes = routes_file.load(text)
    except RoutesError as error:
        if as_json:
            print_json(checking.report(str(file), error.problems))
        for problem in () if as_json else error.problems:
            complain(checking.located(str(file), problem))
        raise typer.Exit(1) from error
    tried = trying.tried(routes)
    warnings = routes.warnings + doubts.doubts(routes, text, tried)
    warnings += cautions(routes, text, datetime.now(UTC).date())
    if as_json:
        print_json(checking.report(str(file), [], warnings, routes, tried))
        return
    for problem in warnings:
        complain(checking.located(str(file), problem) + " (warning)")
    for route in routes.routes:
        _print_enforced(checking.enforced(route, routes))
        _print_tried([row for row in tried if row.route == route.name])


def schema() -> None:
    """Print the JSON Schema of routes.toml, for editors.

    Example: `ringhook schema > docs/routes.schema.json`
    """
    print_json(json_schema())


def _history(file: Path | None) -> History:
    """What a file says is known of the number, or the end of the command."""
    try:
        return read_history(json.loads(read(file)) if file else {})
    except ValueError as error:
        fail(f"{file}: {error}")


def map_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The request; - for stdin.")],
    *,
    routes: RoutesOption = ROUTES,
    at: TimeOption = None,
    unsigned: Annotated[bool, typer.Option(help="Do not look at the signature.")] = False,
    secrets: SecretsOption = None,
    public_url: PublicUrlOption = "",
    history: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What is known of the number, as `ringhook export` prints it; else nothing.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what each route would make of a request, by the code that serves. Rings nobody.

    FILE is an API Gateway event (HTTP API, payload format 2.0), or JSON with `source`, `method`,
    `url`, `headers`, and `body` (text) or `body_b64`.

    Example: `ringhook event shopify | ringhook map - --unsigned`
    """
    if not (unsigned or secrets):
        raise typer.BadParameter("give the signing secrets, or --unsigned", param_hint="--secrets")
    loaded = read_routes(routes)
    keys = read_secrets(secrets) if secrets else {}
    try:
        document = json.loads(sys.stdin.read() if file == "-" else read(Path(file)))
    except ValueError as error:
        fail(f"{file}: it is not JSON: {error}")
    try:
        request = gateway.read(document, public_url=public_url, received_at=at or datetime.now(UTC))
        keyed = None if unsigned else as_list(keys.get(request.source))
        rows = explain(request, loaded, keyed, _history(history))
    except BadRequestError as error:
        fail(f"{file}: {error}")
    except RejectedError as error:
        fail(f"the request is not genuine: {error}")
    except UnavailableError as error:
        fail(f"{secrets}: {error}")
    if as_json:
        print_json([row.as_json() for row in rows])
        return
    for row in rows:
        place = row.topic or request.source
        place += f" → {row.route}" * bool(row.route)
        waits = row.at if row.decision == "defer" else None
        until = f" until {waits.isoformat(timespec='minutes')}" if waits else ""
        out.print(f"[bold]{escape(place)}[/bold]: {row.decision}{until}: {escape(row.reason)}")
        if wanted := row.request():
            out.print(f"  {escape(json.dumps(wanted, ensure_ascii=False))}", soft_wrap=True)
    if not rows:
        out.print(f"No route makes anything of it: source {request.source}.")


def _print_enforced(route: dict[str, Any]) -> None:
    said = dict(route)
    out.print(f"[bold]{said.pop('route')}[/bold]: {said.pop('source')} ({said.pop('provider')})")
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, value in said.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        if value in (None, []):
            text = "every topic" if name == "on" else "[dim]not set[/dim]"
        table.add_row(name, text)
    out.print(table)


def _print_tried(rows: list[Tried]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2))
    for row in rows:
        said = f"rings {row.phone_number}" if row.outcome == "rings" else f"{row.outcome}:"
        table.add_row(f"  {row.sample}", said, "" if row.outcome == "rings" else escape(row.reason))
    out.print(table if rows else "    [dim]no sample of its sender is one of its topics[/dim]")
