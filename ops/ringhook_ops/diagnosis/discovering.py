"""How an unknown sender signs: the settings of provider `hmac` under which a request is genuine."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from itertools import product
from typing import Any

from ringhook.reading import checked
from ringhook.senders.providers import hmac
from ringhook.senders.request import Request
from ringhook.senders.signatures import Hmac
from ringhook_ops.diagnosis.proving import prove

_SIGNED = (
    "{body}",
    "{timestamp}.{body}",
    "{timestamp}{body}",
    "{id}.{timestamp}.{body}",
    "v0:{timestamp}:{body}",
    "{timestamp}:{body}",
    "{body}{timestamp}",
    "{body}.{timestamp}",
    "{url}{body}",
    "{method}{url}{body}",
    "{method}{url}{body}{timestamp}",
    "{timestamp}{method}{url}{body}",
    "{id}{timestamp}{body}",
    "{id}.{body}",
    "{body}{id}",
)
_KEYS = ("text", "hex", "base64", "whsec")
_ALGORITHMS = {20: "sha1", 32: "sha256", 48: "sha384", 64: "sha512"}  # by the digest's bytes


def settings_for(
    request: Request, secret: str, now: datetime, *, header: str | None = None
) -> Iterator[dict[str, Any]]:
    """Settings under which this request is genuine, but perhaps for its age.

    Looks at this header, or at all, for what has the length of a signature.
    """
    for name in [header] if header else request.headers:
        value = request.headers.get(name, "")
        for found in _signatures(value):
            for signed, key in product(_SIGNED, _KEYS):
                times = [*_times_within(value, found["separator"]), *_times(request)]
                ids = [{"id_header": other} for other in request.headers if other.endswith("id")]
                for time, identity in product(
                    times if "{timestamp}" in signed else [{}], ids if "{id}" in signed else [{}]
                ):
                    settings = {
                        "header": name,
                        **found,
                        "signed": signed,
                        **time,
                        **identity,
                        "key": key,
                    }
                    if prove(scheme_of(settings), request, secret, now):
                        yield _without_defaults(settings)


def scheme_of(settings: Mapping[str, Any]) -> Hmac:
    """The scheme that these settings of a source describe."""
    source = checked.read(hmac.HmacSource, {"provider": "hmac", **settings})
    (scheme,) = hmac.adapt(hmac.PROVIDER, source).schemes
    if not isinstance(scheme, Hmac):
        raise TypeError(scheme)
    return scheme


def _without_defaults(settings: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {field.name: field.default for field in fields(hmac.HmacSource)}
    return {name: value for name, value in settings.items() if value != defaults[name]}


def _signatures(value: str) -> Iterator[dict[str, str]]:
    """What in a header may be an HMAC: prefix, separator, algorithm and encoding."""
    for separator in ("", *(sign for sign in (",", " ", ";") if sign in value)):
        for entry in value.split(separator) if separator else [value]:
            match = re.fullmatch(r"\s*([\w-]+[=,:])?\s*([\w+/-]{26,}={0,2})\s*", entry)
            algorithm, encoding = _form(match[2]) if match else ("", "")
            if match and algorithm:
                yield {
                    "algorithm": algorithm,
                    "encoding": encoding,
                    "prefix": match[1] or "",
                    "separator": separator,
                }


def _form(text: str) -> tuple[str, str]:
    """The algorithm and the encoding of a signature, by its length; "" if it is none."""
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text) and len(text) // 2 in _ALGORITHMS:
        return _ALGORITHMS[len(text) // 2], "hex"
    try:
        return _ALGORITHMS.get(len(base64.b64decode(text, validate=True)), ""), "base64"
    except ValueError:
        return "", ""


def _times_within(value: str, separator: str) -> Iterator[dict[str, str]]:
    """Times that stand beside the signature in its own header: `t=…`."""
    for entry in value.split(separator) if separator else ():
        match = re.fullmatch(r"\s*([\w-]+=)(.+?)\s*", entry)
        if match and (unit := _unit(match[2])):
            yield {"timestamp_prefix": match[1], "timestamp_unit": unit}


def _times(request: Request) -> Iterator[dict[str, str]]:
    for name, value in request.headers.items():
        if unit := _unit(value):
            yield {"timestamp_header": name, "timestamp_unit": unit}


def _unit(text: str) -> str:
    """How a time is written; "" if it is none."""
    if re.fullmatch(r"[0-9]{10}|[0-9]{13}", text):
        return "s" if len(text) == 10 else "ms"
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return ""
    return "iso" if re.match(r"[0-9]{4}-", text) else ""
