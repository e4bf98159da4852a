"""A deployment can be stopped and let go on, and what ended unrung can be made after all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from msgspec import structs
from tests.builders import NOW, ORDER, ROUTES, call, item
from tests.conftest import create_table
from typer.testing import CliRunner, Result

from ringhook.calls import messages
from ringhook.calls.call import Call
from ringhook.clients.ledger import Ledger
from ringhook.reading.packing import pack
from ringhook_ops.cli import app
from ringhook_ops.deployed import deployment
from ringhook_ops.deployed.deployment import Deployment


@dataclass
class Stack:
    """A deployment of moto's."""

    ledger: Ledger
    queue_url: str

    def woken(self) -> list[str]:
        return [one.call_id for one in self.taken() if isinstance(one, messages.Wake)]

    def taken(self) -> list[messages.Message]:
        received: Any = boto3.client("sqs").receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10
        )
        return [messages.read(one["Body"]) for one in received.get("Messages", [])]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with mock_aws():
        url = boto3.client("sqs").create_queue(QueueName="calls")["QueueUrl"]
        outputs = {"TableName": create_table("ledger"), "QueueUrl": url}
        found = Deployment(stack="prod", option="", outputs=outputs, parameters={}, local={})
        monkeypatch.setattr(deployment, "find", lambda _name: found)
        monkeypatch.setattr(Deployment, "routes_text", lambda _: ROUTES)
        yield Stack(Ledger(boto3.client("dynamodb"), "ledger", timedelta(days=90)), url)


def ringhook(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_stop_is_in_the_ledger_until_it_is_lifted(stack: Stack) -> None:
    assert "stopped: all" in ringhook("pause", "--reason", "a fire").stdout
    ringhook("pause", "--route", "confirm-order", "--reason", "wrong text")
    assert stack.ledger.stops() == {"all": "a fire", "route:confirm-order": "wrong text"}
    assert "stopped: route:confirm-order" in ringhook("resume").stdout
    assert ringhook("resume", "--route", "confirm-order").stdout == "Nothing is stopped.\n"
    assert stack.ledger.stops() == {}


def test_what_is_not_stopped_cannot_go_on(stack: Stack) -> None:
    ringhook("pause", "--source", "shop", "--reason", "a fire")
    result = ringhook("resume", "--account", "other")
    assert result.exit_code == 1
    assert "stopped is source:shop" in result.stderr


def test_one_thing_is_stopped_at_a_time(stack: Stack) -> None:
    assert ringhook("pause", "--source", "a", "--route", "b", "--reason", "x").exit_code == 1
    assert stack.ledger.stops() == {}


@pytest.mark.parametrize("status", ["suppressed", "refused", "uncertain", "cancelled"])
def test_a_call_that_ended_unrung_is_made_under_its_own_id(stack: Stack, status: Any) -> None:
    stack.ledger.write(item(status=status), over=None, now=NOW)
    assert "replayed" in ringhook("replay", "call_1").stdout
    wanted = stack.ledger.read("call_1")
    assert wanted
    assert (wanted.status, wanted.call) == ("queued", call())
    assert stack.woken() == ["call_1"]


@pytest.mark.parametrize("status", ["initiated", "calling", "deferred", "queued"])
def test_what_rang_or_is_under_way_is_not_replayed(stack: Stack, status: Any) -> None:
    due_at = NOW.timestamp() if status != "initiated" else None
    stack.ledger.write(item(status=status, due_at=due_at), over=None, now=NOW)
    assert f"it is {status}" in ringhook("replay", "call_1").stdout
    assert stack.woken() == []


def test_all_unmapped_calls_are_mapped_anew_by_the_routes_as_they_are(stack: Stack) -> None:
    for number in range(3):
        payload = ORDER | {"id": number} | ({"phone": ""} if number == 2 else {})
        lacking = call(
            call_id=f"call_{number}", unmapped="no number", phone_number="", payload=pack(payload)
        )
        stack.ledger.write(
            item(lacking, "unmapped", reason="no number"), over=None, now=datetime.now(UTC)
        )
    said = ringhook("replay", "--status", "unmapped").stdout
    assert said.count("replayed:") == 2
    assert "still unmapped: phone_number" in said
    wanted = stack.ledger.read("call_1")
    assert wanted
    assert (wanted.status, wanted.call.phone_number) == ("queued", ORDER["phone"])
    assert wanted.call.metadata == {"order": "#1001", "reason": "Confirm order #1001"}
    assert sorted(stack.woken()) == ["call_0", "call_1"]


def unread(payload: Any) -> Call:
    """A request that could not be read when it came, as the receiver keeps it."""
    return call(route="", phone_number="", unmapped="it cannot be told", payload=pack(payload))


def test_a_request_that_could_not_be_read_is_read_anew_and_rings_once(stack: Stack) -> None:
    form = {
        "source": "shop",
        "method": "POST",
        "headers": {"content-type": "application/json", "x-shopify-topic": "orders/create"},
        "body": json.dumps(ORDER),
    }
    stack.ledger.write(item(unread(form), "unmapped"), over=None, now=NOW)
    said = ringhook("replay", "call_1").stdout
    (ring,) = stack.taken()
    assert isinstance(ring, messages.Ring)
    assert ring.call.phone_number == ORDER["phone"]
    # By when it came, so that it is not younger than it is; and by the id that it would have had.
    assert ring.call.received_at == call().received_at
    assert ring.call.call_id in said
    # A second time there is nothing left to be replayed.
    assert "replayed" not in ringhook("replay", "--status", "unmapped").stdout


def test_what_still_cannot_be_read_stays(stack: Stack) -> None:
    form = {"source": "shop", "method": "POST", "headers": {}, "body": "{"}
    stack.ledger.write(item(unread(form), "unmapped"), over=None, now=NOW)
    assert "still unmapped" in ringhook("replay", "call_1").stdout
    cut = item(unread({"replayable": False, "sha256": "0" * 64, "length": 9}), "unmapped")
    other = replace(cut, call=structs.replace(cut.call, call_id="call_2"))
    stack.ledger.write(other, over=None, now=NOW)
    assert "have it sent again" in ringhook("replay", "call_2").stdout
    assert stack.taken() == []


def test_what_the_ledger_does_not_have_is_told(stack: Stack) -> None:
    stack.ledger.spend("call_2", NOW)
    for call_id in ("call_1", "call_2"):
        assert "does not have it" in ringhook("replay", call_id).stdout
    assert ringhook("replay").exit_code == 1
