"""One HTTP request on a connection of its own, and whether it can have arrived.

A kept connection that the other side has closed meanwhile breaks in a way that cannot be told from
a request that was taken; and a retry or a redirect would be a second request.
"""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ringhook.clients import tls
from ringhook.errors import CutError, UnsentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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
    return exchange(
        method, url, headers, body, timeout, dial=socket.create_connection, most=_LARGEST_ANSWER
    )


def exchange(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: str | None,
    timeout: float,
    *,
    dial: Callable[[tuple[str, int], float], socket.socket],
    most: int,
    whole: bool = True,
) -> Response:
    """Ask once, as `request` does, on the line that `dial` opens to a host and port.

    Of the answer `most` bytes are read; where it need not be `whole`, the rest is let go.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    # It writes and reads what HTTP is; it is connected here.
    connection = http.client.HTTPConnection(host, port)
    if secure:
        connection.default_port = 443
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        try:
            connection.sock = dial((host, port), _CONNECT_TIMEOUT)
            if secure:
                _secure(connection, host)
        except (OSError, UnicodeError, ValueError) as error:
            raise UnsentError(type(error).__name__) from error
        connection.sock.settimeout(timeout)
        with _ended_after(timeout, connection.sock) as late:
            try:
                connection.request(method, target, body=body, headers=dict(headers))
                answer = connection.getresponse()
                data = answer.read(most)
                # An answer of no stated length that we hung up on looks as if it were whole.
                if whole and (answer.length or late.is_set()):
                    message = "the answer is not whole"
                    raise CutError(message)
                return Response(answer.status, data, answer.getheader("Retry-After"))
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise CutError(type(error).__name__) from error
    finally:
        connection.close()


def _secure(connection: http.client.HTTPConnection, host: str) -> None:
    line = tls.context().wrap_socket(
        connection.sock, server_hostname=host, do_handshake_on_connect=False
    )
    connection.sock = line
    with _ended_after(_CONNECT_TIMEOUT, line):
        line.do_handshake()


@contextmanager
def _ended_after(seconds: float, line: socket.socket) -> Iterator[threading.Event]:
    """Hang up by then, and set what is yielded: a time-out of the socket is for each piece.

    Whoever sends a byte a second would never end.
    """
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        with suppress(OSError):
            # Not TLS's own, which takes its state from under whoever reads.
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    watch = threading.Timer(seconds, hang_up)
    watch.daemon = True
    watch.start()
    try:
        yield late
    finally:
        watch.cancel()
