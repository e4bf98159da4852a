"""Clients of AWS that give up in time: senders wait five seconds, and SQS tries again."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from ringhook.clients.services import SecretsManager, Sqs

# Botocore's own defaults wait a minute to connect, and try DynamoDB ten times over.
_CONFIG = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)


_OURS = {"secretsmanager": SecretsManager, "sqs": Sqs}


def client(service: str) -> Any:
    """A client of this service, typed by whoever takes it: ours, or else the SDK's."""
    if ours := _OURS.get(service):
        return ours()
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]  # any service
