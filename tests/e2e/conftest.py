"""Everything at once: the stack on the local cloud, with IAM enforced, calling a sandbox API."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.deployed import Deployed

from ringhook.routing.routes_file import load
from ringhook_ops.local.cloud import LocalCloud
from ringhook_ops.local.up import sample_secrets
from ringhook_ops.samples import library
from ringhook_ops.sandbox.senders import CREDENTIAL
from ringhook_ops.sandbox.server import TOKEN, Sandbox

ROUTES = Path(__file__).with_name("routes.toml")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


def deployed(api: Sandbox) -> LocalCloud:
    """A stack with routes.toml and each provider's documented secret but one."""
    secrets = sample_secrets(load(ROUTES.read_text()))
    return LocalCloud(
        routes=ROUTES,
        signing_secrets={name: secret for name, secret in secrets.items() if name != "unfilled"},
        tokens={"default": TOKEN, "branch": "revoked"},
        unleashx_url=api.url,
        enrich_url=api.senders_url,
        credentials={"crm": CREDENTIAL, "renewed": "expired"},
    )


@pytest.fixture(scope="session")
def api() -> Iterator[Sandbox]:
    """The API that the deployed stack calls."""
    with Sandbox(senders=library.answers()) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def cloud(api: Sandbox) -> Iterator[LocalCloud]:
    """The deployed stack."""
    with deployed(api) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def stack(cloud: LocalCloud, api: Sandbox) -> Deployed:
    """The deployed stack, with what tests ask of it."""
    return Deployed(cloud, api)


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Deployed]:
    """A stack of a file's own, for what would leave the others' in disorder."""
    with Sandbox(senders=library.answers()) as api, deployed(api) as cloud:
        yield Deployed(cloud, api)
