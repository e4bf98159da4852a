"""What real senders send, and whom a ready route may ring for it: a number, nobody, or unmapped.

`cases/webhooks/*.toml` holds the inputs as they are sent. A case has `provider` (else the name of
its file), `recipe`, `country` of numbers that name none (US), `countries` that may be rung beside
it, `at` (when it arrives), `headers`, and `body` or the fields of a `form`; `gzip` packs the body,
`fetched` is what the sender's API says of it. `rings` is a number, `nobody` or `unmapped`, or a
list of what may be; `waits` says that it rings later, `told` what the agent hears.
"""

from __future__ import annotations

import gzip
import json
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from ringhook.calls.call import Call
from ringhook.routing import routes_file
from ringhook.senders.enrichment import put
from ringhook.senders.request import Request
from ringhook_ops.catalogue import recipes
from ringhook_ops.dry_run.explaining import Explained, explain

AT = datetime(2026, 11, 23, 18, 0, 5, tzinfo=UTC)  # a Monday, 10:00 in California
FOLDER = Path(__file__).parent / "cases" / "webhooks"
CASES = [
    {"provider": file.stem, "country": "US", "at": AT, **case}
    for file in sorted(FOLDER.glob("*.toml"))
    for case in tomllib.loads(file.read_text())["cases"]
]


def body_of(case: dict[str, Any]) -> bytes:
    text = urlencode(case["form"]) if "form" in case else case["body"]
    body: bytes = text.encode()
    return gzip.compress(body) if case.get("gzip") else body


def rows_of(case: dict[str, Any]) -> list[Explained]:
    """What the recipe makes of the case, alone in a file, by the code that serves."""
    countries = [case["country"], *case.get("countries", ())]
    recipe = recipes.find(case["provider"], case["recipe"])
    routes = routes_file.load(recipes.add(None, recipe, source="s", countries=countries).text)
    request = Request(
        source="s",
        method="POST",
        url="https://hooks.example.com/hooks/s",
        headers=case.get("headers", {"content-type": "application/json"}),
        body=body_of(case),
        received_at=case["at"],
        correlation_id="c",
    )
    if "fetched" in case:
        connection = routes.sources["s"]
        (into,) = {lookup.into for lookup in connection.lookups}
        items = connection.provider.items

        def whole(payload: Any) -> list[Any]:
            return [put(item, into, json.loads(case["fetched"])) for item in items(payload)]

        provider = replace(connection.provider, items=whole)
        routes.sources["s"] = replace(connection, provider=provider, lookups=())
    return explain(request, routes, None)


def outcome(rows: list[Explained]) -> set[str]:
    """Whom they ring; else whether something is kept as unmapped, or nobody is meant at all."""
    rung = {
        row.asked.phone_number
        for row in rows
        if row.decision in ("ring", "defer") and isinstance(row.asked, Call)
    }
    return rung or {"unmapped" if any(r.decision == "unmapped" for r in rows) else "nobody"}


@pytest.mark.parametrize("case", CASES, ids=[f"{c['provider']}: {c['name']}" for c in CASES])
def test_a_ready_route_rings_whom_it_may(case: dict[str, Any]) -> None:
    rows = rows_of(case)

    wanted = case["rings"] if isinstance(case["rings"], list) else [case["rings"]]
    assert outcome(rows) <= set(wanted), [(row.decision, row.reason) for row in rows]
    if case.get("waits"):
        assert "ring" not in {row.decision for row in rows}
    told = json.dumps([row.request() for row in rows], ensure_ascii=False)
    assert case.get("told", "") in told


def test_no_case_is_there_twice_and_there_are_enough() -> None:
    names = [(case["provider"], case["recipe"], case["name"]) for case in CASES]
    assert len(names) == len(set(names))
    assert len(names) >= 80
