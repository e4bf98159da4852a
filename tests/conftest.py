"""What the tests share: an AWS account of moto's, a sandbox API, and no way to the real ones."""

from __future__ import annotations

import os

# Before anything of Ringhook is imported: Powertools reads these once.
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "ringhook-test",
    "POWERTOOLS_METRICS_NAMESPACE": "Ringhook",
    "POWERTOOLS_TRACE_DISABLED": "true",
}

import itertools
import zoneinfo
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, settings
from moto import mock_aws
from tests.aws_door import Door
from xdist.scheduler import LoadFileScheduling

from ringhook.clients import services
from ringhook_ops.deployed import deployment
from ringhook_ops.sandbox.server import Sandbox

# The end-to-end tests may have one running beside them.
deployment.UP = Path(os.devnull)

# The tests' own clocks are those of the pinned data too, not of the machine that they run on.
zoneinfo.reset_tzpath(to=())

# A shared machine is slow at times, and a deadline would then fail what is right. The examples
# are the same in each run, so that a failure is the change's; `HYPOTHESIS_PROFILE=wide pytest`
# looks for others, longer.
settings.register_profile(
    "ringhook",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.register_profile(
    "wide", settings.get_profile("ringhook"), derandomize=False, max_examples=2000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ringhook"))


class _ByFile(LoadFileScheduling):  # type: ignore[misc]  # published without types
    """Where several processes share the tests, a file is run by one of them.

    All end-to-end tests are run by one, and first: they share a stack, which takes long to start,
    and wait most of the time, so that the others have the machine.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "e2e" if nodeid.startswith("tests/e2e/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    config.option.loadscopereorder = False
    return _ByFile(config, log)


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """An AWS account of a module's own; each test makes its own things in it (`unique`).

    What asks without the SDK finds the same account, behind a door.
    """
    with (
        mock_aws(),
        Door(os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_SESSION_TOKEN"]) as door,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(services, "address", lambda _service, _region: door.url)
        yield


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The Global Call API's stand-in, behaving."""
    with Sandbox() as one:
        yield one


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """All that was printed and logged so far, metrics included."""
    printed = ""

    def read() -> str:
        nonlocal printed
        printed += "".join(capsys.readouterr())
        return printed

    return read


def unique(what: str) -> str:
    """A name that no other test has given to its thing."""
    return f"{what}-{next(_numbers)}"


_numbers = itertools.count(1)


def create_table(name: str | None = None) -> str:
    """A ledger's table, with the keys and indexes of template.yaml; its name."""
    table = name or unique("ledger")
    boto3.client("dynamodb").create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "N" if name == "sweep_at" else "S"}
            for name in (
                *("pk", "day", "updated_at", "phone_number", "created_at", "waiting", "sweep_at"),
            )
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": first, "KeyType": "HASH"},
                    {"AttributeName": second, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for name, first, second in (
                ("by-day", "day", "updated_at"),
                ("by-phone", "phone_number", "created_at"),
                ("by-due", "waiting", "sweep_at"),
            )
        ],
    )
    return table
