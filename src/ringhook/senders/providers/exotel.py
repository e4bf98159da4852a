"""Exotel: missed calls, by the Passthru applet of a flow or by status callbacks.

Source: support.exotel.com, "Passthru applet", and developer.exotel.com, "Webhooks". Exotel proves
nothing: the address that it is given holds the secret. Passthru asks with GET and puts the call
into the address: `CallFrom`, `CallTo`, `CallSid`, `CallType`; status callbacks post a form. Times
are India's and name no zone. A call that was answered, or that the business made itself, rings
nobody. 200 lets the flow go on. Not confirmed: the zone, the values of `CallType` (call-attempt,
incomplete, client-hangup and voicemail mean that nobody spoke; completed, that somebody did).
"""

from __future__ import annotations

from ringhook import clock
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._url_token import UrlToken, with_query

PROVIDER = Provider(
    title="Exotel",
    schemes=(UrlToken(),),
    gets=True,
    read=with_query(),
    topic=first(body("CallType"), body("Status")),
    identity=(first(body("CallSid && [CallSid, EventType]"), whole_payload),),
    occurred_at=first(body("StartTime"), body("Created"), body("DateUpdated")),
    zone=clock.zone("Asia/Kolkata"),
    never={"completed": "somebody has spoken with the caller"},
    never_when={
        "starts_with(lower(to_string(Direction || 'in')), 'outbound')": "the business rang them",
    },
    topics=(
        "busy",
        "call-attempt",
        "client-hangup",
        "completed",
        "failed",
        "incomplete",
        "no-answer",
        "voicemail",
    ),
    accepted=200,
)
