"""The local cloud itself: it deploys what ships, stands beside another, and leaves nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3
from tests.e2e.waiting import until

from ringhook_ops import bundle
from ringhook_ops.local.cloud import LocalCloud
from ringhook_ops.processes import ProgramError
from ringhook_ops.samples.library import find
from ringhook_ops.sandbox.server import TOKEN, Sandbox

ROUTES = Path(__file__).with_name("routes.toml")
SECRET = find("bearer").secret


def post(cloud: LocalCloud, secret: str, body: object) -> int:
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
    url = f"{cloud.webhooks_url}/form"
    answer = urllib3.request("POST", url, body=json.dumps(body), headers=headers, timeout=30.0)
    return answer.status


def alive(group: int) -> bool:
    """Whether a process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_webhook_goes_all_the_way_to_the_api(cloud: LocalCloud, api: Sandbox) -> None:
    number = "+14155550142"
    assert post(cloud, SECRET, {"id": "1", "phone": number}) == 202
    until(lambda: number in json.dumps(api.requests()))
    until(lambda: any(line.get("message") == "call.initiated" for line in cloud.log("dialer")))
    items = cloud.client("dynamodb").scan(TableName=cloud.table_name)["Items"]
    (call,) = (item for item in items if item.get("phone_number") == {"S": number})
    assert call["status"] == {"S": "initiated"}


def test_a_second_one_stands_beside_the_first_and_leaves_nothing(
    cloud: LocalCloud, api: Sandbox
) -> None:
    said: list[str] = []
    with LocalCloud(
        routes=ROUTES,
        signing_secrets={"form": "of the second"},
        tokens={"default": TOKEN},
        unleashx_url=api.url,
        say=said.append,
    ) as second:
        assert second.webhooks_url != cloud.webhooks_url
        assert post(second, "of the second", {"id": "1"}) == 422
        assert post(cloud, "of the second", {"id": "1"}) == 401
    assert said
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", second.aws_endpoint_url, retries=False, timeout=1.0)
    assert second._emulator
    assert second._emulator.process
    group = second._emulator.process.pid
    until(lambda: not alive(group))
    assert not second._directory.exists()
    assert post(cloud, SECRET, {"id": "1"}) == 422


def test_a_stack_that_cannot_be_deployed_says_why_and_leaves_nothing() -> None:
    before = set(bundle.WORK.iterdir())
    with (
        pytest.raises(ProgramError, match="UnleashxUrl"),
        LocalCloud(routes=ROUTES, signing_secrets={}, tokens={}, unleashx_url="not an address"),
    ):
        pass
    assert set(bundle.WORK.iterdir()) == before


def test_both_handlers_import_from_the_bundle_alone(tmp_path: Path) -> None:
    bundle.place_local_bundle(tmp_path, ROUTES, say=lambda _: None)
    for function in bundle.FUNCTIONS:
        paths = [str(tmp_path / "build" / function), str(tmp_path / "dependencies")]
        code = f"import sys; sys.path[:0] = {paths}; import ringhook.receiver, ringhook.dialer"
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", code],
            env={"AWS_DEFAULT_REGION": "eu-west-1"},
            check=True,
        )


def test_the_bundle_holds_no_test_command_or_emulator(tmp_path: Path) -> None:
    bundle.place_local_bundle(tmp_path, ROUTES, say=lambda _: None)
    shipped = {path.name for path in (tmp_path / "dependencies").iterdir()}
    shipped |= {path.name for path in (tmp_path / "build" / "ReceiverFunction").iterdir()}
    assert {"ringhook", "routes.toml", "routes.json", "msgspec"} <= shipped
    assert not shipped & {
        "boto3",
        "botocore",
        "pydantic",
        "ringhook_ops",
        "typer",
        "rich",
        "samcli",
        "ministack",
        "moto",
        "pytest",
    }
