"""Framer: the forms of a site, sent to a webhook.

Source: framer.com/help, "Connect Framer forms to a webhook", and public receivers for what is
signed: the body and, behind it, the submission's id, which is in a header of its own. The form is
JSON under its inputs' names. Any answer but 2xx is tried again up to 5 times; redirects are not
followed. No time is sent. Give the webhook a secret of 32 characters: without one nothing is
signed, and what is not signed is refused.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, header
from ringhook.senders.signatures import Hmac

PROVIDER = Provider(
    title="Framer",
    schemes=(
        Hmac(
            header="framer-signature",
            prefix="sha256=",
            signed="{body}{id}",
            id_header="framer-webhook-submission-id",
        ),
    ),
    has_topics=False,
    identity=(header("framer-webhook-submission-id"),),
)
