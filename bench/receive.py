"""What receiving a webhook costs, as a ratio to its floor: json.loads and one HMAC-SHA256.

    .venv/bin/python bench/receive.py

From the API Gateway event to the calls that the routes ask for, by the code that serves, with
`events/` and `src/routes.toml` and without the network. Each figure is the least of several rounds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import timeit
from collections.abc import Callable  # noqa: TC003 - read by people alone
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ringhook.routing import mapping, routes_file
from ringhook.senders import signatures
from ringhook.senders.request import from_gateway
from ringhook_ops import cli
from ringhook_ops.samples import library

ROOT = Path(__file__).parent.parent
KNOWN = ("shopify-", "hubspot-", "standard-webhooks-")
ROUNDS, LOOPS = 7, 100


def microseconds(work: Callable[[], Any]) -> float:
    """The least time of one run."""
    return min(timeit.repeat(work, number=LOOPS, repeat=ROUNDS)) / LOOPS * 1e6


def main() -> None:
    """Measure each event that the routes know the source of."""
    loaded = routes_file.load((ROOT / "src" / "routes.toml").read_text())
    now: datetime = cli.EVENTS_AT.astimezone(UTC)
    table = Table("event", "bytes", "floor µs", "verify µs", "verify and map µs", "ratio")
    for path in sorted((ROOT / "events").glob("*.json")):
        event = json.loads(path.read_text())
        source = event.get("pathParameters", {}).get("source")
        if not path.stem.startswith(KNOWN):
            continue
        connection = loaded.sources[source]
        provider = connection.provider
        sample = library.find(connection.source.provider)
        secrets = [sample.secret]
        request = from_gateway(event, public_url="", received_at=now)
        body = request.body if request.body[:1] in b"{[" else json.dumps(request.body.decode())

        def floor() -> None:
            json.loads(body)  # noqa: B023 - run at once
            hmac.new(b"secret", request.body, hashlib.sha256).digest()  # noqa: B023

        def verify() -> None:
            again = from_gateway(event, public_url="", received_at=now)  # noqa: B023
            signatures.verify(provider.schemes, again, secrets, now)  # noqa: B023

        def whole() -> None:
            verify()
            for one in provider.events(request, provider.read(request)):  # noqa: B023
                mapping.map_event(one, loaded, now=now)

        least = [microseconds(work) for work in (floor, verify, whole)]
        table.add_row(
            path.stem,
            str(len(request.body)),
            *(f"{figure:.0f}" for figure in least),
            f"{least[2] / least[0]:.1f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
