"""What a genuine request holds is answered, mapped or kept: nothing of it is lost in silence."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import (
    ALICE,
    NOW,
    ORDER,
    ROUTES,
    SECRETS,
    from_form,
    from_hubspot,
    from_shopify,
    gateway_event,
    mac,
)

from ringhook.calls import messages
from ringhook.calls.call import Call
from ringhook.reading.packing import unpack
from ringhook.routing.keeping import LARGEST_PAYLOAD
from ringhook.routing.mapping import map_event
from ringhook.routing.receiving import Received, receive
from ringhook.routing.routes_file import load
from ringhook.senders.providers import Event
from ringhook.senders.request import Reply, from_gateway
from ringhook_ops.dry_run.explaining import explain
from ringhook_ops.samples import gateway

LOADED = load(ROUTES)


def received(event: dict[str, Any]) -> Received:
    """What a genuine request asks for."""
    request = from_gateway(event, public_url="", received_at=NOW)
    found = receive(request, LOADED, lambda: [SECRETS[request.source]])
    assert isinstance(found, Received)
    return found


def kept(event: dict[str, Any]) -> Call:
    """The request as it is kept, where nothing else comes of it."""
    found = received(event)
    assert found.kept is not None
    assert found.tasks[-1] == found.kept
    return found.kept


def signed(body: bytes, **headers: str) -> dict[str, Any]:
    """These bytes as Shopify would sign them."""
    sent = {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Hmac-Sha256": mac(SECRETS["shop"].encode(), body),
    }
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway_event("shop", body, {**sent, **given}, base64=True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b'{"phone": ',
        b"<order/>",
        b"[" * 50_000,
        b"9" * 5000,
        os.urandom(5000),
    ],
)
def test_a_genuine_request_that_cannot_be_read_is_kept_with_its_bytes(body: bytes) -> None:
    event = from_form(body, base64=True)
    call = kept(event)

    assert (call.route, call.source, call.provider) == ("", "form", "bearer")
    assert call.unmapped.startswith("the request: ")
    assert call.event_id == "evt_" + hashlib.sha256(body).hexdigest()[:32]
    again = gateway.read(unpack(call.payload), public_url="", received_at=NOW)
    assert (again.body, again.source, again.method) == (body, "form", "POST")
    assert again.headers["content-type"] == "application/json"
    # Read again, it is the same.
    (row,) = explain(again, LOADED, None)
    assert isinstance(row.asked, Call)
    assert (row.asked.call_id, row.asked.unmapped) == (call.call_id, call.unmapped)


def test_what_is_kept_holds_nothing_that_proves_its_sender() -> None:
    secret = SECRETS["form"]
    event = from_form(f'{{"token": "{secret}", ')
    event["headers"] |= {"x-own-id": secret, "x-signature-id": "abc", "cookie": "abc"}

    document = unpack(kept(event).payload)

    assert secret not in json.dumps(document)
    assert set(document["headers"]) == {"content-type"}


def test_of_what_is_too_large_to_be_kept_the_beginning_is() -> None:
    body = b"{" + os.urandom(300_000)
    call = kept(signed(body))

    cut = unpack(call.payload)
    assert len(call.payload) < LARGEST_PAYLOAD
    assert (cut["replayable"], cut["length"]) == (False, len(body))
    assert cut["sha256"] == hashlib.sha256(body).hexdigest()
    assert "cannot be replayed" in call.notes[0]


def test_a_small_request_that_is_large_when_unpacked_is_kept_as_it_came() -> None:
    body = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    document = unpack(kept(signed(body, Content_Encoding="gzip")).payload)

    assert gateway.read(document, public_url="", received_at=NOW).body == body
    assert document["headers"]["content-encoding"] == "gzip"


def test_a_fault_in_one_event_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(event: Any, *more: Any, **named: Any) -> Any:
        if event.payload["note"] == "b":
            raise KeyError(event.payload["phone"])
        return map_event(event, *more, **named)

    monkeypatch.setattr("ringhook.routing.receiving.map_event", breaks)
    found = received(from_form([{"phone": ALICE, "note": note} for note in "abc"]))

    assert [len(taken.mapped) for taken in found.events] == [1, 1]
    assert found.kept is not None
    assert found.kept.unmapped == "event 2 of 3: it cannot be told (KeyError)"
    assert [type(fault) for fault in found.faults] == [KeyError]


def test_an_event_too_far_from_its_senders_form_costs_no_other() -> None:
    """HubSpot's topic is asked of the event, and one that is a text has none to ask."""
    event: dict[str, Any] = {"eventId": 1, "occurredAt": int(NOW.timestamp() * 1000)}
    event |= {"subscriptionType": "contact.propertyChange", "propertyValue": "(415) 555-0123"}
    found = received(from_hubspot(["no event", event, None], now=NOW))

    assert sum(task.rings for task in found.tasks if isinstance(task, Call)) == 1


WAYS: dict[str, Callable[[], dict[str, Any]]] = {
    "an order": from_shopify,
    "a cancelled order": lambda: from_shopify(topic="orders/cancelled"),
    "another topic": lambda: from_shopify(topic="orders/paid"),
    "no phone": lambda: from_shopify(ORDER | {"phone": None}),
    "an erasure": lambda: from_shopify({"customer": {"phone": ALICE}}, topic="customers/redact"),
    "a batch": lambda: from_form([{"phone": ALICE, "note": "a"}, {"phone": "none"}]),
    "no JSON": lambda: from_form("{"),
    **{
        method: lambda method=method: gateway_event("shop", ORDER, method=method)  # type: ignore[misc] # a loop's value
        for method in ("GET", "PUT", "DELETE", "HEAD")
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_the_desk_says_what_the_receiver_does(way: str) -> None:
    """The same calls, by id and number; where the receiver answers at once, the same status."""
    request = from_gateway(WAYS[way](), public_url="", received_at=NOW)
    found = receive(request, LOADED, lambda: [SECRETS[request.source]])
    rows = explain(request, LOADED, None)

    if isinstance(found, Reply):
        assert [(row.decision, row.status) for row in rows] == [("answered", found.status)]
        return
    told = {messages.identity(row.asked): row.asked for row in rows if row.asked}
    for task in found.tasks:
        assert not isinstance(task, Event)
        # Of an event that never rings one row says all.
        erases = isinstance(task, messages.Forget | messages.Export)
        assert erases or told[messages.identity(task)] == task


json_bytes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda part: (
        st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=8), part, max_size=4)
    ),
    max_leaves=12,
).map(lambda value: json.dumps({"phone": ALICE, "note": value}).encode())
bodies = (
    st.binary(max_size=200)
    | json_bytes
    | json_bytes.map(gzip.compress)
    | st.text(max_size=60).map(str.encode)
    | st.from_regex(rb"[a-z\[\]%0-9]{1,20}=[^\n]{0,20}(&[a-z\[\]]{1,8}=x){0,3}", fullmatch=True)
)
kinds = st.sampled_from(
    ["", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=X"]
) | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)
# What SQS takes (its API reference, SendMessage).
SQS_TEXT = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


@settings(max_examples=150)
@given(body=bodies, kind=kinds, encoding=st.sampled_from(["", "gzip", "deflate", "br"]))
@pytest.mark.parametrize("source", ["form", "shop"])
def test_no_genuine_request_is_lost(source: str, body: bytes, kind: str, encoding: str) -> None:
    headers = {"Content_Type": kind, "Content_Encoding": encoding}
    event = signed(body or b" ", **headers)
    if source == "form":
        event = from_form(body, base64=True)
        event["headers"] |= {"content-type": kind, "content-encoding": encoding}

    found = received(event)

    assert found.tasks or found.reasons
    assert found.faults == ()
    for task in found.tasks:
        assert isinstance(task, Call)
        said = messages.write(messages.Ring(call=task))
        assert SQS_TEXT.fullmatch(said)
        assert len(said.encode()) < 250_000


def test_an_empty_list_of_events_has_its_reason() -> None:
    found = received(from_form([]))

    assert (found.tasks, found.reasons) == ([], ["no route takes this source's events"])


def test_a_genuine_request_of_an_unknown_source_has_nothing_to_be_genuine_by() -> None:
    request = replace(from_gateway(from_form({}), public_url="", received_at=NOW), source="nobody")
    assert receive(request, LOADED, None) == Reply(404, {"error": "there is no source 'nobody'"})


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_what_a_stranger_asks_without_proof_reads_no_secret(method: str) -> None:
    def secrets() -> list[str]:
        pytest.fail("the secrets were read")

    event = gateway_event("shop", "", method=method)
    reply = receive(from_gateway(event, public_url="", received_at=NOW), LOADED, secrets)

    assert isinstance(reply, Reply)
