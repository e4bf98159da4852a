"""Gravity Forms: its add-on Webhooks.

Source: product knowledge; its own pages were not read. A request header holds the secret. With "All
Fields" the body is the entry: `id`, `form_id`, `date_created` (UTC), and the fields under their
numbers: the third is `"3"`, the first name in the first `"1.3"`. With "Select Fields" the owner
names them. The form's number is the topic. Entries marked as spam ring nobody. Not confirmed: these
names, how long it waits, and whether it sends again.
"""

from __future__ import annotations

from ringhook.senders.providers import body, first, whole_payload
from ringhook.senders.providers._tool import tool

PROVIDER = tool(
    "Gravity Forms",
    "x-webhook-secret",
    has_topics=True,
    topic=body("form_id"),
    identity=(first(body("id && [form_id, id]"), whole_payload),),
    occurred_at=body("date_created"),
    never_when={"contains(['spam', 'trash'], to_string(status || ''))": "the entry is spam"},
)
