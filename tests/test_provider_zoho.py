"""What is Zoho's alone: a secret in the body, many records in one, and fields left unset."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.builders import NOW, provider, request

from ringhook.errors import RejectedError
from ringhook.senders import signatures
from ringhook.senders.request import Request
from ringhook_ops.samples import library, webhooks


def sample(name: str) -> Request:
    return webhooks.webhook(library.find("zoho", name), None, now=NOW)


def workflow(**fields: Any) -> Any:
    zoho = provider("zoho")
    return zoho.read(request(json.dumps(fields).encode(), {"content-type": "application/json"}))


def test_each_record_of_a_notification_is_an_event_with_its_own_values() -> None:
    zoho = provider("zoho")
    sent = sample("Leads.update")
    first, second = zoho.events(sent, zoho.payload(sent))

    assert first.payload["values"]["Phone"] == "+442079460142"
    assert second.payload["values"]["Phone"] == "+442079460143"
    assert first.payload["fields"] == ["Phone", "Lead_Status"]
    assert first.payload["id"] != second.payload["id"]
    assert first.event_id != second.event_id


def test_the_secret_in_the_body_is_never_passed_on() -> None:
    zoho = provider("zoho")
    sent = sample("Leads.update")

    assert b"sample-channel-token" in sent.body
    assert "sample-channel-token" not in repr(zoho.events(sent, zoho.payload(sent)))


def test_a_header_with_another_secret_is_not_made_good_by_the_body() -> None:
    zoho = provider("zoho", header="X-Hook-Secret")
    body = b'{"token": "sample-channel-token"}'

    signatures.verify(zoho.schemes, request(body), ["sample-channel-token"], NOW)
    with pytest.raises(RejectedError):
        signatures.verify(
            zoho.schemes, request(body, {"x-hook-secret": "x"}), ["sample-channel-token"], NOW
        )


@pytest.mark.parametrize(
    "unset", ["", "null", "${Leads.Phone}", "${Leads.Custom Field}", " ", "${!Leads.Phone}"]
)
def test_what_a_workflow_leaves_unset_is_missing(unset: str) -> None:
    assert workflow(Phone=unset, Owner={"Name": unset}, Tags=[{"Name": unset}]) == {
        "Owner": {},
        "Tags": [{}],
    }


@pytest.mark.parametrize("value", ["Null", "$5", "cost: ${5}", "+442079460141", 0, False, None])
def test_what_a_workflow_sets_is_kept(value: object) -> None:
    assert workflow(Field=value) == {"Field": value}


@pytest.mark.parametrize(
    ("zone", "written"),
    [("UTC", "2026-11-23T10:00:00+00:00"), ("Asia/Kolkata", "23-Nov-2026 03:30 PM")],
)
def test_a_record_was_changed_when_it_says(zone: str, written: str) -> None:
    zoho = replace(provider("zoho"), zone=ZoneInfo(zone))
    sent = request(json.dumps({"id": "1", "Modified_Time": written}).encode())
    (event,) = zoho.events(sent, zoho.read(sent))

    assert event.occurred_at == datetime(2026, 11, 23, 10, tzinfo=UTC)
