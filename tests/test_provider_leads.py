"""Senders of leads and missed calls: what none may get wrong, in the forms that they come in."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from ringhook.errors import RejectedError, UnavailableError
from ringhook.reading import checked
from ringhook.routing.routes_file import load
from ringhook.senders import providers, signatures
from ringhook.senders.providers import Event, Provider
from ringhook.senders.request import Reply, Request

NOW = datetime(2026, 7, 14, 15, tzinfo=UTC)
THEN = datetime(2026, 7, 14, 14, 12, tzinfo=UTC)
IST = "2026-07-14 19:42:00"  # the same moment, by India's clock


def adapted(name: str, **settings: Any) -> Provider:
    provider = providers.find(name)
    return provider.adapt(provider, checked.read(provider.settings, {"provider": name, **settings}))


def posted(body: Any, kind: str = "application/json") -> Request:
    raw = body if isinstance(body, str) else json.dumps(body)
    return Request(
        source="it",
        method="POST",
        url="https://hooks.example.com/hooks/it?token=x",
        headers={"content-type": kind},
        body=raw.encode(),
        received_at=NOW,
    )


def got(fields: dict[str, str]) -> Request:
    url = f"https://hooks.example.com/hooks/it?token=x&{urlencode(fields)}"
    return replace(posted(""), method="GET", url=url)


def events(name: str, request: Request, **settings: Any) -> list[Event]:
    provider = adapted(name, **settings)
    return provider.events(request, provider.payload(request))


def event(name: str, body: Any, **settings: Any) -> Event:
    (only,) = events(name, body if isinstance(body, Request) else posted(body), **settings)
    return only


# Google Ads


@pytest.mark.parametrize("key", ["123", "", "short-of-sixteen"[:15]])
def test_a_key_that_can_be_guessed_is_refused(key: str) -> None:
    request = posted({"lead_id": "1", "google_key": key})

    with pytest.raises((UnavailableError, RejectedError)):
        signatures.verify(adapted("google-ads").schemes, request, [key], NOW)
    if key:
        with pytest.raises(UnavailableError):
            signatures.verify(adapted("google-ads").schemes, request, [key], NOW)


def test_the_key_reaches_no_route_and_googles_test_rings_nobody() -> None:
    lead = {"lead_id": "1", "google_key": "a-key-of-google-ads", "is_test": True}

    assert "google_key" not in event("google-ads", lead).payload
    assert event("google-ads", lead).never
    assert event("google-ads", lead | {"is_test": "true"}).never
    assert not event("google-ads", lead | {"is_test": False}).never
    assert not event("google-ads", {"lead_id": "1"}).never


def test_a_lead_without_a_time_happened_when_it_came() -> None:
    assert event("google-ads", {"lead_id": "1"}).occurred_at == NOW


# IndiaMART

LEAD = {"UNIQUE_QUERY_ID": "1", "QUERY_TYPE": "W", "QUERY_TIME": IST, "SENDER_MOBILE": "+44-77"}


@pytest.mark.parametrize(
    "body",
    [
        {"CODE": 200, "STATUS": "SUCCESS", "RESPONSE": LEAD},
        {"CODE": 200, "STATUS": "SUCCESS", "RESPONSE": [LEAD]},
        LEAD,
        [LEAD],
    ],
)
def test_an_enquiry_is_read_from_each_envelope_by_indias_clock(body: Any) -> None:
    lead = event("indiamart", body)

    assert (lead.topic, lead.occurred_at) == ("W", THEN)
    assert lead.event_id == event("indiamart", LEAD).event_id


def test_many_leads_are_many_events() -> None:
    body = posted({"RESPONSE": [LEAD, LEAD | {"UNIQUE_QUERY_ID": "2"}]})

    assert len({one.event_id for one in events("indiamart", body)}) == 2


@pytest.mark.parametrize(
    ("kind", "duration", "rings"),
    [
        ("P", "0", True),
        ("P", 0, True),
        ("P", "31", False),
        ("P", "", False),
        ("P", None, False),
        ("W", "", True),
        ("V", "", False),
        ("BIZ", "0", False),
    ],
)
def test_a_call_rings_back_only_if_it_was_missed(kind: str, duration: Any, rings: bool) -> None:
    lead = event("indiamart", LEAD | {"QUERY_TYPE": kind, "CALL_DURATION": duration})

    assert bool(lead.never) is not rings


def test_another_clock_may_be_said() -> None:
    source = "[sources.it]\nprovider = 'indiamart'\ntime_zone = 'UTC'\n"
    routes = load(
        "countries = ['IN']\n" + source + "[[routes]]\nname = 'r'\nsource = 'it'\n"
        "call = { agent_id = 1, phone_number = '{{ SENDER_MOBILE }}' }\n"
    )
    assert routes.sources["it"].provider.zone.utcoffset(NOW) == timedelta(0)


# JustDial

ASKED = {
    "leadid": "JD-1",
    "leadtype": "category",
    "mobile": "9000000001",
    "phone": "",
    "date": "2026-07-14",
    "time": "19:42:00",
    "dncmobile": "0",
    "dncphone": "0",
}


@pytest.mark.parametrize(
    "request_",
    [posted(ASKED), posted(urlencode(ASKED), "application/x-www-form-urlencoded"), got(ASKED)],
    ids=["json", "form", "get"],
)
def test_a_lead_of_justdial_is_the_same_however_it_comes(request_: Request) -> None:
    lead = event("justdial", request_)

    assert (lead.topic, lead.occurred_at, lead.never) == ("category", THEN, "")
    assert lead.event_id == event("justdial", ASKED).event_id
    assert lead.payload["mobile"] == "9000000001"


@pytest.mark.parametrize("mark", [1, "1", True, "Y", "true", 2])
def test_a_marked_number_is_taken_out_of_the_lead(mark: Any) -> None:
    only = event("justdial", ASKED | {"dncmobile": mark})
    with_another = event("justdial", ASKED | {"dncmobile": mark, "phone": "2200000001"})

    assert only.never
    assert "9000000001" not in json.dumps(only.payload)
    assert not with_another.never
    assert with_another.payload["mobile"] == ""
    assert with_another.payload["phone"] == "2200000001"


# LeadSquared

PROSPECT = {"ProspectID": "p-1", "ModifiedOn": "2026-07-14 14:12:00", "Phone": "+91-1"}


def test_an_update_says_what_the_lead_is_now() -> None:
    update = {"Before": PROSPECT | {"Phone": "old"}, "After": PROSPECT}

    now = event("leadsquared", update)
    assert (now.topic, now.payload["Phone"], now.occurred_at) == ("lead.update", "+91-1", THEN)
    assert event("leadsquared", PROSPECT).topic == "lead"
    assert event("leadsquared", PROSPECT, topic="lead.create").topic == "lead.create"


@pytest.mark.parametrize("mark", ["1", 1, True, "true", "Yes"])
def test_a_lead_that_is_not_to_be_called_never_is(mark: Any) -> None:
    marked = PROSPECT | {"DoNotCall": mark}

    assert event("leadsquared", marked).never
    assert event("leadsquared", {"Before": PROSPECT, "After": marked}).never
    assert event("leadsquared", {"After": PROSPECT, "Current": marked}).never
    assert not event("leadsquared", {"Before": marked, "After": PROSPECT}).never


@pytest.mark.parametrize("mark", ["0", 0, False, "", None, "false"])
def test_a_lead_without_the_mark_may_be_called(mark: Any) -> None:
    assert not event("leadsquared", PROSPECT | {"DoNotCall": mark}).never


# Exotel


@pytest.mark.parametrize(
    ("fields", "rings"),
    [
        ({"CallType": "call-attempt", "Direction": "incoming"}, True),
        ({"CallType": "client-hangup", "Direction": "incoming"}, True),
        ({"CallType": "completed", "Direction": "incoming"}, False),
        ({"CallType": "call-attempt", "Direction": "outbound-dial"}, False),
        ({"Status": "completed", "Direction": "outbound-api"}, False),
    ],
)
def test_a_missed_call_rings_back_and_no_other(fields: dict[str, str], rings: bool) -> None:
    call = event("exotel", got({"CallSid": "c", "StartTime": IST, **fields}))

    assert bool(call.never) is not rings
    assert call.occurred_at == THEN


@pytest.mark.parametrize("name", ["exotel", "google-ads", "indiamart", "justdial", "leadsquared"])
def test_senders_that_switch_off_after_errors_get_none(name: str) -> None:
    demanded = adapted(name).accepted

    assert (demanded.status if isinstance(demanded, Reply) else demanded) == 200
    assert adapted(name).unmapped_status < 300
