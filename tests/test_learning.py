"""How calls ended is learnt: of the list, many at once and after ringing; or of a webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.builders import ALICE, BOB, EVENT, NOW, ROUTES, at, call
from tests.memory_ledger import MemoryLedger

from ringhook.calls import lifecycle, outcomes
from ringhook.calls.answers import Initiated
from ringhook.calls.call import Call
from ringhook.calls.item import Item
from ringhook.calls.messages import Ended, Outcomes
from ringhook.calls.outcomes import Outcome
from ringhook.clients import wire
from ringhook.clients.unleashx import UnleashX
from ringhook.ringing.attempts import Dialing
from ringhook.ringing.hearing import Hearing
from ringhook.routing import routes_file

T = NOW.timestamp()
TWICE = ROUTES.replace(
    'policy.expires_after = "6h"',
    'policy.expires_after = "6h"\npolicy.redial = { on = ["no_answer"], after = ["2h"] }',
)


class Tokens:
    """A secret with the token."""

    def get(self, *, fresh: bool = False) -> dict[str, Any]:
        return {"default": "token"}


@dataclass
class Slots:
    """A plan: in so many seconds there is a slot, as long as some are `left`."""

    wait: float = 0.0
    used: int = 0
    left: int = 1000
    now: float = T

    def take(self, account: str, *, by: float, again: bool = False) -> float | None:
        free = self.used < self.left and self.now + self.wait <= by
        return self.wait if free else None

    def use(self, account: str) -> None:
        self.used += 1

    def next_at(self, account: str) -> float:
        return self.now + self.wait


@dataclass
class Desk:
    """A ledger in memory, a list of executions, and the clock."""

    book: MemoryLedger = field(default_factory=MemoryLedger)
    rows: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    status: int = 200
    clock: float = T
    slots: Slots = field(default_factory=Slots)
    routes: str = TWICE
    woken: list[str] = field(default_factory=list)

    def rings(self, one: Call, *, ringing: int = 1) -> Item:
        """The call rang just now."""
        now = datetime.fromtimestamp(self.clock, UTC)
        item = Item(call=one, status="queued", ringing=ringing, due_at=self.clock)
        claimed = lifecycle.claimed(item, "", "owner", self.clock + 60, now)
        rang = lifecycle.heard(claimed, Initiated(f"x-{one.call_id}"), None, self.clock, 0.0)
        return self.book.write(rang, over=None, now=now)

    def row(self, item: Item, word: str, seconds: float = 0, **more: Any) -> None:
        """The list has it, as documented: without its metadata."""
        asked_at = item.asked_at or NOW
        self.rows.append(
            {
                "ID": len(self.rows) + 7000,
                "AGENT_ID": item.call.agent_id,
                "CALLING_NUMBER": item.call.phone_number,
                "STATUS": "completed",
                "CALL_STATUS": word,
                "TOTAL_DURATION": seconds,
                "CREATED_AT": f"{asked_at:%Y-%m-%d %H:%M:%S}",
                **more,
            }
        )

    def look(self, *call_ids: str) -> dict[str, float]:
        self.slots.now = self.clock
        dialing = Dialing(
            api=UnleashX("https://api.example.com", 15, ask=self._ask),
            book=self.book,
            routes=routes_file.load(self.routes),
            tokens=Tokens(),  # type: ignore[arg-type]
            clock=lambda: self.clock,
            pace=self.slots,
        )
        asked = Outcomes(account="default", agent_id=1042, call_ids=call_ids)
        return dialing.learn(asked, lease_until=self.clock + 60)

    def hear(self, **said: Any) -> Item | None:
        fields = {"marks": ("call_1",), "outcome": said.pop("outcome")}
        ended = Ended(**EVENT | {"source": "agent"} | fields | said)
        return Hearing(self.book, lambda: self.clock, self.woken.append).take(ended)

    def _ask(
        self, method: str, url: str, headers: Any, body: str | None, timeout: float
    ) -> wire.Response:
        query = parse_qs(urlsplit(url).query)
        self.asked.append(query)
        number, first = query.get("calling_number", [""])[0], int(query["page"][0]) - 1
        rows = [row for row in reversed(self.rows) if number in row["CALLING_NUMBER"]]
        rows = [row for row in rows if f"{_given(query)}." in f"{row.get('GIVEN', _given(query))}."]
        page = rows[first * 100 : first * 100 + 100]
        return wire.Response(self.status, json.dumps({"datalist": page}).encode(), None)


def _given(query: dict[str, list[str]]) -> str:
    return query.get("input_data", [""])[0]


@pytest.fixture
def desk() -> Iterator[Desk]:
    return Desk()  # type: ignore[return-value]


def number(n: int) -> str:
    return f"+1415555{n:04}"


def said(word: str, seconds: float | None = None, **more: Any) -> dict[str, Any]:
    """What a webhook says, as the message has it."""
    heard = outcomes.Said(words={"call_status": word}, duration=seconds, **more)
    return outcomes.as_json(outcomes.fold(heard, learnt_from="webhook", confirmed=False))


def test_one_page_answers_for_all_calls_of_an_agent(desk: Desk) -> None:
    items = [desk.rings(call(call_id=f"call_{n}", phone_number=number(n))) for n in range(40)]
    for n, item in enumerate(items):
        desk.row(item, "COMPLETED" if n % 2 else "REJECTED", n)
    desk.clock += 60
    assert desk.look(*(item.call.call_id for item in items)) == {}
    assert len(desk.asked) == desk.slots.used == 1
    assert desk.asked[0]["agent_id"] == ["1042"]
    for n, item in enumerate(items):
        ended = desk.book.read(item.call.call_id)
        assert ended
        assert (ended.status, ended.due_at) == ("ended", None)
        assert ended.outcome
        assert ended.outcome.outcome == ("answered" if n % 2 else "rejected")
        assert ended.outcome.learnt_from == "list"


def test_what_nobody_answered_is_taken_up_again_when_the_route_says(desk: Desk) -> None:
    desk.row(desk.rings(call()), "no-answer")
    desk.clock += 60
    assert desk.look("call_1") == {"call_1": T + 7200}
    waits = desk.book.read("call_1")
    assert waits
    assert (waits.status, waits.ringing, waits.due_at) == ("deferred", 2, T + 7200)


@pytest.mark.parametrize("zone", [0, 5.5 * 3600])
def test_a_row_without_a_zone_is_of_utc_or_of_india(desk: Desk, zone: float) -> None:
    item = desk.rings(call())
    local = datetime.fromtimestamp(T + zone, UTC)
    desk.row(item, "busy", CREATED_AT=f"{local:%Y-%m-%d %H:%M:%S}")
    desk.clock += 60
    desk.look("call_1")
    assert desk.book.read("call_1").status == "ended"  # type: ignore[union-attr]


def test_two_calls_of_one_number_that_cannot_be_told_apart_are_asked_for_by_their_marks(
    desk: Desk,
) -> None:
    for call_id in ("call_1", "call_2"):
        desk.row(desk.rings(call(call_id=call_id)), "busy", GIVEN=call_id)
    desk.clock += 60
    desk.look("call_1", "call_2")
    first = [desk.book.read(one) for one in ("call_1", "call_2")]
    assert [item and item.awaits_outcome for item in first] == [True, True]
    desk.clock += 200
    desk.look("call_1", "call_2")
    assert [query.get("input_data") for query in desk.asked[-2:]] == [["call_1"], ["call_2"]]
    for call_id in ("call_1", "call_2"):
        assert desk.book.read(call_id).status == "ended"  # type: ignore[union-attr]


def test_a_row_that_shows_its_metadata_is_known_by_its_mark_alone(desk: Desk) -> None:
    second = desk.rings(call(), ringing=2)
    desk.row(second, "answered", 9, INPUT_DATA='{"call_id": "call_1"}', CREATED_AT="")
    desk.row(second, "no-answer", INPUT_DATA='{"call_id": "call_11"}')
    desk.clock += 60
    desk.look("call_1")
    assert desk.book.read("call_1").awaits_outcome  # type: ignore[union-attr]
    desk.row(second, "voicemail", 9, INPUT_DATA={"call_id": "call_1.2"}, CREATED_AT="")
    desk.clock += 200
    desk.look("call_1")
    ended = desk.book.read("call_1")
    assert ended
    assert ended.outcome
    assert (ended.outcome.attempt, ended.outcome.outcome) == (2, "voicemail")


def test_a_call_that_is_not_over_or_not_listed_is_asked_for_again_later(desk: Desk) -> None:
    ringing = desk.rings(call())
    desk.rings(call(call_id="call_2", phone_number=BOB))
    desk.row(ringing, "ringing", STATUS="initiated")
    desk.clock += 60
    desk.look("call_1", "call_2")
    for call_id in ("call_1", "call_2"):
        item = desk.book.read(call_id)
        assert item
        assert (item.awaits_outcome, item.looks, item.due_at) == (True, 1, T + 180)


def test_ringing_goes_first_until_half_of_the_time_is_over(desk: Desk) -> None:
    desk.row(desk.rings(call()), "answered", 9)
    desk.slots.wait = 20
    desk.clock += 3600
    desk.look("call_1")
    assert (desk.asked, desk.slots.used) == ([], 0)
    before = desk.book.read("call_1")
    assert before
    assert before.looks == 0
    desk.clock = T + 3.1 * 3600
    desk.look("call_1")
    assert desk.book.read("call_1").status == "ended"  # type: ignore[union-attr]


def test_at_the_deadline_it_is_asked_once_more_and_then_it_is_unknown(desk: Desk) -> None:
    desk.rings(call())
    desk.clock += 6 * 3600
    assert desk.look("call_1") == {}
    ended = desk.book.read("call_1")
    assert ended
    assert (len(desk.asked), ended.status) == (1, "ended")
    assert ended.outcome
    assert (ended.outcome.outcome, ended.outcome.learnt_from) == ("unknown", "deadline")


def test_at_the_deadline_each_call_that_no_page_tells_of_is_asked_for_by_its_mark(
    desk: Desk,
) -> None:
    ids = [f"call_{n}" for n in range(25)]
    for call_id in ids:
        # To one number, in one second: no page tells them apart.
        desk.row(desk.rings(call(call_id=call_id)), "busy", GIVEN=call_id)
    desk.clock += 6 * 3600
    desk.look(*ids)
    assert [one.get("input_data") for one in desk.asked[1:]] == [[one] for one in ids]
    found = [desk.book.read(one) for one in ids]
    assert {one.status for one in found if one} == {"ended"}


def test_a_page_without_a_call_is_not_the_last_word_of_it(desk: Desk) -> None:
    for call_id in ("call_1", "call_2"):
        desk.rings(call(call_id=call_id))
    desk.clock += 6 * 3600
    desk.slots.left = 1
    desk.look("call_1", "call_2")
    assert len(desk.asked) == 1
    assert desk.book.read("call_1").awaits_outcome  # type: ignore[union-attr]


@pytest.mark.parametrize("fault", ["no slot", "no list"])
def test_what_cannot_be_asked_for_ends_soon_after_its_deadline(desk: Desk, fault: str) -> None:
    desk.rings(call())
    desk.slots.wait = 90.0 if fault == "no slot" else 0.0
    desk.status = 500
    desk.clock += 6 * 3600
    desk.look("call_1")
    assert desk.book.read("call_1").awaits_outcome  # type: ignore[union-attr]
    desk.clock += 901
    desk.look("call_1")
    assert desk.book.read("call_1").status == "ended"  # type: ignore[union-attr]


def test_a_long_list_is_read_on_as_long_as_it_tells_of_several(desk: Desk) -> None:
    items = [desk.rings(call(call_id=f"call_{n}", phone_number=number(n))) for n in range(30)]
    other = call(call_id="call_x", phone_number=BOB)
    for n in range(400):
        mine = n % 100 < 10 and n < 300
        item = items[n // 100 * 10 + n % 100] if mine else desk.rings(replace_(other, n))
        desk.row(item, "busy")
    desk.clock += 60
    desk.look(*(item.call.call_id for item in items))
    assert len(desk.asked) == 4
    ended = [desk.book.read(item.call.call_id) for item in items]
    assert {item.status for item in ended if item} == {"ended"}


def replace_(one: Call, n: int) -> Call:
    return call(call_id=f"call_x{n}", phone_number=one.phone_number)


# What a webhook says.


@pytest.mark.parametrize(
    "second",
    [
        {"phone_number": "14155550123"},
        {"phone_number": "(415) 555-0123"},
        {"agent_id": "1042"},
        {"execution_id": "x-call_1"},
    ],
)
def test_a_second_field_makes_a_webhook_certain(desk: Desk, second: dict[str, str]) -> None:
    desk.rings(call())
    desk.clock += 90
    heard = desk.hear(outcome=said("user-ended", 74), **second)
    assert heard
    assert (heard.status, heard.due_at, desk.woken) == ("ended", None, [])
    assert heard.outcome
    assert (heard.outcome.ended_by, heard.outcome.learnt_from) == ("person", "webhook")


def test_a_webhook_of_another_execution_is_a_hint_whatever_else_it_says(desk: Desk) -> None:
    desk.rings(call())
    heard = desk.hear(outcome=said("user-ended", 74), agent_id="1042", execution_id="x-theirs")
    assert heard
    assert heard.awaits_outcome


def test_a_webhook_alone_is_a_hint_and_the_list_has_the_word(desk: Desk) -> None:
    desk.row(desk.rings(call()), "rejected")
    desk.clock += 90
    heard = desk.hear(outcome=said("user-ended", 74))
    assert heard
    assert (heard.awaits_outcome, heard.due_at) == (True, T + 45)
    desk.look("call_1")
    ended = desk.book.read("call_1")
    assert ended
    assert ended.outcome
    assert (ended.outcome.outcome, ended.outcome.learnt_from) == ("rejected", "list")


def test_who_knows_the_route_is_woken_where_it_has_a_say(desk: Desk) -> None:
    desk.rings(call())
    heard = desk.hear(outcome=said("no-answer"), agent_id="1042")
    assert heard
    assert (heard.status, lifecycle.due(heard, T), desk.woken) == (
        "initiated",
        "settle",
        ["call_1"],
    )


@pytest.mark.parametrize(
    "other",
    [
        {"marks": ("call_9",)},
        {"marks": ("theirs",)},
        {"marks": (), "execution_id": "x-call_1"},
        {"marks": (), "execution_id": "x-other", "phone_number": ALICE},
        {"phone_number": BOB},
        {"phone_number": "5550124"},
        {"agent_id": "1"},
        {"marks": ("call_1.2",), "agent_id": "1042"},
    ],
)
def test_the_outcome_of_another_call_changes_nothing(desk: Desk, other: dict[str, Any]) -> None:
    rang = desk.rings(call())
    desk.hear(outcome=said("answered", 9, opt_out=None), **other)
    assert desk.book.read("call_1") == rang


def test_a_webhook_without_the_mark_is_known_by_number_and_execution(desk: Desk) -> None:
    desk.rings(call())
    heard = desk.hear(
        outcome=said("busy"), marks=(), execution_id="x-call_1", phone_number="1 415 555 0123"
    )
    assert heard
    assert heard.outcome
    assert heard.outcome.final


def test_who_says_so_is_not_called_again_even_on_a_hint_and_only_if_it_is_plain(desk: Desk) -> None:
    desk.rings(call())
    desk.hear(outcome=said("answered", 9, opt_out="perhaps"))
    assert not desk.book.history(ALICE, NOW).do_not_call
    desk.hear(outcome=said("answered", 9, opt_out="yes"))
    assert desk.book.history(ALICE, NOW).do_not_call == "said so in call call_1, attempt 1"


def test_a_webhook_twice_late_or_after_the_list_changes_nothing_that_is_certain(
    desk: Desk,
) -> None:
    desk.rings(call())
    first = desk.hear(outcome=said("rejected"), agent_id="1042")
    assert first
    for word, seconds in (("rejected", None), ("answered", 9), ("no-answer", None)):
        desk.hear(outcome=said(word, seconds), agent_id="1042")
        again = desk.book.read("call_1")
        assert again
        assert (again.status, again.ringing) == ("ended", 1)
        assert again.outcome
        assert again.outcome.outcome == "rejected"


def test_who_asked_to_be_called_is_woken_for_though_the_list_was_first(desk: Desk) -> None:
    desk.row(desk.rings(call()), "answered", 9)
    desk.clock += 60
    desk.look("call_1")
    heard = desk.hear(outcome=said("answered", 9, callback_at=at(3 * 3600).isoformat()))
    assert heard
    assert (heard.status, desk.woken) == ("initiated", ["call_1"])
    assert heard.outcome == replace(
        Outcome(
            outcome="answered",
            final=True,
            learnt_from="list",
            duration_seconds=9.0,
            callback_at=at(3 * 3600),
            raw=heard.outcome.raw if heard.outcome else {},
        )
    )
    assert timedelta(0) < at(3 * 3600) - NOW
