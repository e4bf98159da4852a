"""Typeform: the webhooks of a form.

Source: typeform.com/developers, "Webhooks" and "Secure your webhooks". A webhook is signed only if
it has a secret; despite its prefix, the signature is base64. Typeform waits 30 seconds. An answer
of 404 or 410 switches a webhook off at once, and a source in `routes.toml` never gets either: take
the form's webhook away before its source. An answer that was not given is left out, so find one by
its question: `form_response.answers[?field.ref == 'phone'] | [0].phone_number`. Not confirmed:
how often other failures are sent again.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first
from ringhook.senders.signatures import Hmac

PROVIDER = Provider(
    title="Typeform",
    schemes=(Hmac(header="typeform-signature", encoding="base64", prefix="sha256="),),
    topic=body("event_type"),
    # The response's token stays the same however often and by whichever webhook it is sent.
    identity=(first(body("form_response.token"), body("event_id")),),
    occurred_at=first(body("form_response.submitted_at"), body("form_response.landed_at")),
    topics=("form_response", "form_response_partial"),
)
