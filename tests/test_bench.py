"""What measures Ringhook works; what it measures is no promise, and depends on the machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3
from bench.__main__ import main
from bench.load import Outcome, Sent, outcome, percentile
from bench.report import Ratio, Table, markdown, targets
from bench.rival_programs import NotInstalledError, Rival
from bench.rivals import QUICK, tables
from bench.stub import CALL_PATH, Stub
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


@contextmanager
def asks_at_once(directory: Path, api: str) -> Iterator[str]:
    """The simplest that one could pick: asks the API for each lead, and answers as it does."""
    assert not list(directory.iterdir())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked = {"phone_number": given["phone"], "metadata": {"lead": given["id"]}}
            answer = urllib3.request("POST", api + CALL_PATH, json=asked, retries=False)
            self.send_response(answer.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def cannot_be_had(_: Path, __: str) -> Iterator[str]:
    raise NotInstalledError("there is no npm")
    yield ""


def test_the_scenes_say_who_rings_twice_and_who_refuses_and_go_on_without_who_is_missing() -> None:
    rivals = [Rival("missing", cannot_be_had), Rival("simple", asks_at_once)]
    speed, thrice, down = tables(rivals, QUICK)
    assert [row[:2] for row in speed.rows] == [
        ["missing", "not measured: there is no npm"],
        ["simple", 1],
        ["simple", 2],
    ]
    assert [row[2] for row in speed.rows[1:]] == list(QUICK.levels.values())
    assert all(row[3] >= 100 for row in speed.rows[1:])  # type: ignore[operator] # these are figures
    assert thrice.rows[1] == ["simple", 0, QUICK.thrice, 0, 0]
    assert down.rows[1] == ["simple", 0, 0, QUICK.down, 0]


def test_a_lead_is_lost_where_one_webhook_of_it_was_taken_and_refused_where_none_was() -> None:
    sent = [
        *(Sent(name, 202, 0.1) for name in ("once", "doubled", "lost")),
        Sent("lost", 503, 0.1),
        Sent("refused", 503, 0.1),
        Sent("refused", 0, 30.0),
        Sent("rung, and not answered", 0, 30.0),
    ]
    rung = {"once": 1, "doubled": 2, "rung, and not answered": 1, "another's": 1}
    assert outcome(sent, rung) == Outcome(once=2, doubled=1, refused=1, lost=1)


def test_a_percentile_is_one_of_the_figures() -> None:
    figures = [float(n) for n in range(200, 0, -1)]
    assert (percentile(figures, 0.5), percentile(figures, 0.99)) == (100, 198)
    assert (percentile([7.0], 0.5), percentile([7.0], 0.99)) == (7, 7)
    assert percentile([1.0, 2.0, 3.0], 0.99) == 3
