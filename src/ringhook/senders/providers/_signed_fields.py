"""What senders share that sign some fields of their body instead of the body.

Of such a body the rest is anybody's: whoever has seen one genuine webhook can write another phone
number into it. So `read` gives only the signed fields, unless the source's address has a token
besides, which vouches for all that comes with it. The secret is then written `KEY TOKEN`: the key
that the sender signs with, a space, and the token in the address that it is given.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringhook.errors import BadRequestError, RejectedError
from ringhook.senders.providers._url_token import UrlToken
from ringhook.senders.request import read_payload
from ringhook.senders.signatures import MISMATCH, covered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ringhook.senders.request import Request

_ADDRESS = UrlToken()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFields:
    """A signature over some of the body's fields.

    `fields`: the places that are signed, names with dots between. `signature`: what it must be, of
    the payload and the key. It stands in `header` or, in the body, at `place`. Letters' case counts
    unless it is `hex`.
    """

    fields: tuple[str, ...]
    signature: Callable[[Any, str], str]
    header: str = ""
    place: str = ""
    hex: bool = False

    @property
    def description(self) -> str:
        """As `Scheme` says."""
        where = f"the header {self.header}" if self.header else f"the body's {self.place}"
        return f"a signature over some of the body's fields, in {where}"

    def applies(self, request: Request) -> bool:
        """Whether there is a signature."""
        if self.header:
            return self.header in request.headers
        return bool(self._given(request))

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - what is signed holds no time of signing
        """Check the signature and, where the secret has one, the token in the address.

        A token that the secret does not have is refused: the address would seem to vouch.
        """
        given, address = self._given(request), _ADDRESS.given(request)
        payload = _payload(request)
        doubt = MISMATCH
        for secret in secrets:
            key, _, token = secret.partition(" ")
            expected = self.signature(payload, key).encode(errors="replace")
            if hmac.compare_digest(expected, given.encode(errors="replace")):
                if hmac.compare_digest(
                    token.strip().encode(errors="replace"), address.encode(errors="replace")
                ):
                    return
                doubt = "the signature matches, and the token in the address is another one"
        raise RejectedError(doubt)

    def proven(self, request: Request) -> Request:
        """The body, of which `read` leaves out what is not signed; all, if the address vouches."""
        return request if _ADDRESS.applies(request) else covered(request, address=False)

    def read(self, request: Request) -> Any:
        """The payload of a verified request: what it signed, or all where the address vouches.

        Raises BadRequestError if it cannot be read.
        """
        payload = read_payload(request)
        if _ADDRESS.applies(request):
            return payload
        signed: dict[str, Any] = {}
        for place in self.fields:
            _copy(payload, signed, place.split("."))
        return signed

    def _given(self, request: Request) -> str:
        given = (
            request.headers.get(self.header, "")
            if self.header
            else _at(_payload(request), self.place)
        )
        text = given.strip() if isinstance(given, str) else ""
        return text.lower() if self.hex else text


def _payload(request: Request) -> Any:
    try:
        return read_payload(request)
    except (BadRequestError, RecursionError):
        return None


def _at(payload: Any, place: str) -> Any:
    for name in place.split("."):
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload


def _copy(source: Any, target: dict[str, Any], place: list[str]) -> None:
    if not isinstance(source, dict) or place[0] not in source:
        return
    if len(place) == 1:
        target[place[0]] = source[place[0]]
    else:
        _copy(source[place[0]], target.setdefault(place[0], {}), place[1:])
