"""What routes make of an event: each value as it is, one id for one call, or why there is none."""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import ALICE, BOB
from tests.builders import request as from_bytes

from ringhook.calls import messages
from ringhook.calls.call import Call, call_id
from ringhook.calls.messages import Asked, Cancel, Consent, Export, Forget, Suppress
from ringhook.errors import RoutesError
from ringhook.reading.packing import pack, unpack
from ringhook.routing.mapping import Ignored, map_event
from ringhook.routing.metadata import DEEPEST_METADATA, LARGEST_METADATA, LONGEST_VALUE
from ringhook.routing.routes import Route, Routes
from ringhook.routing.routes_file import load
from ringhook.senders.providers import Event

NOW = datetime(2026, 7, 14, 15, tzinfo=UTC)
CALL = 'call = { agent_id = 1, phone_number = "{{ phone }}" }'
ROUTES = f"""
countries = ["US"]

[sources.chat]
provider = "intercom"

[[routes]]
name = "ring"
source = "chat"
{CALL}
policy = {{ key = "{{{{ id }}}}", after = "1h", cancelled_by = ["contact.deleted", "opt-out"] }}

[[routes]]
name = "opt-out"
source = "chat"
action = "suppress"
on = ["contact.unsubscribed"]
record = {{ phone_number = "{{{{ phone }}}}" }}
policy = {{ key = "{{{{ id }}}}" }}

[[routes]]
name = "consents"
source = "chat"
action = "consent"
record = {{ phone_number = "{{{{ phone }}}}", granted = "yes" }}
"""


def mapped(topic: str, *, never: str = "it must not ring", **fields: Any) -> list[Asked | Ignored]:
    payload = {"id": "c1", "phone": ALICE} | fields
    event = Event("chat", topic, "evt_1", NOW, payload, never=never)
    return map_event(event, load(ROUTES), now=NOW)


def kinds(found: list[Asked | Ignored]) -> dict[str, str]:
    """Whose number each route's wishes are about, by the route's name and what is asked."""
    return {
        f"{one.route} {type(one).__name__.lower()}": getattr(one, "phone_number", "")
        for one in found
        if not isinstance(one, Ignored)
    }


def test_an_event_that_never_rings_keeps_a_wish_not_to_be_called() -> None:
    found = kinds(mapped("contact.unsubscribed"))

    assert found == {"opt-out suppress": ALICE, "consents consent": ALICE, "ring cancel": ""}


def test_an_event_that_never_rings_ends_the_call_that_waits() -> None:
    (asked,) = [one for one in mapped("contact.created", never="") if one.route == "ring"]
    found = mapped("contact.deleted")

    assert isinstance(asked, Call)
    assert [one.call_id for one in found if isinstance(one, Cancel)] == [asked.call_id]
    assert not any(isinstance(one, Call) and one.rings for one in found)


def test_a_wish_of_which_the_number_cannot_be_read_is_kept_to_be_looked_at_and_rings_nobody() -> (
    None
):
    found = mapped("contact.unsubscribed", phone="(415) 555-0123")

    calls = [one for one in found if isinstance(one, Call)]
    assert not any(one.rings for one in calls)
    (kept,) = [one for one in calls if one.route == "opt-out"]
    assert kept.unmapped.startswith("phone_number '•••••0123' is a national number")
    assert unpack(kept.payload)["phone"] == "(415) 555-0123"


def test_an_erasure_is_nothing_else() -> None:
    event = Event(
        "chat",
        "contact.unsubscribed",
        "evt_1",
        NOW,
        {"id": "c1", "phone": ALICE},
        never="erased",
        asks="forget",
        numbers=(ALICE,),
    )

    assert kinds(map_event(event, load(ROUTES), now=NOW)) == {" forget": ALICE}


def test_a_topic_that_never_rings_may_be_a_wish_and_never_a_call() -> None:
    assert load(ROUTES).warnings == []
    to_ring = f'[[routes]]\nname = "x"\nsource = "chat"\non = ["contact.unsubscribed"]\n{CALL}'
    with pytest.raises(RoutesError, match="never rings anybody"):
        load(ROUTES + to_ring)


# --- one route, one event --------------------------------------------------------------------

SOURCES = """
countries = ["US"]
[sources.crm]
provider = "bearer"
topic = "{{ topic }}"
[sources.shop]
provider = "shopify"
"""
ASKED = 'call.agent_id = 1\ncall.phone_number = "{{ phone }}"'
LEAD = {"id": 7, "phone": ALICE, "name": "Rosa Almeida", "total": 12.5}


def route(text: str = "", *, name: str = "ring", source: str = "crm", call: str = ASKED) -> str:
    return f'[[routes]]\nname = "{name}"\nsource = "{source}"\n{call}\n{text}\n'


def results(text: str, payload: Any, **event: Any) -> list[Asked | Ignored]:
    """What these routes make of an event of `crm`."""
    fields = {"source": "crm", "topic": "lead", "event_id": "evt_1", "occurred_at": NOW}
    options = {name: event.pop(name) for name in ("missing", "correlation_id") if name in event}
    made = Event(**{**fields, "payload": payload, **event})
    return map_event(made, load(SOURCES + text), now=NOW, **options)


def result(text: str, payload: Any, **event: Any) -> Asked | Ignored:
    [only] = results(text, payload, **event)
    return only


def asked(text: str, payload: Any = LEAD, **event: Any) -> Call:
    """The one call that a route with these settings asks for."""
    found = result(route(text), payload, **event)
    assert isinstance(found, Call)
    return found


def unmapped(text: str, payload: Any = LEAD, **event: Any) -> str:
    """Why it asks for none that can be made."""
    found = asked(text, payload, **event)
    assert not found.rings
    return found.unmapped


def given_to_the_agent(template: str, value: Any) -> Any:
    return asked(f"call.metadata.it = {json.dumps(template)}", LEAD | {"it": value}).metadata["it"]


def test_a_call_says_of_which_event_route_and_request_it_is() -> None:
    found = asked("", occurred_at=NOW - timedelta(hours=1), correlation_id="request-1")

    assert (found.source, found.provider) == ("crm", "bearer")
    assert (found.route, found.topic, found.event_id) == ("ring", "lead", "evt_1")
    assert (found.occurred_at, found.received_at) == (NOW - timedelta(hours=1), NOW)
    assert (found.correlation_id, found.account) == ("request-1", "default")
    assert (found.agent_id, found.phone_number, found.metadata) == (1, ALICE, {})
    assert found.rings
    assert (found.payload, found.notes, found.unmapped, found.test) == ("", (), "", False)


def test_what_a_route_says_of_account_and_retention_goes_with_the_call() -> None:
    found = asked('call.account = "second"\npolicy.retention = "7d"')

    assert (found.account, found.retention) == ("second", timedelta(days=7))


# --- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [5, 0, -2, 1.5, True, False, "5", "", [], [1, "a", None], {"a": {"b": [True]}}]
)
def test_a_lone_expression_gives_the_agent_the_value_with_its_type(value: Any) -> None:
    found = given_to_the_agent("{{ it }}", value)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("Order {{ it }}", "#1001", "Order #1001"),
        ("{{ it }} items", 5, "5 items"),
        ("{{ it }} ", 5, "5"),
        ("paid: {{ it }}", True, "paid: true"),
        ("{{ name }}, {{ it }}", 1.5, "Rosa Almeida, 1.5"),
        ("no braces", "x", "no braces"),
    ],
)
def test_an_expression_within_a_text_becomes_text(template: str, value: Any, text: str) -> None:
    assert given_to_the_agent(template, value) == text


def test_what_stands_in_the_file_is_given_as_it_stands_there() -> None:
    found = asked('call.metadata = { a = 1, b = 1.5, c = true, d = "text" }').metadata

    assert found == {"a": 1, "b": 1.5, "c": True, "d": "text"}
    assert [type(value) for value in found.values()] == [int, float, bool, str]


@pytest.mark.parametrize("agent", [1042, "1042", "0001042"])
def test_an_agent_may_stand_in_the_payload_as_number_or_text(agent: object) -> None:
    assert agent_of(agent).agent_id == 1042


@pytest.mark.parametrize(
    "agent", [0, -1, 1.0, True, "", "Anna", "10 42", "\u0661", 10**40, [1], {}]
)
def test_what_is_no_agent_is_named(agent: object) -> None:
    assert agent_of(agent).unmapped == "agent_id: {{ agent }} is not an agent's number"


def agent_of(agent: object) -> Call:
    call = 'call.agent_id = "{{ agent }}"\ncall.phone_number = "{{ phone }}"'
    found = result(route(call=call), LEAD | {"agent": agent})
    assert isinstance(found, Call)
    return found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('call.metadata.order = "{{ order.id }}"', "metadata.order: {{ order.id }} finds nothing"),
        ('call.metadata.order = "No {{ order.id }}"', "metadata.order: {{ order.id }} finds noth"),
        ('call.metadata.order = "No {{ @ }}"', "metadata.order: {{ @ }} is an object, which has"),
        ('call.metadata.order = "{{ sum(name) }}"', "metadata.order: {{ sum(name) }} cannot be ev"),
        ('policy.key = "{{ order.id }}"', "key: {{ order.id }} finds nothing in the payload"),
        ("when = 'sum(name) > `1`'", "{{ sum(name) > `1` }} cannot be evaluated: sum() does not"),
        ("policy.consent = '{{ sum(name) }}'", "{{ sum(name) }} cannot be evaluated: sum()"),
        (
            'policy = { key = "{{ id }}", at = "{{ start }}", before = "1h" }',
            "at: {{ start }} finds nothing in the payload",
        ),
    ],
)
def test_what_is_not_found_is_named_with_its_field_and_expression(text: str, said: str) -> None:
    assert unmapped(text).startswith(said)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({}, "phone_number: {{ phone }} finds nothing in the payload"),
        ({"phone": None}, "phone_number: {{ phone }} finds nothing in the payload"),
        ({"phone": ""}, "phone_number: {{ phone }} is not a phone number"),
        ({"phone": True}, "phone_number: {{ phone }} is not a phone number"),
        ({"phone": 1.5}, "phone_number is negative, a fraction or too large, not a phone number"),
        ({"phone": [ALICE]}, "phone_number: {{ phone }} is not a phone number"),
        ([], "phone_number: {{ phone }} finds nothing in the payload"),
        (None, "phone_number: {{ phone }} finds nothing in the payload"),
    ],
)
def test_a_number_that_is_not_there_is_named(payload: Any, said: str) -> None:
    assert unmapped("", payload) == said


REGION = 'call.region = "{{ country }}"'


@pytest.mark.parametrize(
    ("text", "payload", "number"),
    [
        ('call.region = "US"', {"phone": "(415) 555-0123"}, ALICE),
        ('call.region = "us"', {"phone": 4155550123}, ALICE),
        (REGION, {"phone": "020 7946 0123", "country": " gb "}, BOB),
        (REGION, {"phone": BOB, "country": "US"}, BOB),
        (REGION, {"phone": ALICE}, ALICE),
        (REGION, {"phone": " " + ALICE, "country": None}, ALICE),
        ('call.region = "KW"', {"phone": "51091234"}, "+96551091234"),
        (REGION, {"phone": "51091234", "country": "State of Kuwait"}, "+96551091234"),
        (REGION, {"phone": 4155550123.0, "country": "USA"}, ALICE),
        (REGION, {"phone": "p:" + ALICE, "country": "Narnia"}, ALICE),
        ("", {"phone": " 14155550123"}, ALICE),
    ],
)
def test_a_number_is_dialled_from_its_region(text: str, payload: Any, number: str) -> None:
    assert asked(text, payload).phone_number == number


def test_what_had_to_be_understood_of_a_number_is_noted_in_its_call() -> None:
    notes = asked("", {"phone": " 14155550123"}).notes
    assert "began with a space for its plus" in notes[0]
    notes = asked(REGION, {"phone": ALICE, "country": "Narnia"}).notes
    assert "'Narnia' is no country that is known" in notes[0]


@pytest.mark.parametrize(
    ("text", "payload", "said"),
    [
        # In Kuwait this is a mobile; with a plus before it, it would begin like Peru's.
        ("", {"phone": "51091234"}, "•1234' is a national number and there is no region for it"),
        ("", {"phone": 51091234}, "•1234' is a national number and there is no region for it"),
        (REGION, {"phone": "51091234", "country": ""}, "is a national number"),
        (REGION, {"phone": "51091234"}, "region: {{ country }} finds nothing in the payload"),
        (REGION, {"phone": "51091234", "country": "Kuwai"}, "'Kuwai' is no country that is known"),
        (REGION, {"phone": "51091234", "country": ["KW"]}, "is no country that is known"),
    ],
)
def test_a_national_number_without_its_region_is_never_guessed(
    text: str, payload: Any, said: str
) -> None:
    found = unmapped(text, payload)
    assert said in found
    assert "51091234" not in found


def test_where_the_person_lives_is_as_written_and_may_be_missing() -> None:
    text = (
        'call.time_zone = "{{ zone }}"\ncall.country = "{{ country }}"\n'
        'call.province = "{{ state }}"\ncall.postal_code = "{{ zip }}"'
    )
    found = asked(text, LEAD | {"country": "US\u200b", "zip": 94107, "state": "x" * 200})

    assert (found.time_zone, found.country, found.postal_code) == ("", "US", "94107")
    assert found.province == "x" * 100
    assert found.rings


# --- metadata --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("  Rosa\n\tAlmeida ", "Rosa  Almeida"),
        ("a\x00b\x1b[31mc\x9fd", "a b [31mc d"),
        ("a\u2028b\u2029c", "a b c"),
        ("pay\u200bpal\u202e\ufeff", "paypal"),
        ("hi\U000e0041\U000e0042", "hi"),
        ("fill\u3164ed\u115f \U0001d173in\u180b\ufff0", "filled in"),
        ("half \ud83d emoji", "half  emoji"),
        ("\u200b\n", ""),
        ("Jürgen देवी 山田 👍", "Jürgen देवी 山田 👍"),
        (["a\n", {"b\u200b": "c\x00"}], ["a", {"b": "c"}]),
    ],
)
def test_the_agent_is_told_nothing_that_nobody_sees(written: Any, told: Any) -> None:
    assert given_to_the_agent("{{ it }}", written) == told


def test_a_long_text_is_cut_and_the_call_says_so() -> None:
    payload = LEAD | {"note": "x" * 501, "list": ["y" * 600, "z" * 500]}
    found = asked('call.metadata = { note = "{{ note }}", list = "{{ list }}" }', payload)

    assert found.metadata == {"note": "x" * 500, "list": ["y" * 500, "z" * 500]}
    assert found.notes == (
        "metadata.note was cut from 501 to 500 characters",
        "metadata.list was cut from 600 to 500 characters",
    )


@pytest.mark.parametrize("letter", ["x", "é", "द", "山"])
def test_metadata_of_every_script_has_the_same_room(letter: str) -> None:
    frame = len(json.dumps({"it": ["x" * 500] * 7 + [""]}))
    room = LARGEST_METADATA - frame
    fits = [letter * 500] * 7 + [letter * room]

    assert given_to_the_agent("{{ it }}", fits) == fits
    assert unmapped(
        'call.metadata.it = "{{ it }}"', LEAD | {"it": [*fits[:7], letter * (room + 1)]}
    ) == ("metadata: 4001 characters of JSON, at most 4000: name fewer fields")


def nested(depth: int) -> Any:
    return json.loads("[" * depth + "]" * depth)


def test_metadata_is_nested_only_so_deep() -> None:
    deepest = nested(DEEPEST_METADATA + 1)
    assert given_to_the_agent("{{ it }}", deepest) == deepest
    for depth in (DEEPEST_METADATA + 2, 100, 700):
        found = unmapped('call.metadata.it = "{{ it }}"', LEAD | {"it": nested(depth)})
        assert found == "metadata.it: nested more than 20 deep: name what is meant"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_json_cannot_hold_is_named(number: str) -> None:
    payload = LEAD | {"it": [json.loads(number)]}
    found = unmapped('call.metadata.it = "{{ it }}"', payload)
    assert "a number that JSON or the ledger cannot hold" in found


HELD = [0, -0.0, 1, 0.1, 10**38 - 1, 1 - 10**38, 1e-130, 9e125, 2**53 + 1, True]


@pytest.mark.parametrize("number", HELD)
def test_a_number_that_the_ledger_can_hold_is_given_to_the_agent(number: float) -> None:
    TypeSerializer().serialize(number if isinstance(number, int) else Decimal(repr(number)))
    assert given_to_the_agent("{{ it }}", number) == number


@pytest.mark.parametrize("number", [10**38, 10**40, -(10**60) + 1, 1e126, 1e300, 1e-131, 5e-324])
def test_a_number_that_the_ledger_cannot_hold_is_unmapped_at_the_door(number: float) -> None:
    """Source: DynamoDB's developer guide: 38 digits, 1e-130 to 9.99…e125."""
    found = unmapped('call.metadata.it = "{{ it }}"', LEAD | {"it": {"deep": [number]}})
    assert found.startswith("metadata.it: a number that JSON or the ledger cannot hold")


@pytest.mark.parametrize("names", [{"": 1}, {"\u200b": 1}, {"a": 1, "a\u200b": 2}])
def test_names_that_are_empty_or_become_the_same_are_unmapped(names: dict[str, int]) -> None:
    found = unmapped('call.metadata.it = "{{ it }}"', LEAD | {"it": names})
    assert "names that are empty, or that become the same" in found


# --- identity --------------------------------------------------------------------------------

KEYED = 'policy.key = "{{ id }}"'


def test_an_event_sent_again_asks_for_the_same_call() -> None:
    again = LEAD | {"name": "Rosa M. Almeida", "attempt": 2}
    later = {"occurred_at": NOW - timedelta(minutes=5), "topic": "lead.updated"}

    assert asked("", again, **later).call_id == asked("").call_id
    assert asked("", event_id="evt_2").call_id != asked("").call_id


def test_events_of_one_key_ask_for_one_call_whatever_their_topics_and_ids() -> None:
    other = asked(KEYED, event_id="evt_2", topic="lead.updated")

    assert other.call_id == asked(KEYED).call_id
    assert asked(KEYED, LEAD | {"id": 8}).call_id != asked(KEYED).call_id


def test_a_key_is_the_same_as_number_and_as_text() -> None:
    assert asked(KEYED, LEAD | {"id": "7"}).call_id == asked(KEYED).call_id
    assert asked(KEYED, LEAD | {"id": True}).call_id != asked(KEYED, LEAD | {"id": 1}).call_id


def test_two_routes_or_two_sources_ask_for_two_calls_even_of_one_key() -> None:
    both = results(route(KEYED) + route(KEYED, name="other"), LEAD)
    shop = results(route(KEYED, source="shop"), LEAD, source="shop")
    ids = {one.call_id for one in both + shop if isinstance(one, Call)}

    assert len(ids) == 3


def test_a_key_that_is_an_events_id_is_not_taken_for_the_event() -> None:
    assert asked(KEYED, LEAD | {"id": "evt_1"}).call_id != asked("").call_id


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "key: {{ id }} is empty"),
        (None, "key: {{ id }} finds nothing in the payload"),
        ([], "key: {{ id }} is not one value"),
        ({"a": 1}, "key: {{ id }} is not one value"),
    ],
)
def test_a_key_that_names_nobody_is_refused_and_joins_no_calls(key: Any, said: str) -> None:
    first, second = (asked(KEYED, LEAD | {"id": key}, event_id=one) for one in ("evt_1", "evt_2"))

    assert first.unmapped == said
    assert first.call_id != second.call_id
    assert first.phone_number == ALICE


def test_what_was_unmapped_has_the_id_of_the_call_that_it_becomes() -> None:
    for text in ("", KEYED):
        assert asked(text, {"id": 7}).unmapped
        assert asked(text, {"id": 7}).call_id == asked(text).call_id


TEXTS = st.text() | st.sampled_from(["", "a", 'a","b', "evt_1", "key", "event"])
IDS = st.tuples(TEXTS, TEXTS, st.sampled_from(["key", "event"]), TEXTS)


@given(st.lists(IDS, unique=True, max_size=8))
def test_what_differs_in_anything_has_another_id(inputs: list[tuple[str, str, Any, str]]) -> None:
    ids = [call_id(*one) for one in inputs]

    assert len(set(ids)) == len(inputs)
    assert ids == [call_id(*one) for one in inputs]


# --- what is not asked for -------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, False, "", [], {}])
def test_when_does_not_hold_for_what_is_nothing(value: Any) -> None:
    found = result(route("when = 'paid'"), LEAD | {"paid": value})

    assert found == Ignored("ring", "when does not hold: paid")


@pytest.mark.parametrize("value", [0, True, "no", [None], {"a": None}])
def test_when_holds_for_all_else(value: Any) -> None:
    assert asked("when = 'paid'", LEAD | {"paid": value}).rings


def test_a_topic_that_a_route_does_not_wait_for_is_ignored_unread() -> None:
    found = result(route('on = ["lead", "lead.updated"]\nwhen = "sum(name)"'), {}, topic="other")

    assert found == Ignored("ring", "topic 'other' is not one of lead, lead.updated")


def test_an_event_of_a_source_without_routes_asks_for_nothing() -> None:
    assert results(route(source="shop"), LEAD) == []


def test_a_senders_test_is_marked_and_it_is_the_policy_that_decides() -> None:
    assert asked("", test=True).test
    assert not asked("").test


# --- waiting and ending ----------------------------------------------------------------------

BOOKED = 'policy.key = "{{ id }}"\npolicy.at = "{{ start }}"\npolicy.before = "2h"\n'


@pytest.mark.parametrize(
    "start", ["2026-07-16T09:00:00Z", "2026-07-16T11:00+02:00", 1784192400, 1784192400000]
)
def test_a_call_before_an_appointment_waits_until_then(start: Any) -> None:
    found = asked(BOOKED, LEAD | {"start": start})

    assert found.appointment == datetime(2026, 7, 16, 9, tzinfo=UTC)
    assert found.ring_at == datetime(2026, 7, 16, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("on Monday", "at: {{ start }} is no time"),
        ("", "at: {{ start }} is no time"),
        (True, "at: {{ start }} is no time"),
        ([], "at: {{ start }} is no time"),
        ("0001-01-01T00:30:00Z", "at: {{ start }} is no time that a calendar has"),
    ],
)
def test_an_appointment_that_is_no_time_is_named(start: Any, said: str) -> None:
    assert unmapped(BOOKED, LEAD | {"start": start}) == said


def test_after_is_counted_from_the_event_and_not_from_its_arrival() -> None:
    happened = NOW - timedelta(minutes=30)
    found = asked('policy.after = "1h"', occurred_at=happened)

    assert (found.ring_at, found.appointment) == (happened + timedelta(hours=1), None)
    assert asked("").ring_at is None


ENDED = route('policy = { key = "{{ id }}", after = "1h", cancelled_by = ["gone", "won"] }')


def test_a_topic_ends_the_call_of_the_same_key() -> None:
    ignored, ends = results(ENDED, {"id": 7}, topic="gone", event_id="evt_9")

    assert ignored == Ignored("ring", "topic 'gone' cancels")
    assert isinstance(ends, Cancel)
    [waiting] = results(ENDED, LEAD)
    assert isinstance(waiting, Call)
    assert (ends.call_id, ends.event_id, ends.topic) == (waiting.call_id, "evt_9", "gone")


def test_an_event_of_another_key_ends_another_call() -> None:
    _, ends = results(ENDED, {"id": 8}, topic="gone")

    assert isinstance(ends, Cancel)
    assert ends.call_id == call_id("crm", "ring", "key", "8")


def test_a_topic_of_another_source_ends_nothing() -> None:
    other = route(source="shop", name="other")

    assert [one.route for one in results(ENDED + other, LEAD, source="shop", topic="gone")] == [
        "other"
    ]


def test_a_route_that_takes_an_event_ends_the_calls_of_another() -> None:
    won = route('on = ["deal"]\nwhen = "stage == \'won\'"\npolicy.key = "{{ lead }}"', name="won")
    deal = {"lead": 7, "stage": "won", "phone": ALICE}

    _, call, ends = results(ENDED + 'on = ["lead"]\n' + won, deal, topic="deal")
    assert isinstance(call, Call)
    assert isinstance(ends, Cancel)
    assert (call.route, ends.route) == ("won", "ring")
    assert ends.call_id == call_id("crm", "ring", "key", "7")

    lost = results(ENDED + won, deal | {"stage": "lost", "id": 7}, topic="deal")
    assert not [one for one in lost if isinstance(one, Cancel)]


def test_an_end_that_cannot_say_of_which_call_is_told() -> None:
    _, said = results(ENDED, {}, topic="gone")

    assert said == Ignored(
        "ring", "cannot be cancelled by ring: key: {{ id }} finds nothing in the payload"
    )


# --- consent ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "given", "seen"),
    [
        (True, True, "true"),
        ("yes", True, '"yes"'),
        (["calls"], True, '["calls"]'),
        (False, False, "false"),
        ("", False, '""'),
        (None, False, "null"),
    ],
)
def test_what_the_payload_said_of_consent_is_kept_as_evidence(
    value: Any, seen: str, *, given: bool
) -> None:
    found = asked('policy.consent = "{{ agreed }}"', LEAD | {"agreed": value})

    assert found.consent == given
    assert (
        found.consent_evidence
        == f"agreed was {seen} in evt_1 (crm lead) of 2026-07-14T15:00:00+00:00"
    )
    assert found.rings


def test_evidence_is_short() -> None:
    found = asked('policy.consent = "{{ @ }}"', LEAD | {"text": "x" * 5000})

    assert len(found.consent_evidence) < 300


def test_without_a_question_about_the_payload_there_is_no_evidence() -> None:
    for text in ("", 'policy.consent = "recorded:calls"'):
        assert (asked(text).consent, asked(text).consent_evidence) == (False, "")


RECORDED = 'action = "consent"\nrecord.purpose = "offers"\nrecord.granted = "agreed"\n'


@pytest.mark.parametrize("given", [True, False])
def test_a_consent_is_recorded_with_its_purpose_and_evidence(*, given: bool) -> None:
    text = route(RECORDED, call='record.phone_number = "{{ phone }}"')
    found = result(text, LEAD | {"agreed": given})

    assert isinstance(found, Consent)
    assert (found.purpose, found.phone_number) == ("offers", ALICE)
    assert found.granted is given
    assert found.evidence.startswith(f"agreed was {json.dumps(given)} in evt_1 (crm lead) of 2026-")


def test_a_wish_not_to_be_called_is_of_its_number_and_rings_nobody() -> None:
    record = 'record = { phone_number = "{{ phone }}", region = "US" }'
    found = result(route('action = "suppress"', call=record), {"phone": "(415) 555-0123"})

    assert isinstance(found, Suppress)
    assert found.phone_number == ALICE


@pytest.mark.parametrize(
    ("asks", "numbers", "known"),
    [
        ("forget", (ALICE,), [ALICE]),
        ("export", ("+1 (415) 555-0123", BOB), [ALICE, BOB]),
        ("forget", ("(415) 555-0123", ""), ["", ""]),
    ],
)
def test_what_a_person_asks_for_is_asked_of_each_number_that_is_told(
    asks: str, numbers: tuple[str, ...], known: list[str]
) -> None:
    found = results(route(), LEAD, never="erased", asks=asks, numbers=numbers)

    wishes = [one for one in found if isinstance(one, Forget | Export)]
    assert [(messages.kind(one), one.phone_number, one.route) for one in wishes] == [
        (asks, number, "") for number in known
    ]
    assert not any(isinstance(one, Call) for one in found)


# --- what cannot be mapped -------------------------------------------------------------------


def test_what_cannot_be_mapped_is_kept_with_its_payload_and_its_number() -> None:
    found = asked('call.metadata.order = "{{ order }}"\npolicy.retention = "7d"')

    assert found.unmapped == "metadata.order: {{ order }} finds nothing in the payload"
    assert unpack(found.payload) == LEAD
    assert (found.phone_number, found.agent_id, found.metadata) == (ALICE, 0, {})
    assert (found.retention, found.notes) == (timedelta(days=7), ())


def test_of_a_payload_too_large_to_keep_its_beginning_is_and_that_is_told() -> None:
    payload = {"noise": os.urandom(200_000).hex()}
    found = asked("", payload)

    text = json.dumps(payload)
    digest = hashlib.sha256(text.encode()).hexdigest()
    kept = unpack(found.payload)
    assert (kept["replayable"], kept["sha256"], kept["length"]) == (False, digest, len(text))
    assert kept["beginning"] == text[:2000]
    (note,) = found.notes
    assert "cannot be replayed" in note
    assert found.unmapped.startswith("phone_number: ")


def test_of_an_event_whose_rest_could_not_be_fetched_no_route_is_asked() -> None:
    why = "enrich: the API says HTTP 404"
    text = route("when = 'paid'") + route('on = ["other"]', name="other")
    first, second = results(text, LEAD, missing=why)

    assert isinstance(first, Call)
    assert (first.unmapped, first.phone_number, unpack(first.payload)) == (why, ALICE, LEAD)
    assert second == Ignored("other", "topic 'lead' is not one of other")


def test_an_event_whose_rest_could_not_be_fetched_still_ends_calls() -> None:
    ignored, ends = results(ENDED, {"id": 7}, topic="gone", missing="HTTP 500")

    assert ignored == Ignored("ring", "topic 'gone' cancels")
    assert isinstance(ends, Cancel)


# --- laws ------------------------------------------------------------------------------------

NAMES = ["id", "phone", "country", "agent", "start", "name", "paid", "agreed"]
# As json.loads reads it: numbers that are none and halves of surrogate pairs are let through.
LETTERS = st.text(st.characters(exclude_categories=()), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | LETTERS
    | st.sampled_from([ALICE, "51091234", "+1", "US", "kw", "2026-07-16", "9999-12-31", "1" * 400])
)
PAYLOADS = st.recursive(
    SCALARS,
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | LETTERS, parts, max_size=8)
    ),
    max_leaves=20,
)
AWKWARD = load(
    SOURCES
    + route("call.metadata.it = '{{ @ }}'", name="whole")
    + route("call.metadata.it = '{{ name }} of {{ values(@)[0] }}'\n" + KEYED, name="texts")
    + route("when = 'length(name) > `3` || sum(values(@)) > `1`'", name="condition")
    + route('policy.consent = "{{ @ }}"\npolicy.after = "999999d"', name="consent")
    + route(
        'call.region = "{{ country }}"\ncall.time_zone = "{{ start }}"\n'
        'call.postal_code = "{{ id }}"\npolicy.cancelled_by = ["gone", "record"]\n' + BOOKED,
        name="booking",
        call="call.agent_id = '{{ agent }}'\ncall.phone_number = '{{ phone }}'",
    )
    + route(
        "action = 'consent'\n" + KEYED,
        name="record",
        call="record = { phone_number = '{{ phone }}', region = 'GB', granted = 'agreed' }",
    )
)


@given(
    payload=PAYLOADS,
    topic=st.sampled_from(["lead", "gone"]),
    never=st.sampled_from(["", "never"]),
    missing=st.sampled_from(["", "HTTP 404"]),
)
def test_no_payload_breaks_the_mapping_nor_a_call_on_its_way_through_the_queue(
    payload: Any, topic: str, never: str, missing: str
) -> None:
    event = Event("crm", topic, "evt_1", NOW, payload, never=never)

    for one in map_event(event, AWKWARD, now=NOW, missing=missing):
        if isinstance(one, Ignored):
            assert one.reason
            continue
        message = messages.Ring(call=one) if isinstance(one, Call) else one
        assert messages.read(messages.write(message)) == message
        if isinstance(one, Call):
            assert not (one.rings and never)
            assert not (one.rings and not one.phone_number)


@given(st.text(st.characters(exclude_categories=()), max_size=700))
def test_no_text_that_the_agent_is_told_is_longer_than_its_bounds(text: str) -> None:
    told = given_to_the_agent("{{ it }}", text)

    assert len(told) <= LONGEST_VALUE
    assert not {unicodedata.category(letter) for letter in told} & {"Cc", "Cs", "Zl", "Zp"}
    assert told == told.strip() or len(told) == LONGEST_VALUE


@given(PAYLOADS)
def test_all_metadata_together_has_its_bounds(value: Any) -> None:
    found = asked('call.metadata = { a = "{{ it }}", b = "{{ it }}" }', LEAD | {"it": value})

    if found.rings:
        assert len(json.dumps(found.metadata, ensure_ascii=False)) <= LARGEST_METADATA
        json.dumps(found.metadata, allow_nan=False)


@given(PAYLOADS)
def test_what_is_packed_is_unpacked(payload: Any) -> None:
    assert json.dumps(unpack(pack(payload))) == json.dumps(payload)
    assert pack(payload) == pack(payload)


# A time that cannot be read is not now.

TIMED = """
countries = ["US"]
[sources.form]
provider = "bearer"
occurred_at = "{{ at }}"
{zone}
[[routes]]
name = "ring"
source = "form"
call = {{ agent_id = 1, phone_number = "{{{{ phone }}}}" }}
policy = {{ key = "{{{{ id }}}}", expires_after = "1h", at = "{{{{ visit }}}}", before = "1h" }}
[[routes]]
name = "stop"
source = "form"
action = "suppress"
when = "stop"
record = {{ phone_number = "{{{{ phone }}}}" }}
[[routes]]
name = "consents"
source = "form"
action = "consent"
when = "consent != null"
record = {{ phone_number = "{{{{ phone }}}}", granted = "consent" }}
"""


def timed(zone: str = "", **fields: Any) -> dict[str, Any]:
    """What a payload asks for, by route, of a source in this zone."""
    zone = zone and f'time_zone = "{zone}"'
    routes = load(TIMED.replace("{{ at }}", "{{{{ at }}}}").format(zone=zone))
    payload = {"phone": ALICE, "id": 1, "visit": "2026-07-20 10:00", **fields}
    request = from_bytes(json.dumps(payload).encode(), source="form", received_at=NOW)
    (event,) = routes.sources["form"].provider.events(request, payload)
    found = map_event(event, routes, now=NOW)
    return {one.route: one for one in found if not isinstance(one, Ignored)}


@pytest.mark.parametrize(
    "at", ["05/06/2026 10:00", "14 Jul 2026 10:00 IST", "later", 7, True, [], {}]
)
def test_an_event_of_no_readable_time_asks_for_no_call(at: Any) -> None:
    (call,) = timed(at=at).values()

    assert "the time of the event cannot be read" in call.unmapped
    assert unpack(call.payload)["at"] == at
    assert call.phone_number == ALICE
    assert "later" not in call.unmapped


@pytest.mark.parametrize("at", [None, "", " "])
def test_an_event_without_a_time_happened_when_it_came(at: Any) -> None:
    (call,) = timed(at=at).values()

    assert not call.unmapped
    assert call.occurred_at == NOW


def test_a_wish_not_to_be_called_is_kept_whatever_its_time() -> None:
    asked = timed(at="soon", stop=True, consent=False)

    assert asked["ring"].unmapped
    assert isinstance(asked["stop"], Suppress)
    assert isinstance(asked["consents"], Consent)
    # A consent of nobody knows when may be older than its end.
    assert timed(at="soon", consent=True)["consents"].unmapped


def test_times_that_name_no_zone_are_by_the_clock_of_the_source() -> None:
    here, there = timed(at="2026-07-14 12:00"), timed("Asia/Kolkata", at="14-Jul-2026 12:00 PM")

    assert here["ring"].occurred_at == datetime(2026, 7, 14, 12, tzinfo=UTC)
    assert here["ring"].appointment == datetime(2026, 7, 20, 10, tzinfo=UTC)
    assert there["ring"].occurred_at == datetime(2026, 7, 14, 6, 30, tzinfo=UTC)
    assert there["ring"].appointment == datetime(2026, 7, 20, 4, 30, tzinfo=UTC)
    assert there["ring"].received_at.isoformat() == here["ring"].received_at.isoformat()


def test_a_time_zone_that_there_is_not_is_an_error_of_the_file() -> None:
    for name in ("India", "UTC+5", "../etc/passwd", "", "Europe"):
        with pytest.raises(RoutesError, match="is no time zone"):
            timed(name or " ")


def test_routes_of_other_sources_cost_an_event_nothing() -> None:
    """Work is counted, not time: how often a route is looked at."""
    own = """
countries = ["US"]
[sources.shop]
provider = "bearer"
topic = "{{ type }}"
[sources.other]
provider = "bearer"
[[routes]]
name = "own"
source = "shop"
call = { agent_id = 1, phone_number = "{{ phone }}" }
"""
    other = """
[[routes]]
name = "other-NUMBER"
source = "other"
call = { agent_id = 1, phone_number = "{{ phone }}" }
policy = { key = "{{ id }}", cancelled_by = ["gone"] }
"""
    few = load(own + other.replace("NUMBER", "0"))
    many = load(own + "".join(other.replace("NUMBER", str(number)) for number in range(1000)))
    looked: list[str] = []

    class Watched(Route):
        __slots__ = ()

        def __getattribute__(self, name: str) -> Any:
            looked.append(name)
            return super().__getattribute__(name)

    def asked(routes: Routes) -> list[str]:
        watched = tuple(
            Watched(**{one.name: getattr(route, one.name) for one in fields(route)})
            for route in routes.routes
        )
        seen = replace(routes, routes=watched)
        looked.clear()
        event = Event("shop", "gone", "evt_1", NOW, {"phone": ALICE})
        assert len(map_event(event, seen, now=NOW)) == 1
        return list(looked)

    assert asked(many) == asked(few)
