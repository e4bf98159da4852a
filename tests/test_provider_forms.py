"""Forms and tools of sites: what none may get wrong, and the script that a sheet is given."""

import importlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from ringhook.errors import RejectedError
from ringhook.reading import checked
from ringhook.routing.mapping import map_event
from ringhook.routing.routes_file import load
from ringhook.senders import providers, signatures
from ringhook.senders.providers import Event, Provider
from ringhook.senders.request import Request
from ringhook_ops.catalogue import guides, recipes

# Published without types.
EVALUATE = importlib.import_module("dukpy").evaljs
NOW = datetime(2026, 7, 14, 15, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"


def adapted(name: str, **settings: Any) -> Provider:
    provider = providers.find(name)
    return provider.adapt(provider, checked.read(provider.settings, {"provider": name, **settings}))


def posted(body: Any, headers: dict[str, str] | None = None) -> Request:
    return Request(
        source="it",
        method="POST",
        url="https://hooks.example.com/hooks/it?token=door",
        headers=headers or {"content-type": "application/json"},
        body=(body if isinstance(body, str) else json.dumps(body)).encode(),
        received_at=NOW,
    )


def event(name: str, request: Request, **settings: Any) -> Event:
    provider = adapted(name, **settings)
    (only,) = provider.events(request, provider.payload(request))
    return only


# The script of a sheet, run as Apps Script runs it.

AROUND = """
var sent = [], console = { log: function () {} };
var UrlFetchApp = { fetch: function (url, options) {
  sent.push({ url: url, options: options });
  return { getResponseCode: function () { return 202; }, getContentText: String };
} };
var sheet = {
  getParent: function () { return { getId: function () { return "1AbC"; } }; },
  getName: function () { return "Leads"; }
};
send({
  namedValues: dukpy["answers"],
  range: { getSheet: function () { return sheet; }, getRow: function () { return 42; } }
});
sent[0];
"""
ANSWERS = {
    "Timestamp": ["7/14/2026 10:12:00"],
    "Your name": ["Rosa Delgado"],
    "WhatsApp number": [" (415) 555-0123 "],
    "Interests": ["solar", "battery"],
    "Country": ["US"],
}


def fetched(answers: dict[str, list[str]]) -> Request:
    script = guides.find("google-forms").script
    script = script.replace("https://…/hooks/sheet", "https://hooks.example.com/hooks/it")
    script = script.replace('SECRET = "…"', 'SECRET = "of-the-sheet"')
    sent = EVALUATE(script + AROUND, answers=answers)
    options = sent["options"]
    assert (options["method"], options["muteHttpExceptions"]) == ("post", True)
    headers = {"content-type": options["contentType"]}
    headers |= {name.lower(): value for name, value in options["headers"].items()}
    return replace(posted(options["payload"], headers), url=sent["url"])


def test_what_the_script_of_a_sheet_sends_is_genuine_and_rings_who_answered() -> None:
    request = fetched(ANSWERS)
    whole = recipes.add(None, recipes.find("google-forms", None), source="it", countries=["US"])
    routes = load(whole.text)

    signatures.verify(adapted("google-forms").schemes, request, ["of-the-sheet"], NOW)
    (call,) = map_event(event("google-forms", request), routes, now=NOW)
    assert getattr(call, "phone_number", call) == "+14155550123"
    assert event("google-forms", request).payload["answers"]["Interests"] == "solar, battery"


def test_a_row_of_a_sheet_is_one_event_however_often_its_script_runs() -> None:
    once, again = fetched(ANSWERS), fetched(ANSWERS)

    assert event("google-forms", once).event_id == event("google-forms", again).event_id


def test_the_script_stands_on_the_senders_page() -> None:
    page = (guides.FOLDER.parents[3] / "docs/providers/google-forms.md").read_text()

    assert guides.find("google-forms").script in page


# Site builders


def test_both_forms_of_elementor_tell_which_form_it_is() -> None:
    kind = {"content-type": FORM}

    assert event("elementor", posted(urlencode({"form_id": "a", "Phone": "1"}), kind)).topic == "a"
    advanced = posted(urlencode({"form[id]": "a", "fields[phone][value]": "1"}), kind)
    assert event("elementor", advanced).topic == "a"
    assert event("elementor", advanced).payload["fields"]["phone"]["value"] == "1"


@pytest.mark.parametrize("name", ["elementor", "odoo", "wati", "webflow"])
def test_whose_sender_takes_200_alone_gets_200_alone(name: str) -> None:
    assert (adapted(name).accepted, adapted(name).unmapped_status) == (200, 202)


@pytest.mark.parametrize("name", ["contact-form-7", "pabbly", "power-automate", "wpforms"])
def test_a_tool_takes_its_header_another_one_or_the_address(name: str) -> None:
    own = adapted(name).schemes[0]
    bearer = "authorization" in repr(own)
    named = "authorization" if bearer else "x-webhook-secret"
    value = "Bearer door" if bearer else "door"
    plain = replace(posted({}), url="https://hooks.example.com/hooks/it")

    for schemes, request in (
        (adapted(name).schemes, replace(plain, headers={named: value})),
        (adapted(name).schemes, posted({})),
        (adapted(name, header="X-Mine").schemes, replace(plain, headers={"x-mine": "door"})),
    ):
        signatures.verify(schemes, request, ["door"], NOW)
    with pytest.raises(RejectedError):
        signatures.verify(adapted(name).schemes, plain, ["door"], NOW)


def test_where_things_stand_may_be_said_of_a_tool_and_else_is_as_its_page_says() -> None:
    body = posted({"id": 1, "n": 7, "kind": "x", "phone": "1"})

    plain = event("pabbly", body)
    said = event("pabbly", body, topic="{{ kind }}", event_id="{{ n }}")
    assert (plain.topic, said.topic) == ("", "x")
    assert plain.event_id != said.event_id
    assert plain.event_id == event("pabbly", posted({"id": 1, "phone": "2"})).event_id


def test_each_change_of_a_record_in_odoo_is_an_event_and_what_is_empty_is_no_mark() -> None:
    lead = {"_id": 1, "_model": "crm.lead", "write_date": "2026-07-14 14:12:00", "mobile": False}

    one, other = event("odoo", posted(lead)), event("odoo", posted(lead | {"write_date": "later"}))
    assert one.event_id != other.event_id
    assert one.occurred_at == datetime(2026, 7, 14, 14, 12, tzinfo=UTC)
    assert not one.never
    assert event("odoo", posted(lead | {"active": False})).never


@pytest.mark.parametrize(
    ("fields", "rings"),
    [
        ({"eventType": "message", "owner": False, "text": "call me"}, True),
        ({"eventType": "message", "owner": True, "text": "call me"}, False),
        ({"eventType": "message", "owner": "true", "text": "call me"}, False),
        ({"eventType": "message", "text": "STOP "}, False),
        ({"eventType": "sessionMessageSent", "text": "call me"}, False),
        ({"eventType": "templateMessageSent_v2"}, False),
    ],
)
def test_only_what_people_write_to_the_business_may_ring(
    fields: dict[str, Any], rings: bool
) -> None:
    assert bool(event("wati", posted({"waId": "1", "id": "2", **fields})).never) is not rings
