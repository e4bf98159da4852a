"""What the functions may not do: asked of the local cloud with the roles' own credentials."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.e2e.deployed import Deployed

from ringhook_ops.local.emulator import REGION


@pytest.fixture(params=["ReceiverRole", "DialerRole"])
def role(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def session(stack: Deployed, role: str) -> boto3.Session:
    """A session in the role, which the local cloud's root may take (on AWS only Lambda may)."""
    arn = stack.cloud.client("iam").get_role(RoleName=stack.resource(role))["Role"]["Arn"]
    answer = stack.cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
    keys = answer["Credentials"]
    return boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=REGION,
    )


def may(stack: Deployed, session: boto3.Session, service: str, operation: str, **what: Any) -> bool:
    client: Any = session.client(service, endpoint_url=stack.cloud.aws_endpoint_url)  # type: ignore[call-overload]  # any service
    try:
        getattr(client, operation)(**what)
    except ClientError as error:
        if "AccessDenied" not in error.response["Error"]["Code"]:
            raise
        return False
    return True


def test_each_function_reads_its_own_secret_and_not_the_other_s(
    stack: Deployed, session: boto3.Session, role: str
) -> None:
    read = {
        output: may(
            stack,
            session,
            "secretsmanager",
            "get_secret_value",
            SecretId=stack.cloud.outputs[output],
        )
        for output in ("SigningSecretsArn", "ApiTokensArn")
    }
    receiver = role == "ReceiverRole"
    assert read == {"SigningSecretsArn": receiver, "ApiTokensArn": not receiver}


def test_the_dialer_alone_reads_the_ledger(
    stack: Deployed, session: boto3.Session, role: str
) -> None:
    keys = {stack.cloud.table_name: {"Keys": [{"pk": {"S": "call#none"}}]}}
    reads = may(stack, session, "dynamodb", "batch_get_item", RequestItems=keys)
    assert reads == (role == "DialerRole")
    assert not may(stack, session, "dynamodb", "scan", TableName=stack.cloud.table_name)


def test_the_dialer_alone_takes_from_the_queue(
    stack: Deployed, session: boto3.Session, role: str
) -> None:
    url = stack.cloud.queue_url
    takes = may(stack, session, "sqs", "get_queue_attributes", QueueUrl=url)
    assert takes == (role == "DialerRole")
    assert not may(
        stack, session, "sqs", "receive_message", QueueUrl=stack.cloud.dead_letter_queue_url
    )
    assert not may(stack, session, "sqs", "purge_queue", QueueUrl=url)
