"""Jotform: the webhooks of a form.

Source: jotform.com/help, "How to set up a webhook with Jotform", and captured submissions. Jotform
signs nothing: the address that it is given holds the secret, as `?token=…`. A submission is a
multipart form; its answers are in the field `rawRequest`, which is JSON and read as such:
`rawRequest.q5_phone.full`, or of a phone field in parts
`join('', [rawRequest.q5_phone.area, rawRequest.q5_phone.phone])`. An edited submission has the id
of the first and rings nobody again. Not confirmed: that it waits 30 seconds, whether it sends again
and whether it switches a webhook off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringhook.reading.bodies import read_json
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._url_token import UrlToken
from ringhook.senders.request import read_payload

if TYPE_CHECKING:
    from ringhook.senders.request import Request


def _read(request: Request) -> Any:
    """The form's fields, with the answers in `rawRequest` as an object."""
    payload = read_payload(request)
    if isinstance(payload, dict) and isinstance(answers := payload.get("rawRequest"), str):
        payload["rawRequest"] = read_json(answers, "the form's field `rawRequest`")
    return payload


PROVIDER = Provider(
    title="Jotform",
    schemes=(UrlToken(),),
    read=_read,
    has_topics=False,
    identity=(first(body("submissionID && [formID, submissionID]"), whole_payload),),
    occurred_at=body("rawRequest.submitDate"),
    tenant=body("username"),
)
