"""The zone data that is pinned is the data that is used, whatever the machine has."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import pytest

from ringhook import clock

# Places that gave up the change of clocks in 2026: a machine with older data is an hour off.
CHANGED = {
    "America/Vancouver": -7,
    "America/Edmonton": -6,
    "America/Winnipeg": -5,
    "Africa/Casablanca": 0,
}
SRC = Path(clock.__file__).parent.parent


@pytest.mark.parametrize(("zone", "hours"), CHANGED.items())
def test_the_changes_of_2026_are_known(zone: str, hours: int) -> None:
    for month in (1, 12):
        at = datetime(2027, month, 20, tzinfo=UTC).astimezone(clock.zone(zone))
        assert at.utcoffset() == timedelta(hours=hours)


def test_a_machine_whose_zone_data_lie_is_not_asked(tmp_path: Path) -> None:
    """On it, every zone is Tokyo's, as PYTHONTZPATH says."""
    tokyo = (files("tzdata") / "zoneinfo" / "Asia" / "Tokyo").read_bytes()
    for zone in CHANGED:
        path = tmp_path / zone
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(tokyo)
    code = (
        "import zoneinfo\n"
        "from datetime import UTC, datetime\n"
        "from ringhook import clock\nfrom ringhook.deciding import calling_hours, zones\n"
        "at = datetime(2027, 1, 20, 18, tzinfo=UTC)\n"
        "print(at.astimezone(zoneinfo.ZoneInfo('America/Vancouver')).hour)\n"
        "print(at.astimezone(clock.zone('America/Vancouver')).hour)\n"
        "where = zones.places('+16042345678').places\n"
        "hours = calling_hours.parse_hours('10:30-11:30')\n"
        "print(calling_hours.permitted(at, where, hours, 'service'))"
    )
    env = os.environ | {"PYTHONTZPATH": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env
    )
    assert run.stdout.split() == ["3", "11", "True"]


def test_what_runs_on_lambda_reads_clocks_nowhere_else() -> None:
    for path in SRC.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "clock.py":
            # The exception may be named; a clock may not.
            reads = re.findall(r"import zoneinfo|ZoneInfo\b|zoneinfo import \w+,", text)
            assert not reads, path


@pytest.mark.parametrize("name", ["", "Mars/Base", "../zoneinfo/UTC", "/etc/passwd", "Europe", "."])
def test_what_is_no_zone_is_an_error(name: str) -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        clock.zone(name)
