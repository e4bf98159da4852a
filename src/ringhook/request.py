"""An HTTP request as it was received, before anybody believes any of it, and the reply to one."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from ringhook.errors import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to `/hooks/{source}`; header names are lower-case, `url` is the public one."""

    source: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    correlation_id: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the URL; of a repeated one, the first."""
        _, _, query = self.url.partition("?")
        return dict(reversed(parse_qsl(query, keep_blank_values=True)))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: the status, and JSON or, as the content type says, another text."""

    status: int
    body: dict[str, Any] | str
    content_type: str = "application/json"


def read_payload(request: Request) -> Any:
    """Read the body as its content type says: JSON, or a form as an object.

    Raises BadRequestError, with what is wrong where, if it cannot be read.
    """
    try:
        text = request.body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8 (byte {error.start})"
        raise BadRequestError(message) from error
    if "x-www-form-urlencoded" in request.headers.get("content-type", "").lower():
        return _form(text)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        message = f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        raise BadRequestError(message) from error
    except (RecursionError, ValueError) as error:
        message = "the body is JSON nested too deeply or with a number too long to read"
        raise BadRequestError(message) from error


def _form(text: str) -> dict[str, Any]:
    """A form's fields; one that is repeated (check boxes) becomes a list of its values."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        message = f"the form cannot be read: {error}"
        raise BadRequestError(message) from error
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields


def from_gateway(event: Mapping[str, Any], *, public_url: str, received_at: datetime) -> Request:
    """Read an API Gateway HTTP API event (payload format 2.0).

    `public_url` is what stands before `/hooks/{source}` in the address that the sender was given;
    when empty, the domain of the request itself. Some senders sign that address, so behind a custom
    domain or a proxy it cannot be told from the event.
    Raises BadRequestError if the body is not what `isBase64Encoded` says.
    """
    context = event["requestContext"]
    source = str((event.get("pathParameters") or {}).get("source", ""))
    if not SOURCE_NAME.fullmatch(source):
        message = "the address ends in no source's name: /hooks/{source}"
        raise BadRequestError(message)
    base = public_url.rstrip("/")
    query = event.get("rawQueryString") or ""
    body = event.get("body") or ""
    try:
        raw = (
            base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
        )
    except ValueError as error:
        message = "the body cannot be read as bytes"
        raise BadRequestError(message) from error
    return Request(
        source=source,
        method=context["http"]["method"],
        url=f"{base or 'https://' + context['domainName']}/hooks/{source}"
        + (f"?{query}" * bool(query)),
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=raw,
        received_at=received_at,
        correlation_id=context.get("requestId", ""),
    )
