"""An HTTP request as it was received, before anybody believes any of it, and the reply to one."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ringhook.errors import BadRequestError
from ringhook.reading import bodies

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

    @property
    def path_secret(self) -> str:
        """The secret at the end of the address, if there is one: `/hooks/{source}/{secret}`."""
        _, _, rest = urlsplit(self.url).path.partition(f"/hooks/{self.source}/")
        return unquote(rest)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: the status, and JSON or, as the content type says, another text.

    `visit`: an address that is asked with GET before this is answered, where a sender wants it.
    """

    status: int
    body: dict[str, Any] | str
    content_type: str = "application/json"
    visit: str = ""


def read_payload(request: Request) -> Any:
    """The body's JSON, or its form as an object.

    Raises BadRequestError, with what is wrong where, if it cannot be read.
    """
    headers = request.headers
    return bodies.read(
        request.body, headers.get("content-type", ""), headers.get("content-encoding", "")
    )


def read_query(request: Request, *, without: str) -> dict[str, Any]:
    """The fields in the address as an object, but for the one that holds a secret.

    Raises BadRequestError if there are more than any form has.
    """
    pairs = urlsplit(request.url).query.split("&")
    return bodies.form("&".join(p for p in pairs if unquote(p.partition("=")[0]) != without))


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
    secret = str(event["pathParameters"].get("secret") or "")
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
        + f"/{quote(secret, safe='')}" * bool(secret)
        + f"?{query}" * bool(query),
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=raw,
        received_at=received_at,
        correlation_id=context.get("requestId", ""),
    )
