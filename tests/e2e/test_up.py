"""`ringhook up` as its own process, and the commands that find it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3
from tests.e2e.waiting import until

from ringhook_ops.samples import webhooks
from ringhook_ops.sandbox.server import TOKEN

RINGHOOK = Path(sys.executable).with_name("ringhook")
ROOT = Path(__file__).parents[2]
DEMO = str(webhooks.DEMO_ROUTES)


@dataclass
class Up:
    """A running `ringhook up --json`."""

    process: subprocess.Popen[str]
    addresses: dict[str, str]


def ringhook(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RINGHOOK, *words],
        check=False,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    process = subprocess.Popen(
        [RINGHOOK, "up", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    yield Up(process, json.loads(process.stdout.readline() or "{}"))
    process.kill()
    process.wait()


def test_it_says_in_one_line_where_everything_is(up: Up) -> None:
    assert list(up.addresses) == [
        "webhooks_url",
        "sandbox_url",
        "aws_endpoint_url",
        "table_name",
        "queue_url",
        "dead_letter_queue_url",
    ]


def test_a_sample_that_is_sent_rings_and_its_story_is_found(up: Up) -> None:
    sent = ringhook("send", "bearer", "--routes", DEMO)
    assert sent.stdout.startswith("202 ")
    call_id = json.loads(sent.stdout.removeprefix("202 "))["calls"][0]["call_id"]

    until(lambda: "initiated" in ringhook("show", call_id).stdout)

    assert call_id in ringhook("calls", "--phone", "+14155550176").stdout
    assert "the API was asked: n 1" in ringhook("show", call_id).stdout


def test_secrets_and_tokens_of_it_can_be_changed(up: Up) -> None:
    assert ringhook("doctor").returncode == 0
    assert ringhook("token", "set", "--account", "second", stdin=TOKEN).returncode == 0
    assert ringhook("secret", "set", "crm", stdin="").returncode == 1
    ringhook("secret", "set", "nobody", stdin="s3cret")
    assert "'nobody', which is no source" in ringhook("doctor").stdout


def test_env_has_for_sam_local_what_a_running_one_has(up: Up, tmp_path: Path) -> None:
    file = tmp_path / "rc"
    file.write_text("RINGHOOK_DELIVERY=direct\nUNLEASHX_URL=https://www.tryunleashx.com\n")

    settings = json.loads(ringhook("env", str(file), "--up").stdout)["Parameters"]

    assert settings["RINGHOOK_DELIVERY"] == "direct"
    assert settings["RINGHOOK_PUBLIC_URL"] == ""
    for setting, address in (
        ("UNLEASHX_URL", "sandbox_url"),
        ("AWS_ENDPOINT_URL", "aws_endpoint_url"),
        ("RINGHOOK_TABLE_NAME", "table_name"),
        ("RINGHOOK_QUEUE_URL", "queue_url"),
    ):
        assert settings[setting] == up.addresses[address]
    # The receiver's and the dialer's own are in one.
    assert settings["RINGHOOK_SIGNING_SECRETS"]
    assert settings["RINGHOOK_TOKENS"]


def test_it_ends_when_told_and_leaves_nothing_running(up: Up) -> None:
    up.process.send_signal(signal.SIGTERM)
    _, said = up.process.communicate(timeout=30)

    assert up.process.returncode == 0, said
    assert "nothing is left running" in said
    for name in ("aws_endpoint_url", "sandbox_url"):
        with pytest.raises(urllib3.exceptions.HTTPError):
            urllib3.request("GET", up.addresses[name], retries=False)
    assert "no `ringhook up` is running here" in ringhook("calls").stderr


def test_the_demo_tells_its_story_and_ends() -> None:
    told = ringhook("up", "--exit")

    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.count("execution_id") == 7  # the redelivery tells the first one's again
    assert "finds nothing in the payload" in told.stdout
    assert "401" in told.stdout
    line = next(line for line in told.stdout.splitlines() if "curl " in line)
    assert line.strip().startswith("curl http://127.0.0.1:")


def test_it_listens_where_it_is_told() -> None:
    process = subprocess.Popen(
        [RINGHOOK, "up", "--json", "--host", "127.0.0.2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        addresses = json.loads(process.stdout.readline() or "{}")
        urls = [urllib3.util.parse_url(url) for name, url in addresses.items() if "url" in name]
        assert {url.host for url in urls} == {"127.0.0.2"}
        assert ringhook("send", "bearer", "--routes", DEMO).stdout.startswith("202 ")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_a_broken_routes_file_starts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text("countries = [")

    result = ringhook("up", "--json", "--routes", str(file))

    assert result.returncode == 1
    assert f"{file}:1: not TOML" in result.stderr


def test_ctrl_c_while_it_starts_leaves_nothing_running() -> None:
    before = set((ROOT / ".ringhook").glob("cloud-*"))
    process = subprocess.Popen(
        [RINGHOOK, "up", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    until(lambda: set((ROOT / ".ringhook").glob("cloud-*")) > before, timeout=90)
    os.kill(process.pid, signal.SIGINT)
    printed, said = process.communicate(timeout=60)

    assert printed == ""
    assert process.returncode == 0, said
    assert set((ROOT / ".ringhook").glob("cloud-*")) <= before
