"""What senders leave out is fetched by the dialer, from where the template says, and put in."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.builders import ALICE, BOB, NOW, Lambda, at, from_hubspot
from tests.conftest import create_table, unique
from urllib3.util import parse_url

from ringhook import dialer, receiver
from ringhook.calls import messages
from ringhook.calls.call import Call, call_id
from ringhook.calls.messages import Cancel, Message, Ring, ThinEvent
from ringhook.clients import fetching
from ringhook.clients.fetching import Fetcher
from ringhook.clients.queue import LONGEST_DELAY, CallQueue
from ringhook.clients.secret_store import SecretStore
from ringhook.dialer import Dialer
from ringhook.errors import LaterError, RoutesError, UnavailableError, UnmappedError
from ringhook.ringing.attempts import Dialing
from ringhook.routing.routes import Routes
from ringhook.routing.routes_file import load
from ringhook.senders import enrichment, providers
from ringhook.senders.enrichment import Lookup, gives_up_at, is_thin, put, read_answer
from ringhook.senders.providers import Event
from ringhook.telemetry import metrics
from ringhook_ops.sandbox.server import TOKEN, Sandbox
from ringhook_ops.tables.schema import json_schema

CREDENTIAL = "an access token"
CONTACT = {"id": "30", "properties": {"phone": ALICE, "firstname": "Priya", "country": "US"}}
ROUTES = """
countries = ["US", "GB"]

[sources.crm]
provider = "hubspot"
enrich = ["contact", "deal"]

[[routes]]
name = "welcome"
source = "crm"
on = ["contact.creation"]
when = "contact.properties.country == 'US'"
call.agent_id = 1042
call.phone_number = "{{ contact.properties.phone }}"
call.metadata = { first_name = "{{ contact.properties.firstname }}" }
policy.key = "{{ objectId }}"
policy.expires_after = "6h"
policy.calling_hours = "any"
policy.gap = "none"
policy.cancelled_by = ["contact.restore"]

[[routes]]
name = "also-welcome"
source = "crm"
on = ["contact.creation"]
call.agent_id = 1043
call.phone_number = "{{ contact.properties.phone }}"
policy.expires_after = "1h"
policy.calling_hours = "any"
policy.gap = "none"

[[routes]]
name = "new-phone"
source = "crm"
on = ["conversation.creation"]
call.agent_id = 1044
call.phone_number = "{{ phone }}"
policy.calling_hours = "any"
policy.gap = "none"
"""


# ------------------------------------------------------------------------------------- addresses
def lookup(
    url: str, provider: str = "hubspot", *, tenant: str | None = None, **more: Any
) -> Lookup:
    table = {"url": url, "into": "it", **more}
    [one] = enrichment.lookups(table, providers.find(provider), tenant=tenant, source="crm")
    return one


FOUR = lookup("https://api.hubapi.com/crm/{{ a }}/x/id-{{ b }}?p={{ c }}&q=fixed&r=x{{ d }}")
NASTY = st.text("/\\.?#&=%@:;+ \r\n\t\x00\u2044\uff0f\ud800a1", max_size=8)
PLAUSIBLE = st.text(".&=@:+ ~\u2044\uff0fa1", min_size=1, max_size=4) | st.integers()
ANYTHING = PLAUSIBLE | PLAUSIBLE | NASTY | st.text() | st.none() | st.lists(st.text())


@given(st.fixed_dictionaries(dict.fromkeys("abcd", ANYTHING)))
def test_no_payload_leads_anywhere_but_to_the_places_that_the_template_has(
    payload: dict[str, Any],
) -> None:
    try:
        address = FOUR.address(payload, NOW)
    except UnmappedError:
        return
    text = {name: str(value) for name, value in payload.items()}
    split = urlsplit(address)
    assert (split.scheme, split.netloc, split.fragment) == ("https", "api.hubapi.com", "")
    assert [unquote(part) for part in split.path.split("/")] == [
        *("", "crm", text["a"], "x"),
        "id-" + text["b"],
    ]
    assert parse_qsl(split.query, strict_parsing=True) == [
        ("p", text["c"]),
        ("q", "fixed"),
        ("r", "x" + text["d"]),
    ]
    # What is asked is what was checked: the HTTP library reads the address in the same way.
    read = parse_url(address)
    assert (read.auth, read.host, read.port) == (None, "api.hubapi.com", None)
    assert (read.path, read.query, read.fragment) == (split.path, split.query, None)


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", ".", "..", "a/b", "a\\b", "%2e%2e", "1?x=1", "1#x", "1;x", "1\n", "\ud800"),
        *("x" * 301, None, True, 1.5, [], {}, ["1"]),
    ],
)
def test_a_value_that_may_be_more_than_an_id_is_refused(value: Any) -> None:
    with pytest.raises(UnmappedError, match=r"\{\{ a \}\}|leads out of its path"):
        lookup("https://api.hubapi.com/crm/{{ a }}").address({"a": value}, NOW)


def test_two_values_together_make_no_way_up_either() -> None:
    with pytest.raises(UnmappedError, match="leads out"):
        lookup("https://api.hubapi.com/a/{{ a }}{{ b }}/c").address({"a": ".", "b": "."}, NOW)


def test_an_id_of_more_digits_than_a_float_has_stays_whole() -> None:
    address = lookup("https://api.hubapi.com/{{ a }}").address({"a": 9007199254740993}, NOW)
    assert address == "https://api.hubapi.com/9007199254740993"


# --------------------------------------------------------------------------------- the routes file
def problem(enrich: str, provider: str = "hubspot", more: str = "") -> str:
    """What is wrong with a source that says this, which begins in line 4."""
    text = (
        f'countries = ["US"]\nroutes = []\n[sources.crm]\nprovider = "{provider}"\n{more}{enrich}'
    )
    with pytest.raises(RoutesError) as wrong:
        load(text)
    [one] = wrong.value.problems
    return str(one)


def table(**keys: str) -> str:
    keys = {"url": "https://api.hubapi.com/x/{{ objectId }}", "into": "contact"} | keys
    return "[sources.crm.enrich]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in keys.items())


@pytest.mark.parametrize(
    "url",
    [
        "http://api.hubapi.com/{{ objectId }}",
        "https://evil.example/{{ objectId }}",
        "https://api.hubapi.com.evil.example/{{ objectId }}",
        "https://evil.example@api.hubapi.com/{{ objectId }}",
        "https://api.hubapi.com@evil.example/{{ objectId }}",
        "https://api.hubapi.com:8443/{{ objectId }}",
        "https://api.hubapi.com{{ objectId }}/x",
        "https://{{ host }}/x",
        "https://api.{{ host }}/x",
        "{{ url }}",
        "https://api.hubapi.com",
        "https://API.HUBAPI.COM/x",
        "//api.hubapi.com/x",
        "",
    ],
)
def test_a_host_is_the_providers_own_and_written_out(url: str) -> None:
    said = problem(table(url=url))
    assert said == (
        "line 6: sources.crm.enrich.url: must begin with https:// and a host of HubSpot,"
        " written out: api.hubapi.com"
    )


@pytest.mark.parametrize("path", ["a b", "ä", "a#b", "a\\\\b", "<a>", "a\\tb"])
def test_what_must_be_encoded_in_an_address_is_named(path: str) -> None:
    assert "must be percent-encoded" in problem(
        table(url=json.loads(f'"https://api.hubapi.com/{path}"'))
    )


@pytest.mark.parametrize("path", ["../x", "./x", "a/..", "a?b=1?c=2"])
def test_an_address_is_plain(path: str) -> None:
    assert "is no plain address" in problem(table(url=f"https://api.hubapi.com/{path}"))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (table(retries="3"), "line 8: sources.crm.enrich.retries: there is no such key"),
        (table(into="a.b"), "line 7: sources.crm.enrich.into: String should match"),
        (table(header="Authorization"), "line 8: sources.crm.enrich.header: String should match"),
        (table(header="A: {credential}\r\nB: c"), "enrich.header: String should match"),
        (
            table(url="https://api.hubapi.com/{{ a( }}"),
            "line 6: sources.crm.enrich.url: not a JMES",
        ),
        ('[sources.crm.enrich]\ninto = "x"', "line 5: sources.crm.enrich.url: is missing"),
        ('enrich = "company"', "line 5: sources.crm.enrich: HubSpot has no ready way 'company': "),
        ('enrich = ["contact", 5]', "HubSpot has no ready way 5: write 'contact', 'deal', or a"),
        (
            table().replace("[sources.crm.enrich]", "[[sources.crm.enrich]]")
            + '\n[[sources.crm.enrich]]\ninto = "y"\nurl = "https://evil.example/"',
            "line 10: sources.crm.enrich[1].url: must begin with",
        ),
    ],
)
def test_what_is_wrong_is_told_with_line_and_cure(written: str, said: str) -> None:
    assert said in problem(written)


def test_a_provider_without_an_api_of_its_own_is_told() -> None:
    assert "no API of its own" in problem(table(url="https://hmac.example/x"), "bearer")
    assert "write a table with" in problem('enrich = "contact"', "bearer")


def test_a_shops_own_host_is_the_one_that_the_source_is_pinned_to() -> None:
    assert "needs the source's `tenant`" in problem('enrich = "customer"', "shopify")
    elsewhere = 'tenant = "evil.example"\n'
    assert "written out: *.myshopify.com" in problem('enrich = "customer"', "shopify", elsewhere)
    deeper = 'tenant = "a.b.myshopify.com"\n'
    assert "written out: *.myshopify.com" in problem('enrich = "customer"', "shopify", deeper)


def test_a_misspelt_topic_is_doubted() -> None:
    text = ROUTES.replace(
        '["contact", "deal"]',
        '{ url = "https://api.hubapi.com/x", into = "y", on = ["contact.creatoin"] }',
    )
    [warning] = load(text).warnings
    assert "did you mean 'contact.creation'?" in str(warning)
    assert warning.line == 6


def test_editors_know_each_providers_ready_ways() -> None:
    options = json_schema()["properties"]["sources"]["additionalProperties"]["oneOf"]
    known = {one["title"]: one["properties"] for one in options}
    names, own, several = known["HubSpot"]["enrich"]["anyOf"]
    assert names == {"enum": ["contact", "deal"]}
    assert own == {"$ref": "#/$defs/Enrichment"}
    assert json_schema()["$defs"]["Enrichment"]["required"] == ["url", "into"]
    assert several["items"]["anyOf"] == [names, own]
    assert "enrich" not in known["HMAC"]


READY = {
    ("acuity", "appointment"): (
        "rescheduled",
        {"action": "rescheduled", "id": "502817340"},
        ["https://acuityscheduling.com/api/v1/appointments/502817340"],
    ),
    ("bitrix24", "contact"): (
        "ONCRMCONTACTADD",
        {"event": "ONCRMCONTACTADD", "data": {"FIELDS": {"ID": "12"}}},
        ["https://ours.bitrix24.in/rest/{credential}/crm.contact.get.json?ID=12"],
    ),
    ("bitrix24", "deal"): (
        "ONCRMDEALADD",
        {"data": {"FIELDS": {"ID": "7"}}, "deal": {"result": {"CONTACT_ID": "12"}}},
        [
            "https://ours.bitrix24.in/rest/{credential}/crm.deal.get.json?ID=7",
            "https://ours.bitrix24.in/rest/{credential}/crm.contact.get.json?ID=12",
        ],
    ),
    ("bitrix24", "lead"): (
        "ONCRMLEADADD",
        {"data": {"FIELDS": {"ID": "7405"}}},
        ["https://ours.bitrix24.in/rest/{credential}/crm.lead.get.json?ID=7405"],
    ),
    ("kommo", "contact"): (
        "leads.add",
        {"id": "50", "lead": {"_embedded": {"contacts": [{"id": 60}]}}},
        [
            "https://ours.kommo.com/api/v4/leads/50?with=contacts",
            "https://ours.kommo.com/api/v4/contacts/60",
        ],
    ),
    ("shiprocket", "order"): (
        "UNDELIVERED",
        {"sr_order_id": 348456385},
        ["https://apiv2.shiprocket.in/v1/external/orders/show/348456385"],
    ),
    ("hubspot", "contact"): (
        "contact.creation",
        {"objectId": 30},
        ["https://api.hubapi.com/crm/v3/objects/contacts/30?properties=phone,mobilephone,"],
    ),
    ("hubspot", "deal"): (
        "deal.propertyChange",
        {
            "objectId": 7,
            "deal": {"associations": {"contacts": {"results": [{"id": "30"}, {"id": "31"}]}}},
        },
        [
            "https://api.hubapi.com/crm/v3/objects/deals/7?properties=dealname,",
            "https://api.hubapi.com/crm/v3/objects/contacts/30?properties=phone,",
        ],
    ),
    ("meta", "lead"): (
        "leadgen",
        {"field": "leadgen", "value": {"leadgen_id": "444444444444"}},
        ["https://graph.facebook.com/v26.0/444444444444?fields=created_time,"],
    ),
    ("pipedrive", "person"): (
        "change.deal",
        {"data": {"person_id": 5184}, "meta": {"entity": "deal"}},
        ["https://api.pipedrive.com/api/v2/persons/5184"],
    ),
    ("square", "customer"): (
        "booking.created",
        {"data": {"object": {"booking": {"customer_id": "C1"}}}},
        ["https://connect.squareup.com/v2/customers/C1"],
    ),
    ("shopify", "customer"): (
        "orders/create",
        {"id": 1, "customer": {"id": 115310627314723954}},
        ["https://ours.myshopify.com/admin/api/2026-07/customers/115310627314723954.json"],
    ),
}


def test_each_ready_way_is_tried_here() -> None:
    ready = {(n, way) for n in providers.names() for way in providers.find(n).enrichments}
    assert ready == READY.keys()


@pytest.mark.parametrize(("provider", "way"), READY)
def test_a_ready_way_asks_its_providers_api_for_whom_an_event_is_about(
    provider: str, way: str
) -> None:
    topic, payload, expected = READY[provider, way]
    tenants = {"bitrix24": "ours.bitrix24.in", "kommo": "ours.kommo.com"}
    tenant = tenants.get(provider, "ours.myshopify.com")
    found = enrichment.lookups(way, providers.find(provider), tenant=tenant, source="it")
    asked = [one.address(payload, NOW) for one in found if one.takes(topic)]
    assert [a.startswith(start) for a, start in zip(asked, expected, strict=True)] == [True] * len(
        asked
    )
    assert all(set(one.topics) <= set(providers.find(provider).topics) for one in found)


def test_a_credential_stands_in_the_address_alone_where_the_api_wants_it_there() -> None:
    (lookup,) = enrichment.lookups(
        "lead", providers.find("bitrix24"), tenant="ours.bitrix24.in", source="it"
    )
    address = lookup.address({"data": {"FIELDS": {"ID": "{credential}"}}}, NOW)

    whole = lookup.vouched(address, "1/abc")

    assert whole == ("https://ours.bitrix24.in/rest/1/abc/crm.lead.get.json?ID=%7Bcredential%7D")
    assert lookup.headers("1/abc") == {}


@pytest.mark.parametrize("credential", ["1/../x", "1/a/b", "a?b", "a@b.com", "a#", "a b", "/a"])
def test_a_credential_leads_an_address_nowhere_else(credential: str) -> None:
    (lookup,) = enrichment.lookups(
        "lead", providers.find("bitrix24"), tenant="ours.bitrix24.in", source="it"
    )
    with pytest.raises(UnavailableError, match="cannot be a part of an address"):
        lookup.vouched("https://ours.bitrix24.in/rest/{credential}/x", credential)


# ---------------------------------------------------------------------------------------- answers
def test_an_answer_takes_the_place_of_what_the_sender_claimed() -> None:
    payload = {"objectId": 1, "contact": {"properties": {"phone": "+14155550199"}}}
    assert put(payload, "contact", CONTACT) == {"objectId": 1, "contact": CONTACT}
    assert payload["contact"] != CONTACT


def test_nothing_can_be_put_into_a_list() -> None:
    with pytest.raises(UnmappedError, match="not an object"):
        put([1], "contact", CONTACT)


@pytest.mark.parametrize("status", [401, 408, 425, 429, 500, 502, 503, 504])
@pytest.mark.parametrize(
    ("said", "after"),
    [("7", 7.0), ("2.0", 2.0), (None, 0)],
)
def test_what_passes_is_asked_again_when_the_api_says(
    status: int, said: str | None, after: float
) -> None:
    with pytest.raises(LaterError, match=f"HTTP {status}") as later:
        read_answer(status, b"{}", said)
    assert later.value.after == after


@pytest.mark.parametrize(
    ("status", "data"),
    [(301, b"{}"), (307, b""), (400, b"{}"), (403, b"{}"), (404, b"{}"), (410, b""), (204, b"")]
    + [(200, body) for body in (b"<html>", b"null", b'"x"', b"1", b"\xff", b"[" * 100_000)],
)
def test_what_does_not_pass_is_final(status: int, data: bytes) -> None:
    with pytest.raises(UnmappedError):
        read_answer(status, data, "7")


# --------------------------------------------------------------------------------- the senders' API
@dataclass
class Api:
    """A stand-in for a sender's API. `answers` by path: (status, headers, body), the last repeated.

    A body may be a list of parts: they are sent one by one, with pauses until `go_on` is set.
    """

    url: str = ""
    answers: dict[str, list[tuple[int, dict[str, str], Any]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)

    def say(self, path: str, body: Any = None, status: int = 200, **headers: str) -> None:
        data = body if isinstance(body, bytes | list) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path].append((status, named, data))

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


HOST = "/api.hubapi.com"
AT_CONTACT = f"{HOST}/crm/v3/objects/contacts/30"


@pytest.fixture
def api() -> Iterator[Api]:
    one = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            one.requests.append((self.path, dict(self.headers)))
            known = one.answers[urlsplit(self.path).path]
            status, headers, body = (
                known.pop(0) if len(known) > 1 else known[0] if known else (404, {}, b"{}")
            )
            if status == 0:
                one.go_on.wait(10)
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for part in body if isinstance(body, list) else [body]:
                    self.wfile.write(part)
                    self.wfile.flush()
                    if isinstance(body, list):
                        one.go_on.wait(0.05)
            except OSError:
                pass  # whoever asked has hung up, as it should

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    one.url = f"http://127.0.0.1:{server.server_port}"
    yield one
    one.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Vault:
    """A secret that can be changed, and its age told."""

    values: dict[str, Any] = field(default_factory=lambda: {"crm": CREDENTIAL})
    now: float = 0

    def store(self) -> SecretStore:
        def get_secret_value(**_: Any) -> dict[str, str]:
            return {"SecretString": json.dumps(self.values)}

        client = SimpleNamespace(get_secret_value=get_secret_value)
        return SecretStore(cast("Any", client), "arn:credentials", lambda: self.now)


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def fetcher(api: Api, vault: Vault) -> Fetcher:
    return Fetcher(credentials=vault.store(), base=api.url, timeout=1)


@pytest.fixture(autouse=True)
def _no_metrics() -> Iterator[None]:
    yield
    metrics.clear_metrics()


def event(topic: str = "contact.creation", payload: Any = None, **fields: Any) -> Event:
    body = {"objectId": 30, "subscriptionType": topic} if payload is None else payload
    return Event("crm", topic, "evt_1", fields.pop("occurred_at", NOW), body, **fields)


def enriched(fetcher: Fetcher, of: Event | None = None, routes: str = ROUTES) -> Event:
    return fetcher.enrich(of or event(), load(routes).sources["crm"], NOW)


def test_the_answer_is_put_into_the_payload(api: Api, fetcher: Fetcher) -> None:
    api.say(AT_CONTACT, CONTACT)
    whole = enriched(fetcher)
    assert whole == replace(event(), payload={**event().payload, "contact": CONTACT})
    [(path, headers)] = api.requests
    assert path.startswith(f"{AT_CONTACT}?properties=phone,mobilephone,")
    assert headers["Authorization"] == f"Bearer {CREDENTIAL}"


def test_a_second_fetch_may_look_at_what_the_first_one_brought(api: Api, fetcher: Fetcher) -> None:
    deal = {"associations": {"contacts": {"results": [{"id": "30"}]}}}
    api.say(f"{HOST}/crm/v3/objects/deals/7", deal)
    api.say(AT_CONTACT, CONTACT)
    whole = enriched(fetcher, event("deal.creation", {"objectId": 7}))
    assert whole.payload == {"objectId": 7, "deal": deal, "contact": CONTACT}


def test_a_deal_of_nobody_is_told_so(api: Api, fetcher: Fetcher) -> None:
    api.say(f"{HOST}/crm/v3/objects/deals/7", {"id": "7"})
    with pytest.raises(UnmappedError, match=r"contact cannot be fetched .* finds nothing"):
        enriched(fetcher, event("deal.creation", {"objectId": 7}))


def test_the_credential_and_its_header_are_the_users_choice(
    api: Api, fetcher: Fetcher, vault: Vault
) -> None:
    vault.values = {"other": "key 2"}
    api.say(f"{HOST}/x/30", {})
    own = (
        '{ url = "https://api.hubapi.com/x/{{ objectId }}", into = "it", credential = "other",'
        ' header = "X-Key: {credential};v=1" }'
    )
    enriched(fetcher, routes=ROUTES.replace('["contact", "deal"]', own))
    assert api.requests[0][1]["X-Key"] == "key 2;v=1"
    assert "Authorization" not in api.requests[0][1]


def test_a_401_makes_the_credential_be_read_again_once(
    api: Api, fetcher: Fetcher, vault: Vault
) -> None:
    api.say(AT_CONTACT, {}, 401)
    api.say(AT_CONTACT, CONTACT)
    fetcher.credentials.get()
    vault.values, vault.now = {"crm": "renewed"}, 60
    assert enriched(fetcher).payload["contact"] == CONTACT
    assert [headers["Authorization"] for _, headers in api.requests] == [
        f"Bearer {CREDENTIAL}",
        "Bearer renewed",
    ]


def test_the_same_credential_is_not_tried_twice_and_a_new_one_is_waited_for(
    api: Api, fetcher: Fetcher, vault: Vault
) -> None:
    api.say(AT_CONTACT, {}, 401)
    vault.now = 60
    with pytest.raises(LaterError, match="credential 'crm' is not accepted"):
        enriched(fetcher)
    assert len(api.requests) == 1


@pytest.mark.parametrize("values", [{}, {"crm": ""}, {"crm": 5}, {"crm": ["a"]}])
def test_without_a_credential_nothing_is_asked(
    api: Api, fetcher: Fetcher, vault: Vault, values: dict[str, Any]
) -> None:
    vault.values = values
    with pytest.raises(UnavailableError, match="has no key 'crm'") as missing:
        enriched(fetcher)
    assert not isinstance(missing.value, LaterError)
    assert api.requests == []


@pytest.mark.parametrize("bad", ["line\r\nX-Other: 1", "tôken"])
def test_a_credential_that_no_header_can_hold_is_not_shown(
    api: Api, fetcher: Fetcher, vault: Vault, bad: str
) -> None:
    vault.values = {"crm": bad}
    with pytest.raises(UnavailableError) as wrong:
        enriched(fetcher)
    assert bad not in str(wrong.value)
    assert api.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(api: Api, fetcher: Fetcher, status: int) -> None:
    api.say(AT_CONTACT, {}, status, Location=f"{api.url}/elsewhere")
    api.say("/elsewhere", CONTACT)
    with pytest.raises(UnmappedError, match=f"HTTP {status}"):
        enriched(fetcher)
    assert len(api.requests) == 1


def test_an_answer_too_large_is_not_read_to_its_end(api: Api, fetcher: Fetcher) -> None:
    part = b'"' + b"x" * 99_999
    api.say(AT_CONTACT, [part] * 1_000)
    api.go_on.set()
    with pytest.raises(UnmappedError, match="larger than 500000 bytes"):
        enriched(fetcher)


def test_a_compressed_answer_is_not_asked_for_and_not_unpacked(api: Api, fetcher: Fetcher) -> None:
    import gzip

    api.say(AT_CONTACT, gzip.compress(json.dumps(CONTACT).encode()), Content_Encoding="gzip")
    with pytest.raises(UnmappedError, match="not a JSON object"):
        enriched(fetcher)
    assert api.requests[0][1]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("how", ["silent", "dripping", "cut", "refused"])
def test_an_api_that_does_not_answer_in_time_may_answer_later(
    api: Api, vault: Vault, how: str
) -> None:
    base, timeout = api.url, 0.3
    match how:
        case "silent":
            api.say(AT_CONTACT, status=0)
        case "dripping":
            api.say(AT_CONTACT, [b" "] * 200)
        case "cut":
            api.say(AT_CONTACT, b"{", Content_Length="1000")
        case "refused":
            with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as gone:
                base = f"http://127.0.0.1:{gone.server_port}"
    fetcher = Fetcher(credentials=vault.store(), base=base, timeout=timeout)
    with pytest.raises(LaterError, match=r"contact cannot be fetched from api.hubapi.com now"):
        enriched(fetcher)
    assert len(api.requests) == (how != "refused")


def test_what_must_never_ring_may_stand_in_the_fetched_part(api: Api, fetcher: Fetcher) -> None:
    api.say(AT_CONTACT, {"properties": {"do_not_call": "true"}})
    connection = load(ROUTES).sources["crm"]
    never = {"contact.properties.do_not_call == 'true'": "the contact is not to be called"}
    provider = replace(connection.provider, never_when=never)
    whole = fetcher.enrich(event(), replace(connection, provider=provider), NOW)
    assert whole.never == "the contact is not to be called"
    routes = load(ROUTES)
    routes.sources["crm"] = replace(connection, provider=provider)
    assert fetcher.complete(thin(), routes) == []


# ----------------------------------------------------------------------------- receiver and dialer
@dataclass
class Sqs:
    """The part of SQS that the dialer sends with: what was sent, and how long it is to wait."""

    sent: list[tuple[Message, int]] = field(default_factory=list)

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0) -> None:  # noqa: N803
        self.sent.append((messages.read(MessageBody), DelaySeconds))

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
        for entry in Entries:
            self.send_message(QueueUrl=QueueUrl, MessageBody=entry["MessageBody"])
        return {}


@dataclass
class Desk:
    """A dialer whose clock and queue are in the test's hands."""

    fetcher: Fetcher
    routes: Routes = field(default_factory=lambda: load(ROUTES))
    sqs: Sqs = field(default_factory=Sqs)
    now: datetime = NOW

    def take(self, thin: ThinEvent) -> list[tuple[Message, int]]:
        self.sqs.sent.clear()
        one = Dialer(
            dialing=cast("Dialing", SimpleNamespace(routes=self.routes)),
            queue=CallQueue(cast("Any", self.sqs), "queue"),
            fetcher=self.fetcher,
            clock=self.now.timestamp,
            jitter=lambda: 0.5,
        )
        one.take(messages.write(thin), lease_until=0)
        return list(self.sqs.sent)

    def calls(self, thin: ThinEvent) -> list[Call]:
        sent = self.take(thin)
        assert all(delay == 0 for _, delay in sent)
        return [message.call for message, _ in sent if isinstance(message, Ring)]


@pytest.fixture
def desk(fetcher: Fetcher) -> Desk:
    return Desk(fetcher)


def thin(of: Event | None = None, **changes: Any) -> ThinEvent:
    return structs.replace(ThinEvent.of(of or event(), NOW, "request-1"), **changes)


def test_an_event_is_the_same_after_its_way_through_the_queue() -> None:
    one = event(test=True)
    again = messages.read(messages.write(thin(one)))
    assert isinstance(again, ThinEvent)
    assert again.event == one


def test_the_dialer_asks_for_the_same_calls_as_if_the_event_had_come_whole(
    api: Api, desk: Desk
) -> None:
    api.say(AT_CONTACT, CONTACT)
    welcome, also = desk.calls(thin())
    assert welcome.call_id == call_id("crm", "welcome", "key", "30")
    assert also.call_id == call_id("crm", "also-welcome", "event", "evt_1")
    assert (welcome.phone_number, welcome.metadata) == (ALICE, {"first_name": "Priya"})
    assert (welcome.occurred_at, welcome.received_at) == (NOW, NOW)
    assert welcome.correlation_id == "request-1"


def test_a_route_may_look_at_the_fetched_part(api: Api, desk: Desk) -> None:
    api.say(AT_CONTACT, {"properties": {"phone": BOB, "country": "GB"}})
    assert [call.route for call in desk.calls(thin())] == ["also-welcome"]


def test_what_the_fetched_part_lacks_is_unmapped_with_all_that_is_known(
    api: Api, desk: Desk
) -> None:
    from ringhook.reading.packing import unpack

    api.say(AT_CONTACT, {"properties": {"country": "US"}})
    welcome, _ = desk.calls(thin())
    assert "contact.properties.firstname }} finds nothing" in welcome.unmapped
    assert unpack(welcome.payload)["contact"] == {"properties": {"country": "US"}}


@pytest.mark.parametrize("status", [403, 404])
def test_what_cannot_be_fetched_is_unmapped_for_each_route_with_its_payload(
    api: Api, desk: Desk, status: int
) -> None:
    from ringhook.reading.packing import unpack

    api.say(AT_CONTACT, {}, status)
    welcome, also = desk.calls(thin())
    assert welcome.call_id == call_id("crm", "welcome", "key", "30")
    for call in (welcome, also):
        assert call.unmapped == (
            f"contact cannot be fetched from api.hubapi.com: HTTP {status}: it says no"
        )
        assert unpack(call.payload) == event().payload


def test_an_api_that_cannot_answer_now_is_asked_later_and_later(api: Api, desk: Desk) -> None:
    api.say(AT_CONTACT, {}, 503)
    waits = []
    one = thin()
    for _ in range(9):
        [(message, delay)] = desk.take(one)
        assert isinstance(message, ThinEvent)
        assert message.not_before
        one, desk.now = message, message.not_before
        waits.append(delay)
    assert waits == [4, 8, 15, 30, 60, 120, 240, 480, 675]
    assert one.attempts == 9
    assert (one.event, one.received_at) == (event(), NOW)


def test_the_api_says_how_long_to_wait_even_longer_than_the_queue_can(api: Api, desk: Desk) -> None:
    api.say(AT_CONTACT, {}, 429, Retry_After="1000")
    [(message, delay)] = desk.take(thin())
    assert isinstance(message, ThinEvent)
    assert delay == LONGEST_DELAY
    assert message.not_before == at(1000)
    desk.now = at(900)
    [(again, delay)] = desk.take(message)
    assert again == message
    assert delay == 100
    assert len(api.requests) == 1


def test_what_is_too_late_for_every_route_is_given_up(api: Api, desk: Desk) -> None:
    api.say(AT_CONTACT, {}, 503)
    desk.now = at(6 * 3600 - 100)
    welcome, also = desk.calls(thin(attempts=30))
    for call in (welcome, also):
        assert "HTTP 503; given up when it was too late to ring, after 31 attempts" in call.unmapped


@pytest.mark.parametrize(
    ("welcome", "hours"),
    [('"6h"', 6), ('"6h"\npolicy.after = "2h"', 8), ('"10m"', 1)],
    ids=["the longest", "and its wait", "the other's"],
)
def test_the_route_that_waits_longest_is_waited_for(welcome: str, hours: int) -> None:
    routes = load(ROUTES.replace('expires_after = "6h"', f"expires_after = {welcome}"))
    assert gives_up_at(event(), routes) == at(hours * 3600).timestamp()


def test_a_cancellation_works_even_if_nothing_can_be_fetched(api: Api, desk: Desk) -> None:
    api.say(AT_CONTACT, {}, 404)
    [(cancel, _)] = desk.take(thin(event("contact.restore")))
    assert isinstance(cancel, Cancel)
    assert cancel.route == "welcome"
    assert cancel.call_id == call_id("crm", "welcome", "key", "30")


def test_an_event_of_a_source_that_is_gone_ends(desk: Desk, api: Api) -> None:
    assert desk.take(thin(source="gone")) == []
    assert api.requests == []


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (event("contact.creation"), True),
        (event("contact.restore"), True),
        (event("deal.creation"), False),
        (event("conversation.creation"), False),
        (event("contact.creation", never="the contact was deleted"), False),
    ],
    ids=["route", "cancellation", "no route", "nothing to fetch", "never rings"],
)
def test_only_what_a_route_may_take_and_lacks_something_is_fetched(
    one: Event, expected: bool
) -> None:
    assert is_thin(one, load(ROUTES)) is expected


# -------------------------------------------------------------------------------- as Lambda runs it
@dataclass
class Stack:
    """Receiver and dialer as their handlers, between moto's AWS, the sandbox and the stand-in."""

    sqs: Any
    secrets: Any
    queue_url: str
    table: str
    credentials: str

    def post(self, events: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        reply = receiver.handler(from_hubspot(events), Lambda())
        return reply["statusCode"], json.loads(reply["body"])

    def queued(self) -> list[str]:
        bodies = []
        while batch := self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10
        ).get("Messages"):
            bodies += [one["Body"] for one in batch]
            for one in batch:
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=one["ReceiptHandle"])
        return bodies

    def delayed(self) -> int:
        """How many messages wait to be seen."""
        name = "ApproximateNumberOfMessagesDelayed"
        waiting = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=[name])
        return int(waiting["Attributes"][name])

    def dial(self, body: str) -> bool:
        """Whether the dialer took the message."""
        answer = dialer.handler({"Records": [{"messageId": "1", "body": body}]}, Lambda())
        return not answer["batchItemFailures"]

    def statuses(self) -> dict[str, str]:
        items = boto3.client("dynamodb").scan(TableName=self.table)["Items"]
        return {
            i["route"]["S"]: i["status"]["S"] for i in items if i["pk"]["S"].startswith("call#")
        }


@pytest.fixture
def stack(
    aws: None, api: Api, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    sqs, secrets = boto3.client("sqs"), boto3.client("secretsmanager")

    def secret(value: dict[str, str]) -> str:
        name = unique("secret")
        return secrets.create_secret(Name=name, SecretString=json.dumps(value))["ARN"]

    queue_url = sqs.create_queue(QueueName=unique("calls"))["QueueUrl"]
    one = Stack(sqs, secrets, queue_url, create_table(), secret({"crm": CREDENTIAL}))
    routes = tmp_path / "routes.toml"
    routes.write_text(ROUTES)
    for module in (receiver, dialer):
        monkeypatch.setattr(module, "ROUTES", routes)
    environment = {
        "RINGHOOK_DELIVERY": "queue",
        "RINGHOOK_QUEUE_URL": queue_url,
        "RINGHOOK_TABLE_NAME": one.table,
        "RINGHOOK_SIGNING_SECRETS": secret({"crm": "crm secret"}),
        "RINGHOOK_TOKENS": secret({"default": TOKEN}),
        "RINGHOOK_CREDENTIALS": one.credentials,
        "RINGHOOK_PUBLIC_URL": "",
        "RINGHOOK_CALLS_PER_MINUTE": "30000",
        "RINGHOOK_ENRICH_URL": api.url,
        "UNLEASHX_URL": sandbox.url,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    caches = (receiver._receiver, dialer._dialer)
    for cache in caches:
        cache.cache_clear()
    yield one
    for cache in caches:
        cache.cache_clear()


def webhook(number: int = 1, topic: str = "contact.creation", **fields: Any) -> dict[str, Any]:
    return {
        "eventId": number,
        "portalId": 20,
        "occurredAt": int(datetime.now(UTC).timestamp() * 1000),
        "subscriptionType": topic,
        "attemptNumber": 0,
        "objectId": 30,
        **fields,
    }


def rung(sandbox: Sandbox) -> list[str]:
    return [
        one["body"]["phone_number"] for one in sandbox.requests() if one["path"].endswith("/call")
    ]


def test_an_event_without_a_person_rings_that_person(
    stack: Stack, api: Api, sandbox: Sandbox, logs: Callable[[], str]
) -> None:
    api.say(AT_CONTACT, CONTACT)
    assert stack.post([webhook()]) == (202, {"calls": [], "enriching": 1})
    assert api.requests == []
    [completing] = stack.queued()
    assert stack.dial(completing)
    assert rung(sandbox) == []
    calls = stack.queued()
    assert len(calls) == 2
    assert all(stack.dial(body) for body in calls)
    assert rung(sandbox) == [ALICE, ALICE]
    assert stack.statuses() == {"welcome": "initiated", "also-welcome": "initiated"}
    for personal in (ALICE, "Priya", CREDENTIAL):
        assert personal not in logs()


def test_a_redelivery_meets_the_call_that_was_made(
    stack: Stack, api: Api, sandbox: Sandbox
) -> None:
    api.say(AT_CONTACT, CONTACT)
    body = webhook()
    for attempt in range(2):
        stack.post([body | {"attemptNumber": attempt}])
        while waiting := stack.queued():
            assert all(stack.dial(one) for one in waiting)
    assert rung(sandbox) == [ALICE, ALICE]


def test_a_batch_of_a_hundred_becomes_a_hundred_messages(stack: Stack, api: Api) -> None:
    batch = [webhook(number) for number in range(100)]
    assert stack.post([*batch, batch[0]]) == (202, {"calls": [], "enriching": 100})
    assert len(stack.queued()) == 100
    assert api.requests == []


def test_what_needs_nothing_is_mapped_at_once_beside_what_does(stack: Stack) -> None:
    status, body = stack.post([webhook(1), webhook(2, "conversation.creation", phone=BOB)])
    assert status == 202
    assert body["enriching"] == 1
    assert [call["route"] for call in body["calls"]] == ["new-phone"]
    kinds = [messages.kind(messages.read(one)) for one in stack.queued()]
    assert sorted(kinds) == ["event", "ring"]


def test_an_event_too_large_for_the_queue_is_unmapped_for_each_route(stack: Stack) -> None:
    import secrets

    status, body = stack.post([webhook(note=secrets.token_hex(200_000))])
    assert status == 202
    assert [one["route"] for one in body["unmapped"]] == ["welcome", "also-welcome"]
    assert "too large" in body["unmapped"][0]["reason"]


def test_an_event_waits_for_its_credential(stack: Stack, api: Api) -> None:
    stack.secrets.put_secret_value(SecretId=stack.credentials, SecretString="{}")
    stack.post([webhook()])
    [body] = stack.queued()
    assert stack.dial(body)
    assert api.requests == []
    assert stack.delayed() == 1


def test_what_is_put_off_waits_in_the_queue(stack: Stack, api: Api) -> None:
    api.say(AT_CONTACT, {}, 503)
    stack.post([webhook()])
    [body] = stack.queued()
    assert stack.dial(body)
    assert stack.queued() == []
    assert stack.delayed() == 1


def test_what_cannot_be_fetched_is_in_the_ledger_with_its_reason(stack: Stack, api: Api) -> None:
    stack.post([webhook()])
    while waiting := stack.queued():
        assert all(stack.dial(one) for one in waiting)
    assert stack.statuses() == {"welcome": "unmapped", "also-welcome": "unmapped"}


@pytest.fixture
def direct(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("RINGHOOK_DELIVERY", "direct")
    return stack


def test_direct_delivery_fetches_and_rings_within_the_request(
    direct: Stack, api: Api, sandbox: Sandbox
) -> None:
    api.say(AT_CONTACT, CONTACT)
    status, body = direct.post([webhook()])
    assert status == 200
    assert [call["status"] for call in body["calls"]] == ["initiated", "initiated"]
    assert rung(sandbox) == [ALICE, ALICE]


def test_direct_delivery_wants_the_event_again_if_nothing_could_be_fetched_now(
    direct: Stack, api: Api, sandbox: Sandbox
) -> None:
    api.say(AT_CONTACT, {}, 503)
    assert direct.post([webhook()])[0] == 503
    assert rung(sandbox) == []


def test_direct_delivery_says_what_can_never_be_fetched(
    direct: Stack, api: Api, sandbox: Sandbox
) -> None:
    status, body = direct.post([webhook()])
    assert status == 202
    assert [call["status"] for call in body["calls"]] == ["unmapped", "unmapped"]
    assert "HTTP 404" in body["calls"][0]["reason"]
    assert rung(sandbox) == []


def test_direct_delivery_rings_nobody_of_a_batch_of_which_some_cannot_be_fetched_now(
    direct: Stack, api: Api, sandbox: Sandbox
) -> None:
    api.say(AT_CONTACT, CONTACT)
    api.say(f"{HOST}/crm/v3/objects/contacts/31", {}, 503)
    assert direct.post([webhook(1), webhook(2, objectId=31)])[0] == 503
    assert rung(sandbox) == []


def test_a_receiver_with_a_queue_does_not_import_what_fetches() -> None:
    import subprocess
    import sys

    code = "import sys, ringhook.receiver; sys.exit('ringhook.clients.fetching' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert fetching.LARGEST_ANSWER > 0
