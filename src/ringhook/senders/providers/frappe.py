"""Frappe, ERPNext and Frappe CRM: the Webhook document type.

Source: github.com/frappe/frappe, `integrations/doctype/webhook/webhook.py` and `utils/data.py`.
With "Enable Security" the secret signs the body. The body is what the webhook's author picks: let
it hold `doctype` or an `event` of your own as the topic, `name`, `modified` and a phone. Frappe
tries three times within some seconds, and sends no Content-Type unless a header row says one. Its
times are the site's: India's, as a new site's are, or whatever `time_zone` says. A lead that is
`unsubscribed` or "Do Not Contact" rings nobody. Not confirmed: that ERPNext calls that status so.
"""

from __future__ import annotations

from ringhook import clock
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Hmac

PROVIDER = Provider(
    title="Frappe and ERPNext",
    schemes=(Hmac(header="x-frappe-webhook-signature", encoding="base64"),),
    topic=first(body("event"), body("doctype")),
    identity=(whole_payload,),
    occurred_at=first(body("modified"), body("creation")),
    zone=clock.zone("Asia/Kolkata"),
    never_when={
        'contains(`["1", "true"]`, to_string(unsubscribed))': "the person unsubscribed",
        "status == 'Do Not Contact'": "the lead is not to be contacted",
    },
)
