"""Google Forms and Google Sheets, by a script of their own (Apps Script).

Source: developers.google.com/apps-script, "UrlFetchApp" and "Installable triggers". Neither has a
webhook: a script in the sheet that collects the answers posts each new row, with the secret as a
bearer token. The script on this page sends the row's place as `event_id`, the time as
`submitted_at`, every answer under its question in `answers`, and what it takes for the phone as
`phone`. Apps Script never sends again: the script says in its log what was answered. A cell that is
formatted as a number loses a phone's plus and its leading 0.
"""

from __future__ import annotations

from ringhook.senders.providers import body, first, whole_payload
from ringhook.senders.providers._tool import tool

PROVIDER = tool(
    "Google Forms and Sheets",
    identity=(first(body("event_id || id"), whole_payload),),
    occurred_at=first(body("submitted_at"), body("created_at")),
)
