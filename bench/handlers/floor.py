"""The floor: the least that a handler of signed webhooks can do, with json and hmac alone."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

SECRET = b"a secret that the bench and the handlers share"


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Check the signature, read the body, answer."""
    body = event["body"].encode()
    expected = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, event["headers"]["x-signature"]):
        return {"statusCode": 401}
    json.loads(body)
    return {"statusCode": 202, "body": "{}"}
