"""Elementor Pro forms: the action "Webhook" of a form.

Source: copies of the plugin's code, and developers.elementor.com, "Forms hooks". The editor has no
place for a header, so the secret is in the address; the PHP filter
`elementor_pro/forms/webhooks/request_args` can add `Authorization: Bearer …`. The form comes under
its fields' labels (`Phone`), with `form_id`; with "Advanced Data" as `fields.ID.value` and
`form.id`. Any answer but 200 shows the visitor that the form failed, and nothing is sent again, so
an event without a number gets 200, too. There is no id and no usable time: the same content twice
is one event, unless the form's metadata (date, time) are sent along. Not confirmed: that it waits 5
seconds.
"""

from __future__ import annotations

from ringhook.senders.providers import body, first
from ringhook.senders.providers._tool import tool

PROVIDER = tool(
    "Elementor",
    has_topics=True,
    topic=first(body("form_id"), body("form.id")),
    accepted=200,
    unmapped_status=202,
)
