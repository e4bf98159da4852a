"""WATI: messages that people write to a business on WhatsApp.

Source: public receivers; WATI's own pages were not read. WATI signs nothing: the address that it is
given holds the secret. `waId` is the writer's number without its plus, `text` what was written.
What the business sent (`owner`, and the topics that say so) rings nobody, nor does who asks to be
left alone. A first message may come twice, as `message` and as `newContactMessageReceived`:
`whatsappMessageId` is the same. Not confirmed: the names of rarer topics, how long it waits, and
whether it sends again.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._url_token import UrlToken

_OUTBOUND = (
    "sentMessageDELIVERED",
    "sentMessageDELIVERED_v2",
    "sentMessageREAD",
    "sentMessageREAD_v2",
    "sentMessageREPLIED",
    "sentMessageREPLIED_v2",
    "sessionMessageSent",
    "sessionMessageSent_v2",
    "templateMessageFailed",
    "templateMessageSent",
    "templateMessageSent_v2",
)

PROVIDER = Provider(
    title="WATI",
    schemes=(UrlToken(),),
    topic=body("eventType"),
    identity=(first(body("whatsappMessageId || id"), whole_payload),),
    occurred_at=first(body("timestamp"), body("created")),
    never=dict.fromkeys(_OUTBOUND, "the business sent it"),
    never_when={
        "owner && to_string(owner) != 'false'": "the business sent it",
        "contains(['stop', 'stop all', 'unsubscribe', 'cancel', 'opt out', 'optout', 'end'],"
        " trim(lower(to_string(text || ''))))": "they ask to be left alone",
    },
    topics=("message", "newContactMessageReceived", *_OUTBOUND),
    accepted=200,
)
