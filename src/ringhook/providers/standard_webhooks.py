"""Any sender that keeps to Standard Webhooks, Svix among them.

Source: the Standard Webhooks specification, "Verifying webhook authenticity", and docs.svix.com.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringhook.providers import Provider, body, first
from ringhook.signatures import Hmac, Scheme

if TYPE_CHECKING:
    from ringhook.request import Request


def _scheme(prefix: str) -> Scheme:
    return Hmac(
        header=f"{prefix}-signature",
        encoding="base64",
        prefix="v1,",
        separator=" ",
        signed="{id}.{timestamp}.{body}",
        timestamp_header=f"{prefix}-timestamp",
        id_header=f"{prefix}-id",
        key="whsec",
    )


def _signed_id(request: Request, _payload: Any) -> str | None:
    """The id that the signature covers: whoever repeats a captured webhook may add another."""
    family = "webhook" if "webhook-signature" in request.headers else "svix"
    return request.headers.get(f"{family}-id")


PROVIDER = Provider(
    title="Standard Webhooks",
    schemes=(_scheme("webhook"), _scheme("svix")),
    topic=first(body("type"), body("event_type"), body("eventType")),
    identity=(_signed_id,),
    # The signed timestamp is the attempt's, made new on each; the event's own is in the body.
    occurred_at=first(body("timestamp"), body("created_at")),
    unmapped_status=202,
)
