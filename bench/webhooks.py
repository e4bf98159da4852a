"""The webhooks that everything here is measured with, and the routes that take them.

A lead of a generic sender, signed with HMAC-SHA256 over its body in hex: what each of those that
are compared can check.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from bench.handlers.floor import SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = "hooks"
# To a number that ends so the API's stand-in says that it is busy.
BUSY = "0503"

# Nobody is rung twice, so no gap between calls counts; and no lead has a busy number by chance.
_phones = (
    phone
    for phone in (f"+1212{number}" for number in itertools.count(2_000_000))
    if not phone.endswith(BUSY)
)

_HEAD = """countries = ["US"]
"""
_SOURCE = """
[sources.{name}]
provider = "hmac"
header = "X-Signature"
topic = "{{{{ type }}}}"
event_id = "{{{{ id }}}}"
occurred_at = "{{{{ at }}}}"
"""
_ROUTE = """
[[routes]]
name = "{name}"
source = "{source}"
on = ["{topic}"]
when = "{when}"

[routes.call]
agent_id = 1
phone_number = "{{{{ phone }}}}"
region = "US"
metadata = {{ lead = "{{{{ id }}}}" }}

[routes.policy]
purpose = "service"
key = "{{{{ key || id }}}}"
cancelled_by = ["{cancelled_by}"]
calling_hours = "{hours}"
"""


def routes(*, same: int = 1, others: int = 0, late: str = "") -> str:
    """A routes file: so many routes of the leads' source and of others.

    Of the source's own the last takes the leads, and the rest look at each and let it be. `late` is
    a window of calling hours, for leads of the topic "lead.late".
    """
    parts = [_HEAD, _SOURCE.format(name=SOURCE)]
    for number in range(same):
        branch = "main" if number == same - 1 else f"b{number}"
        parts.append(_route(f"lead-{number}", when=f"branch == '{branch}'"))
    if late:
        parts.append(_route("late", topic="lead.late", hours=late, cancelled_by="lead.lost"))
    if others:
        parts.append(_SOURCE.format(name="others"))
    parts += [
        _route(f"other-{number}", source="others", topic=f"topic.{number}")
        for number in range(others)
    ]
    return "".join(parts)


def _route(
    name: str,
    *,
    source: str = SOURCE,
    topic: str = "lead.created",
    when: str = "id",
    hours: str = "any",
    cancelled_by: str = "lead.closed",
) -> str:
    return _ROUTE.format(
        name=name, source=source, topic=topic, when=when, hours=hours, cancelled_by=cancelled_by
    )


def lead(topic: str = "lead.created", **fields: Any) -> dict[str, Any]:
    """A lead of its own id and phone; `fields` are set in it."""
    return {
        "id": uuid.uuid4().hex,
        "type": topic,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "phone": next(_phones),
        "branch": "main",
        "country": "US",
        "name": "Ada Mbeki",
        "interest": "a boiler that is quiet",
        "note": "She asked to be called in the afternoon, about the offer that she read on Monday.",
    } | fields


def headers(body: bytes) -> dict[str, str]:
    """What the sender puts before this body."""
    signature = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", "x-signature": signature}


def gateway_event(body: bytes, given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What API Gateway makes of a request with this body (HTTP API, payload format 2.0)."""
    host = "bench.execute-api.us-east-1.amazonaws.com"
    path = f"/hooks/{SOURCE}"
    return {
        "version": "2.0",
        "routeKey": "ANY /hooks/{source}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "host": host,
            "content-length": str(len(body)),
            "x-forwarded-proto": "https",
            **(headers(body) if given is None else given),
        },
        "requestContext": {
            "domainName": host,
            "http": {"method": "POST", "path": path, "sourceIp": "203.0.113.7"},
            "requestId": str(uuid.uuid4()),
            "stage": "$default",
            "timeEpoch": round(time.time() * 1000),
        },
        "pathParameters": {"source": SOURCE},
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def event_of(payload: Any) -> dict[str, Any]:
    """The event of API Gateway that brings this payload."""
    return gateway_event(json.dumps(payload).encode())


def queue_event(message: Mapping[str, str]) -> dict[str, Any]:
    """What SQS hands to a function: one message."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
            }
        ]
    }
