"""What tests are made of: requests, events and calls with telling defaults, fictional people."""

from __future__ import annotations

import hmac
import json
import threading
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ringhook.calls.call import Call, Status
from ringhook.calls.item import Item
from ringhook.calls.messages import Cancel, Consent, Export, Forget, Suppress
from ringhook.reading import checked
from ringhook.senders import providers
from ringhook.senders.providers import Provider
from ringhook.senders.request import Request

# A Monday, at noon in London and early in the morning in New York.
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALICE, BOB = "+14155550123", "+442079460123"
TOKEN = "sandbox-token"


def at(seconds: float) -> datetime:
    """The instant so many seconds after NOW."""
    return datetime.fromtimestamp(NOW.timestamp() + seconds, UTC)


def request(
    body: bytes = b"{}",
    headers: dict[str, str] | None = None,
    *,
    source: str = "it",
    method: str = "POST",
    url: str = "https://hooks.example.com/hooks/it",
    received_at: datetime = NOW,
) -> Request:
    return Request(
        source=source,
        method=method,
        url=url,
        headers={name.lower(): value for name, value in (headers or {}).items()},
        body=body,
        received_at=received_at,
        correlation_id="request-1",
    )


def provider(name: str, **settings: Any) -> Provider:
    """A provider as the settings of a source make it."""
    found = providers.find(name)
    return found.adapt(found, checked.read(found.settings, {"provider": name, **settings}))


@dataclass
class Lambda:
    """The context that Lambda gives a handler."""

    seconds_left: float = 60
    function_name: str = "ringhook"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:ringhook"
    aws_request_id: str = field(default="invocation-1")

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left * 1000)


def gateway_event(
    source: str,
    body: str | bytes | Any,
    headers: dict[str, str] | None = None,
    *,
    method: str = "POST",
    query: str = "",
    base64: bool = False,
) -> dict[str, Any]:
    """A request as API Gateway's HTTP API hands it to a function (payload format 2.0)."""
    if not isinstance(body, str | bytes):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    path = f"/hooks/{source}"
    return {
        "version": "2.0",
        "routeKey": "ANY /hooks/{source}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in (headers or {}).items()},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "hooks.example.com",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.9",
                "userAgent": "test",
            },
            "requestId": "request-1",
            "routeKey": "ANY /hooks/{source}",
            "stage": "$default",
            "timeEpoch": int(NOW.timestamp() * 1000),
        },
        "pathParameters": {"source": source},
        "body": b64encode(raw).decode() if base64 else raw.decode(),
        "isBase64Encoded": base64,
    }


ROUTES = """
countries = ["US", "GB"]

[sources.shop]
provider = "shopify"

[sources.crm]
provider = "hubspot"

[sources.leads]
provider = "standard-webhooks"

[sources.form]
provider = "bearer"

[sources.pinned]
provider = "shopify"
tenant = "ours.myshopify.com"

[[routes]]
name = "confirm-order"
source = "shop"
on = ["orders/create"]
when = "total_price != '0.00'"
call.agent_id = 1042
call.phone_number = "{{ phone }}"
call.region = "{{ country }}"
call.metadata = { order = "{{ name }}", reason = "Confirm order {{ name }}" }
policy.key = "{{ id }}"
policy.expires_after = "6h"
policy.calling_hours = "any"
policy.cancelled_by = ["orders/cancelled"]

[[routes]]
name = "new-phone"
source = "crm"
on = ["contact.propertyChange"]
call.agent_id = 1043
call.phone_number = "{{ propertyValue }}"
call.region = "US"
policy.calling_hours = "any"

[[routes]]
name = "speed-to-lead"
source = "leads"
on = ["lead.created"]
call.agent_id = 1044
call.phone_number = "{{ data.phone }}"
policy.calling_hours = "any"

[[routes]]
name = "call-me"
source = "form"
call.agent_id = 1045
call.phone_number = "{{ phone }}"
call.metadata = { note = "{{ note || '' }}" }
policy.calling_hours = "any"

[sources.portal]
provider = "url-token"

[[routes]]
name = "portal"
source = "portal"
call.agent_id = 1047
call.phone_number = "{{ phone }}"
policy.calling_hours = "any"

[[routes]]
name = "pinned"
source = "pinned"
call.agent_id = 1046
call.phone_number = "{{ phone }}"
policy.calling_hours = "any"
"""
ORDER = {"id": 450789469, "name": "#1001", "total_price": "12.00", "phone": ALICE, "country": "US"}
SECRETS = {
    "shop": "shop secret",
    "crm": "crm secret",
    "leads": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "form": "form secret",
    "pinned": "shop secret",
    "portal": "portal-secret",
}


def mac(secret: bytes, data: bytes) -> str:
    """An HMAC-SHA256 in base64."""
    return b64encode(hmac.new(secret, data, "sha256").digest()).decode()


def from_shopify(
    order: Any = None,
    *,
    topic: str = "orders/create",
    source: str = "shop",
    secret: str = SECRETS["shop"],
    base64: bool = False,
    **headers: str,
) -> dict[str, Any]:
    """A webhook as Shopify signs and sends it, as API Gateway hands it over."""
    body = json.dumps(ORDER if order is None else order).encode()
    sent = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": "ours.myshopify.com",
        "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "X-Shopify-Hmac-Sha256": mac(secret.encode(), body),
    }
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway_event(source, body, {**sent, **given}, base64=base64)


def from_hubspot(
    events: Any, *, now: datetime | None = None, base64: bool = False
) -> dict[str, Any]:
    """A batch of events as HubSpot signs it (version 3)."""
    body = json.dumps(events).encode()
    time = str(int((now or datetime.now(UTC)).timestamp() * 1000)).encode()
    signed = b"POST" + b"https://hooks.example.com/hooks/crm" + body + time
    headers = {
        "Content-Type": "application/json",
        "X-HubSpot-Signature-v3": mac(SECRETS["crm"].encode(), signed),
        "X-HubSpot-Request-Timestamp": time.decode(),
    }
    return gateway_event("crm", body, headers, base64=base64)


def from_standard_webhooks(
    payload: Any, *, message_id: str = "msg_1", now: datetime | None = None, base64: bool = False
) -> dict[str, Any]:
    """A webhook signed as the Standard Webhooks specification says."""
    body = json.dumps(payload).encode()
    time = str(int((now or datetime.now(UTC)).timestamp()))
    key = b64decode(SECRETS["leads"].removeprefix("whsec_"))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": time,
        "webhook-signature": "v1," + mac(key, f"{message_id}.{time}.".encode() + body),
    }
    return gateway_event("leads", body, headers, base64=base64)


def from_form(payload: Any, *, token: str = SECRETS["form"], **options: Any) -> dict[str, Any]:
    """A webhook of a sender that shows a bearer token."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return gateway_event("form", payload, headers, **options)


EVENT: dict[str, Any] = {
    "source": "shop",
    "provider": "shopify",
    "route": "confirm-order",
    "topic": "orders/create",
    "event_id": "evt_1",
    "occurred_at": NOW,
    "received_at": NOW,
    "correlation_id": "request-1",
}


def call(**fields: Any) -> Call:
    """A call of the route confirm-order, asked for by an event of NOW."""
    about = {"agent_id": 1042, "phone_number": ALICE, "metadata": {"order": "#1001"}}
    return Call(**EVENT | {"call_id": "call_1"} | about | fields)


def cancel(**fields: Any) -> Cancel:
    """The end of that call."""
    return Cancel(**EVENT | {"call_id": "call_1", "topic": "orders/cancelled"} | fields)


def suppress(**fields: Any) -> Suppress:
    """Alice is not to be rung any more."""
    return Suppress(**EVENT | {"wish_id": "event", "phone_number": ALICE, "topic": "STOP"} | fields)


def consent(**fields: Any) -> Consent:
    """Alice was asked whether she may be rung."""
    whose = {"wish_id": "event", "phone_number": ALICE, "purpose": "calls"}
    return Consent(**EVENT | whose | fields)


def forget(**fields: Any) -> Forget:
    """Alice is to be forgotten."""
    return Forget(**EVENT | {"wish_id": "event", "phone_number": ALICE} | fields)


def export(**fields: Any) -> Export:
    """Alice asks what is known of her."""
    return Export(**EVENT | {"wish_id": "call_9", "phone_number": ALICE} | fields)


def item(of: Call | None = None, status: Status = "calling", **fields: Any) -> Item:
    """How the ledger has a call; claimed by somebody, if nothing else is said."""
    asked = of or call()
    if status == "calling":
        fields = {"owner": "owner-1", "due_at": NOW.timestamp() + 60, "asked_at": NOW} | fields
    return Item(call=asked, status=status, **{"seen": (asked.event_id,)} | fields)


class OneAtATime:
    """DynamoDB writes to an item one after the other; moto, asked by threads, would not."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def guarded(*positional: Any, **arguments: Any) -> Any:
            with self._lock:
                return method(*positional, **arguments)

        return guarded
