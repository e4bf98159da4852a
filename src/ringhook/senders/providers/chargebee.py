"""Chargebee: the events of a site.

Source: chargebee.com/docs, "Events and webhooks" and the articles on failed webhooks (they want
200), and a public summary of the payload. The secret is the user and the password that are entered
with the address. `webhook_status` changes from one try to the next, so the event is known by its
`id`. A test site is a source of its own: nothing in an event tells it from the live one. Not
confirmed: the fields of each kind of event beside transaction, invoice, subscription and customer.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Basic

PROVIDER = Provider(
    title="Chargebee",
    schemes=(Basic(),),
    topic=body("event_type"),
    identity=(first(body("id"), whole_payload),),
    occurred_at=body("occurred_at"),
    never={"customer_deleted": "the customer was deleted"},
    accepted=200,
)
