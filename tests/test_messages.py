"""What travels through the queues, each kind with its own fields; and what 0.1 sent is read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.builders import (
    ALICE,
    NOW,
    at,
    call,
    cancel,
    consent,
    export,
    forget,
    suppress,
)

from ringhook.calls import messages
from ringhook.calls.answers import (
    AccountRefused,
    Answer,
    Heard,
    Initiated,
    Later,
    NotAsked,
    Refused,
    Unheard,
)
from ringhook.calls.messages import Message, Ring, ThinEvent, Wake
from ringhook.errors import UnreadableError
from ringhook.senders.providers import Event

THIN = ThinEvent.of(Event("crm", "created", "evt_1", NOW, {"id": 7}), NOW, "request-1")
FULL = call(
    metadata={"big": 10**37, "half": 0.5, "text": "Zoë\u2028", "list": [None, True, {"a": 1}]},
    notes=("one", "two"),
    ring_at=at(0.5),
    retention=timedelta(days=400, seconds=7, microseconds=9),
    test=True,
)
HEARD = Heard("owner-1", Later("busy", 2.5))


@pytest.mark.parametrize(
    "message",
    [
        Ring(call=call()),
        Ring(call=FULL, heard=HEARD, tries=3),
        Wake(call_id="call_1"),
        Wake(call_id="call_1", heard=HEARD),
        THIN,
        cancel(retention=timedelta(days=3)),
        suppress(),
        consent(granted=True, until=at(60)),
        forget(phone_number=""),
        export(),
    ],
    ids=messages.kind,
)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    body = messages.write(message)

    assert json.loads(body)["kind"] == messages.kind(message)
    assert messages.read(body) == message


@pytest.mark.parametrize(
    "answer",
    [
        Initiated("e-1"),
        Refused("no such agent", "e-1"),
        Later("busy", 2.5),
        AccountRefused("no credit", 7.0, "credit"),
        Unheard("timed out"),
        NotAsked("no connection"),
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_whatever_was_heard_comes_back_as_it_was(answer: Answer) -> None:
    message = Wake(call_id="call_1", heard=Heard("owner-1", answer))

    assert messages.read(messages.write(message)) == message


CALL = json.loads(messages.write(Ring(call=call())))["call"]


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "wake",
        None,
        {"kind": "redial"},
        {"kind": "wake"},
        {"kind": "wake", "call_id": 7},
        {"kind": "wake", "call_id": "call_1", "phone_number": ALICE},
        {"kind": "ring", "call": {**CALL, "colour": "red"}},
        {"kind": "ring", "call": {**CALL, "occurred_at": "yesterday"}},
        {"kind": "ring", "call": {**CALL, "agent_id": "1042"}},
        {"kind": "cancel", **CALL},
        {"call": {"kind": "redial", **CALL}},
        {"call": CALL, "heard": {"owner": "owner-1", "answer": {"sort": "Nothing"}}},
        {"event": {"not_before": "soon"}},
    ],
    ids=str,
)
def test_what_is_no_message_is_refused_and_nothing_of_a_person_is_quoted(document: Any) -> None:
    with pytest.raises(UnreadableError) as refused:
        messages.read(json.dumps(document))

    assert ALICE not in str(refused.value)
    assert "Zo" not in str(refused.value)


def test_what_is_no_json_is_no_message() -> None:
    with pytest.raises(UnreadableError):
        messages.read("{")


# What 0.1 wrote, of which messages may be in a queue, and wakes in schedules, during an upgrade.
EVENT = {
    "source": "shop",
    "provider": "shopify",
    "route": "confirm-order",
    "topic": "orders/create",
    "event_id": "evt_1",
    "occurred_at": "2026-11-23T12:00:00Z",
    "received_at": "2026-11-23T12:00:00Z",
    "correlation_id": "request-1",
}
ASKED = {"agent_id": 1042, "phone_number": ALICE, "metadata": {"order": "#1001"}}
OLD: list[tuple[dict[str, Any], Message]] = [
    ({"call": {"call_id": "call_1", **EVENT, **ASKED}}, Ring(call=call())),
    (
        {
            "call": {"call_id": "call_1", **EVENT, **ASKED, "retention": "P30DT5S", "test": True},
            "heard": {
                "owner": "owner-1",
                "answer": {"sort": "Later", "reason": "busy", "retry_after": 2.5},
            },
            "tries": 2,
        },
        Ring(
            call=call(retention=timedelta(days=30, seconds=5), test=True),
            heard=HEARD,
            tries=2,
        ),
    ),
    ({"wake": "call_1"}, Wake(call_id="call_1")),
    (
        {
            "wake": "call_1",
            "heard": {"owner": "o", "answer": {"sort": "Initiated", "execution_id": "e-1"}},
        },
        Wake(call_id="call_1", heard=Heard("o", Initiated("e-1"))),
    ),
    (
        {
            "event": {
                "source": "crm",
                "topic": "created",
                "event_id": "evt_1",
                "occurred_at": "2026-11-23T12:00:00Z",
                "received_at": "2026-11-23T12:00:00Z",
                "payload": "H4sI",
                "attempts": 2,
                "not_before": 1795435260.5,
            }
        },
        ThinEvent(
            source="crm",
            topic="created",
            event_id="evt_1",
            occurred_at=NOW,
            received_at=NOW,
            payload="H4sI",
            attempts=2,
            not_before=at(60.5),
        ),
    ),
    (
        {"call": {"kind": "cancel", "call_id": "call_1", **EVENT, "retention": "P3D"}, "tries": 1},
        cancel(topic="orders/create", retention=timedelta(days=3), tries=1),
    ),
    (
        {
            "call": {
                "kind": "suppress",
                "call_id": "event",
                **EVENT,
                "phone_number": ALICE,
                "notes": ["a note"],
                "retention": "P3D",
            }
        },
        suppress(topic="orders/create"),
    ),
    (
        {
            "call": {
                "kind": "consent",
                "purpose": "calls",
                "call_id": "event",
                **EVENT,
                "phone_number": ALICE,
                "consent": True,
                "consent_evidence": "agreed was true",
                "consent_text": "Call me",
                "consent_until": "2026-11-23T12:01:00Z",
            }
        },
        consent(granted=True, evidence="agreed was true", text="Call me", until=at(60)),
    ),
    ({"call": {"kind": "forget", "call_id": "event", **EVENT}}, forget(phone_number="")),
    (
        {"call": {"kind": "export", "call_id": "call_9", **EVENT, "phone_number": ALICE}},
        export(),
    ),
]


@pytest.mark.parametrize(("old", "message"), OLD, ids=[messages.kind(m) for _, m in OLD])
def test_a_message_of_the_last_release_is_still_read(old: dict[str, Any], message: Message) -> None:
    assert messages.read(json.dumps(old)) == message
