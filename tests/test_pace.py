"""The plan of the API is kept by all dialers together, and used."""

from __future__ import annotations

from dataclasses import dataclass, field

import boto3
import pytest
from tests.conftest import create_table

from ringhook.clients.pace import Pacer
from ringhook.clients.table import Table


@dataclass
class Clock:
    """Time that passes only where somebody sleeps."""

    now: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def table(aws: None) -> Table:
    return Table(boto3.client("dynamodb"), create_table())


def ask(pacer: Pacer, clock: Clock, account: str = "default") -> float:
    """When a dialer that waits as long as it takes asks the API."""
    assert pacer.take(account, by=clock.now + 3600) is not None
    pacer.use(account)
    return clock.now


def test_many_dialers_together_ask_as_often_as_the_plan_allows_and_no_oftener(
    table: Table,
) -> None:
    clock = Clock()
    dialers = [Pacer(table, 100, clock, clock.sleep) for _ in range(7)]
    asked = [ask(dialers[n % 7], clock) for n in range(210)]
    for index, at in enumerate(asked):
        assert sum(at <= other < at + 60 for other in asked[index:]) <= 100
    assert 99 <= 60 * (len(asked) - 1) / (asked[-1] - asked[0]) <= 100


def test_who_comes_alone_does_not_wait(table: Table) -> None:
    clock = Clock()
    for _ in range(3):
        before = clock.now
        assert ask(Pacer(table, 100, clock, clock.sleep), clock) - before < 0.01
        clock.now += 5


def test_a_pause_is_not_made_up_for(table: Table) -> None:
    clock = Clock()
    pacer = Pacer(table, 60, clock, clock.sleep)
    ask(pacer, clock)
    clock.now += 600
    asked = [ask(pacer, clock) for _ in range(5)]
    assert asked[-1] - asked[0] >= 4


def test_a_slot_that_is_too_far_off_is_not_taken_and_nobody_sleeps(table: Table) -> None:
    clock = Clock()
    pacer = Pacer(table, 1, clock, clock.sleep)
    began = clock.now
    ask(pacer, clock)
    for _ in range(3):
        assert pacer.take("default", by=clock.now + 20) is None
    assert clock.now == began
    # Nor was it lost: whoever comes a minute later has it.
    clock.now += 61
    assert pacer.take("default", by=clock.now + 20) == 0


def test_what_is_new_goes_before_what_comes_up_again(table: Table) -> None:
    clock = Clock()
    one, other = (Pacer(table, 60, clock, clock.sleep, dialers=10) for _ in range(2))
    began = clock.now
    while one.take("default", by=began + 600, again=True) is not None:
        # Whoever holds a slot waits for it; here nobody does, so that they pile up.
        clock.now = began
        one = Pacer(table, 60, clock, clock.sleep, dialers=10)
    assert other.take("default", by=began + 600) is not None
    assert clock.now - began < 6


def test_a_slot_that_was_used_late_makes_the_next_ones_late(table: Table) -> None:
    clock = Clock()
    one, other = (Pacer(table, 60, clock, clock.sleep) for _ in range(2))
    one.take("default", by=clock.now + 20)
    clock.now += 0.9
    one.use("default")
    used = clock.now
    assert ask(other, clock) - used >= 1


def test_a_slot_stays_in_hand_until_it_is_used(table: Table) -> None:
    clock = Clock()
    pacer = Pacer(table, 60, clock, clock.sleep)
    assert pacer.take("default", by=clock.now + 20) == 0
    assert pacer.take("default", by=clock.now + 20) == 0
    pacer.use("default")
    assert (pacer.take("default", by=clock.now + 20) or 0) > 0.5


def test_each_account_has_a_plan_of_its_own(table: Table) -> None:
    clock = Clock()
    pacer = Pacer(table, 1, clock, clock.sleep)
    began = clock.now
    for account in ("default", "branch", "other"):
        ask(pacer, clock, account)
    assert clock.now == began
