"""The compiled form of routes.toml: the very routes of the file that it was made of, or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.builders import ROUTES

from ringhook.routing import compiled, routes_file
from ringhook.routing.routes import Routes
from ringhook_ops.catalogue import recipes

ROOT = Path(__file__).parents[1]
# Every kind of setting once.
EVERYTHING = """
countries = ["US", "IN"]
max_calls_per_day = 7
time_zone = "Asia/Kolkata"
calling_hours.office = { mon-fri = ["09:00-12:00", "13:00-20:00"], holidays = "closed" }
[[closures]]
country = "IN"
part = "KA"
from = 2026-12-24
until = 2026-12-26
reason = "holidays"
[sources.shop]
provider = "shopify"
tenant = "a.myshopify.com"
time_zone = "Asia/Kolkata"
[sources.crm]
provider = "hubspot"
[[sources.crm.enrich]]
url = "https://api.hubapi.com/crm/v3/objects/contacts/{{ objectId }}"
into = "contact"
on = ["contact.creation"]
[sources.own]
provider = "hmac"
header = "X-Signature"
answer = 200
topic = "{{ type }}"
[notify.desk]
url = "https://example.com/{{ call_id }}"
default = true
headers = { Authorization = "Bearer {credential}" }
body = { text = "{{ status }}", parts = ["{{ call_id }}", 1, true] }
succeeds = "status == `200`"
[[routes]]
name = "one"
was = "once"
source = "shop"
on = ["orders/create"]
when = "contains(tags, 'a  b')"
call.agent_id = "{{ agent }}"
call.phone_number = "{{ phone }}"
call.region = "US"
call.metadata = { a = 1, b = 1.5, c = true, d = "x {{ y }}" }
policy.calling_hours = "office"
policy.key = "{{ id }}"
policy.at = "{{ starts }}"
policy.before = "90s"
policy.max_calls = ["1/1h", "3/7d"]
policy.gap = "none"
policy.consent = "{{ agreed }}"
policy.cancelled_by = ["orders/cancelled", "three"]
policy.redial = { on = ["busy"], after = ["5m", "1h"] }
notify = ["desk"]
[[routes]]
name = "two"
source = "own"
action = "consent"
record = { phone_number = "{{ phone }}", granted = "yes", expires_after = "30d" }
[[routes]]
name = "three"
source = "own"
call = { agent_id = 7, phone_number = "{{ phone }}" }
policy.key = "{{ id }}"
policy.calling_hours = { mon-sun = "open" }
policy.max_calls = "none"
policy.consent = "recorded:offers"
"""
FILES = {
    "everything": EVERYTHING,
    "the tests' own": ROUTES,
    "src/routes.toml": (ROOT / "src" / "routes.toml").read_text(),
    **{
        f"{sender} {one.name}": recipes.add(None, one).text
        for sender in recipes.providers()
        for one in recipes.of(sender)
    },
}


def compile_into(directory: Path, text: str) -> Path:
    """A routes.toml, compiled; without what reads one that is not."""
    path = directory / "routes.toml"
    path.write_text(text)
    path.with_name(compiled.NAME).write_text(compiled.write(routes_file.load(text), text))
    return path


def told(routes: Routes) -> dict[str, Any]:
    """All that routes hold, but for the functions of their providers."""
    return {
        "countries": routes.countries,
        "sources": {
            name: (
                one.source,
                one.lookups,
                one.provider.title,
                one.provider.zone,
                one.provider.schemes,
                one.provider.accepted,
                one.provider.has_topics,
            )
            for name, one in routes.sources.items()
        },
        "routes": routes.routes,
        "max_calls_per_day": routes.max_calls_per_day,
        "time_zone": routes.time_zone,
        "closures": routes.closures,
        "notify": routes.notify,
        "stated": routes.stated,
        "need_a_ledger": routes.need_a_ledger,
        "hours": [route.policy.calling_hours for route in routes.routes],
    }


@pytest.fixture
def nothing_reads_toml(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_text: str) -> Routes:
        pytest.fail("the file was read")

    monkeypatch.setattr(routes_file, "load", refuse)


@pytest.mark.parametrize("name", FILES)
def test_what_is_compiled_is_what_the_file_says(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    expected = told(routes_file.load(FILES[name]))
    path = compile_into(tmp_path, FILES[name])
    request.getfixturevalue("nothing_reads_toml")

    assert told(compiled.load(path)) == expected


def test_what_was_compiled_of_another_text_is_not_taken(tmp_path: Path) -> None:
    path = compile_into(tmp_path, ROUTES)
    changed = ROUTES.replace("agent_id = 1", "agent_id = 2")
    assert changed != ROUTES
    path.write_text(changed)

    assert told(compiled.load(path)) == told(routes_file.load(changed))


def test_without_a_compiled_form_the_file_itself_is_read(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(ROUTES)

    assert told(compiled.load(path)) == told(routes_file.load(ROUTES))


def test_nothing_but_what_routes_are_made_of_can_be_made(tmp_path: Path) -> None:
    path = compile_into(tmp_path, ROUTES)
    file = path.with_name(compiled.NAME)
    document = json.loads(file.read_text())
    document["routes"] = [{"": "Popen", "args": "ls"}]
    file.write_text(json.dumps(document))

    with pytest.raises(KeyError):
        compiled.load(path)
