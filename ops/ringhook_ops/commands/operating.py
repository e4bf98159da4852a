"""The commands about a deployment: its calls, its token and secrets, and what it still lacks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape

from ringhook.clients.secret_store import as_list
from ringhook_ops.deployed import api, deployment
from ringhook_ops.deployed.api import ApiError
from ringhook_ops.deployed.deployment import DeploymentError
from ringhook_ops.deployed.ledger_reader import LedgerReader, masked
from ringhook_ops.diagnosis import doctor
from ringhook_ops.options import JsonOption
from ringhook_ops.terminal import fail, out, print_json

_COLOURS = {
    "initiated": "green",
    "ended": "green",
    "refused": "red",
    "uncertain": "red",
    "unmapped": "yellow",
}
# What `show` tells of how a call ended.
_ENDED = (
    "outcome",
    "ended_by",
    "failure",
    "duration_seconds",
    "disposition",
    "opt_out",
    "callback_at",
    "recording",
    "transcript",
    "cost",
    "currency",
    "learnt_from",
    "raw",
)

StackOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="The stack on AWS; else the running `up`.")
]
TableOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="The ledger's table, if not by its stack.")
]
RevealOption = Annotated[
    bool, typer.Option("--reveal", help="Show phone numbers, and what the agent was told.")
]

token = typer.Typer(no_args_is_help=True, help="The tokens of the Global Call API.")
secret = typer.Typer(no_args_is_help=True, help="The signing secrets of the sources.")
credential = typer.Typer(
    no_args_is_help=True, help="The credentials for what sources `enrich` their events with."
)


def calls(
    *,
    stack: StackOption = None,
    table: TableOption = None,
    phone: Annotated[str | None, typer.Option(help="Only calls to this number, E.164.")] = None,
    status: Annotated[str | None, typer.Option(help="Only calls that stand so.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    reveal: RevealOption = False,
    as_json: JsonOption = False,
) -> None:
    """List the calls in the ledger, the newest first: of the last 30 days, or of one number.

    Example: `ringhook calls --stack ringhook --status unmapped`
    """
    with told():
        ledger = reader(stack, table)
        found = ledger.of_number(phone) if phone else ledger.newest(datetime.now(UTC).date())
        wanted = (item for item in found if status in (None, item["status"]))
        items = [item if reveal else masked(item) for item in islice(wanted, limit)]
    if as_json:
        print_json(items)
        return
    for item in items:
        number = item.get("phone_number", "")
        words = (_moment(item["updated_at"]), _status(item), item["route"], number, item["call_id"])
        out.print("  ".join(words), soft_wrap=True)
    if not items:
        out.print("No such calls.")


def show(
    call_id: Annotated[str, typer.Argument(metavar="CALL_ID")],
    *,
    stack: StackOption = None,
    table: TableOption = None,
    reveal: RevealOption = False,
    as_json: JsonOption = False,
) -> None:
    """Tell one call's story: where it came from, what was decided and tried, and when.

    Example: `ringhook show call_0f3a… --stack ringhook`
    """
    with told():
        found = reader(stack, table).get(call_id)
    if found is None:
        fail(f"the ledger has no call {call_id}: `ringhook calls` lists those that it has")
    item = found if reveal else masked(found)
    if as_json:
        print_json(item)
        return
    out.print(f"[bold]{item['call_id']}[/bold]  {_status(item)}")
    for name in ("route", "source", "topic", "event_id", "occurred_at", "received_at"):
        out.print(f"  {name:<16} {escape(str(item.get(name, '')))}", soft_wrap=True)
    for name in ("phone_number", "agent_id", "metadata", "execution_id", "due_at"):
        if item.get(name):
            out.print(f"  {name:<16} {escape(str(item[name]))}", soft_wrap=True)
    for name in _ENDED:
        if item.get(name) not in (None, {}):
            out.print(f"  {name:<16} {escape(str(item[name]))}", soft_wrap=True)
    for at, text in sorted(_story(item)):
        out.print(f"{_moment(at)}  {escape(text)}", soft_wrap=True)


@token.command("set")
def token_set(
    *,
    account: Annotated[str, typer.Option(help="Whose token, where there are several.")] = "default",
    stack: StackOption = None,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Ask the API first whether it knows it.")
    ] = True,
) -> None:
    """Keep the API's token in the deployment's secret: typed without echo, or from stdin.

    Example: `ringhook token set --stack ringhook < token.txt`
    """
    with told():
        target = deployment.find(stack)
        value = _typed("Token of UnleashX")
        url = target.parameters["UnleashxUrl"]
        if verify:
            try:
                api.verify(url, value)
            except ApiError as error:
                fail(f"{url} was asked and says: {error}. Nothing was changed (see --no-verify)")
        target.write_secret("ApiTokensArn", target.read_secret("ApiTokensArn") | {account: value})
    checked = f"{url} accepts it" if verify else "not verified"
    out.print(f"The token of account {account} is kept ({checked}).")


@secret.command("set")
def secret_set(
    source: Annotated[str, typer.Argument(help="Its name in routes.toml.")],
    *,
    stack: StackOption = None,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="Accept the one there is as well: a rotation.")
    ] = False,
) -> None:
    """Keep a source's signing secret in the deployment: typed without echo, or from stdin.

    Example: `ringhook secret set shop --stack ringhook --keep-old < secret.txt`
    """
    with told():
        target = deployment.find(stack)
        value = _typed(f"Signing secret of {source}")
        secrets = target.read_secret("SigningSecretsArn")
        old = [one for one in as_list(secrets.get(source)) if one != value] if keep_old else []
        target.write_secret(
            "SigningSecretsArn", secrets | {source: [value, *old] if old else value}
        )
    beside = f", beside {len(old)} older" if old else ""
    out.print(f"The signing secret of {source} is kept{beside}.")


@credential.command("set")
def credential_set(
    name: Annotated[
        str, typer.Argument(help="The source's name, or what its `enrich` calls the credential.")
    ],
    *,
    stack: StackOption = None,
) -> None:
    """Keep a credential for a sender's API in the deployment: typed without echo, or from stdin.

    Example: `ringhook credential set crm --stack ringhook < token.txt`
    """
    with told():
        target = deployment.find(stack)
        value = _typed(f"Credential {name}")
        kept = target.read_secret("CredentialsArn")
        target.write_secret("CredentialsArn", kept | {name: value})
    out.print(f"The credential {name} is kept.")


def examine(*, stack: StackOption = None) -> None:
    """Look at what a deployment needs to ring anybody; say what is missing and what mends it.

    Example: `ringhook doctor --stack ringhook`
    """
    missing = 0
    with told():
        for finding in doctor.examine(deployment.find(stack)):
            missing += bool(finding.cure)
            mark = "[red]✗[/red]" if finding.cure else "[green]✓[/green]"
            out.print(f"{mark} {escape(finding.what)}", soft_wrap=True)
            if finding.cure:
                out.print(f"    {escape(finding.cure)}", soft_wrap=True)
    if missing:
        raise typer.Exit(1)


@contextmanager
def told() -> Iterator[None]:
    """Say what AWS refuses, rather than show where in the code it did."""
    try:
        yield
    except (DeploymentError, BotoCoreError) as error:
        fail(str(error))
    except ClientError as error:
        fail(f"AWS refuses: {error}")


def reader(stack: str | None, table: str | None) -> LedgerReader:
    """The ledger of the stack that the options mean."""
    if table:
        return LedgerReader(deployment.aws("dynamodb"), table)
    found = deployment.find(stack)
    return LedgerReader(found.client("dynamodb"), found.table_name)


def _typed(what: str) -> str:
    """A secret from the terminal without echo, or the first line of stdin; never empty."""
    if sys.stdin.isatty():
        text: str = typer.prompt(what, hide_input=True)
    else:
        text = sys.stdin.readline()
    if not text.strip():
        fail("nothing was given: type it, or send it to stdin")
    return text.strip()


def _status(item: dict[str, Any]) -> str:
    status, outcome = item["status"], item.get("outcome")
    more = f" {outcome}" if status == "ended" and outcome else ""
    return f"[{_COLOURS.get(status, 'cyan')}]{status}[/]{more}"


def _moment(iso: str) -> str:
    return iso[:19].replace("T", " ")


def _story(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Everything that happened to a call, with its time."""
    for one in item.get("decisions", []):
        yield one["at"], f"{one['status']}: {one['reason']}"
    for one in item.get("attempts", []):
        rest = ", ".join(f"{name} {value}" for name, value in one.items() if name != "at")
        yield one["at"], f"the API was asked: {rest}"
