"""When a deployed stack rings: waits, cancellations, schedules, hours, caps, wishes; for real."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.e2e.deployed import RANG, Deployed, moment
from tests.e2e.waiting import until

from ringhook.deciding import zones
from ringhook.deciding.calling_hours import next_permitted
from ringhook_ops.local.cloud import PARAMETERS

# In the order of their clocks, none of them with daylight saving near midnight.
ZONES = ("Asia/Tokyo", "Asia/Kolkata", "Europe/London", "America/Chicago", "Pacific/Honolulu")
SPREAD = timedelta(minutes=10)


@pytest.fixture
def many_dialers(stack: Deployed) -> Iterator[None]:
    """Five dialers at once instead of two."""
    functions = stack.cloud.client("lambda")
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    (mapping,) = (one for one in mappings if one.get("ScalingConfig"))

    def at_once(number: int) -> None:
        functions.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": number}
        )

    at_once(5)
    yield
    at_once(PARAMETERS["MaximumConcurrency"])


def schedule_of(stack: Deployed, call_id: str) -> dict[str, Any]:
    """The call's first schedule, of one for each of its times; {} if it has none."""
    scheduler, group = stack.cloud.client("scheduler"), stack.resource("ScheduleGroup")
    names = [one["Name"] for one in scheduler.list_schedules(GroupName=group)["Schedules"]]
    for name in sorted(names):
        if name.startswith(f"{call_id}-"):
            found: dict[str, Any] = scheduler.get_schedule(GroupName=group, Name=name)
            return found
    return {}


def test_a_call_that_waits_rings_when_the_wait_is_over(stack: Deployed) -> None:
    number = stack.number()
    call_id = stack.desk("wait", phone=number).call_id
    item = stack.becomes(call_id, "deferred")
    due = moment(item["occurred_at"]) + timedelta(seconds=3)
    assert item["due_at"] == pytest.approx(due.timestamp(), abs=0.001)
    assert stack.dials(number) == []
    assert stack.ends(call_id)["status"] in RANG
    (request,) = stack.dials(number)
    assert moment(request["received_at"]) >= due - timedelta(milliseconds=1)


def test_a_further_event_starts_the_wait_anew_and_the_newest_is_used(stack: Deployed) -> None:
    number, cart = stack.number(), stack.id()
    call_id = stack.desk("cart", cart=cart, phone=number, items="a lamp").call_id
    first = stack.becomes(call_id, "deferred")
    stack.desk("cart", cart=cart, phone=number, items="a lamp and a chair")
    second = until(lambda: now if (now := stack.item(call_id)) != first else {})
    assert stack.desk("cart", cart=cart, phone=number, items="two lamps").call_id == call_id
    third = until(lambda: now if (now := stack.item(call_id)) != second else {})
    assert first["due_at"] < second["due_at"] < third["due_at"]
    stack.becomes(call_id, *RANG)
    stack.comes_to_rest(also_delayed=True)
    (request,) = stack.dials(number)
    assert request["body"]["metadata"]["items"] == "two lamps"
    assert moment(request["received_at"]).timestamp() >= third["due_at"] - 0.001


def test_a_call_that_was_cancelled_while_it_waited_never_rings(stack: Deployed) -> None:
    number, booking = stack.number(), stack.id()
    call_id = stack.desk("booked", booking=booking, phone=number).call_id
    stack.becomes(call_id, "deferred")
    assert stack.desk("unbooked", booking=booking).status == 202
    stack.becomes(call_id, "cancelled")
    stack.comes_to_rest(also_delayed=True)
    assert stack.item(call_id)["status"] == "cancelled"
    assert stack.dials(number) == []


def test_a_cancellation_that_arrives_first_wins(stack: Deployed) -> None:
    number, booking = stack.number(), stack.id()
    stack.desk("unbooked", booking=booking)
    stack.comes_to_rest(also_delayed=True)
    call_id = stack.desk("booked", booking=booking, phone=number).call_id
    stack.comes_to_rest(also_delayed=True)
    assert stack.item(call_id)["status"] == "cancelled"
    assert stack.dials(number) == []


def test_a_cancellation_at_the_same_moment_wins(stack: Deployed) -> None:
    bookings = {stack.id(): stack.number() for _ in range(20)}
    events = [
        {"id": stack.id(), "topic": topic, "booking": booking, "phone": number}
        for booking, number in bookings.items()
        for topic in random.sample(["booked", "unbooked"], 2)
    ]
    told = stack.tell("desk", events)
    stack.comes_to_rest(also_delayed=True)
    assert len(told.body["calls"]) == len(bookings)
    for call in told.body["calls"]:
        assert stack.item(call["call_id"])["status"] == "cancelled"
    assert [request for number in bookings.values() for request in stack.dials(number)] == []


def test_a_long_wait_is_a_schedule_that_tells_nobodys_number_and_rings_when_it_fires(
    stack: Deployed,
) -> None:
    number = stack.number()
    call_id = stack.desk("later", phone=number).call_id
    item = stack.becomes(call_id, "deferred")
    due = moment(item["occurred_at"]) + timedelta(hours=1)
    assert item["due_at"] == pytest.approx(due.timestamp(), abs=0.001)
    schedule = until(lambda: schedule_of(stack, call_id))
    at = moment(schedule["ScheduleExpression"][3:-1] + "+00:00")
    assert timedelta(0) <= at - due <= timedelta(seconds=1)
    assert json.loads(schedule["Target"]["Input"]) == {"kind": "wake", "call_id": call_id}
    assert number.removeprefix("+") not in str(schedule)
    assert schedule["ActionAfterCompletion"] == "DELETE"

    # An hour later: the ledger's hour is moved here, the schedule is left to fire by itself.
    now = datetime.now(UTC)
    stack.cloud.client("dynamodb").update_item(
        TableName=stack.cloud.table_name,
        Key={"pk": {"S": f"call#{call_id}"}},
        UpdateExpression="SET due_at = :epoch, ring_at = :text",
        ExpressionAttributeValues={
            ":epoch": {"N": str(now.timestamp())},
            ":text": {"S": now.isoformat()},
        },
    )
    assert stack.dials(number) == []
    names = ("Name", "GroupName", "FlexibleTimeWindow", "Target", "ActionAfterCompletion")
    moved = {name: schedule[name] for name in names}
    soon = now + timedelta(seconds=2)
    stack.cloud.client("scheduler").update_schedule(
        **moved, ScheduleExpression=f"at({soon:%Y-%m-%dT%H:%M:%S})"
    )
    assert stack.ends(call_id)["status"] in RANG
    assert len(stack.dials(number)) == 1
    until(lambda: not schedule_of(stack, call_id))


def test_an_appointment_that_is_moved_moves_its_call(stack: Deployed) -> None:
    number, appointment = stack.number(), stack.id()
    late = datetime.now(UTC) + timedelta(hours=6)
    call_id = stack.desk(
        "appointment", appointment=appointment, phone=number, starts=late.isoformat()
    ).call_id
    item = stack.becomes(call_id, "deferred")
    assert item["due_at"] == pytest.approx((late - timedelta(hours=1)).timestamp(), abs=0.001)
    until(lambda: schedule_of(stack, call_id))
    early = datetime.now(UTC) + timedelta(hours=1, seconds=3)
    stack.desk("appointment", appointment=appointment, phone=number, starts=early.isoformat())
    assert stack.becomes(call_id, *RANG)["appointment"]
    (request,) = stack.dials(number)
    rang = moment(request["received_at"])
    assert timedelta(0) <= rang - (early - timedelta(hours=1)) < timedelta(seconds=5)


def test_calling_hours_put_a_call_off_to_the_moment_that_they_open(stack: Deployed) -> None:
    route = stack.routes.named("in-hours")
    assert route
    hours = route.policy.calling_hours
    number, now = stack.number(), datetime.now(UTC)
    opens = {}
    for zone in ZONES:
        places = zones.places(number, time_zone=zone)
        assert not isinstance(places, zones.Nowhere)
        opens[zone] = next_permitted(now, places.places, hours, "marketing")
    # One that stays closed for a while, and one that stays open: some clock always says so.
    closed = max(ZONES, key=lambda zone: opens[zone] or now)
    opening = opens[closed]
    assert opening
    assert opening - now > timedelta(minutes=30)
    call_id = stack.desk("in-hours", phone=number, zone=closed).call_id
    item = stack.becomes(call_id, "deferred")
    assert opening.timestamp() <= item["due_at"] <= (opening + SPREAD).timestamp()
    assert closed in item["reason"]
    assert until(lambda: schedule_of(stack, call_id))
    open_now = next(zone for zone in ZONES if opens[zone] == now and 9 <= _hour(now, zone) < 19)
    ringing = stack.number()
    call_id = stack.desk("in-hours", phone=ringing, zone=open_now).call_id
    assert stack.ends(call_id)["status"] in RANG
    assert len(stack.dials(ringing)) == 1
    assert stack.dials(number) == []


def _hour(now: datetime, zone: str) -> int:
    from zoneinfo import ZoneInfo

    return now.astimezone(ZoneInfo(zone)).hour


@pytest.mark.usefixtures("many_dialers")
def test_a_cap_holds_exactly_under_fifty_events_at_once(stack: Deployed) -> None:
    number = stack.number()
    told = stack.desk_at_once(50, "capped", phone=number)
    call_ids = {call["call_id"] for call in told.body["calls"]}
    assert len(call_ids) == 50
    until(lambda: len(stack.dials(number)) == 3, timeout=60)
    settled = (*RANG, "deferred", "suppressed")
    items = [stack.becomes(call_id, *settled, timeout=60) for call_id in call_ids]
    stack.comes_to_rest(timeout=60)
    assert sum(item["status"] in RANG for item in items) <= 3
    assert len(stack.dials(number)) == 3
    reasons = " ".join({item["reason"] for item in items if item["status"] not in RANG})
    assert "max_calls 3/24h: the number was rung 3 times within that time" in reasons


def test_whoever_said_stop_is_not_rung_by_any_route(stack: Deployed) -> None:
    number = stack.number()
    assert stack.desk("stop", phone=number).status == 202
    stack.comes_to_rest()
    item = stack.ends(stack.desk("now", phone=number).call_id)
    assert item["status"] == "suppressed"
    assert "do-not-call" in item["reason"]
    assert stack.ends(stack.post(stack.shopify(number)).call_id)["status"] == "suppressed"
    assert stack.dials(number) == []


def test_a_recorded_consent_lets_ring_until_it_is_withdrawn(stack: Deployed) -> None:
    number = stack.number()
    item = stack.ends(stack.desk("offer", phone=number).call_id)
    assert (item["status"], "no consent" in item["reason"]) == ("suppressed", True)
    stack.desk("agreed", phone=number, answer="yes")
    stack.comes_to_rest()
    assert stack.ends(stack.desk("offer", phone=number).call_id)["status"] in RANG
    stack.desk("agreed", phone=number, answer="no")
    stack.comes_to_rest()
    item = stack.ends(stack.desk("offer", phone=number).call_id)
    assert item["status"] == "suppressed"
    assert "answer == 'yes' was false" in item["reason"]
    assert len(stack.dials(number)) == 1


def test_what_is_known_of_a_customer_who_asks_is_kept_for_the_operator(stack: Deployed) -> None:
    number = stack.number()
    rung = stack.post(stack.shopify(number)).call_id
    stack.ends(rung)
    request = stack.shopify(number, "customers/data_request", "customer.phone")
    assert stack.post(request).status == 202

    def exported() -> list[str]:
        held = [one for one in stack.ledger().exports() if one["phone_number"] == number]
        return [call["call_id"] for one in held for call in one["calls"]]

    until(lambda: exported() == [rung])


def test_a_customer_who_asks_to_be_forgotten_is(stack: Deployed) -> None:
    number = stack.number()
    rung = stack.post(stack.shopify(number)).call_id
    stack.ends(rung)
    waiting = stack.desk("wait", phone=number).call_id
    stack.becomes(waiting, "deferred")
    redact = stack.shopify(number, "customers/redact", "customer.phone")
    assert stack.post(redact).status == 202
    until(lambda: {stack.item(one)["status"] for one in (rung, waiting)} == {"forgotten"})
    stack.comes_to_rest(also_delayed=True)
    assert [*stack.ledger().of_number(number)] == []
    answer = stack.cloud.client("dynamodb").get_item(
        TableName=stack.cloud.table_name, Key={"pk": {"S": f"number#{number}"}}
    )
    assert "Item" not in answer
    assert len(stack.dials(number)) == 1, "the one that waited does not ring"
