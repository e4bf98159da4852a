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

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from moto import mock_aws

from ringhook_ops.sandbox import Sandbox

# A shared machine is slow at times, and a deadline would then fail what is right.
settings.register_profile(
    "ringhook", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("ringhook")


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty AWS account."""
    with mock_aws():
        yield


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The Global Call API's stand-in, behaving."""
    with Sandbox() as one:
        yield one
