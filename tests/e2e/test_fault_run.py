"""Hundreds of webhooks, and everything that goes wrong at once: to the last call it adds up.

Senders repeat themselves, forge, stutter, cancel and opt out; the API misbehaves; a dialer is
killed, a secret is rotated, everything is stopped and let go on. Afterwards what senders sent, what
the API was asked and what the ledger says are held against each other.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.deployed import CALL_PATH, Deployed, Told, moment
from tests.e2e.waiting import until

from ringhook.clients.ledger import Ledger
from ringhook_ops.samples import library

PEOPLE = 150
# What the API does to some of them before it does well, how often, and what becomes of the call.
TROUBLES = {
    "429": (6, "initiated"),
    "503": (6, "initiated"),
    "refuse": (5, "refused"),
    "hang_after_call": (2, "initiated"),
    "500": (3, "uncertain"),
    "cut": (3, "uncertain"),
    "rubbish": (3, "uncertain"),
}
# How a stranger's request is answered, whatever it holds.
NOT_TAKEN = (400, 401, 404, 405)
# A message whose dialer died is there again so soon; and so long may a dialer own a call.
HIDDEN, OWNED = 10, 25


@dataclass(slots=True)
class Person:
    """Who is to be rung, and how that ends."""

    number: str
    payload: dict[str, Any]
    ends: str = "initiated"
    copies: int = 1
    told: list[Told] = field(default_factory=list)


@contextmanager
def impatience(stack: Deployed) -> Iterator[None]:
    """Whatever died is taken up again within seconds."""
    queues, functions = stack.cloud.client("sqs"), stack.cloud.client("lambda")
    url, dialer = stack.cloud.queue_url, stack.resource("DialerFunction")
    before = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    seconds = functions.get_function_configuration(FunctionName=dialer)["Timeout"]
    queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(HIDDEN)})
    functions.update_function_configuration(FunctionName=dialer, Timeout=OWNED)
    yield
    functions.update_function_configuration(FunctionName=dialer, Timeout=seconds)
    queues.set_queue_attributes(QueueUrl=url, Attributes=before["Attributes"])


def dialers(stack: Deployed) -> list[int]:
    """The processes that dial for this stack."""
    name = f"AWS_LAMBDA_FUNCTION_NAME={stack.resource('DialerFunction')}".encode()
    here = f"GATEWAY_PORT={stack.cloud.aws_endpoint_url.rpartition(':')[2]}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if name in variables and here in variables:
            found.append(int(process.name))
    return found


class Run:
    """One run: who is rung, and who tells the stack so."""

    def __init__(self, stack: Deployed) -> None:
        self.stack = stack
        self.secret = library.find("bearer").secret
        self.people: list[Person] = []
        self.refused: list[Told] = []
        self.extra: list[Told] = []
        self.stopped: list[tuple[datetime, datetime]] = []
        self.began = datetime.now(UTC)

    def person(self, topic: str, ends: str = "initiated", **more: Any) -> Person:
        number = self.stack.number()
        payload = {"topic": topic, "id": self.stack.id(), "phone": number, **more}
        copies = (1, 1, 2, 4)[len(self.people) % 4]
        self.people.append(person := Person(number, payload, ends, copies))
        return person

    def post(self, payload: Any, secret: str = "") -> Told:
        """What a sender, or with another secret a stranger, is answered in the end."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()

        def told() -> Told:
            bearer = {"authorization": f"Bearer {secret or self.secret}"}
            return self.stack.post_to("desk", body, bearer | {"content-type": "application/json"})

        if secret:
            return told()
        # A receiver reads a secret no oftener than every ten seconds, and a sender tries again.
        return until(lambda: one if (one := told()).status != 401 else None, timeout=20)  # type: ignore[return-value]

    def send(self, people: list[Person]) -> None:
        """Everybody's webhook with its copies, among forged and malformed ones."""
        jobs: list[Callable[[], None]] = []
        for n, person in enumerate(people):
            jobs += [partial(self._tell, person.told, person.payload)] * person.copies
            other = {**person.payload, "id": self.stack.id()}
            if n % 3 == 0:
                jobs.append(partial(self._tell, self.refused, other, "forged"))
            if n % 10 == 0:
                cut = json.dumps(other).encode()[:-7]
                jobs.append(partial(self._tell, self.extra, cut))
                nobody = {"topic": "now", "id": self.stack.id(), "phone": "none yet"}
                jobs.append(partial(self._tell, self.extra, nobody))
        # Copies of one webhook come now together, now apart.
        jobs = [job for first in range(5) for job in jobs[first::5]]
        with ThreadPoolExecutor(8) as senders:
            for done in [senders.submit(job) for job in jobs]:
                done.result()

    def _tell(self, answers: list[Told], payload: Any, secret: str = "") -> None:
        answers.append(self.post(payload, secret))

    def stop_with(self, meanwhile: list[Person]) -> None:
        """Stop everything, take these on until each says that it waits, and let it all go on."""
        client = self.stack.cloud.client("dynamodb")
        ledger = Ledger(client, self.stack.cloud.table_name, timedelta(days=90))
        began = datetime.now(UTC)
        ledger.stop("all", "a fault run", began)
        self.send(meanwhile)
        for person in meanwhile:
            call_id = person.told[0].call_id
            until(lambda call_id=call_id: "stopped" in self.stack.item(call_id).get("reason", ""))  # type: ignore[misc]
        self.stopped.append((began, datetime.now(UTC)))
        ledger.resume("all", datetime.now(UTC))

    def rotate(self) -> None:
        """The senders sign with a new secret, which is taken beside the old one."""
        secrets = self.stack.cloud.client("secretsmanager")
        name = self.stack.cloud.outputs["SigningSecretsArn"]
        held = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
        old, self.secret = self.secret, "a new secret of the desk's"
        changed = held | {"desk": [self.secret, old]}
        secrets.put_secret_value(SecretId=name, SecretString=json.dumps(changed))

    def asked(self) -> list[Any]:
        numbers = {person.number for person in self.people}
        return [
            one
            for one in self.stack.api.requests()
            if one["path"] == CALL_PATH and one["body"]["phone_number"] in numbers
        ]


@pytest.fixture(scope="module")
def run(own_stack: Deployed) -> Iterator[Run]:
    stack = own_stack
    run = Run(stack)
    troubled = []
    for do, (count, ends) in TROUBLES.items():
        for _ in range(count):
            person = run.person("now", ends)
            stack.api.misbehave({"phone_number": person.number, "do": do})
            troubled.append(person)
    redialled = [run.person("redial") for _ in range(4)]
    for person, do in zip(redialled, ("500", "cut", "rubbish", "hang_after_call"), strict=True):
        stack.api.misbehave({"phone_number": person.number, "do": do})
    opted_out = [run.person("now", "suppressed") for _ in range(8)]
    changed = [run.person("booked", "cancelled", booking=run.stack.id()) for _ in range(10)]
    stays = [run.person("booked", booking=run.stack.id()) for _ in range(10)]
    plain = [run.person("now") for _ in range(PEOPLE - len(run.people))]
    with impatience(stack):
        for person in opted_out:
            run.extra.append(
                run.post({"topic": "stop", "id": run.stack.id(), "phone": person.number})
            )
        stack.comes_to_rest()
        run.send(troubled + redialled)
        # The next dialers die with whatever they have in hand.
        for victim in dialers(stack):
            os.kill(victim, signal.SIGKILL)
        run.stop_with(plain[:25])
        run.send(changed + stays)
        for person in changed:
            word = {"topic": "unbooked", "id": run.stack.id(), "booking": person.payload["booking"]}
            run.extra.append(run.post(word))
        run.rotate()
        run.send(opted_out + plain[25:])
        # A dead dialer's call: its claim ends, three looks follow, and a wake that died with it is
        # made up for by the sweep, two to three minutes later.
        for person in run.people:
            stack.ends(person.told[0].call_id, timeout=300)
        stack.comes_to_rest(timeout=60)
        yield run


def test_every_sender_is_answered_and_no_stranger_is_heard(run: Run) -> None:
    for person in run.people:
        assert {one.status for one in person.told} == {202}
        assert len({one.call_id for one in person.told}) == 1
    assert len(run.refused) > 40
    assert {one.status for one in run.refused} == {401}
    # What cannot be read or rung is kept, and said so.
    assert {one.status for one in run.extra} <= {200, 202, 422}


def test_every_call_ends_as_it_should(run: Run) -> None:
    ended = {
        person.number: run.stack.item(person.told[0].call_id)["status"] for person in run.people
    }
    wrong = {
        person.number: (person.ends, ended[person.number])
        for person in run.people
        if ended[person.number] != person.ends
    }
    # Whom a dialer died for after it had asked is looked for in the list, and found or left.
    assert all(pair == ("initiated", "uncertain") for pair in wrong.values()), wrong
    assert len(wrong) <= 2


def test_nobody_is_rung_twice_nor_while_all_is_stopped(run: Run) -> None:
    numbers = {person.number for person in run.people}
    truly = Counter(
        one["phone_number"] for one in run.stack.api.calls() if one["phone_number"] in numbers
    )
    assert max(truly.values()) == 1
    for person in run.people:
        item = run.stack.item(person.told[0].call_id)
        assert truly[person.number] == (item["status"] == "initiated"), item["reason"]
    for began, ended in run.stopped:
        while_stopped = [
            one
            for one in run.asked()
            if began + timedelta(seconds=4) < moment(one["received_at"]) < ended
        ]
        assert not while_stopped


def test_the_ledger_and_the_api_agree_on_every_request(run: Run) -> None:
    asked = Counter(one["body"]["phone_number"] for one in run.asked())
    for person in run.people:
        item = run.stack.item(person.told[0].call_id)
        claims = item.get("attempt_count", 0)
        # Who died between the claim and the request has asked for nothing.
        assert asked[person.number] <= claims <= asked[person.number] + 1


def test_the_dead_letter_queue_is_empty(run: Run) -> None:
    queues, url = run.stack.cloud.client("sqs"), run.stack.cloud.dead_letter_queue_url
    answer = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    assert not answer.get("Messages")
