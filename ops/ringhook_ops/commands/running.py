"""The commands that run Ringhook on this machine."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ringhook_ops import bundle, rc
from ringhook_ops.deployed import deployment
from ringhook_ops.deployed.deployment import DeploymentError
from ringhook_ops.local import emulator
from ringhook_ops.options import (
    SecretsOption,
    read_routes,
    read_secrets,
)
from ringhook_ops.rc import RcError
from ringhook_ops.samples import webhooks
from ringhook_ops.terminal import complain, err, fail, out, print_json


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
    ] = emulator.LOOPBACK,
    leave: Annotated[bool, typer.Option("--exit", help="End after the story.")] = False,
) -> None:
    """Run the whole of Ringhook on this machine until Ctrl-C, ringing a sandbox and nobody else.

    A source without a secret in --secrets gets the documented one of its provider's samples.

    Example: `ringhook up`
    """
    # Imported here: they are the local cloud's, which the other commands do without.
    from ringhook_ops.local import up as local  # noqa: PLC0415
    from ringhook_ops.local.story import Story, curl  # noqa: PLC0415
    from ringhook_ops.processes import ProgramError  # noqa: PLC0415

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
                loaded,
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


def _progress(text: str) -> None:
    err.print(f"[dim]{datetime.now().astimezone():%H:%M:%S}[/dim] {escape(text)}", soft_wrap=True)


def _print_addresses(addresses: dict[str, str]) -> None:
    out.print()
    for name, address in addresses.items():
        out.print(f"{name:<22} {address}", soft_wrap=True)
