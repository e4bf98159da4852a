"""What a person said of being called stands in whatever order it is heard."""

from __future__ import annotations

import itertools
from datetime import timedelta

from tests.builders import NOW

from ringhook.calls.consents import Consent, from_item, stands

GIVEN = Consent(
    granted=True,
    evidence="agreed was true in evt_1",
    given_at=NOW,
    expires_at=NOW + timedelta(days=365),
    text="terms of May 2026",
)
WITHDRAWN = Consent(granted=False, evidence="said no", given_at=NOW + timedelta(seconds=1))
AT_ONCE = Consent(granted=False, evidence="said no", given_at=NOW)


def heard(*said: Consent) -> Consent | None:
    known: Consent | None = None
    for one in said:
        known = one if stands(one, known) else known
    return known


def test_a_consent_comes_back_from_the_ledger_as_it_went_in() -> None:
    for one in (GIVEN, WITHDRAWN, Consent(granted=True, evidence="by hand")):
        assert from_item(one.as_item(NOW)) == one


def test_a_withdrawal_beats_an_older_consent_that_comes_late() -> None:
    for order in itertools.permutations([GIVEN, WITHDRAWN]):
        assert heard(*order) == WITHDRAWN


def test_of_two_that_were_said_at_one_moment_the_withdrawal_stands() -> None:
    for order in itertools.permutations([GIVEN, AT_ONCE]):
        assert heard(*order) == AT_ONCE


def test_who_agrees_again_after_a_withdrawal_has_agreed() -> None:
    again = Consent(granted=True, evidence="agreed", given_at=NOW + timedelta(days=1))
    for order in itertools.permutations([GIVEN, WITHDRAWN, again]):
        assert heard(*order) == again
