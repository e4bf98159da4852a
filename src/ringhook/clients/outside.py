"""One request to an address that somebody wrote down: to a public one, or to none.

A name is looked up once, each address that it has is looked at, and the connection goes to an
address that was looked at: a name that says another thing the next time (DNS rebinding) gains
nothing. TLS and the request still name the host. No redirect is followed.
"""

from __future__ import annotations

import functools
import socket
from typing import TYPE_CHECKING

from ringhook.clients import wire
from ringhook.errors import UnsentError
from ringhook.reading.public_addresses import is_public

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Of what is answered so much is looked at.
LARGEST_ANSWER = 65_536


class PrivateError(UnsentError):
    """The host is at no public address: nothing was sent."""


def addresses_of(host: str, port: int) -> list[str]:
    """The addresses that a name has now. Raises OSError if it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


def post(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: str,
    timeout: float,
    *,
    resolve: Callable[[str, int], list[str]] = addresses_of,
    private: bool = False,
) -> wire.Response:
    """Send it once. `timeout` is how many seconds the answer may take, once connected.

    `private` (for local runs) lets it go to any address. Raises PrivateError, UnsentError and
    CutError.
    """
    dial = functools.partial(_dial, resolve=resolve, private=private)
    return wire.exchange(
        method, url, headers, body, timeout, dial=dial, most=LARGEST_ANSWER, whole=False
    )


def _dial(
    place: tuple[str, int],
    timeout: float,
    *,
    resolve: Callable[[str, int], list[str]],
    private: bool,
) -> socket.socket:
    host, port = place
    addresses = resolve(host, port)
    # All of them: which one is taken is not left to whoever answers for the name.
    if not addresses or not (private or all(map(is_public, addresses))):
        message = f"{host} is at no public address"
        raise PrivateError(message)
    for address in addresses[:-1]:
        try:
            return socket.create_connection((address, port), timeout)
        except OSError:
            continue
    return socket.create_connection((addresses[-1], port), timeout)
