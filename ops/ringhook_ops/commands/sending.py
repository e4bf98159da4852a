"""The commands that play a sender: a sample webhook, printed or posted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ringhook.clients.secret_store import as_list
from ringhook.errors import UnavailableError
from ringhook.routing.routes import Routes
from ringhook.senders.request import Request
from ringhook_ops.deployed import deployment
from ringhook_ops.deployed.deployment import DeploymentError
from ringhook_ops.options import (
    ROUTES,
    FieldsOption,
    PublicUrlOption,
    RoutesOption,
    SampleArgument,
    SecretOption,
    SecretsOption,
    SourceOption,
    TimeOption,
    read_routes,
    read_secrets,
    served,
)
from ringhook_ops.samples import gateway, library, sending, webhooks
from ringhook_ops.samples.library import SampleError
from ringhook_ops.samples.sending import SendError
from ringhook_ops.terminal import fail, json_text, out, print_json

# At this time, signed with the samples' documented secrets, `events/` is the same everywhere.
EVENTS_AT = datetime(2026, 7, 14, 14, 12, tzinfo=UTC)


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
        known = ", ".join(library.providers())
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


def _sample(provider: str, topic: str | None, routes: Routes) -> str:
    """The source that a sample goes to, or the end of the command if there is no such sample."""
    try:
        return webhooks.source_of(library.find(provider, topic), routes)
    except SampleError as error:
        fail(str(error))


def _signed(provider: str, topic: str | None, routes: Routes, **more: Any) -> Request:
    """A sample as its sender would send it now, or the end of the command, saying why not."""
    try:
        sample = library.find(provider, topic)
        return webhooks.webhook(sample, routes, **{"now": datetime.now(UTC), **more})
    except (SampleError, UnavailableError) as error:
        fail(str(error))
