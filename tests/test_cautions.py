"""What `ringhook check` asks the owner of a routes file to think about."""

from __future__ import annotations

from datetime import date

import pytest

from ringhook.routing import routes_file
from ringhook_ops.diagnosis.cautions import cautions, holidays_end

TODAY = date(2026, 11, 25)
CAREFUL = 'purpose = "service"'


def said(policy: str, countries: str = '"IN"') -> list[tuple[int, str]]:
    text = f"""countries = [{countries}]
[sources.app]
provider = "bearer"
[[routes]]
name = "ring"
source = "app"
call = {{ agent_id = 1, phone_number = "{{{{ phone }}}}" }}
[routes.policy]
{policy}
"""
    return [(one.line, str(one)) for one in cautions(routes_file.load(text), text, TODAY)]


def test_a_careful_route_is_warned_of_nothing() -> None:
    assert said(CAREFUL) == []


@pytest.mark.parametrize(
    ("policy", "countries", "line", "words"),
    [
        ("", '"BR"', 8, "purpose: is not said"),
        (f'{CAREFUL}\ncalling_hours = "any"', '"IN"', 10, "rings at night"),
        (f'{CAREFUL}\nmax_calls = "none"', '"IN"', 10, "rings a number without end"),
        ('purpose = "marketing"', '"FR"', 8, "without it the call is suppressed"),
        ('purpose = "marketing"', '"US"', 8, "64.1200(a)(2)"),
        (f'{CAREFUL}\nexpires_after = "1h"', '"IN"', 10, "what comes then is never rung"),
    ],
)
def test_what_is_doubtful_is_named_with_its_line_and_cure(
    policy: str, countries: str, line: int, words: str
) -> None:
    found = said(policy, countries)

    assert [at for at, text in found if words in text] == [line], found
    assert all("write" in text or "law asks" in text for _, text in found)


def test_a_reminder_of_an_appointment_has_no_expiry_to_be_warned_of() -> None:
    appointment = 'key = "{{ id }}"\nat = "{{ start }}"\nbefore = "2h"\nexpires_after = "1h"'

    assert said(f"{CAREFUL}\n{appointment}") == []


def test_the_end_of_the_holidays_is_told_a_year_before() -> None:
    assert holidays_end(TODAY) == ""
    assert "public holidays are known until" in holidays_end(date(2099, 1, 1))
