"""Sign a request as its sender does: the other side of `ringhook.senders.signatures`."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from functools import singledispatch
from urllib.parse import quote

from ringhook.errors import UnavailableError
from ringhook.senders.providers import Provider, gohighlevel, hubspot, sns, twilio
from ringhook.senders.providers._rsa import key_of, padded
from ringhook.senders.providers._signed_fields import SignedFields
from ringhook.senders.providers._url_token import PARAMETER
from ringhook.senders.request import Request, read_payload
from ringhook.senders.signatures import Basic, HeaderToken, Hmac, TimeUnit, sha256_hex, signed_bytes


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


# AWS alone can sign for its certificates: the samples have their own pair; this is half of it.
_SNS_EXPONENT = int(
    "06544fd791985b022e18c78e6f0ef3836c4580304ad1ab4740b5e61093933a15482fef8f35efddd0ac5fcd28"
    "81e739d88668ffe867efad63e6fcdad53a5c3295ecb309db1d802c58bec22a4decc1b59a59e61a2d748bd363"
    "0c7a90f6a7d787f3c48ab030a982de2d525093fbc1481ade4467f5c258dcd54dfd10f7b5d6fcef4be479e393"
    "9c0b815db5658abe8057222e3f0c1176b538914a93b6101d08654006d86f294f90e3203bc46a67e5e92ddfc7"
    "e5a278da3938d1167143f4cae5375bf52b83d81f57495e5b7022c3d1fc97fd9387f1bc7c65cbdd7b412c228a"
    "7f0f8739beacebfff65e7e466de3d3fbdbab3310ac47a14a171236bac2a87f3bdf5a3591",
    16,
)


@_prove.register
def _(scheme: sns.Signature, request: Request, secret: str, now: datetime) -> Request:  # noqa: ARG001 - it signs no time of signing
    topic, _, certificate = secret.partition(" ")
    if not certificate:
        message = "only AWS can sign for its certificates: use a sample's own secret"
        raise UnavailableError(message)
    key = key_of(base64.b64decode(certificate))
    message = read_payload(request)
    if not isinstance(message, dict):
        return request
    message["TopicArn"] = topic
    digest = hashlib.sha256(sns.signed_text(message).encode()).digest()
    size = (key.modulus.bit_length() + 7) // 8
    number = int.from_bytes(padded(digest, "sha256", size), "big")
    proof = pow(number, _SNS_EXPONENT, key.modulus).to_bytes(size, "big")
    message |= {"SignatureVersion": "2", "Signature": base64.b64encode(proof).decode()}
    written = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    return replace(request, body=written.encode())


def _with(request: Request, headers: dict[str, str]) -> Request:
    return replace(request, headers={**request.headers, **headers})


def _written(now: datetime, unit: TimeUnit) -> str:
    if unit == "iso":
        return now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(round(now.timestamp() * 1000) if unit == "ms" else int(now.timestamp()))
