"""The webhook URL as API Gateway calls it: what senders are answered, what is in the queue."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mypy_boto3_secretsmanager import SecretsManagerClient
from mypy_boto3_sqs import SQSClient
from tests.builders import (
    ALICE,
    BOB,
    ORDER,
    ROUTES,
    SECRETS,
    Lambda,
    from_form,
    from_hubspot,
    from_shopify,
    from_standard_webhooks,
    gateway_event,
)
from tests.conftest import create_table, unique

from ringhook import receiver
from ringhook.calls import messages
from ringhook.calls.messages import Cancel, Message, Ring
from ringhook_ops.sandbox.server import TOKEN, Sandbox

Answer = tuple[int, dict[str, Any]]
CANCELLED = {**ORDER, "cancelled_at": "2026-11-23T12:00:00Z"}


@dataclass
class Deployment:
    """A receiver with its queue and its secrets; `clock` is what its secret's age is told by."""

    sqs: SQSClient
    secrets: SecretsManagerClient
    queue_url: str
    signing_secrets: str
    clock: float = 0

    def post(self, event: dict[str, Any]) -> Answer:
        reply = receiver.handler(event, Lambda())
        assert reply["headers"] == {"content-type": "application/json"}
        return reply["statusCode"], json.loads(reply["body"])

    def set_secrets(self, text: str) -> None:
        self.secrets.put_secret_value(SecretId=self.signing_secrets, SecretString=text)

    def queued(self) -> list[Message]:
        """Take all messages out of the queue."""
        found = []
        while batch := self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10
        ).get("Messages"):
            found += [messages.read(one["Body"]) for one in batch]
        return found


@pytest.fixture
def deployment(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    sqs = boto3.client("sqs")
    secrets = boto3.client("secretsmanager")
    queue_url = sqs.create_queue(QueueName=unique("calls"))["QueueUrl"]
    arn = secrets.create_secret(Name=unique("signing"), SecretString=json.dumps(SECRETS))["ARN"]
    one = Deployment(sqs, secrets, queue_url, arn)
    for name in ("DELIVERY", "TABLE_NAME", "TOKENS", "PUBLIC_URL"):
        monkeypatch.delenv(f"RINGHOOK_{name}", raising=False)
    monkeypatch.setenv("RINGHOOK_QUEUE_URL", queue_url)
    monkeypatch.setenv("RINGHOOK_SIGNING_SECRETS", arn)
    routes = tmp_path / "routes.toml"
    routes.write_text(ROUTES)
    monkeypatch.setattr(receiver, "ROUTES", routes)
    monkeypatch.setattr(
        receiver, "time", SimpleNamespace(monotonic=lambda: one.clock, time=time.time)
    )
    receiver._receiver.cache_clear()
    yield one
    receiver._receiver.cache_clear()


HUBSPOT_EVENT = {
    "eventId": 1,
    "subscriptionId": 10,
    "portalId": 20,
    "occurredAt": int(datetime.now(UTC).timestamp() * 1000),
    "subscriptionType": "contact.propertyChange",
    "attemptNumber": 0,
    "objectId": 30,
    "propertyName": "phone",
    "propertyValue": "(415) 555-0123",
}
LEAD = {"type": "lead.created", "data": {"phone": BOB}}
FORM = {"phone": ALICE, "note": "hello"}
GENUINE: dict[str, Callable[..., dict[str, Any]]] = {
    "shopify": lambda **options: from_shopify(ORDER, **options),
    "hubspot": lambda **options: from_hubspot([HUBSPOT_EVENT], **options),
    "standard-webhooks": lambda **options: from_standard_webhooks(LEAD, **options),
    "bearer": lambda **options: from_form(FORM, **options),
}
every_sender = pytest.mark.parametrize("sender", GENUINE)


@every_sender
@pytest.mark.parametrize("encoded", [False, True], ids=["as text", "base64"])
def test_a_genuine_webhook_is_accepted_and_its_call_is_in_the_queue(
    deployment: Deployment, sender: str, encoded: bool
) -> None:
    status, answer = deployment.post(GENUINE[sender](base64=encoded))
    [message] = deployment.queued()
    assert isinstance(message, Ring)
    assert status == 202
    assert answer == {"calls": [{"route": message.call.route, "call_id": message.call.call_id}]}
    assert message.call.correlation_id == "request-1"
    assert message.call.phone_number in (ALICE, BOB)


@every_sender
def test_a_second_delivery_to_a_warm_function_asks_for_the_same_call(
    deployment: Deployment, sender: str
) -> None:
    cold, warm = deployment.post(GENUINE[sender]()), deployment.post(GENUINE[sender]())
    assert cold == warm
    first, second = deployment.queued()
    assert isinstance(first, Ring)
    assert isinstance(second, Ring)
    assert first.call.call_id == second.call.call_id


def test_a_genuine_order_is_answered_long_before_shopify_gives_up(deployment: Deployment) -> None:
    began = time.monotonic()
    assert deployment.post(from_shopify())[0] == 202
    assert time.monotonic() - began < 2.5


def changed(event: dict[str, Any], **headers: str) -> dict[str, Any]:
    return event | {"headers": event["headers"] | headers}


def stale(seconds: int) -> dict[str, Any]:
    then = datetime.now(UTC) + timedelta(seconds=seconds)
    return from_hubspot([HUBSPOT_EVENT], now=then)


FORGERIES: dict[str, Callable[[], dict[str, Any]]] = {
    "another secret": lambda: from_shopify(secret="guess"),
    "a changed body": lambda: from_shopify() | {"body": json.dumps(ORDER | {"phone": BOB})},
    "one byte more": lambda: from_shopify() | {"body": json.dumps(ORDER) + " "},
    "no signature": lambda: gateway_event("shop", ORDER, {"X-Shopify-Topic": "orders/create"}),
    "an empty signature": lambda: changed(from_shopify(), **{"x-shopify-hmac-sha256": ""}),
    "an empty body": lambda: from_shopify() | {"body": ""},
    "a letter that is not ASCII": lambda: changed(from_shopify(), **{"x-shopify-hmac-sha256": "é"}),
    "signed too long ago": lambda: stale(-400),
    "signed in the future": lambda: stale(400),
    "another token": lambda: from_form(FORM, token="guess"),
    "another source's secret": lambda: from_form(FORM, token=SECRETS["shop"]),
    "another shop, rightly signed": lambda: from_shopify(
        source="pinned", X_Shopify_Shop_Domain="theirs.myshopify.com"
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_refused_and_not_told_why(deployment: Deployment, forgery: str) -> None:
    assert deployment.post(FORGERIES[forgery]()) == (401, {"error": "not authorised"})
    assert deployment.queued() == []


@pytest.mark.parametrize("forgery", FORGERIES)
def test_why_a_forgery_was_refused_is_in_the_log(
    deployment: Deployment, logs: Callable[[], str], forgery: str
) -> None:
    deployment.post(FORGERIES[forgery]())
    lines = [json.loads(line) for line in logs().splitlines()]
    [told] = [line for line in lines if line.get("message") == "webhook.rejected"]
    assert told["level"] == "WARNING"
    assert told["correlation_id"] == "request-1"
    assert told["reason"]
    assert any(line.get("SignatureRejected") == [1.0] for line in lines)


@pytest.mark.parametrize(
    ("event", "status", "said"),
    [
        (gateway_event("nobody", "{}"), 404, "there is no source 'nobody'"),
        (gateway_event("Not A Name", "{}"), 400, "no source's name"),
        (gateway_event("..%2f..", "{}"), 400, "no source's name"),
        (gateway_event("shop", "", method="GET"), 405, "POST"),
        (gateway_event("shop", "", method="PUT"), 405, "POST"),
        (from_form("not JSON"), 422, "the body is not JSON: Expecting value at line 1 column 1"),
        (from_form(b"\xff", base64=True), 422, "the body is not UTF-8 (byte 0)"),
        (from_form("[" * 100_000), 422, "nested too deeply"),
        (from_form("9" * 10_000), 422, "a number too long"),
        (from_form("{}") | {"body": "!", "isBase64Encoded": True}, 400, "cannot be read as bytes"),
        (from_form("{}") | {"body": "é", "isBase64Encoded": True}, 400, "cannot be read as bytes"),
        (from_form({"note": "no number"}), 422, "call-me: phone_number: {{ phone }} finds nothing"),
        (from_form({"phone": "hello"}), 422, "it has no digits"),
    ],
)
def test_what_cannot_be_read_or_mapped_is_explained(
    deployment: Deployment, event: dict[str, Any], status: int, said: str
) -> None:
    answered, body = deployment.post(event)
    assert answered == status
    assert said in body["error"]


def test_no_depth_of_nesting_is_an_internal_error(deployment: Deployment) -> None:
    answers = [
        deployment.post(from_form("[" * depth + "]" * depth)) for depth in range(50, 1050, 25)
    ]

    assert {status for status, _ in answers} == {422}
    assert "nested too deeply" in answers[-1][1]["error"]


def test_an_unsigned_body_is_not_even_parsed(deployment: Deployment) -> None:
    assert deployment.post(gateway_event("form", "not JSON"))[0] == 401


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (
            lambda: from_shopify(topic="orders/paid"),
            "confirm-order: topic 'orders/paid' is not one of",
        ),
        (
            lambda: from_shopify(ORDER | {"total_price": "0.00"}),
            "confirm-order: when does not hold",
        ),
        (lambda: from_hubspot([]), "no route takes this source's events"),
        (
            lambda: from_hubspot([HUBSPOT_EVENT | {"subscriptionType": "contact.deletion"}]),
            "contact.deletion never rings anybody",
        ),
    ],
)
def test_a_genuine_webhook_that_asks_for_no_call_is_answered_with_the_reason(
    deployment: Deployment, event: Callable[[], dict[str, Any]], reason: str
) -> None:
    status, answer = deployment.post(event())
    assert status == 200
    assert answer["calls"] == []
    assert reason in answer["reason"]
    assert deployment.queued() == []


def test_what_cannot_be_mapped_goes_to_the_ledger_by_way_of_the_queue(
    deployment: Deployment,
) -> None:
    """Shopify removes a webhook that is answered with errors, so it is told that all is well."""
    status, answer = deployment.post(from_shopify(ORDER | {"phone": None}))
    [message] = deployment.queued()
    assert isinstance(message, Ring)
    assert status == 202
    assert answer["calls"] == []
    [row] = answer["unmapped"]
    assert row["call_id"] == message.call.call_id
    assert "{{ phone }} finds nothing" in row["reason"]
    assert message.call.unmapped == row["reason"]
    assert message.call.payload


def test_a_batch_with_one_event_that_cannot_be_mapped_still_makes_the_others(
    deployment: Deployment,
) -> None:
    status, answer = deployment.post(from_form([FORM, {"phone": None}]))
    assert status == 202
    assert len(answer["calls"]) == len(answer["unmapped"]) == 1
    assert len(deployment.queued()) == 2


def test_a_hundred_events_in_one_body_are_a_hundred_calls(deployment: Deployment) -> None:
    events = [
        HUBSPOT_EVENT | {"eventId": n, "objectId": n, "propertyValue": f"+1415555{n:04}"}
        for n in range(100, 200)
    ]
    status, answer = deployment.post(from_hubspot(events))
    assert status == 202
    assert len(answer["calls"]) == 100
    calls = [message.call for message in deployment.queued() if isinstance(message, Ring)]
    assert {c.call_id for c in calls} == {row["call_id"] for row in answer["calls"]}
    assert len({c.phone_number for c in calls}) == 100


def test_the_same_event_twice_in_one_body_is_one_call(deployment: Deployment) -> None:
    again = HUBSPOT_EVENT | {"attemptNumber": 1}
    deployment.post(from_hubspot([HUBSPOT_EVENT, again]))
    assert len(deployment.queued()) == 1


def test_a_cancelled_order_asks_for_the_end_of_its_call(deployment: Deployment) -> None:
    deployment.post(from_shopify())
    status, answer = deployment.post(from_shopify(CANCELLED, topic="orders/cancelled"))
    asked, cancelled = deployment.queued()
    assert isinstance(asked, Ring)
    assert isinstance(cancelled, Cancel)
    assert status == 202
    assert answer["calls"] == []
    assert cancelled.call_id == asked.call.call_id


def test_a_captured_body_under_other_headers_asks_for_nobody_new(deployment: Deployment) -> None:
    first = deployment.post(from_shopify())
    second = deployment.post(
        from_shopify(
            X_Shopify_Webhook_Id="another",
            X_Shopify_Event_Id="another",
            X_Shopify_Triggered_At="2031-01-01T00:00:00Z",
        )
    )
    assert first == second


def test_without_the_queue_nothing_is_accepted(
    deployment: Deployment, logs: Callable[[], str]
) -> None:
    deployment.sqs.delete_queue(QueueUrl=deployment.queue_url)
    status, answer = deployment.post(from_shopify())
    assert status == 503
    assert "calls" not in answer
    assert "webhook.not_taken" in logs()


def test_a_delivery_that_met_no_queue_is_accepted_when_it_comes_again(
    deployment: Deployment,
) -> None:
    deployment.sqs.delete_queue(QueueUrl=deployment.queue_url)
    assert deployment.post(from_shopify())[0] == 503
    deployment.sqs.create_queue(QueueName=deployment.queue_url.rpartition("/")[2])
    assert deployment.post(from_shopify())[0] == 202
    assert len(deployment.queued()) == 1


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '"shop secret"', "{}", '{"shop": ""}'])
def test_without_a_usable_secret_a_source_refuses_to_serve(
    deployment: Deployment, logs: Callable[[], str], text: str
) -> None:
    if text:
        deployment.set_secrets(text)
    else:
        deployment.secrets.delete_secret(
            SecretId=deployment.signing_secrets, ForceDeleteWithoutRecovery=True
        )
    status, _ = deployment.post(from_shopify(secret=""))
    assert status == 503
    assert deployment.queued() == []
    assert "shop secret" not in logs()


def test_a_secret_that_is_filled_in_later_needs_no_restart(deployment: Deployment) -> None:
    deployment.set_secrets("{}")
    assert deployment.post(from_shopify())[0] == 503
    deployment.set_secrets(json.dumps(SECRETS))
    deployment.clock += 10
    assert deployment.post(from_shopify())[0] == 202


def test_a_changed_secret_is_honoured_by_a_warm_function(deployment: Deployment) -> None:
    assert deployment.post(from_shopify())[0] == 202
    deployment.set_secrets(json.dumps(SECRETS | {"shop": ["new", SECRETS["shop"]]}))
    deployment.clock += 10
    assert deployment.post(from_shopify(secret="new"))[0] == 202
    assert deployment.post(from_shopify())[0] == 202
    deployment.set_secrets(json.dumps(SECRETS | {"shop": "new"}))
    deployment.clock += 300
    assert deployment.post(from_shopify(secret="new"))[0] == 202
    assert deployment.post(from_shopify())[0] == 401


def test_the_address_that_senders_sign_is_the_public_one(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = from_hubspot([HUBSPOT_EVENT])
    event["requestContext"]["domainName"] = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
    assert deployment.post(event)[0] == 401
    monkeypatch.setenv("RINGHOOK_PUBLIC_URL", "https://hooks.example.com/")
    assert deployment.post(event)[0] == 202


ENDINGS = {
    "accepted": from_shopify(),
    "unmapped": from_shopify(ORDER | {"phone": "4155550123", "country": "Private Street"}),
    "no region": from_form({"phone": "(415) 555-0123", "note": "Private note"}),
    "forged": from_shopify(secret="guess"),
    "ignored": from_shopify(topic="orders/paid"),
    "a wrong token": from_form(FORM, token="private token"),
    "not JSON": from_form('{"phone": "+14155550123", "note": Private'),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_log_holds_no_number_no_payload_and_no_secret(
    deployment: Deployment, logs: Callable[[], str], ending: str
) -> None:
    deployment.post(ENDINGS[ending])
    said = logs()
    assert "webhook." in said
    for private in ("4155550123", "555-0123", "12.00", "#1001", "rivate", *SECRETS.values()):
        assert private not in said


@pytest.mark.parametrize("secret", [SECRETS["portal"], "portal-guess"])
@pytest.mark.parametrize("body", [{"phone": "+14155550123"}, {"phone": ""}, "{"])
def test_the_secret_in_an_address_is_in_no_log(
    deployment: Deployment, logs: Callable[[], str], secret: str, body: Any
) -> None:
    in_path = gateway_event("portal", body)
    in_path["pathParameters"]["secret"] = secret
    in_path["rawPath"] = in_path["requestContext"]["http"]["path"] = f"/hooks/portal/{secret}"

    for event in (in_path, gateway_event("portal", body, query=f"token={secret}")):
        deployment.post(event)
        assert '"portal"' in (said := logs())
        assert secret not in said


header_names = st.sampled_from(
    [
        "content-type",
        "authorization",
        "x-shopify-hmac-sha256",
        "x-shopify-topic",
        "x-hubspot-signature-v3",
        "x-hubspot-signature",
        "x-hubspot-request-timestamp",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    ]
)
# What HTTP lets through as a header's value.
header_values = st.text(st.characters(max_codepoint=0xFF), max_size=40)


@settings(max_examples=60)
@given(
    source=st.one_of(st.sampled_from([*SECRETS, "nobody"]), st.text(max_size=20)),
    body=st.binary(max_size=60),
    headers=st.dictionaries(header_names, header_values),
    method=st.sampled_from(["POST", "GET", "DELETE", "OPTIONS", "X"]),
    query=st.text(st.characters(max_codepoint=0x7F), max_size=20),
)
def test_no_stranger_makes_the_receiver_fail(
    deployment: Deployment,
    source: str,
    body: bytes,
    headers: dict[str, str],
    method: str,
    query: str,
) -> None:
    event = gateway_event(source, body, headers, method=method, query=query, base64=True)
    status, answer = deployment.post(event)
    assert status in (400, 401, 404, 405)
    assert set(answer) == {"error"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda part: (
        st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=8), part, max_size=4)
    ),
    max_leaves=12,
)
keys = st.sampled_from(["phone", "note", "type", "data", "id", "name", "country", "total_price"])
payloads = json_values | st.dictionaries(keys, json_values)


@settings(max_examples=60)
@given(payload=payloads)
@pytest.mark.parametrize("sender", ["form", "shop", "leads", "crm"])
def test_no_payload_of_a_known_sender_makes_the_receiver_fail(
    deployment: Deployment, sender: str, payload: Any
) -> None:
    builders: dict[str, Callable[[Any], dict[str, Any]]] = {
        "form": from_form,
        "shop": from_shopify,
        "leads": from_standard_webhooks,
        "crm": from_hubspot,
    }
    # A text would be sent as it is.
    status, _ = deployment.post(builders[sender]([payload] if sender == "form" else payload))
    assert status in (200, 202, 422)


# Delivery "direct": the receiver dials, and the sender reads what came of it.


@pytest.fixture
def direct(deployment: Deployment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    tokens = deployment.secrets.create_secret(
        Name=unique("tokens"), SecretString=json.dumps({"default": TOKEN})
    )
    monkeypatch.setenv("RINGHOOK_DELIVERY", "direct")
    monkeypatch.setenv("RINGHOOK_QUEUE_URL", "")
    monkeypatch.setenv("RINGHOOK_TOKENS", tokens["ARN"])
    monkeypatch.setenv("RINGHOOK_API_TIMEOUT", "1")
    monkeypatch.setenv("UNLEASHX_URL", sandbox.url)
    return deployment


def dials(sandbox: Sandbox) -> int:
    return sum(request["path"].endswith("/agents/call") for request in sandbox.requests())


def test_direct_answers_with_the_execution_id(direct: Deployment, sandbox: Sandbox) -> None:
    status, answer = direct.post(from_shopify())
    assert status == 200
    [row] = answer["calls"]
    assert row["status"] == "initiated"
    assert row["execution_id"]
    assert dials(sandbox) == 1


@pytest.mark.parametrize(
    ("do", "status", "outcome", "requests"),
    [
        # Shopify drops a webhook after errors, and can do nothing about this one.
        ("refuse", 202, "refused", 1),
        ("401", 502, "queued", 1),
        ("429", 502, "queued", 1),
        ("503", 502, "queued", 1),
        ("500", 504, "uncertain", 1),
        ("rubbish", 504, "uncertain", 1),
        ("cut", 504, "uncertain", 1),
        ("hang", 504, "uncertain", 1),
    ],
)
def test_direct_answers_so_that_the_sender_knows(
    direct: Deployment, sandbox: Sandbox, do: str, status: int, outcome: str, requests: int
) -> None:
    sandbox.misbehave({"phone_number": "*", "do": do})
    answered, body = direct.post(from_shopify())
    assert (answered, body["calls"][0]["status"]) == (status, outcome)
    assert ("error" in body) == (status >= 400)
    assert dials(sandbox) == requests


def test_direct_answers_a_refusal_with_an_error_where_somebody_reads_it(
    direct: Deployment, sandbox: Sandbox
) -> None:
    sandbox.misbehave({"phone_number": "*", "do": "refuse"})
    status, body = direct.post(from_form(FORM))
    assert (status, body["calls"][0]["status"]) == (422, "refused")
    assert body["error"]


def test_direct_says_what_cannot_be_mapped(direct: Deployment, sandbox: Sandbox) -> None:
    status, body = direct.post(from_form({"note": "no number"}))
    assert status == 422
    assert "{{ phone }} finds nothing" in body["error"]
    assert dials(sandbox) == 0


def test_direct_does_not_take_webhooks_without_a_token(direct: Deployment) -> None:
    direct.secrets.put_secret_value(SecretId=os.environ["RINGHOOK_TOKENS"], SecretString="{}")
    assert direct.post(from_shopify())[0] == 503


def test_direct_without_a_ledger_says_which_guards_are_off(direct: Deployment) -> None:
    assert "caps, gaps and the do-not-call list" in direct.post(from_shopify())[1]["unguarded"]


@pytest.mark.parametrize(
    "stated",
    [
        'policy.max_calls = "3/24h"',
        'policy.gap = "1h"',
        'policy.consent = "recorded:calls"',
    ],
)
def test_direct_without_a_ledger_serves_no_file_that_states_what_only_a_ledger_can_keep(
    direct: Deployment, sandbox: Sandbox, stated: str, logs: Callable[[], str]
) -> None:
    receiver.ROUTES.write_text(f"{ROUTES}\n{stated}\n")

    assert direct.post(from_shopify())[0] == 503
    assert dials(sandbox) == 0
    assert stated.partition(" ")[0] in logs()


def with_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGHOOK_TABLE_NAME", create_table())


def test_direct_with_a_ledger_rings_once_however_often_it_is_asked(
    direct: Deployment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_ledger(monkeypatch)
    assert [direct.post(from_shopify())[0] for _ in range(3)] == [200, 200, 200]
    assert dials(sandbox) == 1


def test_direct_answers_a_cancellation_with_success(
    direct: Deployment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_ledger(monkeypatch)
    assert direct.post(from_shopify(CANCELLED, topic="orders/cancelled"))[0] == 200
    assert direct.post(from_shopify())[0] == 200
    assert dials(sandbox) == 0


def test_direct_with_a_ledger_finds_a_call_that_was_not_heard_of(
    direct: Deployment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_ledger(monkeypatch)
    sandbox.misbehave({"phone_number": "*", "do": "hang_after_call"})
    status, answer = direct.post(from_shopify())
    assert status == 200
    assert answer["calls"][0]["execution_id"] == "1"
    assert dials(sandbox) == 1


def test_the_body_is_taken_as_bytes_however_it_travelled() -> None:
    """The two forms of one delivery differ in nothing but their encoding."""
    plain, encoded = from_shopify(), from_shopify(base64=True)
    assert base64.b64decode(encoded["body"]).decode() == plain["body"]
