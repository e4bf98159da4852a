"""What the functions load when they start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ringhook.clients import starting, tls

LOADED = """
import sys
from ringhook.routing.routes_file import load
load('''
countries = ["US"]
[sources.shop]
provider = "shopify"
[[routes]]
name = "one"
source = "shop"
call = { agent_id = 1, phone_number = "{{ phone }}" }
''')
print([name for name in sys.modules if name.startswith("ringhook.senders.providers.")])
"""


def test_a_source_loads_its_own_provider_and_no_other_so_that_a_start_grows_with_no_catalogue() -> (
    None
):
    ran = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "['ringhook.senders.providers.shopify']"


STARTED = """
import sys
from ringhook import {0}
print({0}._{0}.cache_info().currsize)
"""


def started(function: str, **environ: str) -> list[str]:
    code, path = STARTED.format(function), os.pathsep.join(sys.path)
    command = [sys.executable, "-c", code]
    given = {"PYTHONPATH": path, **environ}
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=given)
    return ran.stdout.splitlines()


@pytest.mark.parametrize("function", ["receiver", "dialer", "keeper"])
def test_in_lambda_a_function_is_ready_when_it_is_loaded_and_elsewhere_it_needs_no_settings(
    function: str,
) -> None:
    inside = {"AWS_LAMBDA_FUNCTION_NAME": "one", "AWS_REGION": "eu-west-1"}
    assert started(function, **inside)[0] == "1"
    assert started(function)[0] == "0"


@pytest.mark.parametrize(
    "wrong", [{"RINGHOOK_DELIVERY": "by pigeon"}, {"RINGHOOK_API_TIMEOUT": "never"}]
)
def test_settings_that_are_wrong_end_no_start_and_are_said_to_each_request(
    wrong: dict[str, str],
) -> None:
    assert started("receiver", AWS_LAMBDA_FUNCTION_NAME="one", **wrong)[0] == "0"


def test_one_reading_of_the_authorities_serves_every_connection() -> None:
    read: list[str] = []
    starting.start(lambda: read.append("made"), {"AWS_LAMBDA_FUNCTION_NAME": "one"})
    assert read == ["made"]
    assert tls.context.cache_info().currsize == 1
    assert tls.context() is tls.context()
