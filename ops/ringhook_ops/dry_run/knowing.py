"""What is known of a number, from a file: to try a decision on a desk."""

from __future__ import annotations

from typing import Any

from ringhook.calls.consents import from_item
from ringhook.deciding.policy import History
from ringhook.reading.times import parse_time


def read_history(document: Any) -> History:
    """What is known of a number, as `ringhook export` prints it or as somebody wrote it by hand.

    `{"do_not_call": reason, "rung": {call_id: time}, "consents": {purpose: {"granted": true,
    "evidence": text}}, "today": calls}`; what is left out is not known. Raises ValueError naming
    what cannot be read.
    """
    known = document.get("number", document) if isinstance(document, dict) else None
    if known is None and isinstance(document, dict):
        known = {}  # an export of a number that nothing is known of
    if not isinstance(known, dict):
        message = "the history is no JSON object"
        raise ValueError(message)  # noqa: TRY004 - one error for whatever cannot be read
    rung = {}
    for call_id, text in known.get("rung", {}).items():
        moment = parse_time(text)
        if moment is None:
            message = f"rung: {text!r} is no time"
            raise ValueError(message)
        rung[call_id] = moment.timestamp()
    return History(
        do_not_call=str(known.get("do_not_call", "")),
        consents={purpose: from_item(one) for purpose, one in known.get("consents", {}).items()},
        rung=rung,
        today=int(known.get("today", 0)),
    )
