"""The `ringhook` command: what each word of it takes and prints. The work is done elsewhere."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ringhook import routes as routes_file
from ringhook.errors import BadRequestError, RejectedError, RoutesError, UnavailableError
from ringhook.expressions import parse_time
from ringhook.routes import Routes
from ringhook.secret_store import as_list
from ringhook_ops import checking, gateway, samples, webhooks
from ringhook_ops.samples import SampleError
from ringhook_ops.terminal import err, fail, out

ROUTES = Path("src/routes.toml")
# At this time, signed with the samples' documented secrets, `events/` is the same everywhere.
EVENTS_AT = datetime(2026, 7, 14, 14, 12, tzinfo=UTC)

app = typer.Typer(
    name="ringhook",
    help="A webhook arrives; the right person's phone rings, once, and anyone can see why.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


def _time(text: str) -> datetime:
    moment = parse_time(text)
    if moment is None:
        raise typer.BadParameter("write ISO 8601, like 2026-11-23T14:30-05:00, or epoch seconds")
    return moment


def _field(text: str) -> tuple[str, str]:
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
    typer.Option("--at", parser=_time, metavar="TIME", help="ISO 8601 or epoch seconds; else now."),
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
        parser=_field,
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


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The routes file.")] = ROUTES,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check a routes file: print what each route enforces, or what is wrong in which line.

    Example: `ringhook check src/routes.toml`
    """
    routes, problems = None, []
    try:
        routes = routes_file.load(_read(file))
    except RoutesError as error:
        problems = error.problems
    warnings = routes.warnings if routes else []
    enforced = [checking.enforced(route, routes) for route in routes.routes] if routes else []
    if as_json:
        _print_json(
            {
                "file": str(file),
                "problems": [checking.problem_as_json(problem) for problem in problems],
                "warnings": [checking.problem_as_json(problem) for problem in warnings],
                "routes": enforced,
            }
        )
    else:
        for problem in problems:
            _complain(checking.located(str(file), problem))
        for problem in warnings:
            _complain(checking.located(str(file), problem) + " (warning)")
        for route in enforced:
            _print_enforced(route)
    if problems:
        raise typer.Exit(1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of routes.toml, for editors.

    Example: `ringhook schema > docs/routes.schema.json`
    """
    _print_json(routes_file.json_schema())


@app.command("map")
def map_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The request; - for stdin.")],
    *,
    routes: RoutesOption = ROUTES,
    at: TimeOption = None,
    unsigned: Annotated[bool, typer.Option(help="Do not look at the signature.")] = False,
    secrets: SecretsOption = None,
    public_url: PublicUrlOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say what each route would make of a request, by the code that serves. Rings nobody.

    FILE is an API Gateway event (HTTP API, payload format 2.0), or JSON with `source`, `method`,
    `url`, `headers`, and `body` (text) or `body_b64`.

    Example: `ringhook event shopify | ringhook map - --unsigned`
    """
    # Imported here: it brings boto3, which no other command for the desk needs.
    from ringhook_ops.explaining import explain  # noqa: PLC0415

    if not (unsigned or secrets):
        raise typer.BadParameter("give the signing secrets, or --unsigned", param_hint="--secrets")
    loaded = _routes(routes)
    keys = _secrets(secrets) if secrets else {}
    try:
        document = json.loads(sys.stdin.read() if file == "-" else _read(Path(file)))
    except ValueError as error:
        fail(f"{file}: it is not JSON: {error}")
    try:
        request = gateway.read(document, public_url=public_url, received_at=at or datetime.now(UTC))
        rows = explain(request, loaded, None if unsigned else as_list(keys.get(request.source)))
    except BadRequestError as error:
        fail(f"{file}: {error}")
    except RejectedError as error:
        fail(f"the request is not genuine: {error}")
    except UnavailableError as error:
        fail(f"{secrets}: {error}")
    if as_json:
        _print_json([row.as_json() for row in rows])
        return
    table = Table("event", "route", "decision", "why", "call", box=None, header_style="bold")
    for row in rows:
        call = row.call
        who = f"agent {call.agent_id} → {call.phone_number}" if call and not call.unmapped else ""
        table.add_row(row.topic, row.route or "", row.decision, row.reason, who)
    out.print(table if rows else f"No route makes anything of it: source {request.source}.")


@app.command()
def event(  # noqa: PLR0913 - a command's options
    provider: Annotated[str | None, typer.Argument(help="Who sends, e.g. shopify.")] = None,
    topic: SampleArgument = None,
    *,
    source: SourceOption = None,
    secret: SecretOption = None,
    fields: FieldsOption = None,
    routes: RoutesOption = ROUTES,
    public_url: PublicUrlOption = "",
    at: TimeOption = None,
    queued: Annotated[
        bool, typer.Option("--queued", help="Print the SQS event that the dialer gets for it.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--all", metavar="DIR", help="Write every sample into this directory."),
    ] = None,
) -> None:
    """Print a sample webhook, signed just now, as the event that API Gateway makes of it.

    Example: `ringhook event hubspot contact.creation | sam local invoke ReceiverFunction -e -`
    """
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in webhooks.every_event(EVENTS_AT):
            (folder / name).write_text(_json(document) + "\n")
        return
    if provider is None:
        known = ", ".join(samples.providers())
        raise typer.BadParameter(f"say who sends: {known}", param_hint="PROVIDER")
    loaded = _routes(routes)
    hooks = f"{public_url.rstrip('/') or 'https://' + gateway.DOMAIN}/hooks"
    try:
        request = webhooks.webhook(
            samples.find(provider, topic),
            loaded,
            now=at or datetime.now(UTC),
            source=source,
            secret=secret,
            hooks=hooks,
            fields=fields or (),
        )
    except (SampleError, UnavailableError) as error:
        fail(str(error))
    _print_json(webhooks.queued(request, loaded) if queued else gateway.event(request))


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8 text")


def _routes(file: Path) -> Routes:
    try:
        return routes_file.load(_read(file))
    except RoutesError as error:
        for problem in error.problems:
            _complain(checking.located(str(file), problem))
        raise typer.Exit(1) from error


def _secrets(file: Path) -> dict[str, Any]:
    """The signing secrets in a file; its text goes into no message."""
    try:
        value = json.loads(_read(file))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        fail(f'{file} is no JSON object of secrets: write {{"source": "secret"}}')
    return value


def _complain(text: str) -> None:
    err.print(text, markup=False, soft_wrap=True)


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _print_json(document: object) -> None:
    typer.echo(_json(document))


def _print_enforced(route: dict[str, Any]) -> None:
    said = dict(route)
    out.print(f"[bold]{said.pop('route')}[/bold]: {said.pop('source')} ({said.pop('provider')})")
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, value in said.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        if value is None:
            text = "every topic" if name == "on" else "[dim]not set[/dim]"
        table.add_row(name, text)
    out.print(table)
