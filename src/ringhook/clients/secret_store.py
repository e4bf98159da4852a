"""A secret of Secrets Manager, read when needed and kept for minutes: rotation needs no deploy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ringhook.clients.services import code_of, failures
from ringhook.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from ringhook.clients.services import SecretsManager

# A revoked secret is honoured this long at most.
MAX_AGE = 300.0
# An unknown signature or token makes the secret be read again, so that a new one works at once;
# a stranger with many bad signatures must not buy as many calls to Secrets Manager.
MIN_AGE = 10.0


class SecretStore:
    """The JSON object in one secret; `clock` gives seconds that never go back."""

    def __init__(
        self, client: SecretsManagerClient | SecretsManager, arn: str, clock: Callable[[], float]
    ) -> None:
        """Read nothing yet."""
        self._client = client
        self._arn = arn
        self._clock = clock
        self._value: dict[str, Any] = {}
        self._read_at: float | None = None

    def get(self, *, fresh: bool = False) -> dict[str, Any]:
        """The object, no older than MAX_AGE; with `fresh`, no older than MIN_AGE.

        Raises UnavailableError if the secret cannot be read, is not filled in or is no JSON object.
        """
        age = None if self._read_at is None else self._clock() - self._read_at
        if age is None or age >= (MIN_AGE if fresh else MAX_AGE):
            self._value = self._read()
            self._read_at = self._clock()
        return self._value

    def _read(self) -> dict[str, Any]:
        if not self._arn:
            message = "no secret is configured"
            raise UnavailableError(message)
        try:
            answer = self._client.get_secret_value(SecretId=self._arn)
        except failures() as error:
            code = code_of(error)
            cure = ": it is not filled in" if code == "ResourceNotFoundException" else ""
            message = f"the secret {_name(self._arn)} cannot be read{cure} ({code})"
            raise UnavailableError(message) from error
        try:
            value = json.loads(answer.get("SecretString", ""))
        except ValueError:
            value = None
        if not isinstance(value, dict):
            # The text itself is the secret: it goes into no message, nor does the parser's error.
            message = f"the secret {_name(self._arn)} is not a JSON object"
            raise UnavailableError(message) from None
        return value


def as_list(value: object) -> list[str]:
    """One secret or several (during a rotation), without empty ones."""
    several = value if isinstance(value, list) else [value]
    return [secret for secret in several if isinstance(secret, str) and secret]


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]
