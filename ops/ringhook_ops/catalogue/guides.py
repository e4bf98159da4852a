"""What no data of a provider tells: where to click, which secret goes where, and a curl to try.

A guide is `guides/{provider}.toml`: `steps` in the sender's settings, `secret` (which one is
meant), how long it `waits` for an answer, when it sends `again` and gives up, and what of all this
is `unconfirmed`. `steps_unconfirmed`: the names in the sender's settings were not found in its own
documentation. A `guides/{provider}.js` is a script that its user pastes there.
"""

from __future__ import annotations

import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ringhook.senders.providers._body_token import BodyToken
from ringhook.senders.providers._url_token import UrlToken
from ringhook.senders.signatures import Basic, HeaderToken, Hmac, Scheme
from ringhook_ops.samples import library, webhooks
from ringhook_ops.samples.library import Sample

FOLDER = Path(__file__).parent / "guides"
_CHECKOUT = Path(__file__).parents[3]
_NOW = {"s": "$(date +%s)", "ms": "$(date +%s)000", "iso": "$(date -u +%Y-%m-%dT%H:%M:%SZ)"}
# What openssl takes as the key, for each form of the secret.
_BYTES = "| openssl base64 -d -A | od -An -tx1 -v | tr -d ' \\n'"
_KEYS = {
    "text": '-hmac "$SECRET"',
    "hex": '-mac HMAC -macopt "hexkey:$SECRET"',
    "base64": f'-mac HMAC -macopt "hexkey:$(printf %s "$SECRET" {_BYTES})"',
    "whsec": f'-mac HMAC -macopt "hexkey:$(printf %s "${{SECRET#whsec_}}" {_BYTES})"',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """What a person must know to connect one kind of sender."""

    steps: list[str]
    secret: str
    waits: str = ""
    again: str = ""
    unconfirmed: str = ""
    steps_unconfirmed: bool = False
    script: str = ""


def find(provider: str) -> Guide:
    """A provider's guide."""
    script = FOLDER / f"{provider}.js"
    return Guide(
        **tomllib.loads((FOLDER / f"{provider}.toml").read_text()),
        script=script.read_text() if script.exists() else "",
    )


def curl(provider: str) -> list[str]:
    """The lines of a shell that send the provider's first sample, signed by hand.

    Empty where a shell cannot sign as the provider does. $SECRET and $WEBHOOKS_URL must be set.
    """
    sample = library.find(provider)
    adapted = webhooks.provider_of(sample, None, sample.source)
    # A sample whose secret stands in the address is of a sender that was given such a one.
    by_address = bool(sample.query)
    for scheme in sorted(adapted.schemes, key=lambda one: isinstance(one, UrlToken) != by_address):
        if signed := _signed(scheme, sample):
            return signed
    return []


def _signed(scheme: Scheme, sample: Sample) -> list[str]:
    match scheme:
        case UrlToken():
            return _lines(sample, [], query=f"?{scheme.parameter}=$SECRET")
        case BodyToken():
            return _lines(sample, [])
        case Basic():
            return _lines(sample, ['-u "$SECRET"'])
        case HeaderToken():
            return _lines(sample, [f'-H "{scheme.header}: {scheme.prefix}$SECRET"'])
    # A kind of HMAC of its own does more than its data say.
    return _hmac(scheme, sample) if type(scheme) is Hmac and "{url}" not in scheme.signed else []


def _hmac(scheme: Hmac, sample: Sample) -> list[str]:
    before, _, after = scheme.signed.partition("{body}")
    places = {"{timestamp}": "$TIME", "{id}": "$ID", "{method}": "POST"}
    for name, value in places.items():
        before, after = before.replace(name, value), after.replace(name, value)
    parts = [f'printf %s "{before}"'] * bool(before) + ['cat "$BODY"']
    parts += [f'printf %s "{after}"'] * bool(after)
    digest = f"openssl dgst -{scheme.algorithm} -binary {_KEYS[scheme.key]}"
    written = "openssl base64 -A" if scheme.encoding == "base64" else _BYTES.rpartition("-A | ")[2]
    lines, headers = [], []
    if scheme.timestamp_header or scheme.timestamp_prefix:
        lines.append(f"TIME={_NOW[scheme.timestamp_unit]}")
    if scheme.timestamp_header:
        headers.append(f'-H "{scheme.timestamp_header}: $TIME"')
    if scheme.id_header:
        lines.append("ID=msg_$(date +%s)")
        headers.append(f'-H "{scheme.id_header}: $ID"')
    proof = f"{scheme.prefix}$PROOF"
    if scheme.timestamp_prefix:
        proof = f"{scheme.timestamp_prefix}$TIME{scheme.separator}{proof}"
    lines.append(f"PROOF=$({{ {'; '.join(parts)}; }} | {digest} | {written})")
    return _lines(sample, [*headers, f'-H "{scheme.header}: {proof}"'], before=lines)


def _lines(
    sample: Sample, proof: list[str], *, query: str = "", before: list[str] | None = None
) -> list[str]:
    file = library.body_file(sample.provider, sample.name).relative_to(_CHECKOUT)
    # What is proven stands in `proof`.
    carried = " ".join(proof).lower()
    headers = [
        f"-H {shlex.quote(f'{name}: {value}')}"
        for name, value in sample.headers.items()
        if f'"{name}:' not in carried and not name.startswith("user-agent")
    ]
    address = f'"$WEBHOOKS_URL/{sample.source}{query}"'
    curl, data = "curl -i", '--data-binary "@$BODY"'
    if sample.method == "GET":
        curl, data = "curl -i -G", '--data "@$BODY"'
    elif sample.secret.encode() in sample.body and not proof and not query:
        # The secret stands in the body.
        curl, data = f'sed "s/{sample.secret}/$SECRET/" "$BODY" | curl -i', "--data-binary @-"
    parts = [f"{curl} {address}", *headers, *proof, data]
    return [f"BODY={file}", *(before or []), " \\\n  ".join(parts)]
