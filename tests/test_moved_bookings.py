"""A booking that is moved under a new id keeps one reminder, in whichever order its events come."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from tests.builders import request

from ringhook.calls.call import Call
from ringhook.calls.messages import Cancel
from ringhook.errors import RoutesError
from ringhook.routing.mapping import map_event
from ringhook.routing.routes import Routes
from ringhook.routing.routes_file import load
from ringhook_ops.catalogue import recipes

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
BOOKED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NUMBER = "+14155550199"
INVITEES = "https://api.calendly.com/scheduled_events/E{0}/invitees/I{0}"
# Another sender of appointments, whose user says in `routes.toml` where it has the old id.
OTHER = """
countries = ["US"]

[sources.it]
provider = "bearer"
topic = "{{ type }}"

[[routes]]
name = "reminder"
source = "it"
on = ["booked", "moved"]
call = { agent_id = 1, phone_number = "{{ phone }}" }

[routes.policy]
key = "{{ id }}"
replaces = "{{ old_id }}"
cancelled_by = ["cancelled"]
at = "{{ starts_at }}"
before = "2h"
"""


def starts(number: int) -> str:
    """When the booking of this number begins."""
    return (NOW + timedelta(days=number)).isoformat()


def calcom(number: int, *, old: int | None = None, cancelled: bool = False) -> Any:
    """What Cal.com sends: `rescheduleUid` is the booking that was moved."""
    moved = {"rescheduleUid": f"U{old}", "rescheduleStartTime": starts(old)} if old else {}
    topic = (
        "BOOKING_CANCELLED" if cancelled else "BOOKING_RESCHEDULED" if old else "BOOKING_CREATED"
    )
    person = {"name": "Pat", "timeZone": "America/Los_Angeles", "phoneNumber": NUMBER}
    booking = {"uid": f"U{number}", "title": "Intro", "startTime": starts(number)}
    when = (BOOKED + timedelta(minutes=number)).isoformat()
    return {
        "triggerEvent": topic,
        "createdAt": when,
        "payload": {**booking, "attendees": [person], **({} if cancelled else moved)},
    }


def calendly(number: int, *, old: int | None = None, cancelled: bool = False) -> Any:
    """What Calendly sends: `old_invitee` is the address of the one that was moved."""
    return {
        "event": "invitee.canceled" if cancelled else "invitee.created",
        "created_at": (BOOKED + timedelta(minutes=number)).isoformat(),
        "payload": {
            "uri": INVITEES.format(number),
            "old_invitee": INVITEES.format(old) if old else None,
            "name": "Pat Doe",
            "text_reminder_number": NUMBER,
            "timezone": "America/Los_Angeles",
            "questions_and_answers": [],
            "scheduled_event": {"name": "Intro", "start_time": starts(number), "location": None},
        },
    }


def other(number: int, *, old: int | None = None, cancelled: bool = False) -> Any:
    return {
        "type": "cancelled" if cancelled else "moved" if old else "booked",
        "id": number,
        "old_id": old,
        "phone": NUMBER,
        "starts_at": starts(number),
    }


def routes_of(provider: str) -> Routes:
    if provider == "bearer":
        return load(OTHER)
    recipe = recipes.find(provider, "appointment-reminder")
    return load(recipes.add(None, recipe, source="it", countries=["US"]).text)


def waiting(routes: Routes, bodies: list[Any]) -> set[str]:
    """When the calls ring that still wait: one that was ended stays so, whichever came first."""
    calls, ended = {}, set()
    provider = routes.sources["it"].provider
    for body in bodies:
        sent = request(
            json.dumps(body).encode(), {"content-type": "application/json"}, received_at=NOW
        )
        for event in provider.events(sent, provider.payload(sent)):
            for one in map_event(event, routes, now=NOW):
                if isinstance(one, Cancel):
                    ended.add(one.call_id)
                elif isinstance(one, Call):
                    assert one.rings, one.unmapped
                    assert one.appointment
                    calls[one.call_id] = one.appointment.isoformat()
    return {time for call_id, time in calls.items() if call_id not in ended}


SENDERS = pytest.mark.parametrize(
    ("provider", "event"), [("calcom", calcom), ("calendly", calendly), ("bearer", other)]
)


@SENDERS
def test_a_booking_moved_twice_has_the_newest_reminder_alone(provider: str, event: Any) -> None:
    routes = routes_of(provider)
    for bodies in permutations([event(1), event(2, old=1), event(3, old=2)]):
        assert waiting(routes, list(bodies)) == {starts(3)}


@SENDERS
def test_a_moved_booking_that_is_cancelled_has_no_reminder(provider: str, event: Any) -> None:
    routes = routes_of(provider)
    sent = [event(1), event(2, old=1), event(3, old=2), event(3, cancelled=True)]
    for bodies in permutations(sent):
        assert waiting(routes, list(bodies)) == set()


@SENDERS
def test_an_event_that_is_lost_leaves_no_older_reminder_than_it_must(
    provider: str, event: Any
) -> None:
    routes = routes_of(provider)
    assert waiting(routes, [event(3, old=2), event(2, old=1)]) == {starts(3)}
    assert waiting(routes, [event(1)]) == {starts(1)}


def test_a_moved_booking_ends_its_reminder_even_where_its_own_cannot_be_made() -> None:
    routes = routes_of("bearer")
    before, after = other(1), other(2, old=1) | {"phone": "no number"}
    provider = routes.sources["it"].provider
    found = []
    for body in (before, after):
        sent = request(json.dumps(body).encode(), {"content-type": "application/json"})
        (event,) = provider.events(sent, provider.payload(sent))
        found += map_event(event, routes, now=NOW)

    asked, unmapped, end = found
    assert isinstance(asked, Call)
    assert isinstance(unmapped, Call)
    assert unmapped.unmapped
    assert isinstance(end, Cancel)
    assert end.call_id == asked.call_id


def test_a_booking_that_keeps_its_id_does_not_end_itself() -> None:
    assert waiting(routes_of("bearer"), [other(1), other(1, old=1)]) == {starts(1)}


def test_replaces_needs_a_key_and_must_be_of_the_event() -> None:
    with pytest.raises(RoutesError, match=r"needs a policy\.key"):
        load(OTHER.replace('key = "{{ id }}"\n', "").replace('cancelled_by = ["cancelled"]\n', ""))
    with pytest.raises(RoutesError, match="the same for every event"):
        load(OTHER.replace("{{ old_id }}", "old"))
