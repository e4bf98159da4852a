"""The stand-in of the Global Call API: on loopback, quick, and counting whom it rang.

A process of its own, so that its work is not counted as anybody else's. It answers a call after
`answer_after` seconds, says that it is busy (503) to numbers that end in `BUSY`, and to all while
it is ordered to be down.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import json
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bench.webhooks import BUSY

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "127.0.0.1"
CALL_PATH = "/api/v1/global/agents/call"
ROOT = Path(__file__).parent.parent


class Stub:
    """The stand-in at `url`, from entering the context to leaving it.

    `tls`: whether it is asked over TLS. `environment`: what makes a dialer ask it.
    """

    def __init__(self, *, tls: bool = False, answer_after: float = 0.0) -> None:
        """Start nothing yet."""
        self._answer_after = answer_after
        self._directory = tempfile.TemporaryDirectory(prefix="bench-")
        self._certificate = _certificate(Path(self._directory.name)) if tls else None

    def __enter__(self) -> Self:
        """Start it."""
        command = [sys.executable, "-m", "bench.stub", "--answer-after", str(self._answer_after)]
        if self._certificate:
            command += ["--certificate", str(self._certificate)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        port = int(self._process.stdout.readline()) if self._process.stdout else 0
        self.url = f"{'https' if self._certificate else 'http'}://{HOST}:{port}"
        self.environment = {"UNLEASHX_URL": self.url}
        if self._certificate:
            self.environment["SSL_CERT_FILE"] = str(self._certificate)
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate()
        self._directory.cleanup()

    def call(self, lead: Mapping[str, Any]) -> int:
        """Ask for a call to this lead, as who takes a webhook does; the answer's status."""
        asked = {"agent_id": 1, "phone_number": lead["phone"], "metadata": {"lead": lead["id"]}}
        try:
            self._ask("POST", CALL_PATH, asked)
        except HTTPError as error:
            return error.code
        return 200

    def rung(self) -> dict[str, int]:
        """How often each lead's phone was rung."""
        found: dict[str, int] = self._ask("GET", "/rung")
        return found

    def check(self, count: int) -> None:
        """Raise unless so many phones were rung, once each: what fails is quick and no figure."""
        rung = self.rung()
        if len(rung) != count or sum(rung.values()) != count:
            message = f"{len(rung)} phones were rung {sum(rung.values())} times, not {count} once"
            raise RuntimeError(message)

    def be_down(self, seconds: float) -> None:
        """Answer 503 for so long."""
        self._ask("POST", "/down", seconds)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        request = Request(self.url + path, json.dumps(body).encode(), method=method)  # noqa: S310 - on loopback
        trusted = (
            ssl.create_default_context(cafile=self._certificate) if self._certificate else None
        )
        with urlopen(request, timeout=10, context=trusted) as answer:  # noqa: S310
            return json.load(answer)


class _Api:
    """What the stand-in knows."""

    def __init__(self, answer_after: float) -> None:
        self._answer_after = answer_after
        self._rung: Counter[str] = Counter()
        self._down_until = 0.0

    async def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        if path == "/rung":
            return 200, self._rung
        if path == "/down":
            self._down_until = time.monotonic() + json.loads(body)
            return 200, {}
        if method == "GET":
            return 200, {"datalist": []}
        await asyncio.sleep(self._answer_after)
        asked = json.loads(body)
        number = asked["phone_number"]
        if time.monotonic() < self._down_until or number.endswith(BUSY):
            return 503, {"error": True, "message": "busy"}
        self._rung[asked["metadata"]["lead"]] += 1
        said = {"execution_id": str(uuid.uuid4()), "agent_id": 1, "phone_number": number}
        return 200, {"success": True, "data": said | {"call_status": "initiated"}}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: its requests, one after the other."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *fields = head.lower().split("\r\n")
                method, path, _ = head.split(" ", 2)
                lengths = [f.partition(":")[2] for f in fields if f.startswith("content-length:")]
                body = await reader.readexactly(int(lengths[0]) if lengths else 0)
                status, said = await self.answer(method, path, body)
                data = json.dumps(said).encode()
                ends = "connection: close" in fields or line.endswith("http/1.0")
                writer.write(
                    f"HTTP/1.1 {status} .\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(data)}\r\n\r\n".encode()
                    + data
                )
                await writer.drain()
                if ends:
                    break
        writer.close()


def _certificate(directory: Path) -> Path:
    """A certificate for loopback, with its key, that signs itself."""
    from cryptography import x509  # noqa: PLC0415 - only where it is wanted
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file = directory / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


async def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--answer-after", type=float, default=0.0)
    parser.add_argument("--certificate")
    given = parser.parse_args()
    context = None
    if given.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(given.certificate)
    server = await asyncio.start_server(
        _Api(given.answer_after).serve, HOST, 0, ssl=context, limit=2**24, backlog=256
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
