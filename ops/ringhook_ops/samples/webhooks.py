"""A sample on its way: to a source, at an address, signed now as its sender signs."""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ringhook.calls import messages
from ringhook.calls.call import Call
from ringhook.reading import checked
from ringhook.routing.routes import Routes
from ringhook.routing.routes_file import load
from ringhook.senders import providers
from ringhook.senders.providers import Provider
from ringhook.senders.request import Request
from ringhook_ops.samples import gateway, library
from ringhook_ops.samples.library import Sample
from ringhook_ops.samples.signing import sign

DEMO_ROUTES = Path(__file__).parents[1] / "local" / "demo-routes.toml"


def source_of(sample: Sample, routes: Routes | None) -> str:
    """The source that this sample goes to: the first of its provider in the routes, or its own."""
    for name, connection in (routes.sources if routes else {}).items():
        if connection.source.provider == sample.provider:
            return name
    return sample.source


def provider_of(sample: Sample, routes: Routes | None, source: str) -> Provider:
    """The sample's provider as the source's settings adapt it, or else the sample's own."""
    connection = routes.sources.get(source) if routes else None
    if connection and connection.source.provider == sample.provider:
        return connection.provider
    provider = providers.find(sample.provider)
    settings = {"provider": sample.provider, **sample.settings}
    return provider.adapt(provider, checked.read(provider.settings, settings))


def webhook(
    sample: Sample,
    routes: Routes | None,
    *,
    now: datetime,
    source: str | None = None,
    secret: str | None = None,
    hooks: str = f"https://{gateway.DOMAIN}/hooks",
    fields: Sequence[tuple[str, str]] = (),
    chance: random.Random | None = None,
) -> Request:
    """The request that brings this sample, made fresh, to `{hooks}/{source}`.

    `fields` are changed in the body before it is signed. Raises SampleError, and UnavailableError
    if the secret is not in the form that the provider hands out.
    """
    chance = chance or random.SystemRandom()
    fresh = sample.fresh(now, secret or sample.secret, chance)
    for path, value in fields:
        fresh = fresh.with_field(path, value)
    name = source or source_of(sample, routes)
    request = Request(
        source=name,
        method=fresh.method,
        url=f"{hooks}/{name}" + f"?{fresh.query}" * bool(fresh.query),
        headers=fresh.headers,
        body=fresh.body,
        received_at=now,
        correlation_id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
    )
    return sign(provider_of(sample, routes, name), request, fresh.secret, now)


def queued(request: Request, routes: Routes) -> dict[str, Any]:
    """The SQS event that the dialer gets for the calls of this request."""
    # Imported here: they bring boto3, which signing a webhook can do without.
    from ringhook_ops.dry_run.explaining import explain  # noqa: PLC0415

    calls = [row.asked for row in explain(request, routes, None) if isinstance(row.asked, Call)]
    sent_at = str(round(request.received_at.timestamp() * 1000))
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid5(uuid.NAMESPACE_URL, body)),
                "receiptHandle": "sample",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": sent_at,
                    "SenderId": "AROASAMPLE:receiver",
                    "ApproximateFirstReceiveTimestamp": sent_at,
                },
                "messageAttributes": {},
                "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:calls",
                "awsRegion": "us-east-1",
            }
            for body in (messages.write(messages.Ring(call=call)) for call in calls)
        ]
    }


def every_event(now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files of `events/`, name and content: whenever made, the same for the same `now`."""
    for provider in library.providers():
        for name in library.names(provider):
            sample = library.find(provider, name)
            request = webhook(sample, None, now=now, chance=_chance(sample))
            yield f"{provider}-{sample.file_name}.json", gateway.event(request)
    routes = load(DEMO_ROUTES.read_text())
    sample = library.find("shopify")
    request = webhook(sample, routes, now=now, chance=_chance(sample))
    yield "dialer-sqs.json", queued(request, routes)


def _chance(sample: Sample) -> random.Random:
    """Chance that each sample has to itself, so that a new one changes no other's file."""
    return random.Random(f"{sample.provider} {sample.name}")  # noqa: S311 - ids of samples
