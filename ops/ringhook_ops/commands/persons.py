"""The commands about persons: who may not be rung, what is known of them, and to forget them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from ringhook.clients.ledger import Ledger
from ringhook.errors import UnavailableError, UnmappedError
from ringhook.reading import phone
from ringhook_ops.commands.operating import StackOption, TableOption, reader, told
from ringhook_ops.deployed.ledger_reader import LedgerReader
from ringhook_ops.terminal import fail, out, print_json

dnc = typer.Typer(no_args_is_help=True, help="The do-not-call list, which no route overrides.")

NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help="E.164, like +14155550123.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it is said of every call suppressed.")]


@dnc.command()
def add(
    number: NumberArgument,
    *,
    reason: ReasonOption = "put on the list by an operator",
    stack: StackOption = None,
    table: TableOption = None,
) -> None:
    """Never ring this number again, for any route.

    Example: `ringhook dnc add +14155550123 --reason "asked by letter" --stack ringhook`
    """
    with told(), _changing(reader(stack, table)) as ledger:
        ledger.suppress_number(_e164(number), reason, datetime.now(UTC))
    out.print("On the list.")


@dnc.command()
def remove(number: NumberArgument, *, stack: StackOption = None, table: TableOption = None) -> None:
    """Take a number off the list.

    Example: `ringhook dnc remove +14155550123 --stack ringhook`
    """
    with told(), _changing(reader(stack, table)) as ledger:
        ledger.allow_number(_e164(number), datetime.now(UTC))
    out.print("Off the list.")


@dnc.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV: number, and a reason if there is one.")],
    *,
    reason: ReasonOption = "imported",
    stack: StackOption = None,
    table: TableOption = None,
) -> None:
    """Put all numbers of a file on the list; nothing is changed if any of them is no number.

    Example: `ringhook dnc import numbers.csv --stack ringhook`
    """
    try:
        with file.open(newline="") as lines:
            rows = [row for row in csv.reader(lines) if row and row[0].strip() != "number"]
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}")
    listed = {_e164(row[0]): (row[1:] or [""])[0] or reason for row in rows}
    with told(), _changing(reader(stack, table)) as ledger:
        for number, why in listed.items():
            ledger.suppress_number(number, why, datetime.now(UTC))
    out.print(f"{len(listed)} on the list.")


@dnc.command("export")
def export_list(*, stack: StackOption = None, table: TableOption = None) -> None:
    """Print the list as CSV: number, reason, time.

    Example: `ringhook dnc export --stack ringhook > numbers.csv`
    """
    with told():
        rows = [
            (item["number"], item["do_not_call"], item["updated_at"])
            for item in reader(stack, table).numbers()
            if item.get("do_not_call")
        ]
    writer = csv.writer(sys.stdout)
    writer.writerow(("number", "reason", "changed_at"))
    writer.writerows(sorted(rows))


def export(
    number: Annotated[
        str | None,
        typer.Argument(metavar="[NUMBER]", help="Whose; else of all who asked through a sender."),
    ] = None,
    *,
    stack: StackOption = None,
    table: TableOption = None,
) -> None:
    """Print all that the ledger holds of a number, as JSON: what a person may ask for.

    Without NUMBER, what it held of each person that a sender's event asked for, at that time.

    Example: `ringhook export +14155550123 --stack ringhook`
    """
    with told():
        ledger = reader(stack, table)
        if number is None:
            print_json(list(ledger.exports()))
            return
        known = _e164(number)
        calls = [*ledger.of_number(known), *ledger.mentioning(known)]
        print_json({"number": ledger.number(known), "calls": calls})


def forget(
    number: Annotated[
        str | None, typer.Argument(metavar="[NUMBER]", help="E.164, like +14155550123.")
    ] = None,
    *,
    source: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="All calls of a source instead: a shop that has left."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: StackOption = None,
    table: TableOption = None,
) -> None:
    """Delete all that the ledger holds of a number, waiting calls too.

    That it may not be rung stays known, if it was. Example: `ringhook forget +14155550123 --yes`
    """
    if (number is None) == (source is None):
        raise typer.BadParameter("name a NUMBER or a --source", param_hint="NUMBER")
    known = _e164(number) if number else ""
    if not yes:
        whose = f"to {known}" if known else f"of source {source}"
        typer.confirm(f"Delete every call {whose}?", abort=True)
    with told():
        found = reader(stack, table)
        with _changing(found) as ledger:
            forgotten = ledger.forget(known, datetime.now(UTC)) if known else []
            for item in found.mentioning(known) if known else found.of_source(source or ""):
                if "call_id" in item:
                    ledger.spend(item["call_id"], datetime.now(UTC))
                    forgotten.append(item["call_id"])
                else:
                    ledger.delete(item["pk"])
    out.print(f"{len(forgotten)} calls forgotten.")


@contextmanager
def _changing(found: LedgerReader) -> Iterator[Ledger]:
    """The ledger, to be changed by the code that the functions change it with."""
    try:
        yield Ledger(found.client, found.table, timedelta(days=90))
    except UnavailableError as error:
        fail(str(error))


def _e164(number: str) -> str:
    try:
        return phone.read(number, None, frozenset()).e164
    except UnmappedError as error:
        fail(f"{error}: write it as +14155550123")
