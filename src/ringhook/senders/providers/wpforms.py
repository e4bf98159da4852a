"""WPForms: its add-on Webhooks.

Source: public code on its filters (wpforms_webhooks_process_fill_http_header_params_value and
others). The owner says which header holds the secret, and which field goes under which name of the
body: map the entry's id to `entry_id`, so that an entry is known. Not confirmed: how long it waits,
and whether it sends again.
"""

from __future__ import annotations

from ringhook.senders.providers import body, first, whole_payload
from ringhook.senders.providers._tool import tool

PROVIDER = tool(
    "WPForms",
    "x-webhook-secret",
    identity=(first(body("entry_id"), whole_payload),),
)
