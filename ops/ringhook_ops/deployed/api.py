"""What an operator asks of the Global Call API, none of which rings anybody.

Source: docs.unleashx.ai, "Authentication" (verify) and "List voice agents" (agents/get).
"""

from __future__ import annotations

import json
from typing import Any

import urllib3

_TIMEOUT = 15.0


class ApiError(Exception):
    """The API does not say yes; the text is what it says instead."""


def verify(url: str, token: str) -> None:
    """Raise ApiError unless the API at `url` knows the token."""
    _post(url, "/api/v1/global/verify", token, {})


def agent(url: str, token: str, agent_id: int) -> dict[str, Any]:
    """What the API knows of an agent. Raises ApiError if it is not there or not active."""
    answer = _post(url, "/api/v1/global/agents/get", token, {"agent_id": agent_id})
    found = answer.get("data")
    # Its own answer stands inside the answer.
    inner = found.get("data") if isinstance(found, dict) and "data" in found else found
    return inner if isinstance(inner, dict) else {}


def _post(url: str, path: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
    try:
        response = urllib3.request(
            "POST",
            url.rstrip("/") + path,
            body=json.dumps(body),
            headers={"Content-Type": "application/json", "token": token},
            retries=False,
            timeout=_TIMEOUT,
        )
    except urllib3.exceptions.HTTPError as error:
        message = f"{url} cannot be reached ({type(error).__name__})"
        raise ApiError(message) from error
    try:
        answer = json.loads(response.data)
    except ValueError:
        answer = {}
    answer = answer if isinstance(answer, dict) else {}
    if response.status != 200 or answer.get("error") is True or answer.get("success") is False:
        raise ApiError(str(answer.get("message") or f"HTTP {response.status}"))
    return answer
