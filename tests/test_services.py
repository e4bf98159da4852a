"""SQS and Secrets Manager without the SDK: asked again while it helps, and for seconds at most."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st
from tests.aws_door import Door, signature
from tests.conftest import unique

from ringhook.clients import services, stored_values
from ringhook.clients.services import (
    ATTEMPTS,
    PATIENCE,
    DynamoDb,
    Scheduler,
    SecretsManager,
    Sqs,
)
from ringhook.errors import ServiceError, UnavailableError, UnstorableError

SECRET = "hush-hush-hush"
TOKEN = "token-token-token"
SENT: dict[str, Any] = {"QueueUrl": "https://queue", "MessageBody": "hello"}


def answer(status: int, body: object, headers: str = "") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Said\r\n{headers}content-length: {len(data)}\r\n\r\n"
    return head.encode() + data


DONE = answer(200, {"MessageId": "1"})


def refusal(status: int, code: str) -> bytes:
    return answer(status, {"__type": f"com.amazonaws.sqs#{code}", "message": f"told of {TOKEN}"})


CLOSES, SILENT = b"closes", b"silent"


@dataclass
class Script:
    """A server that says one thing after the other; after `CLOSES` it hangs up without a word."""

    says: list[bytes]
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    connections: int = 0
    url: str = ""


@pytest.fixture
def script() -> Iterator[Script]:
    one = Script([])

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            one.connections += 1
            while first := self.rfile.readline():
                one.paths.append(first.decode().split()[1])
                head = {}
                while line := self.rfile.readline().strip().decode():
                    name, _, value = line.partition(": ")
                    head[name.lower()] = value
                body = self.rfile.read(int(head["content-length"]))
                one.heads.append(head)
                one.bodies.append(body)
                said = one.says.pop(0)
                if said == CLOSES:
                    return
                if said == SILENT:
                    self.rfile.read(1)
                    return
                closing = said.endswith(CLOSES)
                self.wfile.write(said.removesuffix(CLOSES))
                if closing:
                    return

    class Server(ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        one.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield one
        server.shutdown()


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def environ(script: Script) -> dict[str, str]:
    return {
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": script.url,
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
    }


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def sqs(environ: dict[str, str], time: Time) -> Sqs:
    return Sqs(environ, clock=lambda: time.now, sleep=time.sleep, jitter=lambda: 1.0)


def test_what_is_asked_is_signed_json_of_the_service(script: Script, sqs: Sqs) -> None:
    script.says = [DONE]

    assert sqs.send_message(**SENT) == {"MessageId": "1"}

    [head], [body] = script.heads, script.bodies
    assert json.loads(body) == SENT
    assert head["x-amz-target"] == "AmazonSQS.SendMessage"
    assert head["content-type"] == "application/x-amz-json-1.0"
    assert head["authorization"] == signature(script.url, head, body, SECRET, TOKEN)


def test_one_connection_serves_what_is_asked_in_a_row(script: Script, sqs: Sqs) -> None:
    script.says = [DONE] * 3
    for _ in range(3):
        sqs.send_message(**SENT)
    assert script.connections == 1


def test_a_connection_that_was_closed_meanwhile_costs_no_attempt_and_no_wait(
    script: Script, sqs: Sqs, time: Time
) -> None:
    # The first is closed at once, the second only when it is used again.
    script.says = [DONE + CLOSES, DONE, CLOSES, DONE]
    for _ in range(3):
        assert sqs.send_message(**SENT) == {"MessageId": "1"}
    assert not time.slept
    assert script.connections == 3


def test_a_connection_that_nobody_used_for_long_is_not_used_again(
    script: Script, sqs: Sqs, time: Time
) -> None:
    script.says = [DONE, DONE]
    sqs.send_message(**SENT)
    time.now += 21
    sqs.send_message(**SENT)
    assert script.connections == 2


def test_a_connection_that_the_other_side_ends_by_its_answer_is_not_kept(
    script: Script, sqs: Sqs
) -> None:
    script.says = [answer(200, {"MessageId": "1"}, "connection: close\r\n"), DONE]
    sqs.send_message(**SENT)
    sqs.send_message(**SENT)
    assert script.connections == 2


@pytest.mark.parametrize(
    "trouble",
    [
        answer(500, b"<html>"),
        answer(503, {}),
        answer(429, {}),
        refusal(400, "RequestThrottled"),
        refusal(400, "ThrottlingException"),
        refusal(500, "InternalServiceError"),
        CLOSES,
        b"not HTTP at all\r\n\r\n" + CLOSES,
        b'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"Messa' + CLOSES,
        answer(200, b"no JSON"),
    ],
)
def test_what_may_pass_is_asked_again_after_a_growing_wait(
    script: Script, sqs: Sqs, time: Time, trouble: bytes
) -> None:
    script.says = [trouble, trouble, DONE]
    assert sqs.send_message(**SENT) == {"MessageId": "1"}
    assert len(script.heads) == 3
    assert time.slept == [pytest.approx(0.1), pytest.approx(0.4)]
    assert len(set(script.bodies)) == 1


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "QueueDoesNotExist", "ExpiredTokenException"]
)
def test_what_will_not_pass_is_asked_once_and_told_by_its_code_alone(
    script: Script, sqs: Sqs, code: str
) -> None:
    script.says = [refusal(400, code)]
    with pytest.raises(ServiceError) as raised:
        sqs.send_message(**SENT)
    assert raised.value.code == code
    assert isinstance(raised.value, UnavailableError)
    assert len(script.heads) == 1
    said = f"{raised.value} {raised.value!r} {raised.value.__cause__}"
    assert TOKEN not in said
    assert SECRET not in said


def test_a_service_that_never_recovers_is_given_up(script: Script, sqs: Sqs, time: Time) -> None:
    script.says = [answer(503, {})] * 9
    with pytest.raises(ServiceError, match="sqs does not do SendMessage"):
        sqs.send_message(**SENT)
    assert len(script.heads) == ATTEMPTS
    assert sum(time.slept) < PATIENCE


def test_no_attempt_is_begun_that_time_does_not_suffice_for(
    script: Script, environ: dict[str, str]
) -> None:
    script.says = [answer(503, {})] * 9
    # Each look at the clock is a second later.
    ticks = iter(range(1_800_000_000, 1_800_001_000))
    sqs = Sqs(environ, clock=lambda: next(ticks), sleep=lambda _: None, jitter=lambda: 1.0)
    with pytest.raises(ServiceError):
        sqs.send_message(**SENT)
    assert len(script.heads) < ATTEMPTS


def test_a_service_that_says_nothing_is_waited_for_as_long_as_is_left(
    script: Script, sqs: Sqs, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "_READ_TIMEOUT", 1.0)
    script.says = [SILENT, DONE]
    assert sqs.send_message(**SENT) == {"MessageId": "1"}
    assert len(time.slept) == 1


def test_a_service_that_cannot_be_reached_is_told_of_and_never_said_to_have_heard(
    environ: dict[str, str], time: Time
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
    sqs = Sqs(environ, clock=lambda: time.now, sleep=time.sleep, jitter=lambda: 1.0)
    with pytest.raises(ServiceError, match="ConnectionRefusedError"):
        sqs.send_message(**SENT)
    assert len(time.slept) == ATTEMPTS - 1


def test_credentials_that_change_are_used_from_then_on(
    script: Script, sqs: Sqs, environ: dict[str, str]
) -> None:
    script.says = [answer(503, {}), DONE, DONE]
    sqs.send_message(**SENT)
    environ |= {"AWS_ACCESS_KEY_ID": "NEW", "AWS_SESSION_TOKEN": ""}
    sqs.send_message(**SENT)
    assert [head["authorization"].split("/")[0][-4:] for head in script.heads] == [
        *("AKID", "AKID"),
        "=NEW",
    ]
    assert "x-amz-security-token" not in script.heads[-1]


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_without_credentials_nothing_is_asked(
    script: Script, sqs: Sqs, environ: dict[str, str], name: str
) -> None:
    environ.pop(name)
    with pytest.raises(UnavailableError, match="no credentials"):
        sqs.send_message(**SENT)
    assert not script.heads


def test_an_empty_endpoint_is_none_as_on_aws(environ: dict[str, str], time: Time) -> None:
    environ |= {"AWS_ENDPOINT_URL": "", "AWS_REGION": ""}
    with pytest.raises(UnavailableError, match="AWS_REGION"):
        Sqs(environ).send_message(**SENT)


def test_queues_and_secrets_do_as_they_do_for_the_sdk(
    aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = boto3.client("sqs").create_queue(QueueName=unique("queue"))["QueueUrl"]
    name = unique("secret")
    boto3.client("secretsmanager").create_secret(Name=name, SecretString="text")
    with Door(os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_SESSION_TOKEN"]) as door:
        environ = {**os.environ, "AWS_ENDPOINT_URL": door.url}
        queues = Sqs(environ)
        entries = [{"Id": str(n), "MessageBody": f"é{n}"} for n in range(2)]
        sent = queues.send_message_batch(QueueUrl=url, Entries=entries)
        assert [row["Id"] for row in sent["Successful"]] == ["0", "1"]
        assert not sent.get("Failed")
        queues.send_message(QueueUrl=url, MessageBody="late", DelaySeconds=0)
        got = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert {one["Body"] for one in got} == {"é0", "é1", "late"}
        queues.change_message_visibility(
            QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"], VisibilityTimeout=0
        )
        assert boto3.client("sqs").receive_message(QueueUrl=url)["Messages"]
        assert SecretsManager(environ).get_secret_value(SecretId=name)["SecretString"] == "text"
        with pytest.raises(ServiceError) as raised:
            SecretsManager(environ).get_secret_value(SecretId="none")
        assert raised.value.code == "ResourceNotFoundException"


class MadeError(Exception):
    """What was to be sent: nothing is."""


def asked_by(service: str, operation: str, **what: Any) -> tuple[str, dict[str, str], Any]:
    """Path, headers that name the action, and body of a request of botocore's."""
    client: Any = get_session().create_client(service, region_name="eu-west-1")

    def take(request: Any, **_: object) -> None:
        raise MadeError(request)

    client.meta.events.register_first("request-created", take)
    with pytest.raises(MadeError) as made:
        getattr(client, operation)(**what)
    (request,) = made.value.args
    told = {name.lower(): value for name, value in request.headers.items()}
    headers = {name: told[name] for name in ("content-type", "x-amz-target") if name in told}
    return urlsplit(request.url).path, headers, json.loads(request.data)


TABLE = {"TableName": "ledger"}
KEY = {"pk": {"S": "é"}}
REQUESTS: list[tuple[type[Any], str, dict[str, Any]]] = [
    (DynamoDb, "batch_get_item", {"RequestItems": {"ledger": {"Keys": [KEY]}}}),
    (DynamoDb, "update_item", {**TABLE, "Key": KEY, "UpdateExpression": "SET a = :a"}),
    (DynamoDb, "put_item", {**TABLE, "Item": KEY}),
    (DynamoDb, "delete_item", {**TABLE, "Key": KEY}),
    (
        DynamoDb,
        "transact_write_items",
        {"TransactItems": [{"Delete": {**TABLE, "Key": KEY}}], "ClientRequestToken": "token"},
    ),
    (DynamoDb, "query", {**TABLE, "IndexName": "by-day"}),
    (
        Scheduler,
        "create_schedule",
        {
            "Name": "call_1-1764064800",
            "GroupName": "group",
            "ScheduleExpression": "at(2025-11-25T10:00:00)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": "arn:queue", "RoleArn": "arn:role", "Input": "{}"},
            "ClientToken": "token",
        },
    ),
]


@pytest.mark.parametrize(("kind", "operation", "what"), REQUESTS, ids=lambda value: str(value)[:30])
def test_a_request_is_the_one_that_the_sdk_sends(
    script: Script, environ: dict[str, str], kind: type[Any], operation: str, what: dict[str, Any]
) -> None:
    script.says = [answer(200, {})]
    getattr(kind(environ), operation)(**what)

    path, headers, body = asked_by(kind.name, operation, **what)
    assert script.paths == [path]
    assert headers.items() <= script.heads[0].items()
    assert json.loads(script.bodies[0]) == body


def test_what_a_header_calls_an_error_is_its_code(script: Script, environ: dict[str, str]) -> None:
    head = "x-amzn-ErrorType: ConflictException:http://internal.amazon.com/\r\n"
    script.says = [answer(409, {"Message": "it is there"}, head)]
    with pytest.raises(ServiceError) as raised:
        Scheduler(environ).create_schedule(Name="one")
    assert raised.value.code == "ConflictException"
    assert script.connections == 1


def test_a_transaction_that_is_not_made_says_why_for_each_part(
    script: Script, environ: dict[str, str]
) -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "no"}]
    kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    script.says = [answer(400, {"__type": kind, "CancellationReasons": reasons})]
    with pytest.raises(ServiceError) as raised:
        DynamoDb(environ).transact_write_items()
    assert raised.value.code == "TransactionCanceledException"
    assert services.reasons_of(raised.value) == {"ConditionalCheckFailed"}
    assert script.connections == 1


NUMBERS = st.integers(-(10**37), 10**37) | st.decimals(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=8), part, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_values_are_stored_and_read_as_the_sdk_does(value: Any) -> None:
    try:
        theirs: Any = TypeSerializer().serialize(value)
    except (DecimalException, TypeError):
        with pytest.raises(UnstorableError):
            stored_values.written(value)
        return
    assert stored_values.written(value) == theirs
    assert stored_values.read(theirs) == TypeDeserializer().deserialize(theirs)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), object(), {1}, b"1"])
def test_what_cannot_be_stored_is_refused(value: Any) -> None:
    with pytest.raises(UnstorableError):
        stored_values.written([value])
