"""What a reason for the log leaves out: whatever was sent, which stands in quotes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringhook.reading.text import without_quotes


@given(st.text(min_size=3).filter(lambda text: text.strip().isalnum()), st.text())
def test_nothing_that_was_sent_is_left_of_a_quotation(sent: str, more: str) -> None:
    quoted = f"its country's field: {sent + more!r} is no number"

    assert without_quotes(quoted) == "its country's field: '…' is no number"


@pytest.mark.parametrize("cut", ["x 'Tom", 'x "Tom', "x 'O\\'Neil and", "x 'a' and 'Tom"])
def test_a_quotation_that_was_cut_off_is_left_out_too(cut: str) -> None:
    assert "Tom" not in without_quotes(cut)
    assert "Neil" not in without_quotes(cut)


def test_a_reason_without_quotations_stays_as_it_is() -> None:
    assert without_quotes("call-me: {{ phone }} finds nothing") == (
        "call-me: {{ phone }} finds nothing"
    )
