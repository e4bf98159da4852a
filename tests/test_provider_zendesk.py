"""What is Zendesk's alone: triggers with bodies of any shape, and a test secret known to all."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.builders import NOW, provider, request

from ringhook.errors import RejectedError
from ringhook.senders import signatures
from ringhook.senders.request import Request
from ringhook_ops.samples import signing

# developer.zendesk.com, "Verifying webhook authenticity".
TEST_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
OWN = "sample-signing-secret"


def webhook(secret: str = OWN, **fields: Any) -> Request:
    body = json.dumps({"ticket_id": 304827, **fields}).encode()
    return signing.sign(provider("zendesk"), request(body), secret, NOW)


def test_a_webhook_signed_with_the_test_secret_is_refused() -> None:
    with pytest.raises(RejectedError):
        signatures.verify(provider("zendesk").schemes, webhook(TEST_SECRET), [OWN], NOW)


def test_where_the_test_secret_is_configured_its_events_are_tests() -> None:
    zendesk = provider("zendesk")
    tried, real = webhook(TEST_SECRET), webhook()
    signatures.verify(zendesk.schemes, tried, [OWN, TEST_SECRET], NOW)

    assert [event.test for event in zendesk.events(tried, zendesk.read(tried))] == [True]
    assert [event.test for event in zendesk.events(real, zendesk.read(real))] == [False]


@pytest.mark.parametrize(
    ("fields", "topic"),
    [
        ({}, "trigger"),
        ({"type": "question"}, "trigger"),
        ({"type": None}, "trigger"),
        ({"type": "zen:event-type:user.created"}, "user.created"),
        ({"type": "zen:event-type:ticket.status_changed"}, "ticket.status_changed"),
    ],
)
def test_the_type_of_a_ticket_is_no_topic(fields: dict[str, Any], topic: str) -> None:
    zendesk = provider("zendesk")
    sent = webhook(**fields)

    assert [event.topic for event in zendesk.events(sent, zendesk.read(sent))] == [topic]


def test_an_invocation_in_an_unsigned_header_makes_no_event_another() -> None:
    zendesk = provider("zendesk")
    sent = webhook()
    copied = replace(sent, headers={**sent.headers, "x-zendesk-webhook-invocation-id": "another"})

    first, second = (zendesk.events(one, zendesk.read(one))[0] for one in (sent, copied))
    assert first.event_id == second.event_id
