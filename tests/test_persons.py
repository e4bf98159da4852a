"""The commands about persons, on a ledger that the code of the functions writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from tests.builders import ALICE, BOB, NOW, call, export, item
from tests.conftest import create_table
from typer.testing import CliRunner, Result

from ringhook.clients.ledger import Ledger
from ringhook.reading.packing import pack
from ringhook_ops.cli import app


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with mock_aws():
        yield Ledger(boto3.client("dynamodb"), create_table("ledger"), timedelta(days=90))


def called(ledger: Ledger, number: str, call_id: str) -> None:
    asked = call(call_id=call_id, phone_number=number)
    ledger.write(item(asked, "initiated", reason="rang"), over=None, now=NOW)


def forgotten(ledger: Ledger, call_id: str) -> bool:
    left = ledger.read(call_id)
    return left is not None and left.status == "forgotten"


def ringhook(*words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--table", "ledger"])


def test_a_number_on_the_list_is_known_to_the_dialer_until_it_is_taken_off(ledger: Ledger) -> None:
    assert ringhook("dnc", "add", ALICE, "--reason", "asked by letter").exit_code == 0
    assert ledger.history(ALICE, NOW).do_not_call == "asked by letter"
    assert ringhook("dnc", "remove", ALICE).exit_code == 0
    assert ledger.history(ALICE, NOW).do_not_call == ""


def test_what_is_imported_is_exported(ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text(f"number,reason\n{ALICE},scrubbed\n{BOB}\n")
    assert ringhook("dnc", "import", str(file)).stdout == "2 on the list.\n"
    lines = ringhook("dnc", "export").stdout.splitlines()
    assert [re.sub(r",[^,]*$", "", line) for line in lines[1:]] == [
        f"{ALICE},scrubbed",
        f"{BOB},imported",
    ]


def test_a_file_with_one_bad_number_changes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text(f"{ALICE}\n415 555\n")
    result = ringhook("dnc", "import", str(file))
    assert result.exit_code == 1
    assert "+14155550123" in result.stderr
    assert ledger.history(ALICE, NOW).do_not_call == ""


def test_export_prints_all_that_is_held_of_one_number_and_nothing_of_another(
    ledger: Ledger,
) -> None:
    called(ledger, ALICE, "call_1")
    called(ledger, BOB, "call_2")
    ledger.suppress_number(ALICE, "asked", NOW)
    held = json.loads(ringhook("export", ALICE).stdout)
    assert [one["call_id"] for one in held["calls"]] == ["call_1"]
    assert held["number"]["do_not_call"] == "asked"


def test_forget_deletes_the_calls_and_keeps_that_the_number_may_not_be_rung(
    ledger: Ledger,
) -> None:
    called(ledger, ALICE, "call_1")
    called(ledger, BOB, "call_2")
    ledger.suppress_number(ALICE, "asked", NOW)
    assert ringhook("forget", ALICE, "--yes").stdout == "1 calls forgotten.\n"
    assert forgotten(ledger, "call_1")
    assert not forgotten(ledger, "call_2")
    assert ledger.history(ALICE, NOW).do_not_call == "asked"


def test_forget_asks_first(ledger: Ledger) -> None:
    called(ledger, ALICE, "call_1")
    result = CliRunner().invoke(app, ["forget", ALICE, "--table", "ledger"], input="n\n")
    assert result.exit_code == 1
    assert not forgotten(ledger, "call_1")


def unmapped(ledger: Ledger, call_id: str, payload: object, number: str = "") -> None:
    lacking = call(call_id=call_id, phone_number=number, unmapped="no name", payload=pack(payload))
    ledger.write(item(lacking, "unmapped", reason="no name"), over=None, now=NOW)


def test_an_event_that_could_not_be_mapped_is_exported_and_forgotten_with_whom_it_is_about(
    ledger: Ledger,
) -> None:
    unmapped(ledger, "call_1", {"notes": [{"text": "ring (415) 555-0123"}]})
    unmapped(ledger, "call_2", {"notes": [{"text": "ring (415) 555-0199"}]})
    unmapped(ledger, "call_3", {}, number=ALICE)

    held = json.loads(ringhook("export", ALICE).stdout)

    assert sorted(one["call_id"] for one in held["calls"]) == ["call_1", "call_3"]
    assert ringhook("forget", ALICE, "--yes").stdout == "2 calls forgotten.\n"
    assert forgotten(ledger, "call_1")
    assert forgotten(ledger, "call_3")
    assert not forgotten(ledger, "call_2")


def test_what_a_person_asked_for_is_printed_and_goes_when_the_person_is_forgotten(
    ledger: Ledger,
) -> None:
    called(ledger, ALICE, "call_1")
    asked = export(topic="customers/data_request")
    ledger.export(asked, NOW)

    (held,) = json.loads(ringhook("export").stdout)

    assert held["topic"] == "customers/data_request"
    assert held["phone_number"] == ALICE
    assert [one["call_id"] for one in held["calls"]] == ["call_1"]
    assert "call_9" not in ringhook("export", ALICE).stdout
    assert ringhook("forget", ALICE, "--yes").stdout == "1 calls forgotten.\n"
    assert json.loads(ringhook("export").stdout) == []


def test_an_export_of_more_than_an_item_holds_has_the_newest_and_says_how_many_it_has_not(
    ledger: Ledger,
) -> None:
    for number in range(4):
        big = call(call_id=f"call_{number}", metadata={"note": "x" * 120_000})
        now = NOW + timedelta(minutes=number)
        ledger.write(item(big, "initiated", reason="rang"), over=None, now=now)
    ledger.export(export(), NOW)

    (held,) = json.loads(ringhook("export").stdout)

    assert [one["call_id"] for one in held["calls"]] == ["call_3", "call_2"]
    assert held["left_out"] == 2


def test_all_calls_of_a_source_that_has_left_are_forgotten(ledger: Ledger) -> None:
    called(ledger, ALICE, "call_1")
    ledger.suppress_number(BOB, "asked", NOW)

    assert ringhook("forget", "--source", "other", "--yes").stdout == "0 calls forgotten.\n"
    assert ringhook("forget", "--source", "shop", "--yes").stdout == "1 calls forgotten.\n"
    assert forgotten(ledger, "call_1")
    assert ledger.history(BOB, NOW).do_not_call == "asked"


@pytest.mark.parametrize("words", [[], [ALICE, "--source", "shop"]])
def test_forget_wants_a_number_or_a_source(ledger: Ledger, words: list[str]) -> None:
    assert ringhook("forget", *words).exit_code == 2
