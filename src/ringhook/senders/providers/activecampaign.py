"""ActiveCampaign: webhooks of an account, and the "Webhook" action of automations.

Source: developers.activecampaign.com, "Webhooks". ActiveCampaign signs nothing: the address that it
is given holds the secret, as `?token=…` or as a user and a password (`https://user:password@…`). A
webhook is a form whose names have brackets, `contact[phone]`, read as `contact.phone`; the custom
field 7 is `contact.fields."7"`. It is sent once and never again, and an answer of 410 switches it
off. Not confirmed: how long it waits, and the names of its rarer kinds (sms_unsub).
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, whole_payload
from ringhook.senders.providers._url_token import UrlToken
from ringhook.senders.signatures import Basic

PROVIDER = Provider(
    title="ActiveCampaign",
    schemes=(Basic(), UrlToken()),
    topic=body("type"),
    # There is no id; as it is never sent again, the whole of it may be what makes it itself.
    identity=(whole_payload,),
    occurred_at=body("date_time"),
    never={
        "unsubscribe": "the contact unsubscribed",
        "sms_unsub": "the contact unsubscribed",
        "bounce": "a message to the contact bounced",
        "deal_delete": "the deal was deleted",
    },
    topics=(
        "account_add",
        "account_update",
        "bounce",
        "click",
        "contact_tag_added",
        "contact_tag_removed",
        "contact_task_add",
        "contact_task_complete",
        "deal_add",
        "deal_delete",
        "deal_note_add",
        "deal_pipeline_add",
        "deal_stage_add",
        "deal_task_add",
        "deal_task_complete",
        "deal_update",
        "event_add",
        "forward",
        "list_add",
        "open",
        "reply",
        "sent",
        "share",
        "sms_reply",
        "sms_sent",
        "sms_unsub",
        "subscribe",
        "subscriber_note",
        "unsubscribe",
        "update",
    ),
)
