"""Events that name a person by an id alone: the dialer fetches the rest, and then it rings."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.e2e.deployed import Deployed
from tests.e2e.waiting import until

from ringhook_ops.samples import library, webhooks
from ringhook_ops.sandbox.senders import CREDENTIAL

API = "api.hubapi.com/crm/v3/objects"
ids = count(700_001)


def created(stack: Deployed, what: str, object_id: int) -> None:
    """HubSpot tells that a contact or a company was created, and is answered at once."""
    now = datetime.now(UTC)
    sample = library.find("hubspot", "contact.creation")
    (event,) = json.loads(sample.body)
    event |= {"subscriptionType": f"{what}.creation", "objectId": object_id, "eventId": object_id}
    event["occurredAt"] = round(now.timestamp() * 1000)
    sample = replace(sample, body=json.dumps([event]).encode())
    told = stack.post(
        webhooks.webhook(sample, stack.routes, now=now, hooks=stack.cloud.webhooks_url)
    )
    assert (told.status, told.body) == (202, {"calls": [], "enriching": 1})


def contact(number: str) -> dict[str, Any]:
    return {"properties": {"phone": number, "firstname": "Priya"}}


def fetches(stack: Deployed, place: str) -> list[int]:
    """The statuses of the requests at this place, oldest first."""
    asked = stack.api.senders.asked()
    return [one["status"] for one in asked if one["address"].startswith(place)]


def test_whom_an_event_names_is_fetched_and_rung_once(stack: Deployed) -> None:
    number, object_id = stack.number(), next(ids)
    stack.api.senders.tell({"at": f"{API}/contacts/{object_id}?*", "answer": contact(number)})

    created(stack, "contact", object_id)

    (request,) = until(lambda: stack.dials(number))
    assert request["body"]["metadata"].pop("call_id").startswith("call_")
    assert request["body"] == {
        "agent_id": 1043,
        "phone_number": number,
        "metadata": {"contact_id": object_id, "first_name": "Priya"},
    }
    stack.comes_to_rest()
    assert len(stack.dials(number)) == 1
    assert fetches(stack, f"{API}/contacts/{object_id}") == [200]
    assert CREDENTIAL not in "".join(stack.raw_logs())


def test_a_senders_api_that_fails_at_first_is_asked_again_and_nobody_is_lost(
    stack: Deployed,
) -> None:
    number, object_id = stack.number(), next(ids)
    at = f"{API}/contacts/{object_id}?*"
    stack.api.senders.tell({"at": at, "answer": contact(number)})
    stack.api.senders.tell({"at": at, "status": 503, "times": 1})

    created(stack, "contact", object_id)

    assert len(until(lambda: stack.dials(number), timeout=30)) == 1
    assert fetches(stack, f"{API}/contacts/{object_id}") == [503, 200]


def test_a_person_whom_the_senders_api_does_not_know_is_unmapped_and_said_so(
    stack: Deployed,
) -> None:
    object_id = next(ids)
    at = f"{API}/contacts/{object_id}?*"
    stack.api.senders.tell({"at": at, "status": 404, "answer": {"message": "not found"}})

    created(stack, "contact", object_id)

    def unmapped() -> list[str]:
        today = datetime.now(UTC).date()
        return [
            item["reason"]
            for item in stack.ledger().newest(today)
            if item["status"] == "unmapped" and item["route"] == "new-contact"
        ]

    assert until(unmapped) == [
        "contact cannot be fetched from api.hubapi.com: HTTP 404: it says no"
    ]


def test_an_event_waits_for_a_credential_that_must_be_renewed(stack: Deployed) -> None:
    number, object_id = stack.number(), next(ids)
    place = f"{API}/companies/{object_id}"
    stack.api.senders.tell({"at": place, "answer": contact(number)})

    created(stack, "company", object_id)
    until(lambda: 401 in fetches(stack, place))
    assert stack.dials(number) == []

    secrets, arn = stack.cloud.client("secretsmanager"), stack.cloud.outputs["CredentialsArn"]
    secrets.put_secret_value(
        SecretId=arn, SecretString=json.dumps({"crm": CREDENTIAL, "renewed": CREDENTIAL})
    )

    assert len(until(lambda: stack.dials(number), timeout=60)) == 1
