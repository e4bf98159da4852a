"""Post a webhook to a deployment, as its sender does, and hear the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import urllib3

from ringhook.senders.request import Request

_TIMEOUT = 35.0  # past the 30 seconds that API Gateway gives a request


class SendError(Exception):
    """Nobody answered at the address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is told: the status, and the body, read as JSON where it is."""

    status: int
    body: Any

    def __str__(self) -> str:
        """The answer in a line."""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return f"{self.status} {text}"


def post(request: Request) -> Answer:
    """Send a request to its own address. Raises SendError."""
    try:
        response = urllib3.request(
            request.method,
            request.url,
            body=request.body,
            headers=dict(request.headers),
            retries=False,
            redirect=False,
            timeout=_TIMEOUT,
        )
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        message = f"{request.url} does not answer ({type(error).__name__})"
        raise SendError(message) from error
    try:
        return Answer(response.status, json.loads(response.data))
    except ValueError:
        return Answer(response.status, response.data.decode(errors="replace"))
