"""The demo of `ringhook up`: webhooks as their senders send them, and what became of each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from ringhook.routing.routes import Routes
from ringhook.senders.request import Request
from ringhook_ops.deployed.ledger_reader import LedgerReader
from ringhook_ops.dry_run.explaining import explain
from ringhook_ops.local.up import Running
from ringhook_ops.samples import library, sending, webhooks
from ringhook_ops.samples.sending import Answer

# A call that nobody knows yet, that waits, or is under way.
_GOES_ON = {None, "queued", "deferred", "calling"}
_PATIENCE = 30.0  # seconds until a call that does not end is told as it is
# India keeps no numbers for fiction: these are written like those of other countries.
_INDIAN_ORDER = [
    ("name", '"#1049"'),
    ("currency", '"INR"'),
    ("shipping_address.phone", '"022 5555 0123"'),
    ("shipping_address.country", '"India"'),
    ("shipping_address.country_code", '"IN"'),
    ("shipping_address.province", '"Maharashtra"'),
    ("shipping_address.province_code", '"MH"'),
    ("shipping_address.zip", '"400001"'),
]
_INDIAN_LEAD = [
    ("RESPONSE.SENDER_MOBILE", '"+91-8055550124"'),
    ("RESPONSE.SENDER_COUNTRY_ISO", '"IN"'),
    ("RESPONSE.SENDER_CITY", '"Bengaluru"'),
    ("RESPONSE.SENDER_STATE", '"Karnataka"'),
]
_NO_NUMBER = [(f"{part}.phone", "null") for part in ("shipping_address", "billing_address")]


@dataclass(slots=True)
class Story:
    """Tells what happens; `failures` are the things that did not go as they are meant to."""

    running: Running
    routes: Routes
    console: Console
    ledger: LedgerReader = field(init=False)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the ledger."""
        table = self.running.addresses.table_name
        self.ledger = LedgerReader(self.running.cloud.client("dynamodb"), table)

    def tell(self) -> None:
        """Send each webhook in turn, and wait until what it asks for has come to its end."""
        order = self._webhook("shopify", "orders/create")
        self._chapter("A Shopify order, to be paid in cash on delivery", order, 202, calls=1)
        self._chapter("Shopify sends the same order again: nobody is rung", order, 202, calls=0)
        indian = self._webhook("shopify", "orders/create", *_INDIAN_ORDER)
        self._chapter("Another one, from Mumbai: its number has no +91", indian, 202, calls=1)
        forgery = replace(order, body=order.body.replace(b"555-0123", b"555-0124"))
        self._chapter("A forger changes the phone number in it", forgery, 401, calls=0)
        unknown = self._webhook("shopify", "orders/create", *_NO_NUMBER)
        self._chapter("An order without a phone number", unknown, 202, calls=0)
        batch = self._webhook("hubspot", "batch")
        self._chapter("Four HubSpot events in one request", batch, 202, calls=2)
        lead = self._webhook("standard-webhooks", "lead.created")
        self._chapter("A lead, by Standard Webhooks", lead, 202, calls=1)
        enquiry = self._webhook("indiamart", "W", *_INDIAN_LEAD)
        self._chapter("An enquiry from Bengaluru, by IndiaMART", enquiry, 200, calls=1)

    def _webhook(self, provider: str, name: str, *fields: tuple[str, str]) -> Request:
        return webhooks.webhook(
            library.find(provider, name),
            self.routes,
            now=datetime.now(UTC),
            hooks=self.running.addresses.webhooks_url,
            fields=fields,
        )

    def _chapter(self, title: str, request: Request, status: int, *, calls: int) -> None:
        console, sandbox = self.console, self.running.sandbox
        heard = len(sandbox.requests())
        console.print(f"\n[bold]{title}[/bold]")
        answer = sending.post(request)
        console.print(f"  POST /hooks/{request.source} [cyan]→ {escape(_told(answer))}[/cyan]")
        for one in _calls(answer):
            self._tell_call(self._ended(one["call_id"]))
        for row in explain(request, self.routes, None) if answer.status == 202 else ():
            if row.decision in ("ignored", "suppress"):
                console.print(f"  {row.topic} rings nobody: {escape(row.reason)}", soft_wrap=True)
        self._wait(self._queue_is_empty)
        placed = [one for one in sandbox.requests()[heard:] if one["path"].endswith("/agents/call")]
        for asked in placed:
            body = json.dumps(asked["body"])
            console.print(f"  the API got  {escape(body)}", soft_wrap=True)
        if not placed:
            console.print("  the API got  nothing")
        if (answer.status, len(placed)) != (status, calls):
            self.failures.append(
                f"{title}: {answer.status} and {len(placed)} calls, not {status} and {calls}"
            )

    def _tell_call(self, item: dict[str, Any]) -> None:
        status, reason = item.get("status", "unknown"), item.get("reason", "")
        colours = {"initiated": "green", "ended": "green", "unmapped": "yellow"}
        colour = colours.get(status, "red")
        text = f"  {item['route']} [{colour}]{status}[/{colour}]: {escape(reason)}"
        self.console.print(text, soft_wrap=True)
        if execution_id := item.get("execution_id"):
            self.console.print(f"  execution_id {execution_id}")

    def _ended(self, call_id: str) -> dict[str, Any]:
        """The call's item once it has ended, or as it stands when patience is at its end."""
        self._wait(lambda: (self.ledger.get(call_id) or {}).get("status") not in _GOES_ON)
        return self.ledger.get(call_id) or {"route": call_id}

    def _queue_is_empty(self) -> bool:
        answer = self.running.cloud.client("sqs").get_queue_attributes(
            QueueUrl=self.running.addresses.queue_url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )
        return not any(int(number) for number in answer["Attributes"].values())

    def _wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.05)


def curl(webhooks_url: str) -> str:
    """A line for a shell that rings the sandbox's agent through the demo's routes."""
    secret = library.find("bearer").secret
    return (
        f"curl {webhooks_url}/form -H 'Authorization: Bearer {secret}'"
        " -d id=$RANDOM -d name=Sofia --data-urlencode 'phone=(415) 555-0176'"
    )


def _calls(answer: Answer) -> list[dict[str, Any]]:
    body = answer.body if isinstance(answer.body, dict) else {}
    return [*body.get("calls", []), *body.get("unmapped", [])]


def _told(answer: Answer) -> str:
    """The answer in a few words; its calls are told one by one."""
    if not _calls(answer):
        return str(answer)
    accepted = len(answer.body.get("calls", []))
    return f"{answer.status}, {accepted or 'no'} call{'s' * (accepted != 1)} accepted"
