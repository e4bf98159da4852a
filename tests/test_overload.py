"""More calls than the plan allows, and outages of hours: seen from outside, by the clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.simulation.api import TROUBLES
from tests.simulation.checker import faults
from tests.simulation.facts import History, Sent
from tests.simulation.invocation import within
from tests.simulation.plans import AWS, HOUR, MINUTE, Plan, Posting, plan_of
from tests.simulation.run import Run
from tests.simulation.world import START

MANY = 20_000


def lead(n: int, at: float) -> Posting:
    sent = Sent("ask", f"order-{n}", "v1", at, f"+44207{n:07}")
    return Posting(sent, at + 0.2)


def overload(rate: int, per_minute: int, minutes: int, expires: float) -> History:
    """So many leads a minute for so many minutes, against a plan of so many."""
    plan = Plan(1, per_minute=per_minute, expires=expires, well_from=START)
    plan.postings = [lead(n, START + n * 60 / rate) for n in range(rate * minutes)]
    return Run(plan).go()


@pytest.mark.parametrize("rate", [15, 20])
def test_under_overload_the_whole_plan_is_used_for_the_newest_and_the_rest_expires(
    rate: int,
) -> None:
    per_minute, minutes = 10, 8
    history = overload(rate, per_minute, minutes, 4 * MINUTE)
    rung = Counter(int((asked.at - START) // 60) for asked in history.asked)
    assert min(rung[minute] for minute in range(1, minutes)) >= per_minute - 1
    made = {sent.key: sent.made for sent in history.sent}
    ages = sorted(asked.at - made[asked.key] for asked in history.asked)
    assert ages[len(ages) // 2] < 20
    # What is dropped is so for its age alone; and none is rung too late.
    assert not [fault for fault in faults(history) if "never rings" not in fault]


def test_an_opt_out_is_kept_within_ten_seconds_behind_twenty_thousand_calls() -> None:
    plan = Plan(1, well_from=START)
    stop = Sent("stop", "stop-1", "v1", START + 5, lead(0, 0).sent.number)
    plan.postings = [lead(0, START), Posting(stop, START + 5)]
    run = Run(plan)
    put = run.sqs.put

    def many(url: str, body: str, delay: float) -> None:
        for n in range(MANY if "order-0" in body else 1):
            put(url, body.replace("call_", f"call_{n:04}"[:9]).replace("0000000", f"{n:07}"), delay)

    run.sqs.put = many  # type: ignore[method-assign]
    for posting in plan.postings:
        run.world.at(posting.at, lambda posting=posting: run._post(posting, 0))  # type: ignore[misc]
    kept = []
    run.world.at(START + 5.2 + 10, lambda: kept.append(run.operator.may_not_be_rung(stop.number)))
    with within(run.world):
        run.world.run(START + 16, lambda _: False)
    assert stop.accepted
    assert kept == [True]
    assert len(run.sqs.functions["calls"].waiting) > 10_000


@pytest.mark.parametrize("name", [*AWS, "api"])
def test_an_outage_of_ten_hours_loses_nothing_that_is_still_in_time(name: str) -> None:
    for seed in range(40, 43):
        plan = plan_of(seed, TROUBLES)
        first = START + 1200 * (seed % 4)
        outage = (first, first + 10 * HOUR)
        plan = replace(plan, direct=False, rotates=None, stops=[], badness=0.0, sender_tries=60)
        plan.rates, plan.outages = {}, {name}
        if name == "api":
            plan.outages = set()
            plan.bad_until, plan.badness, plan.moods = outage[1], 1.0, ("503", "unsent", "502")
        else:
            plan.troubled = outage
        history = Run(plan).go()
        assert not faults(history)
        while_out = [sent for sent in history.sent if outage[0] < sent.began < outage[1] - 2 * HOUR]
        if name == "sqs":
            assert all(sent.statuses[0] == 503 for sent in while_out)
