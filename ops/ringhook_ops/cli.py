"""The `ringhook` command: its words. What each takes and prints is in `commands`."""

from __future__ import annotations

import os

import typer

from ringhook_ops import rc
from ringhook_ops.commands import (
    checking,
    connecting,
    finding,
    operating,
    persons,
    running,
    sending,
    steering,
)
from ringhook_ops.rc import RcError
from ringhook_ops.terminal import fail

app = typer.Typer(
    name="ringhook",
    help="A webhook arrives; the right person's phone rings, once, and anyone can see why.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback()
def settings() -> None:
    """Read `.ringhookrc`, under what the environment says already."""
    try:
        rc.apply(os.environ)
    except (RcError, OSError) as error:
        fail(str(error))


app.command()(checking.check)
app.command()(checking.schema)
app.command("map")(checking.map_)
app.command()(sending.event)
app.command()(sending.send)
app.command()(running.up)
app.command()(running.env)
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
