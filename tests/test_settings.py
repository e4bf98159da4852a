"""A function that could not work as it is set does not start, and says which variable is wrong."""

from __future__ import annotations

import pytest

from ringhook import settings


@pytest.mark.parametrize(
    ("set_so", "said"),
    [
        ({"RINGHOOK_DELIVERY": "post"}, "RINGHOOK_DELIVERY is 'post'"),
        ({"RINGHOOK_CALLS_PER_MINUTE": "0"}, "RINGHOOK_CALLS_PER_MINUTE is '0'"),
        ({"RINGHOOK_BREAKER_CALLS": "-1"}, "RINGHOOK_BREAKER_CALLS is '-1'"),
        # An answer that is waited for longer than the function may run would be heard by nobody.
        ({"RINGHOOK_API_TIMEOUT": "26"}, "do not fit"),
        # A plan that so few dialers can never use.
        (
            {"RINGHOOK_CALLS_PER_MINUTE": "6001", "RINGHOOK_MAX_CONCURRENCY": "2"},
            "so few dialers ask 6000 times a minute at most",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(set_so: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings.read(set_so)


def test_direct_delivery_has_no_dialers_that_could_be_too_few() -> None:
    set_so = {"RINGHOOK_DELIVERY": "direct", "RINGHOOK_CALLS_PER_MINUTE": "90000"}
    assert settings.read(set_so).calls_per_minute == 90_000
