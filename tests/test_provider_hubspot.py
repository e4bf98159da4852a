"""HubSpot: the generic names of its events, what is deleted, and who asked to be erased."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ringhook.senders.providers import Event
from ringhook.senders.providers.hubspot import PROVIDER
from ringhook.senders.request import Request

EVENT = {
    "eventId": 3920417701,
    "subscriptionId": 3100001,
    "portalId": 40010001,
    "occurredAt": 1784038320512,
    "subscriptionType": "contact.creation",
    "attemptNumber": 0,
    "objectId": 118204773121,
}


def event(**fields: Any) -> Event:
    """The one event of a batch."""
    request = Request(
        source="crm",
        method="POST",
        url="https://hooks.example.com/hooks/crm",
        headers={"content-type": "application/json"},
        body=json.dumps([EVENT | fields]).encode(),
        received_at=datetime(2026, 7, 14, 15, tzinfo=UTC),
    )
    (only,) = PROVIDER.events(request, PROVIDER.read(request))
    return only


@pytest.mark.parametrize(
    ("generic", "kind", "topic"),
    [
        ("object.creation", "0-1", "contact.creation"),
        ("object.propertyChange", "0-1", "contact.propertyChange"),
        ("object.deletion", "0-2", "company.deletion"),
        ("object.restore", "0-3", "deal.restore"),
        ("object.merge", "0-5", "ticket.merge"),
        ("object.associationChange", "0-8", "line_item.associationChange"),
        # An object of the account's own kind keeps the name that HubSpot sends.
        ("object.creation", "2-3465404", "object.creation"),
        ("contact.creation", "0-1", "contact.creation"),
    ],
)
def test_a_generic_name_is_read_as_that_of_the_objects_kind(
    generic: str, kind: str, topic: str
) -> None:
    assert event(subscriptionType=generic, objectTypeId=kind).topic == topic
    assert topic in PROVIDER.topics


def test_objects_of_two_kinds_with_one_id_are_two_events() -> None:
    one, other = (
        event(subscriptionType="object.creation", objectTypeId=kind) for kind in ("2-1", "2-2")
    )

    assert one.event_id != other.event_id


@pytest.mark.parametrize("kind", ["0-1", "0-2", "0-3", "0-5", "0-7", "0-8", "2-3465404"])
def test_what_is_deleted_rings_nobody(kind: str) -> None:
    assert event(subscriptionType="object.deletion", objectTypeId=kind).never


def test_an_erased_contact_is_an_erasure_of_a_number_that_is_not_told() -> None:
    erased = event(subscriptionType="contact.privacyDeletion")

    assert (erased.asks, erased.numbers) == ("forget", ("",))
    assert erased.never == "a contact asked to be erased"
