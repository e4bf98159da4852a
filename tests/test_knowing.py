"""What is known of a number, told by a file, decides as the ledger's knowledge does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringhook.calls.consents import Consent
from ringhook_ops.cli import app
from ringhook_ops.dry_run.knowing import read_history


def test_an_export_is_a_history() -> None:
    history = read_history(
        {
            "number": {
                "do_not_call": "asked",
                "rung": {"call_1": 1795480249.5},
                "consents": {"calls": {"granted": True, "evidence": "ticked", "at": "2026-11-23"}},
            },
            "calls": [],
        }
    )
    assert history.do_not_call == "asked"
    assert history.rung == {"call_1": 1795480249.5}
    assert history.consents == {"calls": Consent(granted=True, evidence="ticked")}


def test_an_export_of_an_unknown_number_is_an_empty_history() -> None:
    assert read_history({"number": None, "calls": []}) == read_history({})


def test_a_consent_that_is_not_plainly_given_is_not_given() -> None:
    assert not read_history({"consents": {"calls": {"granted": "yes"}}}).consents["calls"].granted


@pytest.mark.parametrize("document", [[], {"rung": {"call_1": "yesterday"}}])
def test_what_is_no_history_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"no JSON object|is no time"):
        read_history(document)


def test_map_decides_with_the_history_that_it_is_given(tmp_path: Path) -> None:
    runner = CliRunner()
    request = runner.invoke(app, ["event", "shopify", "orders/create"]).stdout
    file = tmp_path / "history.json"
    file.write_text('{"do_not_call": "asked by letter"}')
    words = ["map", "-", "--unsigned", "--json", "--history", str(file)]
    [row] = json.loads(runner.invoke(app, words, input=request).stdout)
    assert (row["decision"], row["reason"]) == (
        "suppress",
        "the number is on the do-not-call list: asked by letter",
    )
