"""What is WhatsApp's alone: who wrote what, hidden numbers, and wishes not to be called."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ringhook.calls.call import Call
from ringhook.calls.messages import Suppress
from ringhook.routing.mapping import map_event
from ringhook.routing.routes_file import load
from ringhook.senders import providers
from ringhook.senders.providers import Event
from ringhook.senders.request import Request
from ringhook_ops.catalogue import recipes

NOW = datetime(2026, 7, 14, 14, 12, tzinfo=UTC)
WHATSAPP = providers.find("whatsapp")
TEXT = recipes.add(None, recipes.find("whatsapp", "callback"), countries=["US"], source="wa").text
ROUTES = load(TEXT)
STOP = load(
    'countries = ["US"]\n[sources.wa]\nprovider = "whatsapp"\nverify_token = "x"\n'
    '[[routes]]\nname = "stop"\nsource = "wa"\naction = "suppress"\non = ["user_preferences"]\n'
    "when = \"value.user_preferences[?value == 'stop']\"\n"
    'record = { phone_number = "+{{ value.user_preferences[0].wa_id }}" }\n'
)


def message(**fields: Any) -> dict[str, Any]:
    return {"from": "14155550157", "id": "wamid.1", "timestamp": "1784038320", **fields}


def text(words: str) -> dict[str, Any]:
    return message(type="text", text={"body": words})


def events(*messages: Any, contacts: Any = (), field: str = "messages") -> list[Event]:
    value = {"metadata": {"phone_number_id": "1"}, "contacts": contacts, "messages": [*messages]}
    return of(value, field)


def of(value: Any, field: str) -> list[Event]:
    payload = {"entry": [{"id": "10", "changes": [{"field": field, "value": value}]}]}
    request = Request(
        source="wa", method="POST", url="https://x/hooks/wa", headers={}, body=b"", received_at=NOW
    )
    return WHATSAPP.events(request, payload)


def calls(event: Event) -> list[Call]:
    return [one for one in map_event(event, ROUTES, now=NOW) if isinstance(one, Call)]


@pytest.mark.parametrize(
    "words",
    [
        "stop",
        " STOP ",
        "Please don't call me",
        "please don’t call me again",
        "DO NOT CALL ME BACK",
        "dont ring me",
        "stop calling me!",
        "never call me",
        "no call back please",
        "إلغاء",
    ],
)
def test_who_wants_no_call_gets_none(words: str) -> None:
    (event,) = events(text(words))

    assert event.never
    assert calls(event) == []


@pytest.mark.parametrize(
    "asks",
    [
        text("Call me please"),
        text("can you call back at once?"),
        message(type="button", button={"payload": "x", "text": "Call me"}),
        message(
            type="interactive",
            interactive={"type": "button_reply", "button_reply": {"id": "1", "title": "Call me"}},
        ),
        message(
            type="interactive",
            interactive={"type": "list_reply", "list_reply": {"id": "1", "title": "Call back"}},
        ),
    ],
)
def test_who_asks_for_a_call_gets_one(asks: dict[str, Any]) -> None:
    (event,) = events(asks)

    (call,) = calls(event)

    assert (call.phone_number, call.unmapped) == ("+14155550157", "")


def test_a_hidden_number_is_told_and_nobody_elses_is_rung() -> None:
    hidden = {"from_user_id": "US.1", "id": "w", "timestamp": "1784038320", "type": "text"}
    contacts = [{"wa_id": "14155550199", "profile": {"name": "Another"}}]
    (event,) = events({**hidden, "text": {"body": "call me"}}, contacts=contacts)

    (call,) = calls(event)

    assert not event.never
    assert call.unmapped
    assert "14155550199" not in call.phone_number
    assert event.payload["contact"] == {}


def test_each_message_has_the_name_of_who_wrote_it() -> None:
    contacts = [
        {"wa_id": "442079460163", "profile": {"name": "Omar"}},
        {"user_id": "US.1", "profile": {"name": "Lena"}},
    ]
    sent = [text("a"), message(**{"from": "442079460163"}), {"from_user_id": "US.1", "id": "2"}]

    names = [e.payload["contact"].get("profile") for e in events(*sent, contacts=contacts)]

    assert names == [None, {"name": "Omar"}, {"name": "Lena"}]


@pytest.mark.parametrize("field", ["smb_message_echoes", "history", "standby"])
def test_what_the_business_wrote_or_what_is_old_rings_nobody(field: str) -> None:
    (event,) = events(text("call me"), field=field)

    assert (event.topic, bool(event.never)) == (field, True)


def test_an_opt_out_can_be_put_on_the_do_not_call_list() -> None:
    said = {"wa_id": "14155550157", "value": "stop", "category": "marketing_messages"}
    (event,) = of({"user_preferences": [said]}, "user_preferences")

    (wish,) = (one for one in map_event(event, STOP, now=NOW) if isinstance(one, Suppress))

    assert event.never
    assert wish.phone_number == "+14155550157"
