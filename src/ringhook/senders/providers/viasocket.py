"""viaSocket: an API step of a workflow posts what its author maps.

Source: product knowledge; viaSocket's own pages were not read. The secret is a bearer token in a
header; where a step has no place for headers, it is in the address. Send what stays the same when a
step runs again as `id` and the time as `created_at`, or name them with `event_id` and
`occurred_at`. An answer of 422 says what an event lacked, and shows in the run's history.
"""

from __future__ import annotations

from ringhook.senders.providers import body, first, whole_payload
from ringhook.senders.providers._tool import tool

PROVIDER = tool(
    "viaSocket",
    identity=(first(body("event_id || id"), whole_payload),),
    occurred_at=first(body("submitted_at"), body("created_at")),
)
