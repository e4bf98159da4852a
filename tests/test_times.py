"""Instants as senders write them: one reading, or none."""

from __future__ import annotations

import time
import tomllib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW

from ringhook.reading.times import parse_time

CASES = tomllib.loads((Path(__file__).parent / "cases" / "times.toml").read_text())["time"]


@pytest.mark.parametrize(
    ("text", "case"), [pytest.param(text, c, id=text) for c in CASES for text in c["texts"]]
)
def test_a_time_is_what_its_sender_means_or_nothing(text: str, case: dict[str, Any]) -> None:
    expected = datetime.fromisoformat(case["is"]) if "is" in case else None
    found = parse_time(text, ZoneInfo(case.get("zone", "UTC")))
    assert (found and found.replace(microsecond=0)) == expected
    # As people paste it.
    assert parse_time(f" {text}\n", ZoneInfo(case.get("zone", "UTC"))) == found


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-23T12:00:00Z", NOW),
        ("2026-11-23T12:00:00.000000Z", NOW),
        ("2026-11-23T07:00:00-05:00", NOW),
        ("2026-11-23 12:00:00", NOW),
        (" 2026-11-23T12:00:00+00:00 ", NOW),
        (1795435200, NOW),
        (1795435200000, NOW),
        ("1795435200", NOW),
        ("1795435200000", NOW),
        ("1795435200.5", NOW + timedelta(seconds=0.5)),
        (1795435200.0, NOW),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("", None),
        ("soon", None),
        ("12:00", None),
        (None, None),
        (True, None),
        ([], None),
        ({}, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_instants_as_senders_write_them(value: object, moment: datetime | None) -> None:
    assert parse_time(value) == moment


moments = st.integers(10**9, 4 * 10**9).map(lambda second: datetime.fromtimestamp(second, UTC))
FORMS = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%B %d, %Y %H:%M:%S",
    "%d %b %Y %I:%M:%S %p",
    "%a %b %d %H:%M:%S UTC %Y",
    "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)",
    "%d.%m.%Y %H:%M:%S",
)


@given(moments)
def test_every_form_of_a_moment_is_that_moment(moment: datetime) -> None:
    for form in FORMS:
        assert parse_time(moment.strftime(form)) == moment
    assert parse_time(format_datetime(moment)) == moment
    assert parse_time(moment.timestamp()) == parse_time(moment.timestamp() * 1000) == moment


@given(moments)
def test_of_a_day_and_a_month_that_could_be_either_nothing_is_guessed(moment: datetime) -> None:
    swapped = moment.day <= 12 and moment.day != moment.month
    for form in ("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S"):
        assert parse_time(moment.strftime(form)) == (None if swapped else moment)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.integers())


@given(values | st.text() | st.text("0123456789/-:. TZamp+novj()", max_size=40))
def test_no_value_breaks_the_reader(value: object) -> None:
    moment = parse_time(value)
    assert moment is None or moment.tzinfo is UTC


@pytest.mark.parametrize("part", ["1", " ", "a", "1:", "+0", "(", ".", "/", "1 a "])
def test_no_text_takes_long(part: str) -> None:
    began = time.process_time()
    parse_time(part * 1_000_000)
    parse_time("Nov 16 2026 " + part * 40)
    assert time.process_time() - began < 1
