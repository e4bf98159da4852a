"""Requests as files: API Gateway events (payload format 2.0), and a shorter form by hand."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ringhook.errors import BadRequestError
from ringhook.senders.request import SOURCE_NAME, Request, from_gateway

# Invented: the API of nobody's account.
API_ID = "a1b2c3d4e5"
DOMAIN = f"{API_ID}.execute-api.us-east-1.amazonaws.com"
# API Gateway hands on bodies of other types in base64.
_TEXT = ("text/", "application/json", "application/xml", "application/javascript")
_SHORT = {"source", "method", "url", "headers", "body", "body_b64"}


def event(request: Request) -> dict[str, Any]:
    """The event that API Gateway makes of this request."""
    address = urlsplit(request.url)
    text = _text(request)
    parameters = {"source": request.source}
    if request.path_secret:
        parameters["secret"] = request.path_secret
    route = "/".join(["ANY /hooks", *(f"{{{name}}}" for name in parameters)])
    path = "/".join(["/hooks", *parameters.values()])
    received = request.received_at
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": address.query,
        "headers": {
            "accept": "*/*",
            "content-length": str(len(request.body)),
            "host": address.netloc,
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **request.headers,
        },
        **(
            {"queryStringParameters": dict(parse_qsl(address.query, keep_blank_values=True))}
            if address.query
            else {}
        ),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": API_ID,
            "domainName": address.netloc,
            "domainPrefix": address.netloc.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": request.headers.get("user-agent", ""),
            },
            "requestId": request.correlation_id,
            "routeKey": route,
            "stage": "$default",
            "time": received.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": round(received.timestamp() * 1000),
        },
        "pathParameters": parameters,
        "body": base64.b64encode(request.body).decode() if text is None else text,
        "isBase64Encoded": text is None,
    }


def _text(request: Request) -> str | None:
    """The body as text, where API Gateway would hand it on so."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith(_TEXT) or "content-encoding" in request.headers:
        return None
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        return None


def read(document: object, *, public_url: str, received_at: datetime) -> Request:
    """Read a request from parsed JSON, of either form.

    Raises BadRequestError naming the field that cannot be used.
    """
    if not isinstance(document, Mapping):
        raise BadRequestError("it is not a JSON object")
    if "requestContext" in document:
        try:
            return from_gateway(document, public_url=public_url, received_at=received_at)
        except (KeyError, TypeError, AttributeError) as error:
            message = f"it is not an API Gateway event of payload format 2.0 ({error!r})"
            raise BadRequestError(message) from error
    if unknown := document.keys() - _SHORT:
        message = f"{min(unknown)}: there is no such field; there are {', '.join(sorted(_SHORT))}"
        raise BadRequestError(message)
    source, headers = document.get("source"), document.get("headers", {})
    if not isinstance(source, str) or not SOURCE_NAME.fullmatch(source):
        raise BadRequestError("source: write the name of a source, as in /hooks/{source}")
    if not isinstance(headers, Mapping):
        raise BadRequestError("headers: write an object of names and texts")
    return Request(
        source=source,
        method=str(document.get("method", "POST")),
        url=str(document.get("url") or f"{public_url or 'https://' + DOMAIN}/hooks/{source}"),
        headers={str(name).lower(): str(value) for name, value in headers.items()},
        body=_body(document),
        received_at=received_at,
    )


def _body(document: Mapping[str, Any]) -> bytes:
    if "body_b64" in document:
        try:
            return base64.b64decode(document["body_b64"], validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise BadRequestError("body_b64: it is not base64") from error
    body = document.get("body", "")
    if not isinstance(body, str):
        raise BadRequestError("body: write the very text that was sent, in quotes, or body_b64")
    return body.encode()
