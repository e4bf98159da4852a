"""Where a deployed stack's parts are: on AWS by its name, or on this machine while `up` runs."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import dataclass
from typing import Any

import boto3
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from ringhook_ops import bundle
from ringhook_ops.local import cloud, emulator

# What a running `ringhook up` says of itself, for the other commands.
UP = bundle.WORK / "up.json"


class DeploymentError(Exception):
    """The deployment, or a part of it, is not there or cannot be asked; the text has the cure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A stack: its outputs and parameters, and how to reach what it is made of.

    `option` is what the commands are told to mean it: `--stack NAME`, or nothing for the local one.
    """

    stack: str
    option: str
    outputs: dict[str, str]
    parameters: dict[str, str]
    local: dict[str, str]

    def client(self, service: str) -> Any:
        """A boto3 client where the stack is."""
        return _client(service, self.local)

    @property
    def table_name(self) -> str:
        """The ledger. Raises DeploymentError if the stack has none."""
        if "TableName" not in self.outputs:
            message = f"stack {self.stack} has no ledger: it was deployed with Delivery=direct"
            raise DeploymentError(message)
        return self.outputs["TableName"]

    def read_secret(self, output: str) -> dict[str, Any]:
        """The JSON object in the secret that this output names; {} while it is not filled in.

        Raises DeploymentError if it cannot be read.
        """
        try:
            text = self.client("secretsmanager").get_secret_value(SecretId=self.outputs[output])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return {}
            message = f"the secret of {output} cannot be read: {error.response['Error']['Code']}"
            raise DeploymentError(message) from error
        try:
            value = json.loads(text["SecretString"] or "{}")
        except ValueError:
            value = None
        if not isinstance(value, dict):
            # Its text goes into no message.
            message = f"the secret of {output} is not a JSON object: empty it, then set it anew"
            raise DeploymentError(message)
        return value

    def write_secret(self, output: str, value: dict[str, Any]) -> None:
        """Replace the JSON object in the secret that this output names."""
        self.client("secretsmanager").put_secret_value(
            SecretId=self.outputs[output], SecretString=json.dumps(value)
        )

    def environment(self) -> dict[str, str]:
        """The settings of both functions, as one."""
        settings: dict[str, str] = {}
        for name in ("ReceiverFunction", "DialerFunction"):
            its = self._function(name)["Configuration"]["Environment"]["Variables"]
            # What one of them does not use is empty in it, or not there.
            settings |= {key: value or settings.get(key, "") for key, value in its.items()}
        return settings

    def routes_text(self) -> str:
        """The routes file that was deployed: from the receiver's bundle."""
        location = self._function("ReceiverFunction")["Code"]["Location"]
        bundled = urllib3.request("GET", location).data
        with zipfile.ZipFile(io.BytesIO(bundled)) as files:
            return files.read("routes.toml").decode()

    def _function(self, name: str) -> Any:
        resource = self.client("cloudformation").describe_stack_resource(
            StackName=self.stack, LogicalResourceId=name
        )
        real = resource["StackResourceDetail"]["PhysicalResourceId"]
        return self.client("lambda").get_function(FunctionName=real)


def find(stack: str | None) -> Deployment:
    """The stack of this name on AWS, or else the one of a running `ringhook up`.

    Raises DeploymentError if it is not there.
    """
    local = {} if stack else read_up()
    name = stack or cloud.STACK
    try:
        found = _client("cloudformation", local).describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        message = f"there is no stack {name!r} here ({error.response['Error']['Message']})"
        raise DeploymentError(message) from error
    except BotoCoreError as error:
        message = f"CloudFormation cannot be asked for stack {name!r}: {error}"
        raise DeploymentError(message) from error
    return Deployment(
        stack=name,
        option=f" --stack {stack}" if stack else "",
        outputs={one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])},
        parameters={one["ParameterKey"]: one["ParameterValue"] for one in found["Parameters"]},
        local=local,
    )


def read_up() -> dict[str, str]:
    """What the running `ringhook up` said when ready. Raises DeploymentError if none runs."""
    try:
        said: dict[str, str] = json.loads(UP.read_text())
        os.kill(int(said["pid"]), 0)
    except (OSError, ValueError, KeyError) as error:
        message = "no `ringhook up` is running here: start one, or name a stack with --stack"
        raise DeploymentError(message) from error
    return said


def aws(service: str) -> Any:
    """A boto3 client of whatever AWS account and region the environment means."""
    return boto3.client(service)  # type: ignore[call-overload]  # any service


def _client(service: str, local: dict[str, str]) -> Any:
    # The local cloud knows no accounts, and nobody's own credentials are to be sent to it.
    if not local:
        return aws(service)
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=local["aws_endpoint_url"],
        region_name=emulator.REGION,
        aws_access_key_id=emulator.CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=emulator.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
