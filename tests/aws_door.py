"""AWS's door for what asks without the SDK: checks each signature, and answers from moto."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

SERVICES = {
    "AmazonSQS": "sqs",
    "DynamoDB_20120810": "dynamodb",
    "secretsmanager": "secretsmanager",
}
SIGNED = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, SignedHeaders=(\S+),")


class SigV4At(SigV4Auth):
    """botocore's signer at a time that is given."""

    def __init__(self, credentials: Credentials, service: str, region: str, moment: str) -> None:
        super().__init__(credentials, service, region)
        self.moment = moment

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        request.context["timestamp"] = self.moment
        super()._modify_request_before_signing(request)  # type: ignore[misc] # not in the stubs


def signature(
    url: str, headers: Mapping[str, str], body: bytes, secret: str, token: str
) -> str | None:
    """The Authorization header that botocore gives a request with these headers."""
    names = {name.lower(): value for name, value in headers.items()}
    written = SIGNED.search(names["authorization"])
    assert written
    key, region, service, covered = written.groups()
    kept = {
        name: names[name]
        for name in covered.split(";")
        if name not in {"host", "x-amz-date", "x-amz-security-token"}
    }
    request = AWSRequest(method="POST", url=url, data=body, headers=kept)
    signer = SigV4At(Credentials(key, secret, token or None), service, region, names["x-amz-date"])
    signer.add_auth(request)
    return request.headers["Authorization"]


class Door(ThreadingHTTPServer):
    """A server on loopback; `url` is what AWS_ENDPOINT_URL is set to."""

    daemon_threads = True

    def __init__(self, secret: str, token: str) -> None:
        self.secret, self.token = secret, token
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Door
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status, answer = self._answer(body)
        data = json.dumps(answer).encode()
        self.send_response(status)
        if self.path != "/" and "__type" in answer:
            self.send_header("x-amzn-errortype", answer.pop("__type"))
            data = json.dumps(answer).encode()
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _answer(self, body: bytes) -> tuple[int, dict[str, Any]]:
        headers = dict(self.headers)
        door = self.server
        url = f"{door.url}{self.path}"
        if signature(url, headers, body, door.secret, door.token) != headers["authorization"]:
            return 403, {"__type": "InvalidSignatureException"}
        age = datetime.now(UTC) - datetime.strptime(
            headers["x-amz-date"], "%Y%m%dT%H%M%SZ"
        ).replace(tzinfo=UTC)
        if abs(age.total_seconds()) > 300:
            return 403, {"__type": "InvalidSignatureException"}
        asked = json.loads(body)
        if self.path == "/":
            target, _, action = headers["x-amz-target"].partition(".")
            service = SERVICES[target]
        else:
            _, _, asked["Name"] = self.path.split("/")
            service, action = "scheduler", "CreateSchedule"
        door.asked.append(action)
        client = boto3.client(service)  # type: ignore[call-overload] # by its name
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
        try:
            answer = getattr(client, method)(**asked)
        except ClientError as error:
            told: Any = error.response
            code = {"__type": f"com.amazonaws#{told['Error']['Code']}"}
            return 400, code | {
                name: told[name] for name in ("CancellationReasons",) if name in told
            }
        return 200, {name: value for name, value in answer.items() if _is_json(name, value)}

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _is_json(name: str, value: object) -> bool:
    return name != "ResponseMetadata" and not isinstance(value, datetime | bytes)
