"""The floor of a receiver that hands its webhooks over: json, HMAC, and one request signed for AWS.

The request goes to SQS on one kept connection of http.client, and is signed by hand with AWS's
Signature Version 4, from its published description.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import time
from typing import Any
from urllib.parse import urlsplit

from bench.handlers.floor import handler as check

QUEUE = os.environ["RINGHOOK_QUEUE_URL"]
HOST = urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
REGION, SERVICE = os.environ["AWS_DEFAULT_REGION"], "sqs"
connection = http.client.HTTPConnection(HOST)


def _keyed(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _headers(target: str, body: str) -> dict[str, str]:
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": HOST,
        "x-amz-date": now,
        "x-amz-target": target,
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    digest = hashlib.sha256(body.encode()).hexdigest()
    canonical = f"POST\n/\n\n{lines}\n{names}\n{digest}"
    scope = f"{now[:8]}/{REGION}/{SERVICE}/aws4_request"
    key = f"AWS4{os.environ['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in scope.split("/"):
        key = _keyed(key, part)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signature = _keyed(key, f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope},"
        f" SignedHeaders={names}, Signature={signature}"
    )
    return headers


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Check, read, send, answer."""
    answer: dict[str, Any] = check(event, context)
    if answer["statusCode"] == 202:
        body = json.dumps({"QueueUrl": QUEUE, "MessageBody": event["body"]})
        connection.request("POST", "/", body, _headers("AmazonSQS.SendMessage", body))
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            return {"statusCode": 503}
    return answer
