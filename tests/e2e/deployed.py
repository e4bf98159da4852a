"""The deployed stack in a test's hands: post webhooks to it, read its ledger, logs and queues."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import urllib3
from tests.e2e.waiting import until

from ringhook.routing.routes import Routes
from ringhook.routing.routes_file import load
from ringhook.senders.request import Request
from ringhook_ops.deployed.ledger_reader import LedgerReader
from ringhook_ops.local.cloud import STACK, LocalCloud
from ringhook_ops.samples import library, webhooks
from ringhook_ops.sandbox.server import Received, Sandbox

ROUTES = Path(__file__).with_name("routes.toml")
CALL_PATH = "/api/v1/global/agents/call"
# A phone rang; how that ended may be known by now, or not.
RANG = ("initiated", "ended")
ENDED = {*RANG, "refused", "suppressed", "cancelled", "unmapped"}
# Exchanges of seven cities; each has a hundred numbers that belong to nobody, 555-0100 to 555-0199.
AREAS = (202, 206, 212, 213, 312, 617, 702)
HTTP = urllib3.PoolManager(maxsize=64, retries=False, timeout=urllib3.Timeout(30.0))


@dataclass(frozen=True, slots=True)
class Told:
    """What a sender was answered, and after how many seconds."""

    status: int
    body: dict[str, Any]
    seconds: float

    @property
    def call_id(self) -> str:
        """The one call that was accepted."""
        (call,) = self.body["calls"]
        call_id: str = call["call_id"]
        return call_id


@dataclass(slots=True)
class Deployed:
    """The stack, and numbers and ids that no test has used yet."""

    cloud: LocalCloud
    api: Sandbox
    routes: Routes = field(default_factory=lambda: load(ROUTES.read_text()))
    used: list[str] = field(default_factory=list)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def number(self) -> str:
        """A phone number that nobody has and no test has used."""
        area, line = divmod(len(self.used), 100)
        number = f"+1{AREAS[area]}55501{line:02}"
        self.used.append(number)
        return number

    def id(self) -> str:
        """An id that no test has used."""
        return f"id-{next(self._ids)}"

    # Senders.

    def shopify(
        self,
        number: str | None,
        topic: str = "orders/create",
        place: str = "shipping_address.phone",
    ) -> Request:
        """A webhook about a customer with this number, signed as Shopify signs it."""
        return webhooks.webhook(
            library.find("shopify", topic),
            self.routes,
            now=datetime.now(UTC),
            hooks=self.cloud.webhooks_url,
            fields=[(place, json.dumps(number))],
        )

    def hubspot(self, numbers: Sequence[str]) -> Request:
        """A batch: for each number the event that a contact now has it."""
        now = datetime.now(UTC)
        events = [
            {
                "eventId": 7_000_000 + index,
                "subscriptionId": 3100002,
                "portalId": 40010001,
                "appId": 2100001,
                "occurredAt": round(now.timestamp() * 1000),
                "subscriptionType": "contact.propertyChange",
                "attemptNumber": 0,
                "objectId": 9_000_000 + index,
                "changeSource": "CRM_UI",
                "propertyName": "phone",
                "propertyValue": number,
            }
            for index, number in enumerate(numbers)
        ]
        sample = replace(library.find("hubspot"), body=json.dumps(events).encode())
        return webhooks.webhook(sample, self.routes, now=now, hooks=self.cloud.webhooks_url)

    def desk(self, topic: str, **fields: Any) -> Told:
        """An event of the tests' own sender, with an id of its own."""
        return self.tell("desk", {"id": self.id(), "topic": topic, **fields})

    def desk_at_once(self, times: int, topic: str, **fields: Any) -> Told:
        """So many such events in one request."""
        events = [{"id": self.id(), "topic": topic, **fields} for _ in range(times)]
        return self.tell("desk", events)

    def tell(self, source: str, payload: Any) -> Told:
        """Post JSON with a bearer token."""
        headers = {
            "authorization": f"Bearer {library.find('bearer').secret}",
            "content-type": "application/json",
        }
        return self.post_to(source, json.dumps(payload).encode(), headers)

    def post_to(self, source: str, body: bytes, headers: dict[str, str]) -> Told:
        """Post a body as it is."""
        url = f"{self.cloud.webhooks_url}/{source}"
        began = time.monotonic()
        answer = HTTP.request("POST", url, body=body, headers=headers)
        return Told(answer.status, json.loads(answer.data), time.monotonic() - began)

    def post(self, request: Request) -> Told:
        """Post a request that is signed already."""
        return self.post_to(request.source, request.body, dict(request.headers))

    def post_at_once(self, requests: Sequence[Request]) -> list[Told]:
        """Post them all at the same moment."""
        with ThreadPoolExecutor(len(requests)) as senders:
            return list(senders.map(self.post, requests))

    # What became of it.

    def ledger(self) -> LedgerReader:
        """The ledger."""
        return LedgerReader(self.cloud.client("dynamodb"), self.cloud.table_name)

    def item(self, call_id: str) -> dict[str, Any]:
        """A call's item as it is now; {} if there is none."""
        return self.ledger().get(call_id) or {}

    def becomes(self, call_id: str, *statuses: str, timeout: float = 30.0) -> dict[str, Any]:
        """A call's item once its status is one of these."""
        return until(
            lambda: item if (item := self.item(call_id)).get("status") in statuses else {},
            timeout=timeout,
        )

    def ends(self, call_id: str, timeout: float = 30.0) -> dict[str, Any]:
        """A call's item once nothing more is done about it."""
        return until(
            lambda: item if _has_ended(item := self.item(call_id)) else {}, timeout=timeout
        )

    def dials(self, number: str) -> list[Received]:
        """The requests for calls to this number that the API got, oldest first."""
        return [
            one
            for one in self.api.requests()
            if one["path"] == CALL_PATH and one["body"]["phone_number"] == number
        ]

    def comes_to_rest(self, *, also_delayed: bool = False, timeout: float = 30.0) -> None:
        """Wait until nothing in the calls queue is or may be taken, or, delayed, will be later."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        names += ["ApproximateNumberOfMessagesDelayed"] * also_delayed
        queues = self.cloud.client("sqs")
        urls = (self.cloud.queue_url, self.cloud.outputs["ToldQueueUrl"])

        def is_at_rest() -> bool:
            answers = [
                queues.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
                for url in urls
            ]
            return not any(int(number) for answer in answers for number in answer.values())

        until(is_at_rest, timeout=timeout)

    def resource(self, logical_id: str) -> str:
        """The name that the stack gave to a resource of the template."""
        answer = self.cloud.client("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId=logical_id
        )
        name: str = answer["StackResourceDetail"]["PhysicalResourceId"]
        return name

    def raw_logs(self) -> list[str]:
        """Every line that either function has logged."""
        logs = self.cloud.client("logs").get_paginator("filter_log_events")
        groups = [
            self.cloud.outputs[f"{name}LogGroup"] for name in ("Receiver", "Dialer", "Keeper")
        ]
        return [
            event["message"]
            for group in groups
            for page in logs.paginate(logGroupName=group)
            for event in page["events"]
        ]


def _has_ended(item: dict[str, Any]) -> bool:
    status = item.get("status")
    # Nothing more is asked for an uncertain call after its third look but the list, over hours.
    return status in ENDED or (status == "uncertain" and item.get("looks", 0) >= 3)


def moment(text: str) -> datetime:
    """A time as the ledger and the sandbox write it."""
    return datetime.fromisoformat(text)
