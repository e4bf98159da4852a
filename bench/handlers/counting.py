"""What a process asks over HTTP, noted: every client here goes through http.client."""

from __future__ import annotations

import http.client
from typing import Any

_SERVICES = {
    "DynamoDB_20120810": "DynamoDB",
    "AmazonSQS": "SQS",
    "secretsmanager": "Secrets Manager",
}


def note(asked: list[str]) -> None:
    """From now on, put "service operation" of each request into `asked`."""
    put_request, put_header = (
        http.client.HTTPConnection.putrequest,
        http.client.HTTPConnection.putheader,
    )

    def putrequest(self: Any, method: str, url: str, *args: Any, **more: Any) -> None:
        asked.append(_by_path(method, url))
        put_request(self, method, url, *args, **more)

    def putheader(self: Any, header: Any, *values: Any) -> None:
        if _words(header).lower() == "x-amz-target":
            service, _, operation = _words(values[0]).partition(".")
            asked[-1] = f"{_SERVICES.get(service, service)} {operation}"
        put_header(self, header, *values)

    http.client.HTTPConnection.putrequest = putrequest  # type: ignore[method-assign]
    http.client.HTTPConnection.putheader = putheader  # type: ignore[method-assign]


def _by_path(method: str, url: str) -> str:
    if url.startswith("/schedules/"):
        return f"Scheduler {method}"
    return "API call" if url.endswith("/agents/call") else f"API {method}"


def _words(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
