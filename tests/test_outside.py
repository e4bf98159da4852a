"""What is sent to an address that somebody wrote down goes to a public one, or nowhere."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from ringhook.clients import outside, wire
from ringhook.errors import UnsentError
from ringhook.reading.public_addresses import is_public

PRIVATE = (
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.255.255"),  # noqa: S104 - nothing listens
    *("169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.8"),
    *("192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.9"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::7f00:1", "::10.0.0.1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254"),
    *("fec0::1", "ff02::1", "100::1", "2001:db8::1", "3fff::1", "5f00::1", "4000::1"),
    # An IPv4 address in disguise: mapped, 6to4, Teredo, NAT64, ISATAP behind a private prefix.
    *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:0:127.0.0.1", "2002:7f00:1::"),
    *("2002:0808:0808::1", "2001:0:7f00:1::", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe"),
    *("64:ff9b:1::8.8.8.8", "fe80::5efe:8.8.8.8"),
    *("", "localhost", "0x7f.1", "2130706433", "127.1", "256.1.1.1"),
)
PUBLIC = (
    *("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
    *("192.0.1.1", "198.17.255.255", "198.20.0.1", "223.255.255.255", "11.0.0.1"),
    *("2606:4700::1111", "2a00:1450:4001:81b::200e", "2600::1"),
    *("::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
)


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_known(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_what_python_takes_for_private_is_never_public(address: Any) -> None:
    assert not (is_public(str(address)) and not address.is_global)
    assert (
        is_public(f"::ffff:{address}")
        == is_public(f"64:ff9b::{address}")
        == is_public(str(address))
    )


# What is sent to whom.


class Receiver(BaseHTTPRequestHandler):
    """Answers with what `server.answer` says, and remembers whom the request was for."""

    server: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.headers["Host"], self.path, body))
        self.server.answer(self)

    def log_message(self, *_: object) -> None:
        pass


def certificate(path: Path) -> Path:
    """A key and a certificate for it.example that it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "it.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1)
    )
    named = x509.SubjectAlternativeName([x509.DNSName("it.example")])
    signed = made.add_extension(named, critical=False).sign(key, hashes.SHA256())
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(text + signed.public_bytes(serialization.Encoding.PEM))
    return path


def well(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "2")
    handler.end_headers()
    handler.wfile.write(b"ok")


@contextmanager
def receiver(
    answer: Callable[[BaseHTTPRequestHandler], None] = well, context: ssl.SSLContext | None = None
) -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.answer, server.heard = answer, []
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def post(url: str, **how: Any) -> wire.Response:
    return outside.post("POST", url, {"Content-Type": "text/plain"}, "hello", 2, **how)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0x7f.1", "2130706433", "127.1", "0"])
def test_this_machine_is_not_told_however_it_is_written(host: str) -> None:
    with receiver() as server, pytest.raises(outside.PrivateError, match="no public address"):
        post(f"http://{host}:{server.server_port}/")

    assert not server.heard


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], []]
)
def test_a_name_with_one_private_address_is_told_nothing(addresses: list[str]) -> None:
    with receiver() as server, pytest.raises(outside.PrivateError):
        post(f"http://it.example:{server.server_port}/", resolve=lambda *_: addresses)

    assert not server.heard


def test_a_name_is_looked_up_once_and_connected_to_what_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that is public when looked at and private when connected to reaches nothing."""
    dialled, asked = [], []

    def connect(place: tuple[str, int], timeout: float) -> Any:
        dialled.append(place)
        raise OSError

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"] if len(asked) == 1 else ["127.0.0.1"]

    monkeypatch.setattr("socket.create_connection", connect)
    with pytest.raises(UnsentError):
        post("https://it.example/x", resolve=resolve)

    assert (dialled, asked) == ([("8.8.8.8", 443)], ["it.example"])


def test_the_request_names_the_host_and_not_the_address() -> None:
    with receiver() as server:
        port = server.server_port
        answer = post(
            f"http://it.example:{port}/x?y=1", resolve=lambda *_: ["127.0.0.1"], private=True
        )

    assert (answer.status, answer.data) == (200, b"ok")
    assert server.heard == [(f"it.example:{port}", "/x?y=1", b"hello")]


def test_tls_is_for_the_host_and_its_certificate_is_looked_at(tmp_path: Path) -> None:
    """A certificate that no authority signed is none: nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path / "self-signed.pem"))
    names: list[str] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    with receiver(context=context) as server, pytest.raises(UnsentError) as unsent:
        post(
            f"https://it.example:{server.server_port}/",
            resolve=lambda *_: ["127.0.0.1"],
            private=True,
        )

    assert "SSLCertVerificationError" in str(unsent.value)
    assert (names, server.heard) == (["it.example"], [])


def test_no_redirect_is_followed() -> None:
    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(307)
        handler.send_header("Location", f"http://127.0.0.1:{server.server_port}/other")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with receiver(elsewhere) as server:
        answer = post(f"http://127.0.0.1:{server.server_port}/", private=True)

    assert answer.status == 307
    assert [path for _, path, _ in server.heard] == ["/"]


def test_of_a_large_answer_only_the_beginning_is_read() -> None:
    def large(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**9))
        handler.end_headers()
        handler.wfile.write(b"x" * 1_000_000)

    with receiver(large) as server:
        answer = post(f"http://127.0.0.1:{server.server_port}/", private=True)

    assert (answer.status, len(answer.data)) == (200, outside.LARGEST_ANSWER)


def test_an_answer_that_never_ends_is_waited_for_no_longer_than_told() -> None:
    ended = threading.Event()

    def dripping(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while not ended.wait(0.05):
                handler.wfile.write(b"x")
        except OSError:
            pass

    with receiver(dripping) as server:
        answer = outside.post(
            "POST", f"http://127.0.0.1:{server.server_port}/", {}, "", 0.3, private=True
        )
        ended.set()

    assert (answer.status, len(answer.data) < 50) == (200, True)
