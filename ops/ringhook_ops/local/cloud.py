"""The local cloud: the whole stack, put by the real `sam deploy` on an emulator of AWS.

    with LocalCloud(routes=…, signing_secrets=…, tokens=…, unleashx_url=…) as cloud:
        post(f"{cloud.webhooks_url}/shop", …)

The emulator is ministack, from .venv-cloud. It needs no Docker and no account: functions are
processes on this machine, with Linux's wheels in their bundle, so Linux is where it runs. It
listens on loopback unless told otherwise, on a free port, and enforces IAM policies as AWS does.
Its state is in a directory of its own, which goes with it, so two can run at once.

Where it differs from AWS, as seen with ministack 1.5.33:

- a template's number, given by a parameter, stays text there, and its queue poller fails on a
  MaximumConcurrency that is text: it is set again, as a number, once the stack stands;
- a secret created empty has the value "" instead of none;
- the HTTP API writes no access log and does not throttle; metrics in logs are not extracted;
- every invocation has a log stream of its own, and a function's working directory is its bundle;
- it unpacks a function's zip for every new process: with thousands of files, twenty webhooks at
  once would take half a minute. Here the zip holds the project's own code, and both functions find
  the other packages of the bundle in one directory;
- a message that comes back after a failure waits out the queue's visibility timeout, as on AWS.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from ringhook import building
from ringhook_ops import bundle, processes
from ringhook_ops.local.emulator import CREDENTIALS, LOOPBACK, REGION, Emulator

STACK = "ringhook"
BUCKET = "ringhook-bundles"  # where `sam deploy` uploads to
# Pinned by a tag that ministack knows, so that the public address is known before deploying.
API_ID = "ca11ca11"
# For one person at one machine: an unheard call is soon given up on, and none waits for its turn.
PARAMETERS = {"ApiTimeout": 3, "CallsPerMinute": 6000, "MaximumConcurrency": 2}


class LocalCloud:
    """The deployed stack, from entering the context to leaving it.

    Args:
        routes: the routes file to deploy instead of `src/routes.toml`.
        signing_secrets: of each source; several during a rotation.
        tokens: of each account at the API; "default" is the one that routes use unless they say.
        unleashx_url: the API, for example a sandbox's.
        enrich_url: what is asked instead of the senders' own APIs, with these credentials.
        host: the address of this machine to listen at.
        say: told, in words for a person, what is under way.
    """

    webhooks_url: str  # `/{source}` is added
    aws_endpoint_url: str
    api_id = API_ID
    table_name: str
    queue_url: str
    dead_letter_queue_url: str
    outputs: Mapping[str, str]  # all of the stack's

    def __init__(
        self,
        *,
        routes: Path,
        signing_secrets: Mapping[str, str | Sequence[str]],
        tokens: Mapping[str, str],
        unleashx_url: str,
        enrich_url: str = "",
        credentials: Mapping[str, str] | None = None,
        host: str = LOOPBACK,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._routes = routes
        self._signing_secrets = signing_secrets
        self._tokens = tokens
        self._unleashx_url = unleashx_url
        self._enrich_url = enrich_url
        self._credentials = credentials
        self._host = host
        self._say = say
        self._emulator: Emulator | None = None

    def __enter__(self) -> Self:
        bundle.WORK.mkdir(exist_ok=True)
        self._directory = Path(tempfile.mkdtemp(prefix="cloud-", dir=bundle.WORK))
        try:
            bundle.place_local_bundle(self._directory, self._routes, self._say)
            self._say("Starting the local cloud")
            self._emulator = Emulator(
                self._directory,
                host=self._host,
                policies=True,
                python_path=self._directory / "dependencies",
            )
            self.aws_endpoint_url = self._emulator.start().url
            self._say("Deploying the stack (ten seconds)")
            self._deploy()
            self._mend_event_source()
            self._mend_roles()
            self._fill_secrets()
            self._warm_keeper()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def client(self, service: str) -> Any:
        """A boto3 client of the local cloud, with all rights."""
        if self._emulator is None:
            raise RuntimeError("the local cloud is not up")
        return self._emulator.client(service)

    def log(self, function: Literal["receiver", "dialer", "keeper"]) -> list[dict[str, Any]]:
        """What a function has logged so far, oldest first: its JSON lines."""
        group = self.outputs[f"{function.capitalize()}LogGroup"]
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        messages = [event["message"] for page in pages for event in page["events"]]
        return [json.loads(message) for message in messages if message.startswith("{")]

    def _deploy(self) -> None:
        public_url = f"{self.aws_endpoint_url}/_aws/execute-api/{API_ID}"
        parameters = PARAMETERS | {
            "Runtime": building.RUNTIME,
            "Architecture": building.ARCHITECTURE,
            "UnleashxUrl": self._unleashx_url,
            "PublicUrl": public_url,
            "AwsEndpointUrl": self.aws_endpoint_url,
        }
        if self._enrich_url:
            parameters["EnrichUrl"] = self._enrich_url
        self.client("s3").create_bucket(Bucket=BUCKET)
        command: list[str | Path] = [
            *(Path(sys.executable).with_name("sam"), "deploy", "--no-confirm-changeset"),
            *("--template-file", self._directory / "build" / "template.yaml"),
            *("--stack-name", STACK, "--s3-bucket", BUCKET, "--capabilities", "CAPABILITY_IAM"),
            *("--tags", f"ms-custom-id={API_ID}"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())),
        ]
        # Neither the profile of whoever runs this nor a proxy may send it to AWS.
        environment = {name: v for name, v in os.environ.items() if not name.startswith("AWS_")}
        environment |= CREDENTIALS | {
            "AWS_ENDPOINT_URL": self.aws_endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": self._host,
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.1",
        }
        log = self._directory / "deploy.log"
        processes.run(command, env=environment, cwd=self._directory, log=log)
        stacks = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        self.outputs = {out["OutputKey"]: out["OutputValue"] for out in stacks[0]["Outputs"]}
        self.webhooks_url = self.outputs["WebhooksUrl"]
        self.table_name = self.outputs["TableName"]
        self.queue_url = self.outputs["QueueUrl"]
        self.dead_letter_queue_url = self.outputs["DeadLetterQueueUrl"]

    def _mend_event_source(self) -> None:
        functions = self.client("lambda")
        scaling = {"MaximumConcurrency": PARAMETERS["MaximumConcurrency"]}
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            if mapping.get("ScalingConfig"):
                functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=scaling)

    def _mend_roles(self) -> None:
        """Grant what this emulator asks for beyond AWS.

        It names the right to send a batch apart, which on AWS is SendMessage's; and it looks for
        the right to make a schedule in the default group, whichever the schedule is made in.
        """
        queues = [
            self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])[
                "Attributes"
            ]["QueueArn"]
            for url in (self.queue_url, self.outputs["ToldQueueUrl"])
        ]
        place = queues[0].rpartition(":")[0].replace(":sqs:", ":scheduler:")
        batch = {"Effect": "Allow", "Action": "sqs:SendMessageBatch", "Resource": queues}
        schedule = {
            "Effect": "Allow",
            "Action": "scheduler:CreateSchedule",
            "Resource": f"{place}:schedule/default/*",
        }
        for role, rights in (
            ("ReceiverRole", [batch]),
            ("DialerRole", [batch, schedule]),
            ("KeeperRole", [batch]),
        ):
            detail = self.client("cloudformation").describe_stack_resource(
                StackName=STACK, LogicalResourceId=role
            )["StackResourceDetail"]
            self.client("iam").put_role_policy(
                RoleName=detail["PhysicalResourceId"],
                PolicyName="emulator",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": rights}),
            )

    def _fill_secrets(self) -> None:
        secrets = self.client("secretsmanager")
        for output, value in (
            ("SigningSecretsArn", self._signing_secrets),
            ("ApiTokensArn", self._tokens),
            ("CredentialsArn", self._credentials or {}),
        ):
            arn = self.outputs[output]
            secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(value))

    def _warm_keeper(self) -> None:
        """Start the keeper, as its rule does on AWS every minute: a cancel is quick then."""
        keeper = self.client("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId="KeeperFunction"
        )["StackResourceDetail"]
        self.client("lambda").invoke(FunctionName=keeper["PhysicalResourceId"], Payload=b"{}")

    def _end(self) -> None:
        if self._emulator:
            self._emulator.stop()
        shutil.rmtree(self._directory, ignore_errors=True)
