"""What measures Ringhook works; what it measures is no promise, and depends on the machine."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bench.__main__ import main
from bench.report import Ratio, Table, markdown, targets
from bench.stub import Stub
from bench.webhooks import BUSY, lead


def test_every_part_can_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick", "--json", "cold-start", "warm", "decide", "bundle", "growth", "requests"])
    said = json.loads(capsys.readouterr().out)
    tables: dict[str, Any] = {
        table["title"]: table for part in said["parts"] for table in part["tables"]
    }
    assert all(table["rows"] for table in tables.values())
    asked = {row[0]: row[1:6] for row in tables["Requests per call"]["rows"]}
    assert asked["dialer: a call that rings"][-1] == "1"
    assert asked["dialer: a call that has rung, sent again"][-1] == ""
    assert [ratio["target"] for part in said["parts"] for ratio in part["ratios"]]


def test_no_lead_of_the_bench_has_a_busy_number_by_chance() -> None:
    phones = [lead()["phone"] for _ in range(20_000)]
    assert len(set(phones)) == len(phones)
    assert not [phone for phone in phones if phone.endswith(BUSY)]


def test_the_bench_fails_on_a_call_that_is_lost_or_doubled() -> None:
    with Stub() as api:
        one = lead()
        api.call(one)
        api.check(1)
        with pytest.raises(RuntimeError, match="1 phones were rung 1 times, not 2 once"):
            api.check(2)
        api.call(one)
        with pytest.raises(RuntimeError, match="1 phones were rung 2 times, not 1 once"):
            api.check(1)


def test_a_part_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["warmth"])
    assert "there is no part 'warmth'" in capsys.readouterr().err


def test_a_figure_over_its_target_is_said_to_be() -> None:
    ratios = [
        Ratio(what="a", measured=2.4, target=2.5),
        Ratio(what="b", measured=9, target=8, unit="ms"),
    ]
    assert [row[-1] for row in targets(ratios).rows] == ["met", "not met"]
    assert "| b | 9.00 ms | 8.00 ms | not met |" in markdown(targets(ratios))


def test_a_table_keeps_the_digits_that_say_something() -> None:
    rows = [("x", 1234.5, 12.34, 0.1234, 3.0)]
    table = Table(title="T", note="A note.", columns=("", "a", "b", "c", "d"), rows=rows)
    assert markdown(table).splitlines()[-1] == "| x | 1,234 | 12.3 | 0.12 | 3 |"


def test_the_api_of_the_bench_counts_whom_it_rings_and_is_down_when_told() -> None:
    with Stub() as api:
        one = lead()
        assert api.call(one) == 200
        assert api.call(one) == 200
        api.be_down(60)
        assert api.call(lead()) == 503
        assert api.rung() == {one["id"]: 2}
