"""How a request to AWS proves who sends it: Signature Version 4, pure.

Source: AWS's guide to IAM, "Create a signed AWS API request". The tests hold every signature to
botocore's, byte for byte.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(NamedTuple):
    """Who signs; `token` is the session's, "" for credentials that do not expire."""

    key: str
    secret: str
    token: str = ""

    def __repr__(self) -> str:
        """The key's id alone: the rest is secret, and a traceback may show it."""
        return f"Credentials({self.key})"


def signed(
    credentials: Credentials,
    scope: tuple[str, str],
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> dict[str, str]:
    """The headers of a POST to this URL with what proves its sender; all of them are signed.

    `scope` is the region and the service's name in signatures; `now` is in UTC. The address has no
    parameters.
    """
    address = urlsplit(url)
    moment, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    all_headers = {**headers, "host": _host(address.scheme, address.netloc), "x-amz-date": moment}
    if credentials.token:
        all_headers["x-amz-security-token"] = credentials.token
    lower = sorted((name.lower(), " ".join(value.split())) for name, value in all_headers.items())
    names = ";".join(name for name, _ in lower)
    request = (
        "POST",
        quote(address.path or "/", safe="/~"),
        "",
        *(f"{name}:{value}" for name, value in lower),
        "",
        names,
        hashlib.sha256(body).hexdigest(),
    )
    of = "/".join((day, *scope, "aws4_request"))
    digest = hashlib.sha256("\n".join(request).encode()).hexdigest()
    text = f"{_ALGORITHM}\n{moment}\n{of}\n{digest}"
    key = f"AWS4{credentials.secret}".encode()
    for part in (day, *scope, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    all_headers["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.key}/{of}, SignedHeaders={names},"
        f" Signature={signature}"
    )
    return all_headers


def _host(scheme: str, netloc: str) -> str:
    """The host as the header has it: without the port that the scheme stands for."""
    usual = {"http": ":80", "https": ":443"}[scheme]
    return netloc.lower().removesuffix(usual)
