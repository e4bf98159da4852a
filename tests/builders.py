"""What tests are made of: requests, events and calls with telling defaults, fictional people."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ringhook import providers
from ringhook.providers import Provider
from ringhook.request import Request

# A Monday, at noon in London and early in the morning in New York.
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALICE, BOB = "+14155550123", "+447700900123"
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
    return found.adapt(found, found.settings.model_validate({"provider": name, **settings}))


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
    from base64 import b64encode

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
