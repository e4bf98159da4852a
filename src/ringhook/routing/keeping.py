"""What is kept of what no call can be made of, so that nothing is lost in silence."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, urlsplit

from ringhook.calls.call import Call, call_id
from ringhook.reading.packing import pack
from ringhook.reading.text import tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringhook.routing.routes import Connection
    from ringhook.senders.request import Request

# What a queue's message (256 KiB) and a table's item (400 KB) can hold beside everything else.
LARGEST_PAYLOAD = 180_000
LONGEST_REASON = 500
# So much of what is too large to be kept still is, to tell what it was (bytes).
BEGINNING = 2000
# The headers that a replay needs: the form of the body, and what events are known by. Those that
# prove who sent it stay out of the ledger.
_TOLD = re.compile(r"content-(type|encoding)|.*(topic|event|-id|-at|-time|domain|source|test)")
_PROVING = re.compile(r"auth|cookie|sig|hmac|secret|token|key|password")


def kept_request(
    request: Request,
    connection: Connection,
    reasons: Sequence[str],
    secrets: Sequence[str],
    *,
    private: bool = False,
) -> Call:
    """The request as an unmapped call of no route, known by its body's digest.

    `payload` holds it in the short form that `ringhook map` reads, without what proves its sender.
    Of what is `private`, which holds a person who asked to be forgotten, only the digest is kept.
    """
    content, known_by = _without(request.body, secrets), request.body
    if request.method == "GET":
        # What it says stands in the address, and perhaps a secret, which may be changed.
        content = known_by = _without(urlsplit(request.url).query.encode(), secrets)
    event_id = "evt_" + hashlib.sha256(known_by).hexdigest()[:32]
    payload, notes = keep(_short_form(request, content, secrets), content)
    if private:
        payload, notes = pack(_digest(content)), ("of a privacy request only its digest is kept",)
    return Call(
        call_id=call_id(request.source, "", "event", event_id),
        source=request.source,
        provider=connection.source.provider,
        event_id=event_id,
        occurred_at=request.received_at,
        received_at=request.received_at,
        correlation_id=request.correlation_id,
        unmapped=tidy("; ".join(dict.fromkeys(reasons)), LONGEST_REASON),
        payload=payload,
        notes=notes,
    )


def keep(payload: Any, content: bytes | None = None) -> tuple[str, tuple[str, ...]]:
    """Pack a payload, and say in notes what was left out of it.

    One that is too large for queue and ledger is cut to its beginning and its digest.

    `content` is what the payload was made of, where that is not its JSON.
    """
    packed = pack(payload)
    if len(packed) <= LARGEST_PAYLOAD:
        return packed, ()
    whole = json.dumps(payload).encode() if content is None else content
    told = _digest(whole)
    cut = {**told, "beginning": whole[:BEGINNING].decode(errors="replace")}
    note = (
        f"too large to be kept whole, so it cannot be replayed: {len(whole)} bytes,"
        f" SHA-256 {told['sha256']}"
    )
    return pack(cut), (note,)


def _without(text: bytes, secrets: Sequence[str]) -> bytes:
    """The text without the secrets, by which a sender may prove itself in body or address."""
    for secret in secrets:
        for written in (secret, quote(secret, safe=""), quote_plus(secret)):
            text = text.replace(written.encode(), b"")
    return text


def _digest(content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"replayable": False, "sha256": digest, "length": len(content)}


def _short_form(request: Request, content: bytes, secrets: Sequence[str]) -> dict[str, Any]:
    headers = {
        name: value
        for name, value in request.headers.items()
        if _TOLD.fullmatch(name)
        and not _PROVING.search(name)
        and not any(secret in value for secret in secrets)
    }
    form: dict[str, Any] = {"source": request.source, "method": request.method, "headers": headers}
    if request.method == "GET":
        return form | {"url": f"https://ringhook.invalid/hooks/{request.source}?{content.decode()}"}
    try:
        return form | {"body": content.decode()}
    except UnicodeDecodeError:
        return form | {"body_b64": base64.b64encode(content).decode()}
