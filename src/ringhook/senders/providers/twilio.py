"""Twilio: messages, calls and their status callbacks, conversations, and event streams.

Source: twilio.com/docs, "Secure webhooks", "Sign webhooks with shared keys" and error 11205 (it
waits 15 seconds, 10 of them to connect), and the library twilio 9.13.0 (`request_validator`). The
secret is the account's auth token, or with `algorithm = "sha256"` a shared key's; a request signed
by the other algorithm is refused, whatever its header says. The signature covers the public address
and no time, so `RINGHOOK_PUBLIC_URL` must be what Twilio was given. Twilio names no topics: here
they are `message.` or `call.` with the status (`message.received`, `call.no-answer`), or the
event's own type. Webhooks must be sent with POST.

What is signed of a form has nothing between names and values, and of what is sent twice it has one:
so one signed text may be cut into fields in more ways than one. An event is therefore known by the
very text that was signed; a field that decides must have the form that Twilio gives it, and who
opted out has opted out however it is cut. Not confirmed: that Twilio tries again only to
connect.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from ringhook.errors import RejectedError
from ringhook.reading.tables import Field
from ringhook.senders.providers import Provider, Source, body, digest, whole_payload
from ringhook.senders.request import Reply, read_payload
from ringhook.senders.signatures import MISMATCH, covered, sha256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ringhook.senders.request import Request

_HEADER = "x-twilio-signature"
_SETTINGS_HEADER = "x-twilio-webhooks-signature-settings"
_BODY_HASH = "bodySHA256"
# It is read before anybody has proved anything; Twilio's own has a few thousand bytes.
_LARGEST_FORM = 250_000
# The words that Twilio itself takes for an opt-out. Only some accounts are sent an OptOutType.
_STOP_WORDS = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
# An opt-out in what was signed: the fields that may follow the message's text are these.
_OPT_OUT = re.compile(
    rf"OptOutTypeSTOP|Body\s*({'|'.join(_STOP_WORDS)})\s*(Button|CallSid|Channel|From|$)",
    re.IGNORECASE,
)
# What the values of fields that decide look like: none can hold another field's name.
_FORMS = tuple(
    (re.compile(names), re.compile(form))
    for names, form in (
        (r"[A-Za-z]*Sid", r"([A-Z]{2}[0-9A-Fa-f]{0,40})?"),
        (r"From|To|Caller|Called|ForwardedFrom", r"(\w+:)?[+ ]?[0-9]{1,20}|(?![\w:]*[+ ]?[0-9]).*"),
        (r"[A-Za-z]*Status|Direction", r"[a-z_-]*"),
        (r"[A-Za-z]*Country", r"[A-Z]{0,2}"),
        (r"Num[A-Za-z]+|[A-Za-z]*Duration|SequenceNumber|ErrorCode", r"[0-9]*"),
        (r"OptOutType", r"[A-Z]*"),
        (r"ApiVersion", r"[0-9-]*"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
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

    @property
    def description(self) -> str:
        """As `Scheme` says."""
        return (
            f"HMAC-{self.algorithm.upper()} over the address and the form's fields, or over an"
            " address that holds the body's hash"
        )

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
        fields = _fields(request)
        for secret in secrets:
            for url in _with_and_without_port(request.url):
                expected = self._mac(url + fields, secret)
                if hmac.compare_digest(expected.encode(), given):
                    return
        raise RejectedError(MISMATCH)

    def proven(self, request: Request) -> Request:
        """The address and the body, and how it is read: another way needs another signature."""
        return covered(request, "content-type", address=True)

    def signature(self, request: Request, secret: str) -> str:
        """The signature of this request, as text; a body that is no form counts by its hash."""
        return self._mac(_signed(request), secret)

    def _mac(self, signed: str, secret: str) -> str:
        mac = hmac.new(secret.encode(), signed.encode(errors="replace"), self.algorithm)
        return base64.b64encode(mac.digest()).decode()


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


def _signed(request: Request) -> str:
    """The address, and what is signed of a form."""
    return request.url + _fields(request)


def _fields(request: Request) -> str:
    """Of a form the names with their values, sorted, nothing between them."""
    pairs = _pairs(request) if _is_form(request) else []
    return "".join(name + value for name, value in pairs)


def _pairs(request: Request) -> list[tuple[str, str]]:
    """The form's names and values, sorted; of equal pairs one."""
    if len(request.body) > _LARGEST_FORM:
        message = f"the form has more than {_LARGEST_FORM} bytes"
        raise RejectedError(message)
    try:
        text = request.body.decode(errors="replace")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        message = f"the form cannot be read: {error}"
        raise RejectedError(message) from error
    return sorted(set(pairs))


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
    """The payload: where the signature is over a form's fields, those, and nothing else.

    Raises RejectedError if they are cut otherwise than Twilio writes them.
    """
    if not _is_form(request):
        return read_payload(request)
    fields: dict[str, Any] = {}
    for name, value in _pairs(request):
        held = fields.get(name)
        several = [*held, value] if isinstance(held, list) else [held, value]
        fields[name] = value if name not in fields else several
    for name, value in fields.items():
        form = next((form for names, form in _FORMS if names.fullmatch(name)), None)
        # Nothing that decides is ever sent with two values.
        if form and not (isinstance(value, str) and form.fullmatch(value)):
            message = f"the field {name[:40]} has not the form that Twilio gives it"
            raise RejectedError(message)
    if _OPT_OUT.search(_signed(request)) and not _opted_out(fields):
        message = "what was signed holds an opt-out, and the fields do not"
        raise RejectedError(message)
    return fields


def _opted_out(fields: dict[str, Any]) -> bool:
    words = str(fields.get("Body", "")).strip().upper()
    return fields.get("OptOutType") == "STOP" or words in _STOP_WORDS


def _identity(request: Request, payload: Any) -> Any:
    """Of a form the text that was signed, of an event stream the event's own id."""
    if _is_form(request):
        # Twilio signs the address with its port or without.
        url = min(_with_and_without_port(request.url))
        return digest(_signed(replace(request, url=url)))
    return (isinstance(payload, dict) and payload.get("id")) or whole_payload(request, payload)


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


PROVIDER = Provider(
    title="Twilio",
    schemes=(Signature(),),
    read=_read,
    items=_items,
    topic=_topic,
    identity=(_identity,),
    alike=True,
    occurred_at=body("time"),
    tenant=body("AccountSid"),
    never_when={
        "OptOutType == 'STOP'": "the person opted out",
        f"contains(`{json.dumps(_STOP_WORDS)}`, upper(trim(to_string(not_null(Body, '')))))": (
            "the person asked to stop"
        ),
    },
    # An empty TwiML document says nothing and sends nothing; JSON would be an error to Twilio.
    accepted=Reply(200, '<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml"),
    settings=TwilioSource,
    adapt=_adapt,
)
