"""The commands of whoever connects a sender: is a webhook genuine, and which routes suit whom."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.table import Table

from ringhook.errors import BadRequestError, Problem
from ringhook.reading import checked
from ringhook.routing import routes_file
from ringhook.senders import providers
from ringhook.senders.providers import Provider
from ringhook_ops.catalogue import recipes
from ringhook_ops.catalogue.recipes import Recipe, RecipeError
from ringhook_ops.diagnosis import checking, verifying
from ringhook_ops.options import (
    ROUTES,
    JsonOption,
    PublicUrlOption,
    TimeOption,
    field,
    read,
    served,
)
from ringhook_ops.samples import gateway
from ringhook_ops.terminal import complain, fail, out, print_json
from ringhook_ops.toml_text import table as toml_table

SettingsOption = Annotated[
    list[Any] | None,
    typer.Option(
        "--set",
        parser=field,
        metavar="KEY=VALUE",
        help="A setting of the source, as in [sources.NAME]. May be repeated.",
    ),
]


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The request; - for stdin.")],
    *,
    provider: Annotated[
        str, typer.Option(metavar="NAME", help="Who is said to have sent it.", callback=served)
    ],
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="RINGHOOK_SECRET",
            show_envvar=True,
            help="The source's signing secret; - for the first line of stdin. For HTTP Basic"
            " user:password, for Ed25519 the public key. Left out: asked for, unseen.",
        ),
    ] = None,
    at: TimeOption = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="The address that the sender was given.")
    ] = None,
    settings: SettingsOption = None,
    public_url: PublicUrlOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say whether a webhook is genuine, or exactly why not. Status 0 or 1; 2 if it cannot be told.

    FILE is an API Gateway event (HTTP API, payload format 2.0), or JSON with `method`, `url`,
    `headers`, and `body` (text) or `body_b64`.

    Example: `ringhook event shopify | ringhook verify - --provider shopify --secret shpss_…`
    """
    sender = _adapted(provider, dict(settings or ()))
    if file == secret == "-":
        raise typer.BadParameter("stdin cannot be FILE and secret", param_hint="--secret")
    document = _document(file)
    now = at or datetime.now(UTC)
    # A request alone needs no source; one that has none is its provider's.
    if "requestContext" not in document:
        document = {"source": provider, **document}
    try:
        request = gateway.read(document, public_url=public_url, received_at=now)
    except BadRequestError as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from error
    request = replace(request, url=url or request.url)
    key = _secret(secret, asked=file != "-")
    verdict = verifying.diagnose(sender, request, key, now, arrived=_arrived(document))
    if as_json:
        print_json(verdict.as_json())
    else:
        colour, judged = ("green", "genuine") if verdict.genuine else ("red", "not genuine")
        out.print(f"[{colour}]{judged}[/{colour}]:", end=" ")
        out.print(verdict.reason, markup=False, soft_wrap=True)
        for hint in verdict.hints:
            out.print(f"  {hint}", markup=False, soft_wrap=True)
        if verdict.settings:
            lines = toml_table("sources.NAME", {"provider": "hmac", **verdict.settings})
            out.print(f"\n{lines}", markup=False, soft_wrap=True)
    if not verdict.genuine:
        raise typer.Exit(1)


def init(
    provider: Annotated[str, typer.Argument(help="Who sends, e.g. shopify.", callback=served)],
    *,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which of `ringhook recipes`; else the usual one."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The source's name, as in /hooks/{source}."),
    ] = None,
    agent: Annotated[
        int | None, typer.Option(metavar="ID", min=1, help="The agent that speaks.")
    ] = None,
    country: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="Where it may ring; the first is that of local numbers."),
    ] = None,
    file: Annotated[Path, typer.Option(metavar="FILE", help="The routes file.")] = ROUTES,
) -> None:
    """Write a ready route into a routes file, below what stands there, and say what comes next.

    Example: `ringhook init shopify --recipe cod-confirmation --agent 1042 --country US`
    """
    _known(provider, param_hint="PROVIDER")
    codes = [code.upper() for code in country or ()]
    try:
        chosen = recipes.find(provider, recipe)
        added = recipes.add(
            read(file) if file.exists() else None,
            chosen,
            source=source,
            agent=agent or recipes.AGENT,
            countries=codes,
        )
    except RecipeError as error:
        fail(f"{file}: {error}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(added.text)
    out.print(f"{file}: added {', '.join(added.routes)}", markup=False, soft_wrap=True)
    out.print(f"  {chosen.title}\n\nNext:", markup=False, soft_wrap=True)
    for step in _next(file, chosen, added, agent):
        out.print(f"  {step}", markup=False, soft_wrap=True)
    for problem in _overlaps(added.text):
        complain(f"{checking.located(str(file), problem)} (warning)")


def _overlaps(text: str) -> list[Problem]:
    """What else in the file rings whom the new route rings."""
    # Imported here: it tries every sample, which the other commands do without.
    from ringhook_ops.diagnosis import doubts  # noqa: PLC0415
    from ringhook_ops.dry_run import trying  # noqa: PLC0415

    routes = routes_file.load(text)
    return list(doubts.overlaps(routes, text, trying.tried(routes)))


def _next(file: Path, recipe: Recipe, added: recipes.Addition, agent: int | None) -> Iterator[str]:
    at = f" --routes {file}" if file != ROUTES else ""
    if agent is None:
        yield f"put your agent's number into {file}:{added.agent_line}"
    if "$opening" in recipe.text:
        yield f"put your company's name for {recipes.COMPANY} in {file}"
        yield "write in the agent's prompt: Begin with the text of `opening`, word for word."
    for code in added.missing_countries:
        yield f'add "{code}" to `countries` in {file}'
    command = recipe.command(added.source).replace(" |", f"{at} |") + at
    yield f"see what it makes of a sample: {command}"
    yield f"see what it enforces: ringhook check {file}"
    yield f"connect the sender: ringhook providers {recipe.provider}"
    yield f"after `sam deploy`, give its secret: ringhook secret set {added.source} --stack NAME"


def list_recipes(
    provider: Annotated[
        str | None, typer.Argument(help="Whose; else everybody's.", callback=served)
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the ready routes that `ringhook init` writes.

    Example: `ringhook recipes shopify`
    """
    if provider:
        _known(provider, param_hint="PROVIDER")
    wanted = [provider] if provider else recipes.providers()
    found = [one for name in wanted for one in recipes.of(name)]
    if as_json:
        print_json([{"provider": r.provider, "recipe": r.name, "title": r.title} for r in found])
        return
    table = Table("provider", "recipe", "what for", box=None, header_style="bold")
    for one in found:
        table.add_row(one.provider, one.name, one.title)
    out.print(table)


def _known(name: str, *, param_hint: str) -> Provider:
    try:
        return providers.find(name)
    except KeyError as error:
        known = ", ".join(providers.names())
        message = f"there is no provider {name!r}; there are {known}"
        raise typer.BadParameter(message, param_hint=param_hint) from error


def _adapted(name: str, settings: Mapping[str, str]) -> Provider:
    """The provider as these settings adapt it; one whose settings are all to be found, as it is."""
    provider = _known(name, param_hint="--provider")
    if name == "hmac" and not settings:
        return provider
    try:
        source = checked.read(provider.settings, {"provider": name, **settings})
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise typer.BadParameter(said, param_hint="--set") from error
    return provider.adapt(provider, source)


def _document(file: str) -> dict[str, Any]:
    try:
        document = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text())
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from error
    except ValueError as error:
        raise typer.BadParameter(f"it is not JSON: {error}", param_hint="FILE") from error
    if not isinstance(document, dict):
        raise typer.BadParameter("it is not a JSON object", param_hint="FILE")
    return document


def _arrived(document: Mapping[str, Any]) -> datetime | None:
    """When the gateway received the request of its event, if the event says so."""
    context = document.get("requestContext")
    epoch = context.get("timeEpoch") if isinstance(context, dict) else None
    return datetime.fromtimestamp(epoch / 1000, UTC) if isinstance(epoch, int) else None


def _secret(given: str | None, *, asked: bool) -> str:
    if given == "-":
        given = sys.stdin.readline().removesuffix("\n")
    elif given is None and asked and sys.stdin.isatty():
        given = typer.prompt("Signing secret", hide_input=True, err=True)
    if not given:
        message = "give it, or RINGHOOK_SECRET in the environment, or - to read it from stdin"
        raise typer.BadParameter(message, param_hint="--secret")
    return given
