"""Freshdesk: the "Trigger webhook" action of automations.

Source: public receivers, which agree on the envelope `freshdesk_webhook` of simple content; no page
of Freshdesk's own was read. The secret is the user and the password of its "Requires
authentication", or the value of a custom header `x-webhook-secret`. Content written by hand
("advanced") may be any JSON. Not confirmed: the names of the phone fields, and that a webhook that
fails is sent again every half an hour for a day.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Basic, HeaderToken

PROVIDER = Provider(
    title="Freshdesk",
    schemes=(Basic(), HeaderToken(header="x-webhook-secret")),
    topic=first(body("freshdesk_webhook.triggered_event"), body("triggered_event")),
    identity=(whole_payload,),
)
