"""How senders prove who they are: every scheme is data, and each has one way to fail.

A scheme answers three questions: does this request use it (`applies`), is it genuine (`verify`,
which raises RejectedError with the reason for the log and the operator, never for the sender), and
what of a genuine request the proof covers (`proven`): a signature covers what was signed, and who
shows a shared secret vouches for the whole request. Whatever else a request holds is a hint:
whoever has captured it may have written it.
What a stranger's bytes can break (text, numbers, base64) leaves here as RejectedError and nothing
else. Signatures are compared in constant time, as bytes, against every active secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from ringhook.errors import RejectedError, StaleError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringhook.senders.request import Request

Algorithm = Literal["sha1", "sha256", "sha384", "sha512"]
Encoding = Literal["hex", "base64"]
KeyForm = Literal["text", "hex", "base64", "whsec"]
TimeUnit = Literal["s", "ms", "iso"]

TOLERANCE = 300
# What no body begins with: neither JSON nor XML.
_ID = re.compile(r"[\w.:@/+=~-]{1,200}", re.ASCII)
# How JSON begins; of numbers and words, the whole.
_JSON = re.compile(rb'\s*(?:[\[{"]|(?:true|false|null|NaN|-?Infinity|-?[0-9][0-9.eE+-]*)\s*\Z)')
# What an address may hold (RFC 3986).
_URL = re.compile(r"[\w!#$%&'()*+,./:;=?@\[\]~-]*", re.ASCII)
# In full, so that no part of a body that follows it can be taken for a part of it.
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
MISMATCH = (
    "the signature does not match: signed with another secret, or what was signed"
    " (the body, the address) was changed on the way"
)


class Scheme(Protocol):
    """One way of proving where a request comes from."""

    @property
    def description(self) -> str:
        """How it proves that, in a line for the operator and the sender's page."""
        ...

    def applies(self, request: Request) -> bool:
        """Whether the request carries this scheme's proof at all, right or wrong."""

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Return if the proof holds for one of `secrets`; raise RejectedError if for none."""

    def proven(self, request: Request) -> Request:
        """The request without what its proof does not cover: headers, or its address."""
        ...


def verify(
    schemes: Iterable[Scheme], request: Request, secrets: Sequence[str], now: datetime
) -> None:
    """Check the request by the first of these schemes that it uses, and by no other.

    Raises RejectedError, or UnavailableError when there is no secret to check against.
    """
    usable = [secret for secret in secrets if secret]
    if not usable:
        message = f"source {request.source!r} has no signing secret"
        raise UnavailableError(message)
    for scheme in schemes:
        if scheme.applies(request):
            scheme.verify(request, usable, now)
            return
    message = "no signature: the request has none of the headers that this provider signs with"
    raise RejectedError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hmac:
    """A keyed hash over the request, in a header.

    `signed` says what is signed, with `{body}`, `{timestamp}`, `{id}`, `{method}` and `{url}`; the
    timestamp and the id are taken as the text received. `prefix` stands before each signature;
    `separator` splits a header that lists several (`v1,a v1,b`) or that holds the timestamp too
    (`t=…,v1=…`, where `timestamp_prefix` is `t=`). `key` is the form in which the secret is handed
    out. A timestamp must lie within `tolerance` seconds of now, on either side.
    """

    header: str
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    separator: str = ""
    signed: str = "{body}"
    timestamp_header: str = ""
    timestamp_prefix: str = ""
    timestamp_unit: TimeUnit = "s"
    id_header: str = ""
    tolerance: int = TOLERANCE
    key: KeyForm = "text"

    @property
    def description(self) -> str:
        """As `Scheme` says."""
        over = self.signed.replace("{body}", "the body").replace("{url}", "the address")
        over = re.sub(r"\{(\w+)\}", r"<\1>", over)
        algorithm = f"HMAC-{self.algorithm.upper()} ({self.encoding})"
        return f"{algorithm} over {over}, in the header {self.header}"

    def applies(self, request: Request) -> bool:
        """Whether the signature's header is there."""
        return self.header in request.headers

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Check the freshness, then the signature."""
        if not request.body:
            message = "the body is empty: nothing is signed"
            raise RejectedError(message)
        header = request.headers.get(self.header, "")
        entries = header.split(self.separator) if self.separator else [header]
        given = [
            e.strip()[len(self.prefix) :] for e in entries if e.strip().startswith(self.prefix)
        ]
        if not any(given):
            message = (
                f"the header {self.header} holds no signature that begins with {self.prefix!r}"
            )
            raise RejectedError(message)
        check_cut(self.signed, request, self.id_header)
        timestamp = self._timestamp(request, entries)
        if timestamp:
            check_fresh(timestamp, self.timestamp_unit, self.tolerance, now)
        signed = self._signed(request, timestamp)
        for secret in secrets:
            expected = self.signature(signed, secret).encode()
            if any(hmac.compare_digest(expected, self._comparable(one)) for one in given):
                return
        raise RejectedError(MISMATCH)

    def proven(self, request: Request) -> Request:
        """The body, with the signed time and id, and the address if it is signed."""
        return covered(
            request, self.timestamp_header, self.id_header, address="{url}" in self.signed
        )

    def signature(self, signed: bytes, secret: str) -> str:
        """The signature of these bytes, as text, without the prefix."""
        digest = hmac.new(key_bytes(secret, self.key), signed, self.algorithm)
        if self.encoding == "hex":
            return digest.hexdigest()
        return base64.b64encode(digest.digest()).decode()

    def _comparable(self, given: str) -> bytes:
        return (given.lower() if self.encoding == "hex" else given).encode(errors="replace")

    def _timestamp(self, request: Request, entries: list[str]) -> str:
        if self.timestamp_header:
            return _required(request, self.timestamp_header)
        if not self.timestamp_prefix:
            return ""
        for entry in entries:
            if entry.strip().startswith(self.timestamp_prefix):
                return entry.strip()[len(self.timestamp_prefix) :]
        message = f"the header {self.header} holds no time: {self.timestamp_prefix}…"
        raise RejectedError(message)

    def _signed(self, request: Request, timestamp: str) -> bytes:
        values = {"timestamp": timestamp}
        if self.id_header:
            values["id"] = _required(request, self.id_header)
        return signed_bytes(self.signed, request, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderToken:
    """A shared secret, sent as it is in a header (after `prefix`, compared without case)."""

    header: str
    prefix: str = ""

    @property
    def description(self) -> str:
        """As `Scheme` says."""
        after = f" after {self.prefix.strip()!r}" if self.prefix else ""
        return f"the secret itself{after}, in the header {self.header}"

    def applies(self, request: Request) -> bool:
        """Whether the header is there."""
        return self.header in request.headers

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - a shared secret has no age
        """Compare the header's value with each secret."""
        value = request.headers.get(self.header, "")
        scheme, given = value[: len(self.prefix)], value[len(self.prefix) :].strip()
        if scheme.lower() != self.prefix.lower():
            message = f"the header {self.header} does not begin with {self.prefix.strip()!r}"
            raise RejectedError(message)
        same = [hmac.compare_digest(secret.encode(), _bytes(given)) for secret in secrets]
        if not any(same):
            message = f"the header {self.header} holds another secret"
            raise RejectedError(message)

    def proven(self, request: Request) -> Request:
        """All of it: who knows the secret is trusted with the whole request."""
        return request


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP Basic authentication (RFC 7617); the secret is `user:password`."""

    @property
    def description(self) -> str:
        """As `Scheme` says."""
        return "user and password (HTTP Basic), in the header authorization"

    def applies(self, request: Request) -> bool:
        """Whether the request carries Basic credentials."""
        return request.headers.get("authorization", "")[:6].lower() == "basic "

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - a shared secret has no age
        """Compare the decoded credentials with each secret."""
        try:
            given = base64.b64decode(request.headers["authorization"][6:].strip(), validate=True)
        except ValueError as error:
            message = "the Basic credentials are not base64"
            raise RejectedError(message) from error
        if not any(hmac.compare_digest(secret.encode(), given) for secret in secrets):
            message = "the Basic credentials are another user's or password's"
            raise RejectedError(message)

    def proven(self, request: Request) -> Request:
        """All of it: who knows the password is trusted with the whole request."""
        return request


def covered(request: Request, *headers: str, address: bool) -> Request:
    """A copy of the request with its body and these headers; `address` keeps its URL, too."""
    return replace(
        request,
        url=request.url if address else "",
        headers={name: request.headers[name] for name in headers if name in request.headers},
    )


def signed_bytes(template: str, request: Request, values: dict[str, str]) -> bytes:
    """Fill `{body}`, `{method}`, `{url}` and the names of `values` into what is signed."""
    parts = {
        "body": request.body,
        "method": request.method.encode(errors="replace"),
        "url": request.url.encode(errors="replace"),
        **{name: value.encode(errors="replace") for name, value in values.items()},
    }
    # Odd positions of the split are the names between braces.
    pieces = re.split(r"\{(\w+)\}", template)
    return b"".join(parts[p] if i % 2 else p.encode() for i, p in enumerate(pieces))


def check_cut(signed: str, request: Request, id_header: str = "") -> None:
    """Raise RejectedError if the signed text could also be split in another way.

    A fresh timestamp, written in full, has one end. An id has no character that a body begins with,
    or that stands after it in `signed`. And where it touches something, or an address is signed,
    the body is JSON: no part of that is JSON again, and none may be a part of the address.
    """
    given = request.headers.get(id_header, "")
    after = re.search(r"\{id\}([^{])", signed)
    if id_header and (not _ID.fullmatch(given) or (after and after[1] in given)):
        message = f"the header {id_header} is missing or holds what no id has"
        raise RejectedError(message)
    if not re.search(r"\{url\}|\{id\}\{|\}\{id\}", signed):
        return
    if not _JSON.match(request.body) or not _URL.fullmatch(request.url):
        message = "the body is not JSON, or part of the address: what was signed has many readings"
        raise RejectedError(message)


def check_fresh(timestamp: str, unit: TimeUnit, tolerance: int, now: datetime) -> None:
    """Raise RejectedError unless the signed time is within `tolerance` seconds of now."""
    try:
        if unit == "iso":
            if not _ISO.fullmatch(timestamp):
                raise ValueError(timestamp)  # noqa: TRY301 - one way out for every unreadable time
            signed_at = datetime.fromisoformat(timestamp)
        elif re.fullmatch(r"[1-9][0-9]{0,13}", timestamp):
            signed_at = datetime.fromtimestamp(int(timestamp) / (1000 if unit == "ms" else 1), UTC)
        else:
            raise ValueError(timestamp)  # noqa: TRY301 - one way out for every unreadable time
    except (ValueError, OverflowError, OSError) as error:
        message = f"the signed time {timestamp[:40]!r} cannot be read"
        raise RejectedError(message) from error
    age = (now - signed_at).total_seconds()
    if abs(age) > tolerance:
        raise StaleError(age, tolerance)


def key_bytes(secret: str, form: KeyForm) -> bytes:
    """Decode a secret into its key. Raises UnavailableError if the secret is not in this form."""
    try:
        if form == "hex":
            return bytes.fromhex(secret)
        if form == "base64":
            return base64.b64decode(secret, validate=True)
        if form == "whsec":
            # Standard Webhooks: an optional "whsec_", then base64, sometimes without its padding.
            # Supabase shows it with the version of the signature before it: "v1,whsec_…".
            text = secret.removeprefix("v1,").removeprefix("whsec_").rstrip("=")
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        message = (
            f"the signing secret is not {'base64' if form == 'whsec' else form}, as it must be"
        )
        raise UnavailableError(message) from error
    return secret.encode()


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of these bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _required(request: Request, header: str) -> str:
    value = request.headers.get(header, "")
    if not value:
        message = f"the header {header} is missing"
        raise RejectedError(message)
    return value


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")
