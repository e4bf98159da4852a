"""Any sender that keeps to Standard Webhooks, Svix among them.

Source: the Standard Webhooks specification, "Verifying webhook authenticity", and docs.svix.com.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, header
from ringhook.senders.signatures import Hmac, Scheme


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


PROVIDER = Provider(
    title="Standard Webhooks",
    schemes=(_scheme("webhook"), _scheme("svix")),
    topic=first(body("type"), body("event_type"), body("eventType")),
    # Of the two, the one that is signed: whoever repeats a captured webhook may add the other.
    identity=(first(header("webhook-id"), header("svix-id")),),
    # The signed timestamp is the attempt's, made new on each; the event's own is in the body.
    occurred_at=first(body("timestamp"), body("created_at")),
    unmapped_status=202,
)
