"""Tally: the webhooks of a form.

Source: tally.so/help, "Webhooks", and developers.tally.so, "Retry webhook event". A webhook is
signed only if it has a signing secret. Tally waits 10 seconds and sends again after 5 and 30
minutes, 1, 6 and 24 hours. Find an answer by its question:
`data.fields[?label == 'Phone'] | [0].value`; a choice is a list of ids, whose texts are in the
field's `options`.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first
from ringhook.senders.signatures import Hmac

PROVIDER = Provider(
    title="Tally",
    schemes=(Hmac(header="tally-signature", encoding="base64"),),
    topic=body("eventType"),
    # The submission's id, which stays the same when it is sent again by hand, too.
    identity=(first(body("data.submissionId"), body("data.responseId"), body("eventId")),),
    occurred_at=body("createdAt"),
    topics=("FORM_RESPONSE",),
)
