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

import json
from email import policy
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any

from ringhook.errors import BadRequestError
from ringhook.providers import Provider, body, first, whole_payload
from ringhook.providers._url_token import UrlToken
from ringhook.request import read_payload

if TYPE_CHECKING:
    from ringhook.request import Request


def _read(request: Request) -> Any:
    """The form's fields, with the answers in `rawRequest` as an object."""
    kind = request.headers.get("content-type", "")
    payload = (
        multipart(kind, request.body)
        if kind.lower().startswith("multipart/form-data")
        else read_payload(request)
    )
    if isinstance(payload, dict) and isinstance(answers := payload.get("rawRequest"), str):
        try:
            payload["rawRequest"] = json.loads(answers)
        except (ValueError, RecursionError) as error:
            message = "the field `rawRequest` is not JSON"
            raise BadRequestError(message) from error
    return payload


def multipart(content_type: str, form: bytes) -> dict[str, str]:
    """The fields of a multipart form (RFC 7578), without uploaded files.

    Raises BadRequestError if there is none to be read.
    """
    head = b"Content-Type: " + content_type.encode("ascii", "replace") + b"\r\n\r\n"
    message = BytesParser(policy=policy.HTTP).parsebytes(head + form)
    if message.defects or not message.is_multipart():
        raise BadRequestError("the body is not the whole multipart form that its header announces")
    fields: dict[str, str] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes) and part.get_filename() is None:
            try:
                fields[name] = content.decode()
            except UnicodeDecodeError as error:
                raise BadRequestError(f"the form's field {name!r} is not UTF-8") from error
    return fields


PROVIDER = Provider(
    title="Jotform",
    schemes=(UrlToken(),),
    read=_read,
    has_topics=False,
    identity=(first(body("submissionID && [formID, submissionID]"), whole_payload),),
    occurred_at=body("rawRequest.submitDate"),
    tenant=body("username"),
)
