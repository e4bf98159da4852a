"""What is Slack's alone: interactions and commands, which are forms, and its own library."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_sdk.signature import SignatureVerifier
from tests.builders import NOW, provider, request

from ringhook.errors import BadRequestError
from ringhook.senders import signatures
from ringhook.senders.providers import Event
from ringhook.senders.request import Request
from ringhook_ops.samples import signing

SECRET = "00000000sample00000000signing000"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def form(**fields: str) -> Request:
    return request(urlencode(fields).encode(), FORM)


def events(sent: Request) -> list[Event]:
    slack = provider("slack")
    return slack.events(sent, slack.read(sent))


def test_slacks_own_library_signs_and_verifies_alike() -> None:
    slack, library, stamp = provider("slack"), SignatureVerifier(SECRET), int(NOW.timestamp())
    plain = form(command="/ring", text="+44 20 7946 0164")
    own = library.generate_signature(timestamp=str(stamp), body=plain.body)
    headers = {"x-slack-request-timestamp": str(stamp), "x-slack-signature": str(own)}

    signatures.verify(slack.schemes, replace(plain, headers={**FORM, **headers}), [SECRET], NOW)
    assert signing.sign(slack, plain, SECRET, NOW).headers == {**FORM, **headers}


def test_an_interaction_is_the_json_in_its_form() -> None:
    interaction: dict[str, Any] = {
        "type": "block_actions",
        "team": {"id": "T04001SAMPLE"},
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "actions": [{"action_id": "ring", "value": "+442079460164"}],
    }
    sent = form(payload=json.dumps(interaction))
    [event] = events(sent)

    assert event.topic == "block_actions"
    assert event.payload == interaction
    assert provider("slack").tenants(sent, interaction) == {"T04001SAMPLE"}


def test_a_command_is_a_topic_and_each_use_of_it_an_event() -> None:
    [first], [second] = (
        events(form(command="/ring", text="+442079460164", team_id="T1", trigger_id=use))
        for use in ("1.1.a", "2.2.b")
    )

    assert first.topic == "/ring"
    assert first.event_id != second.event_id


def test_a_form_whose_payload_is_no_json_cannot_be_read() -> None:
    with pytest.raises(BadRequestError, match="payload"):
        events(form(payload="{"))
