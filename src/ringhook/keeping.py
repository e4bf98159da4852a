"""What of a genuine request that cannot be told is kept, so that nothing is lost in silence."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, urlsplit

from ringhook.calls import Call, call_id
from ringhook.mapping import LARGEST_PAYLOAD, LONGEST_VALUE, pack
from ringhook.text import tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringhook.request import Request
    from ringhook.routes import Connection

# So much of what is too large to be kept still is, to tell what it was (characters).
BEGINNING = 2000
# The headers that a replay needs: the form of the body, and what events are known by. Those that
# prove who sent it stay out of the ledger.
_TOLD = re.compile(r"content-(type|encoding)|.*(topic|event|-id|-at|-time|domain|source|test)")
_PROVING = re.compile(r"auth|cookie|sig|hmac|secret|token|key|password")


def kept_request(
    request: Request, connection: Connection, reasons: Sequence[str], secrets: Sequence[str]
) -> Call:
    """The request as an unmapped call of no route, known by its body's digest.

    `payload` holds it in the short form that `ringhook map` reads, without what proves its sender.
    """
    content = request.body
    if request.method == "GET":
        content = _without(urlsplit(request.url).query.encode(), secrets)
    event_id = "evt_" + hashlib.sha256(content).hexdigest()[:32]
    payload, notes = keep(_short_form(request, secrets), content)
    return Call(
        call_id=call_id(request.source, "", "event", event_id),
        source=request.source,
        provider=connection.source.provider,
        event_id=event_id,
        occurred_at=request.received_at,
        received_at=request.received_at,
        correlation_id=request.correlation_id,
        unmapped=tidy("; ".join(dict.fromkeys(reasons)), LONGEST_VALUE),
        payload=payload,
        notes=notes,
    )


def keep(document: Any, content: bytes) -> tuple[str, tuple[str, ...]]:
    """The document, packed, or the beginning of its content where queue and ledger cannot hold it.

    With it, notes that say so.
    """
    packed = pack(document)
    if len(packed) <= LARGEST_PAYLOAD:
        return packed, ()
    digest = hashlib.sha256(content).hexdigest()
    cut = {
        "replayable": False,
        "sha256": digest,
        "length": len(content),
        "beginning": content[:BEGINNING].decode(errors="replace"),
    }
    note = (
        f"too large to be kept whole, so it cannot be replayed: {len(content)} bytes,"
        f" SHA-256 {digest}"
    )
    return pack(cut), (note,)


def _without(text: bytes, secrets: Sequence[str]) -> bytes:
    """The text without the secrets, by which a sender may prove itself in body or address."""
    for secret in secrets:
        for written in (secret, quote(secret, safe=""), quote_plus(secret)):
            text = text.replace(written.encode(), b"")
    return text


def _short_form(request: Request, secrets: Sequence[str]) -> dict[str, Any]:
    headers = {
        name: value
        for name, value in request.headers.items()
        if _TOLD.fullmatch(name)
        and not _PROVING.search(name)
        and not any(secret in value for secret in secrets)
    }
    body = _without(request.body, secrets)
    form: dict[str, Any] = {"source": request.source, "method": request.method, "headers": headers}
    if request.method == "GET":
        # What it says stands in the address.
        query = _without(urlsplit(request.url).query.encode(), secrets).decode()
        form["url"] = f"https://ringhook.invalid/hooks/{request.source}?{query}"
    try:
        return form | {"body": body.decode()}
    except UnicodeDecodeError:
        return form | {"body_b64": base64.b64encode(body).decode()}
