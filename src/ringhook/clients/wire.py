"""One HTTP request on a connection of its own, and whether it can have arrived.

A kept connection that the other side has closed meanwhile breaks in a way that cannot be told from
a request that was taken; and a retry or a redirect would be a second request.
"""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ringhook.clients import tls
from ringhook.errors import CutError, UnsentError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONNECT_TIMEOUT = 3.0
# An answer of the API is a few kilobytes; a list of a hundred executions less than a megabyte.
_LARGEST_ANSWER = 5_000_000


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer."""

    status: int
    data: bytes
    retry_after: str | None = None


def request(
    method: str, url: str, headers: Mapping[str, str], body: str | None, timeout: float
) -> Response:
    """Ask once. `timeout` is how many seconds the whole answer may take, once connected.

    Raises UnsentError and CutError.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(
            host, parts.port, timeout=_CONNECT_TIMEOUT, context=tls.context()
        )
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=_CONNECT_TIMEOUT)
    )
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    try:
        try:
            connection.connect()
        except (OSError, UnicodeError) as error:
            raise UnsentError(type(error).__name__) from error
        return _exchange(connection, timeout, method, target, headers, body)
    finally:
        connection.close()


def _exchange(
    connection: http.client.HTTPConnection,
    timeout: float,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: str | None,
) -> Response:
    line = connection.sock
    line.settimeout(timeout)
    # A time-out of the socket is for each piece: whoever sends a byte a second would never end.
    late = threading.Event()
    watch = threading.Timer(timeout, _hang_up, (line, late))
    watch.daemon = True
    watch.start()
    try:
        connection.request(method, target, body=body, headers=dict(headers))
        answer = connection.getresponse()
        data = answer.read(_LARGEST_ANSWER)
        # An answer of no stated length that we hung up on looks as if it were whole.
        if answer.length or late.is_set():
            message = "the answer is not whole"
            raise CutError(message)
        return Response(answer.status, data, answer.getheader("Retry-After"))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CutError(type(error).__name__) from error
    finally:
        watch.cancel()


def _hang_up(line: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
