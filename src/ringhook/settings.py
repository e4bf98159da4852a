"""All configuration of the functions: the only reader of the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Delivery = Literal["queue", "direct"]
# An answer of the API may take so long that an invocation still ends in time (seconds).
LONGEST_ANSWER = 25
# No dialer brings a call to its end in less than 20 ms.
_MOST_A_DIALER = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field a variable; `samplerc` explains each. Secrets are named here, never held."""

    delivery: Delivery
    queue_url: str
    told_queue_url: str
    queue_arn: str
    schedule_group: str
    schedule_role: str
    dead_letters: str
    table_name: str
    signing_secrets: str
    tokens: str
    credentials: str
    public_url: str
    unleashx_url: str
    enrich_url: str
    api_timeout: float
    calls_per_minute: int
    mark_calls: bool
    breaker_calls: int
    max_concurrency: int
    retention_days: int


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings. Raises ValueError naming a variable that cannot be used, or not so."""

    def number(name: str, default: int, least: int = 1) -> int:
        text = environ.get(name) or str(default)
        if not text.isdecimal() or int(text) < least:
            message = f"{name} is {text!r}: write a whole number from {least} up"
            raise ValueError(message)
        return int(text)

    delivery = environ.get("RINGHOOK_DELIVERY") or "queue"
    if delivery not in ("queue", "direct"):
        message = f"RINGHOOK_DELIVERY is {delivery!r}: write queue or direct"
        raise ValueError(message)
    api_timeout = number("RINGHOOK_API_TIMEOUT", 15)
    if api_timeout > LONGEST_ANSWER:
        message = (
            f"RINGHOOK_API_TIMEOUT is {api_timeout}: more than {LONGEST_ANSWER} seconds do not fit"
            " into an invocation of 60, with what comes before and after"
        )
        raise ValueError(message)
    pace = number("RINGHOOK_CALLS_PER_MINUTE", 100)
    dialers = number("RINGHOOK_MAX_CONCURRENCY", 10)
    if delivery == "queue" and pace > dialers * _MOST_A_DIALER:
        message = (
            f"RINGHOOK_CALLS_PER_MINUTE is {pace}, and RINGHOOK_MAX_CONCURRENCY {dialers}:"
            f" so few dialers ask {dialers * _MOST_A_DIALER} times a minute at most"
        )
        raise ValueError(message)
    return Settings(
        delivery="direct" if delivery == "direct" else "queue",
        queue_url=environ.get("RINGHOOK_QUEUE_URL", ""),
        told_queue_url=environ.get("RINGHOOK_TOLD_QUEUE_URL", ""),
        queue_arn=environ.get("RINGHOOK_QUEUE_ARN", ""),
        schedule_group=environ.get("RINGHOOK_SCHEDULE_GROUP", ""),
        schedule_role=environ.get("RINGHOOK_SCHEDULE_ROLE", ""),
        dead_letters=environ.get("RINGHOOK_DEAD_LETTERS", ""),
        table_name=environ.get("RINGHOOK_TABLE_NAME", ""),
        signing_secrets=environ.get("RINGHOOK_SIGNING_SECRETS", ""),
        tokens=environ.get("RINGHOOK_TOKENS", ""),
        credentials=environ.get("RINGHOOK_CREDENTIALS", ""),
        public_url=environ.get("RINGHOOK_PUBLIC_URL", ""),
        unleashx_url=environ.get("UNLEASHX_URL") or "https://www.tryunleashx.com",
        enrich_url=environ.get("RINGHOOK_ENRICH_URL", ""),
        api_timeout=api_timeout,
        calls_per_minute=pace,
        mark_calls=(environ.get("RINGHOOK_MARK_CALLS") or "true") == "true",
        breaker_calls=number("RINGHOOK_BREAKER_CALLS", 50, least=0),
        max_concurrency=dialers,
        retention_days=number("RINGHOOK_RETENTION_DAYS", 90),
    )
