"""The `ringhook` command: what each word of it takes and prints. The work is done elsewhere."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ringhook import routes_file
from ringhook.errors import BadRequestError, RejectedError, RoutesError, UnavailableError
from ringhook.policy import History
from ringhook.request import Request
from ringhook.routes import Routes
from ringhook.secret_store import as_list
from ringhook_ops import (
    bundle,
    checking,
    cloud,
    connecting,
    deployment,
    doubts,
    finding,
    gateway,
    operating,
    persons,
    rc,
    samples,
    sending,
    steering,
    trying,
    webhooks,
)
from ringhook_ops.cautions import cautions
from ringhook_ops.deployment import DeploymentError
from ringhook_ops.explaining import explain
from ringhook_ops.knowing import read_history
from ringhook_ops.options import (
    ROUTES,
    FieldsOption,
    JsonOption,
    PublicUrlOption,
    RoutesOption,
    SampleArgument,
    SecretOption,
    SecretsOption,
    SourceOption,
    TimeOption,
    read,
    read_routes,
    read_secrets,
    served,
)
from ringhook_ops.rc import RcError
from ringhook_ops.samples import SampleError
from ringhook_ops.schema import json_schema
from ringhook_ops.sending import SendError
from ringhook_ops.terminal import complain, err, fail, json_text, out, print_json
from ringhook_ops.trying import Tried

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


@app.command()
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


@app.command()
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


@app.command("map")
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


@app.command()
def event(  # noqa: PLR0913 - a command's options
    provider: Annotated[
        str | None, typer.Argument(help="Who sends, e.g. shopify.", callback=served)
    ] = None,
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
            (folder / name).write_text(json_text(document) + "\n")
        return
    if provider is None:
        known = ", ".join(samples.providers())
        raise typer.BadParameter(f"say who sends: {known}", param_hint="PROVIDER")
    loaded = read_routes(routes)
    hooks = f"{public_url.rstrip('/') or 'https://' + gateway.DOMAIN}/hooks"
    request = _signed(
        provider,
        topic,
        loaded,
        now=at or datetime.now(UTC),
        source=source,
        secret=secret,
        hooks=hooks,
        fields=fields or (),
    )
    print_json(webhooks.queued(request, loaded) if queued else gateway.event(request))


@app.command()
def send(  # noqa: PLR0913 - a command's options
    provider: Annotated[str, typer.Argument(help="Who sends, e.g. shopify.", callback=served)],
    topic: SampleArgument = None,
    *,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="WEBHOOKS_URL",
            help="Where to: the stack's output WebhooksUrl; else the running `up`.",
        ),
    ] = None,
    source: SourceOption = None,
    secret: SecretOption = None,
    secrets: SecretsOption = None,
    fields: FieldsOption = None,
    routes: RoutesOption = ROUTES,
    repeat: Annotated[int, typer.Option(min=1, help="Send the same webhook so many times.")] = 1,
) -> None:
    """Post a sample webhook, signed just now, to a deployment, and print its answer.

    Example: `ringhook send shopify --url https://a1b2c3.execute-api.us-east-1.amazonaws.com/hooks`
    """
    try:
        hooks = url or deployment.read_up()["webhooks_url"]
    except DeploymentError as error:
        fail(f"{error}, or give the address with --url")
    loaded = read_routes(routes)
    name = source or _sample(provider, topic, loaded)
    kept = as_list(read_secrets(secrets).get(name)) if secrets else []
    if secrets and not kept:
        fail(f"{secrets} has no secret of source {name!r}")
    request = _signed(
        provider,
        topic,
        loaded,
        source=name,
        secret=secret or (kept[0] if kept else None),
        hooks=hooks.rstrip("/"),
        fields=fields or (),
    )
    accepted = True
    for _ in range(repeat):
        try:
            answer = sending.post(request)
        except SendError as error:
            fail(str(error))
        out.print(str(answer), markup=False, soft_wrap=True)
        accepted = accepted and answer.status < 300
    if not accepted:
        raise typer.Exit(1)


@app.command()
def up(
    *,
    routes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Routes to deploy; else the demo's, with its story."),
    ] = None,
    secrets: SecretsOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Build the functions anew.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="For programs: no demo, one JSON line when ready.")
    ] = False,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen; Docker's bridge, for `sam local invoke` to reach it.",
        ),
    ] = cloud.LOOPBACK,
    leave: Annotated[bool, typer.Option("--exit", help="End after the story.")] = False,
) -> None:
    """Run the whole of Ringhook on this machine until Ctrl-C, ringing a sandbox and nobody else.

    A source without a secret in --secrets gets the documented one of its provider's samples.

    Example: `ringhook up`
    """
    # Imported here: they are the local cloud's, which the other commands do without.
    from ringhook_ops import up as local  # noqa: PLC0415
    from ringhook_ops.processes import ProgramError  # noqa: PLC0415
    from ringhook_ops.story import Story, curl  # noqa: PLC0415

    if not (bundle.ROOT / ".venv-cloud" / "bin").exists():
        fail("the local cloud is not installed: make setup")
    file = routes or webhooks.DEMO_ROUTES
    loaded = read_routes(file)
    keys = {**local.sample_secrets(loaded), **(read_secrets(secrets) if secrets else {})}
    failures: list[str] = []
    try:
        with (
            local.until_signal() as wait,
            local.running(
                file,
                keys,
                local.sample_credentials(loaded),
                host=host,
                fresh=fresh,
                say=_progress,
            ) as running,
        ):
            if as_json:
                typer.echo(json.dumps(asdict(running.addresses)))
                sys.stdout.flush()
                wait()
            if routes is None:
                story = Story(running, loaded, out)
                story.tell()
                failures = story.failures
            _print_addresses(asdict(running.addresses))
            if routes is None:
                out.print("\nTry it by hand:")
                out.print(f"  {curl(running.addresses.webhooks_url)}", markup=False, soft_wrap=True)
            if not leave:
                out.print("\nCtrl-C ends it.")
                wait()
    except local.EndedError:
        _progress("Ended; nothing is left running")
    except ProgramError as error:
        fail(str(error))
    for failure in failures:
        complain(f"not as it should be: {failure}")
    if failures:
        raise typer.Exit(1)


@app.command()
def env(
    file: Annotated[Path, typer.Argument(help="The settings; samplerc has them all.")] = rc.FILE,
    *,
    up: Annotated[
        bool,
        typer.Option(
            "--up", help="Where things are as a running `ringhook up` has it: nobody is rung."
        ),
    ] = False,
) -> None:
    """Print the settings in a file as the JSON that `sam local invoke --env-vars` reads.

    Example: `ringhook env --up > env.json; sam local invoke ReceiverFunction --env-vars env.json …`
    """
    try:
        settings = rc.read(file)
        if up:
            running = deployment.find(None).environment()
            # How to deliver is the file's to say; and a request of `ringhook event` comes to the
            # address there, not to that of `up`.
            settings |= running | {
                "RINGHOOK_DELIVERY": settings.get("RINGHOOK_DELIVERY", "queue"),
                "RINGHOOK_PUBLIC_URL": settings.get("RINGHOOK_PUBLIC_URL", ""),
            }
    except FileNotFoundError:
        fail(f"there is no {file}: cp samplerc {file}, and change what you need")
    except (RcError, DeploymentError, OSError) as error:
        fail(str(error))
    print_json({"Parameters": settings})


@app.callback()
def settings() -> None:
    """Read `.ringhookrc`, under what the environment says already."""
    try:
        rc.apply(os.environ)
    except (RcError, OSError) as error:
        fail(str(error))


app.command()(operating.calls)
app.command()(operating.show)
app.command("doctor")(operating.examine)
app.command()(steering.pause)
app.command()(steering.resume)
app.command()(steering.replay)
app.command()(connecting.verify)
app.command()(connecting.init)
app.command("recipes")(connecting.list_recipes)
app.command("providers")(finding.senders)
app.command()(persons.export)
app.command()(persons.forget)
app.add_typer(persons.dnc, name="dnc")
app.add_typer(operating.token, name="token")
app.add_typer(operating.secret, name="secret")
app.add_typer(operating.credential, name="credential")


def _sample(provider: str, topic: str | None, routes: Routes) -> str:
    """The source that a sample goes to, or the end of the command if there is no such sample."""
    try:
        return webhooks.source_of(samples.find(provider, topic), routes)
    except SampleError as error:
        fail(str(error))


def _signed(provider: str, topic: str | None, routes: Routes, **more: Any) -> Request:
    """A sample as its sender would send it now, or the end of the command, saying why not."""
    try:
        sample = samples.find(provider, topic)
        return webhooks.webhook(sample, routes, **{"now": datetime.now(UTC), **more})
    except (SampleError, UnavailableError) as error:
        fail(str(error))


def _progress(text: str) -> None:
    err.print(f"[dim]{datetime.now().astimezone():%H:%M:%S}[/dim] {escape(text)}", soft_wrap=True)


def _print_addresses(addresses: dict[str, str]) -> None:
    out.print()
    for name, address in addresses.items():
        out.print(f"{name:<22} {address}", soft_wrap=True)


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
