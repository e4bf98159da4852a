"""Sign a request as its sender does: the other side of `ringhook.signatures`, by its data."""

from __future__ import annotations

import base64
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from functools import singledispatch
from urllib.parse import quote

from ringhook.errors import UnavailableError
from ringhook.providers import Provider, gohighlevel, hubspot, twilio
from ringhook.providers._signed_fields import SignedFields
from ringhook.providers._url_token import PARAMETER
from ringhook.request import Request, read_payload
from ringhook.signatures import Basic, HeaderToken, Hmac, TimeUnit, sha256_hex, signed_bytes


def sign(provider: Provider, request: Request, secret: str, now: datetime) -> Request:
    """The request with its provider's proof on it: the first scheme that can be made here.

    A request that carries a proof already, such as a token in its body, is left as it is. Raises
    UnavailableError if the secret is not in the form that the scheme takes.
    """
    if any(scheme.applies(request) for scheme in provider.schemes):
        return request
    for scheme in provider.schemes:
        if _prove.dispatch(type(scheme)) is not _prove.dispatch(object):
            return _prove(scheme, request, secret, now)
    kinds = ", ".join(type(scheme).__name__ for scheme in provider.schemes)
    message = f"{__name__} has no function that signs as {provider.title} does: {kinds}"
    raise NotImplementedError(message)


@singledispatch
def _prove(scheme: object, request: Request, secret: str, now: datetime) -> Request:
    """The request with the proof of this scheme: one function for each type of scheme."""
    raise NotImplementedError


@_prove.register
def _(scheme: Hmac, request: Request, secret: str, now: datetime) -> Request:
    added: dict[str, str] = {}
    values: dict[str, str] = {}
    if scheme.timestamp_header or scheme.timestamp_prefix:
        values["timestamp"] = _written(now, scheme.timestamp_unit)
    if scheme.timestamp_header:
        added[scheme.timestamp_header] = values["timestamp"]
    if scheme.id_header:
        values["id"] = request.headers.get(scheme.id_header) or str(uuid.uuid4())
        added[scheme.id_header] = values["id"]
    signed = signed_bytes(scheme.signed, request, values)
    proof = scheme.prefix + scheme.signature(signed, secret)
    if scheme.timestamp_prefix:
        proof = scheme.timestamp_prefix + values["timestamp"] + scheme.separator + proof
    return _with(request, added | {scheme.header: proof})


@_prove.register
def _(scheme: HeaderToken, request: Request, secret: str, now: datetime) -> Request:  # noqa: ARG001 - a shared secret has no age
    return _with(request, {scheme.header: scheme.prefix + secret})


@_prove.register
def _(scheme: Basic, request: Request, secret: str, now: datetime) -> Request:  # noqa: ARG001 - the same
    return _with(request, {"authorization": "Basic " + base64.b64encode(secret.encode()).decode()})


@_prove.register
def _(scheme: hubspot.V3, request: Request, secret: str, now: datetime) -> Request:  # noqa: ARG001 - it has no settings
    return _prove(hubspot.V3_SIGNATURE, request, secret, now)


@_prove.register
def _(scheme: hubspot.Digest, request: Request, secret: str, now: datetime) -> Request:  # noqa: ARG001 - it signs no time
    digest = sha256_hex(signed_bytes(scheme.signed, request, {"secret": secret}))
    return _with(
        request,
        {"x-hubspot-signature": digest, "x-hubspot-signature-version": scheme.version},
    )


@_prove.register
def _(scheme: twilio.Signature, request: Request, secret: str, now: datetime) -> Request:  # noqa: ARG001 - it signs no time
    if "x-www-form-urlencoded" not in request.headers.get("content-type", ""):
        joint = "&" if "?" in request.url else "?"
        digest = sha256_hex(request.body)
        request = replace(request, url=f"{request.url}{joint}bodySHA256={digest}")
    added = {"x-twilio-signature": scheme.signature(request, secret)}
    if scheme.algorithm == "sha256":
        added["x-twilio-webhooks-signature-settings"] = "key=sample,algorithm=HMAC_SHA256"
    return _with(request, added)


@_prove.register
def _(scheme: SignedFields, request: Request, secret: str, now: datetime) -> Request:  # noqa: ARG001 - what is signed holds no time of signing
    key, _, token = secret.partition(" ")
    if token:
        joint = "&" if "?" in request.url else "?"
        request = replace(request, url=f"{request.url}{joint}{PARAMETER}={quote(token, safe='')}")
    proof = scheme.signature(read_payload(request), key)
    if scheme.header:
        return _with(request, {scheme.header: proof})
    # A sender that signs so sends forms.
    return replace(request, body=request.body + f"&{scheme.place}={quote(proof)}".encode())


# HighLevel alone can sign for its public key: the samples have two pairs of their own.
_HIGHLEVEL_SEEDS = (b"ringhook sample, signs no events", b"ringhook sample, the other seed.")


@_prove.register
def _(scheme: gohighlevel.Ed25519, request: Request, secret: str, now: datetime) -> Request:  # noqa: ARG001 - its time stands in the body
    from nacl.signing import SigningKey  # noqa: PLC0415 - for this one sender

    wanted = gohighlevel.public_key(secret)
    for pair in map(SigningKey, _HIGHLEVEL_SEEDS):
        if bytes(pair.verify_key) == wanted:
            proof = base64.b64encode(pair.sign(request.body).signature).decode()
            return _with(request, {"x-ghl-signature": proof})
    message = "only HighLevel can sign for this public key: use a sample's own"
    raise UnavailableError(message)


def _with(request: Request, headers: dict[str, str]) -> Request:
    return replace(request, headers={**request.headers, **headers})


def _written(now: datetime, unit: TimeUnit) -> str:
    if unit == "iso":
        return now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(round(now.timestamp() * 1000) if unit == "ms" else int(now.timestamp()))
