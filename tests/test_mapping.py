"""What an event that rings nobody still does: wishes are kept, waiting calls end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.builders import ALICE

from ringhook.calls import Call
from ringhook.errors import RoutesError
from ringhook.mapping import Ignored, map_event, unpack
from ringhook.providers import Event
from ringhook.routes import load

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


def mapped(topic: str, *, never: str = "it must not ring", **fields: Any) -> list[Call | Ignored]:
    payload = {"id": "c1", "phone": ALICE} | fields
    event = Event("chat", topic, "evt_1", NOW, payload, never=never)
    return map_event(event, load(ROUTES), now=NOW)


def kinds(found: list[Call | Ignored]) -> dict[str, str]:
    """What each route's calls are, by the route's name and kind."""
    return {f"{one.route} {one.kind}": one.phone_number for one in found if isinstance(one, Call)}


def test_an_event_that_never_rings_keeps_a_wish_not_to_be_called() -> None:
    found = kinds(mapped("contact.unsubscribed"))

    assert found == {"opt-out suppress": ALICE, "consents consent": ALICE, "ring cancel": ""}


def test_an_event_that_never_rings_ends_the_call_that_waits() -> None:
    (asked,) = [one for one in mapped("contact.created", never="") if one.route == "ring"]
    ended = [one for one in mapped("contact.deleted") if isinstance(one, Call)]

    assert isinstance(asked, Call)
    assert asked.kind == "call"
    assert [one.call_id for one in ended if one.kind == "cancel"] == [asked.call_id]
    assert not any(one.rings for one in ended)


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
