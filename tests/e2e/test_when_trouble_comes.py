"""Trouble with the API, the token and messages: each call ends as it should, and none is lost."""

import json
from collections.abc import Iterator

import pytest
from tests.e2e.deployed import RANG, Deployed, moment
from tests.e2e.waiting import until

from ringhook_ops.sandbox.server import TOKEN

# An account that is held, and an unheard call, are looked at again within a minute or two.
PATIENCE = 150.0


@pytest.fixture(scope="module", autouse=True)
def _a_message_is_received_once(stack: Deployed) -> Iterator[None]:
    """No trouble here may use up receives: a second one of any message is one too many."""
    queues = stack.cloud.client("sqs")
    attributes = queues.get_queue_attributes(
        QueueUrl=stack.cloud.queue_url, AttributeNames=["RedrivePolicy"]
    )["Attributes"]
    once = json.loads(attributes["RedrivePolicy"]) | {"maxReceiveCount": 1}
    queues.set_queue_attributes(
        QueueUrl=stack.cloud.queue_url, Attributes={"RedrivePolicy": json.dumps(once)}
    )
    yield
    queues.set_queue_attributes(QueueUrl=stack.cloud.queue_url, Attributes=attributes)


def dead_letters(stack: Deployed) -> list[str]:
    """What lies in the dead-letter queue; it is taken out."""
    queues, url = stack.cloud.client("sqs"), stack.cloud.dead_letter_queue_url
    messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


# What the API does, on which route, how the call ends, and how often the API may be asked for it.
TROUBLE = {
    "refuse": ("refuse", 1, "now", "refused", 1),
    "401": ("401", 1, "now", "initiated", 2),
    "429": ("429", 1, "now", "initiated", 2),
    "503": ("503", 1, "now", "initiated", 2),
    "an outage": ("503", 3, "now", "initiated", 4),
    "500": ("500", 1, "now", "uncertain", 1),
    "cut": ("cut", 1, "now", "uncertain", 1),
    "rubbish": ("rubbish", 1, "now", "uncertain", 1),
    "hang": ("hang", 1, "now", "uncertain", 1),
    "hang_after_call": ("hang_after_call", 1, "now", "initiated", 1),
    "500, redial": ("500", 1, "redial", "initiated", 2),
    "hang_after_call, redial": ("hang_after_call", 1, "redial", "initiated", 1),
    "refuse, redial": ("refuse", 1, "redial", "refused", 1),
}


@pytest.fixture(scope="module")
def troubled(stack: Deployed) -> dict[str, tuple[str, str]]:
    """A call for each trouble, all under way at the same time: its number and call_id."""
    calls = {}
    for name, (do, times, route, _, _) in TROUBLE.items():
        number = stack.number()
        order: dict[str, object] = {"phone_number": number, "do": do, "times": times}
        stack.api.misbehave(order | ({"retry_after": 7} if do == "429" else {}))
        calls[name] = number, stack.desk(route, phone=number).call_id
    return calls


# First, because the calls of `troubled` wait meanwhile.
@pytest.mark.usefixtures("troubled")
def test_a_token_that_is_put_right_lets_the_waiting_call_ring_without_a_deployment(
    stack: Deployed,
) -> None:
    number = stack.number()
    call_id = stack.desk("branch", phone=number).call_id
    item = until(lambda: x if "token" in (x := stack.item(call_id)).get("reason", "") else {})
    assert item["status"] == "queued"
    assert stack.dials(number)[0]["status"] == 401
    stack.cloud.client("secretsmanager").put_secret_value(
        SecretId=stack.cloud.outputs["ApiTokensArn"],
        SecretString=json.dumps({"default": TOKEN, "branch": TOKEN}),
    )
    stack.becomes(call_id, *RANG, timeout=60)
    assert [request["status"] for request in stack.dials(number)].count(200) == 1


@pytest.mark.parametrize("name", TROUBLE)
def test_each_trouble_with_the_api_ends_as_it_should_with_no_request_too_many(
    stack: Deployed, troubled: dict[str, tuple[str, str]], name: str
) -> None:
    number, call_id = troubled[name]
    _, _, _, status, requests = TROUBLE[name]
    item = stack.ends(call_id, timeout=PATIENCE)
    assert item["status"] in (RANG if status == "initiated" else (status,))
    assert len(stack.dials(number)) == requests
    assert bool(item.get("execution_id")) == (status == "initiated")
    assert len(item["attempts"]) == requests


def test_the_api_is_left_alone_for_as_long_as_it_asks(
    stack: Deployed, troubled: dict[str, tuple[str, str]]
) -> None:
    number, call_id = troubled["429"]
    stack.ends(call_id, timeout=PATIENCE)
    first, second = (moment(request["received_at"]) for request in stack.dials(number))
    assert (second - first).total_seconds() >= 7


def test_a_call_that_rang_unheard_has_the_execution_that_the_list_has(
    stack: Deployed, troubled: dict[str, tuple[str, str]]
) -> None:
    item = stack.ends(troubled["hang_after_call"][1], timeout=PATIENCE)
    assert item["execution_id"].isdecimal(), "the list's own id, since no answer told another"
    assert item["reason"] == "no answer was heard, but the list of executions has the call"


def test_no_trouble_made_a_dead_letter(
    stack: Deployed, troubled: dict[str, tuple[str, str]]
) -> None:
    for _, call_id in troubled.values():
        stack.ends(call_id, timeout=PATIENCE)
    stack.comes_to_rest()
    assert dead_letters(stack) == []


def test_messages_that_cannot_be_read_become_dead_letters(stack: Deployed) -> None:
    queues, url = stack.cloud.client("sqs"), stack.cloud.queue_url
    before = queues.get_queue_attributes(
        QueueUrl=url, AttributeNames=["VisibilityTimeout", "RedrivePolicy"]
    )["Attributes"]
    five = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": 5}
    queues.set_queue_attributes(
        QueueUrl=url, Attributes={"VisibilityTimeout": "1", "RedrivePolicy": json.dumps(five)}
    )
    bodies = {"{", '{"call": {"call_id": "no more than that"}}'}
    for body in bodies:
        queues.send_message(QueueUrl=url, MessageBody=body)
    dead: set[str] = set()

    def all_are_dead() -> bool:
        dead.update(dead_letters(stack))
        return dead >= bodies

    until(all_are_dead, timeout=30)
    queues.set_queue_attributes(QueueUrl=url, Attributes=before)
    assert dead == bodies
    told = [line.get("message") for line in stack.cloud.log("dialer")]
    assert told.count("message.unreadable") == 10, "each was received five times"


def test_the_stack_rings_as_before(stack: Deployed) -> None:
    number = stack.number()
    assert stack.ends(stack.desk("now", phone=number).call_id)["status"] in RANG
    assert len(stack.dials(number)) == 1
