"""What of a genuine request that cannot be told is kept, so that nothing is lost in silence."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

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
    event_id = "evt_" + hashlib.sha256(request.body).hexdigest()[:32]
    payload, notes = keep(_short_form(request, secrets), request.body)
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


def _short_form(request: Request, secrets: Sequence[str]) -> dict[str, Any]:
    headers = {
        name: value
        for name, value in request.headers.items()
        if _TOLD.fullmatch(name)
        and not _PROVING.search(name)
        and not any(secret in value for secret in secrets)
    }
    body = request.body
    for secret in secrets:
        # A sender may prove itself by a secret in the body.
        body = body.replace(secret.encode(), b"")
    form: dict[str, Any] = {"source": request.source, "method": "POST", "headers": headers}
    try:
        return form | {"body": body.decode()}
    except UnicodeDecodeError:
        return form | {"body_b64": base64.b64encode(body).decode()}
