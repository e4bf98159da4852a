"""What is HighLevel's alone: a signature that anybody can verify and nobody else can make."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders import NOW, provider, request

from ringhook.errors import RejectedError, UnavailableError
from ringhook.senders import signatures
from ringhook.senders.providers import Provider
from ringhook.senders.providers.gohighlevel import public_key
from ringhook.senders.request import Request

PAIR = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PAIR.public_key()
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
INFO = base64.b64encode(PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
RAW = base64.b64encode(PUBLIC.public_bytes_raw())


def webhook(**fields: Any) -> Request:
    body = json.dumps({"type": "ContactCreate", "webhookId": "wh_1", **fields}).encode()
    proof = base64.b64encode(PAIR.sign(body)).decode()
    return request(body, {"content-type": "application/json", "x-ghl-signature": proof})


def verify(sent: Request, *secrets: str, by: Provider | None = None) -> None:
    signatures.verify((by or provider("gohighlevel")).schemes, sent, secrets, NOW)


@pytest.mark.parametrize("secret", [PEM, INFO.decode(), RAW.decode(), f"\n{PEM}\n"])
def test_the_public_key_is_taken_in_the_forms_in_which_it_is_published(secret: str) -> None:
    assert public_key(secret) == PUBLIC.public_bytes_raw()
    verify(webhook(), secret)


@pytest.mark.parametrize("secret", ["hunter2", "", "-----BEGIN PUBLIC KEY-----", INFO.decode()[8:]])
def test_what_is_no_public_key_is_not_looked_up_as_one(secret: str) -> None:
    with pytest.raises(UnavailableError, match="Ed25519 public key"):
        public_key(secret)


@pytest.mark.parametrize("proof", ["", "N/A", "AAAA", base64.b64encode(bytes(64)).decode(), "é"])
def test_a_signature_of_another_form_is_refused(proof: str) -> None:
    with pytest.raises(RejectedError):
        verify(replace(webhook(), headers={"x-ghl-signature": proof}), PEM)


@pytest.mark.parametrize("seconds", [301, -301])
def test_an_event_is_held_to_the_time_in_its_body(seconds: int) -> None:
    with pytest.raises(RejectedError, match="stale"):
        verify(webhook(timestamp=(NOW - timedelta(seconds=seconds)).isoformat()), PEM)


def test_an_event_of_five_minutes_ago_and_one_without_a_time_are_taken() -> None:
    verify(webhook(timestamp=(NOW - timedelta(seconds=299)).isoformat()), PEM)
    verify(webhook(), PEM)


def test_the_public_key_in_a_header_proves_nothing() -> None:
    """Everybody knows it, so it must never pass as the secret of a workflow's header."""
    sent = request(b"{}", {"x-webhook-secret": PEM, "x-ringhook-secret": INFO.decode()})

    with pytest.raises(RejectedError):
        verify(sent, PEM, INFO.decode())


def test_a_workflow_proves_itself_with_the_header_of_the_settings() -> None:
    workflow = provider("gohighlevel", header="X-Hook-Secret")

    verify(request(b"{}", {"x-hook-secret": "sample-secret"}), "sample-secret", by=workflow)
    for headers in ({"x-hook-secret": "another"}, {}, dict(webhook().headers)):
        with pytest.raises(RejectedError):
            verify(request(b"{}", headers), "sample-secret", by=workflow)


def test_a_workflow_says_of_which_account_it_is_where_it_has_no_topic() -> None:
    workflow = provider("gohighlevel", header="x-hook-secret")
    body = {"contact_id": "con1", "phone": "+14155550127", "location": {"id": "loc1"}}
    sent = request(json.dumps(body).encode())
    [event] = workflow.events(sent, workflow.read(sent))

    assert event.topic == "workflow"
    assert workflow.tenants(sent, body) == {"loc1"}


@pytest.mark.parametrize(
    ("fields", "rings"),
    [
        ({"dnd": True}, False),
        ({"dnd": "true"}, False),
        ({"dndSettings": {"Call": {"status": "active"}}}, False),
        ({"dndSettings": {"Call": {"status": "permanent"}}}, False),
        ({"dndSettings": {"Call": {"status": "inactive"}, "SMS": {"status": "active"}}}, True),
        ({"dnd": False}, True),
        ({}, True),
    ],
)
def test_do_not_disturb_is_heeded_for_calls(fields: dict[str, Any], rings: bool) -> None:
    highlevel = provider("gohighlevel")
    sent = webhook(**fields)
    [event] = highlevel.events(sent, highlevel.read(sent))

    assert not event.never if rings else event.never
