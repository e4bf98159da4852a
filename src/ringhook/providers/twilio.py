"""Twilio: messages, calls and their status callbacks, conversations, and event streams.

Source: twilio.com/docs, "Secure webhooks", "Sign webhooks with shared keys" and error 11205 (it
waits 15 seconds, 10 of them to connect), and the library twilio 9.13.0 (`request_validator`). The
secret is the account's auth token, or with `algorithm = "sha256"` a shared key's; a request signed
by the other algorithm is refused, whatever its header says. The signature covers the public address
and no time, so `RINGHOOK_PUBLIC_URL` must be what Twilio was given. Twilio names no topics: here
they are `message.` or `call.` with the status (`message.received`, `call.no-answer`), or the
event's own type. Webhooks must be sent with POST. Not confirmed: that Twilio tries again only to
connect.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field

from ringhook.bodies import form
from ringhook.errors import RejectedError
from ringhook.providers import Provider, Source, body, first, whole_payload
from ringhook.request import Reply, read_payload
from ringhook.signatures import MISMATCH, sha256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ringhook.request import Request

_HEADER = "x-twilio-signature"
_SETTINGS_HEADER = "x-twilio-webhooks-signature-settings"
_BODY_HASH = "bodySHA256"


class TwilioSource(Source):
    """The settings of a Twilio account."""

    algorithm: Literal["sha1", "sha256"] = Field(
        default="sha1", description="sha1 with the auth token, sha256 with a shared key"
    )


@dataclass(frozen=True, slots=True)
class Signature:
    """HMAC over the public address and the form's fields, or over an address with the body's hash.

    The algorithm is the source's, never the request's: a header must not choose a weaker one.
    """

    algorithm: Literal["sha1", "sha256"] = "sha1"

    def applies(self, request: Request) -> bool:
        """Whether the signature's header is there."""
        return _HEADER in request.headers

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - Twilio signs no time
        """Check the algorithm, the body's hash, then the signature, with the port and without."""
        named = _named_algorithm(request.headers.get(_SETTINGS_HEADER, ""))
        if named != self.algorithm:
            message = f"signed with {named}, but this source is set to {self.algorithm}"
            raise RejectedError(message)
        if not _is_form(request):
            _check_body(request)
        given = request.headers[_HEADER].encode(errors="replace")
        for secret in secrets:
            for url in _with_and_without_port(request.url):
                expected = self.signature(replace(request, url=url), secret)
                if hmac.compare_digest(expected.encode(), given):
                    return
        raise RejectedError(MISMATCH)

    def signature(self, request: Request, secret: str) -> str:
        """The signature of this request, as text; a body that is no form counts by its hash."""
        signed = request.url + (_fields(request) if _is_form(request) else "")
        digest = hmac.new(secret.encode(), signed.encode(errors="replace"), self.algorithm)
        return base64.b64encode(digest.digest()).decode()


def _named_algorithm(settings: str) -> str:
    """`sha256` of `key=…,algorithm=HMAC_SHA256`; without the header, Twilio signs with SHA-1."""
    fields = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    return fields.get("algorithm", "HMAC_SHA1").strip().lower().removeprefix("hmac_")[:20]


def _is_form(request: Request) -> bool:
    return "x-www-form-urlencoded" in request.headers.get("content-type", "").lower()


def _check_body(request: Request) -> None:
    given = request.query.get(_BODY_HASH, "").encode(errors="replace")
    if not hmac.compare_digest(sha256_hex(request.body).encode(), given):
        message = f"the body is not the one whose hash the address has as {_BODY_HASH}"
        raise RejectedError(message)


def _fields(request: Request) -> str:
    """The form's names with their values, sorted, nothing between them; of equal pairs one."""
    try:
        text = request.body.decode(errors="replace")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        message = f"the form cannot be read: {error}"
        raise RejectedError(message) from error
    return "".join(name + value for name, value in sorted(set(pairs)))


def _with_and_without_port(url: str) -> set[str]:
    """The address with its port and without: which of them Twilio signs is not always the same."""
    parts = urlsplit(url)
    host, _, port = parts.netloc.partition(":")
    usual = "443" if parts.scheme == "https" else "80"
    return {
        url.replace(f"://{parts.netloc}", f"://{form}", 1)
        for form in (host, f"{host}:{port or usual}")
    }


def _read(request: Request) -> Any:
    """The payload: where the signature is over a form's fields, those, and nothing else."""
    return (
        form(request.body.decode(errors="replace")) if _is_form(request) else read_payload(request)
    )


def _items(payload: Any) -> list[Any]:
    """An event stream sends lists of CloudEvents."""
    return payload if isinstance(payload, list) else [payload]


def _topic(_request: Request, payload: Any) -> str:
    if not isinstance(payload, dict):
        return ""
    if own := payload.get("EventType") or payload.get("type"):
        return str(own)
    if "CallSid" in payload:
        return f"call.{payload.get('CallStatus', '')}"
    return f"message.{payload.get('MessageStatus') or payload.get('SmsStatus') or ''}"


def _adapt(provider: Provider, source: Any) -> Provider:
    return replace(provider, schemes=(Signature(source.algorithm),))


# The words that Twilio itself takes for an opt-out. Only some accounts are sent an OptOutType.
_STOP_WORDS = '["STOP","STOPALL","UNSUBSCRIBE","CANCEL","END","QUIT","REVOKE","OPTOUT"]'

PROVIDER = Provider(
    title="Twilio",
    schemes=(Signature(),),
    read=_read,
    items=_items,
    topic=_topic,
    # A call's and a message's events differ by their status, which is in the topic.
    identity=(
        first(body("MessageSid"), body("SmsSid"), body("CallSid"), body("id"), whole_payload),
    ),
    occurred_at=body("time"),
    tenant=body("AccountSid"),
    never_when={
        "OptOutType == 'STOP'": "the person opted out",
        f"contains(`{_STOP_WORDS}`, upper(trim(to_string(not_null(Body, '')))))": (
            "the person asked to stop"
        ),
    },
    # An empty TwiML document says nothing and sends nothing; JSON would be an error to Twilio.
    accepted=Reply(200, '<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml"),
    settings=TwilioSource,
    adapt=_adapt,
)
