"""How the sandbox's calls end: what it is told of that, and one ending drawn by it.

The outcomes are the words that Ringhook uses. How the API says them is drawn for each call anew,
since no page of it lists its words: those here are its own few, and what other APIs say.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Annotated, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, field_validator

from ringhook_ops.sandbox.orders import ANY, DAY, Order, PhoneNumber, Span

Outcome = Literal["answered", "voicemail", "no_answer", "busy", "rejected", "failed", "unknown"]
EndedBy = Literal["person", "agent", "time_limit"]
Share = Annotated[float, Field(ge=0, le=1)]


class Said(NamedTuple):
    """One way of the API to say an ending: in the list's STATUS and CALL_STATUS, in a webhook."""

    status: str
    call_status: str
    posted: str
    ended_by: EndedBy | None = None
    failure: str | None = None


# A line's "completed" is no person's answer: every kind of ending has it, or "failed".
_WAYS: dict[str, list[Said]] = {
    "answered": [
        Said("completed", "COMPLETED", "user-ended", "person"),
        Said("Completed", "completed", "User_Ended", "person"),
        Said("COMPLETED", "Call-Ended", "user-ended", "person"),
        Said("completed", "Completed", "agent-ended", "agent"),
        Said("completed", "COMPLETED", "timeout", "time_limit"),
    ],
    "voicemail": [
        Said("completed", "VOICEMAIL", "voicemail-message"),
        Said("COMPLETED", "machine_end_beep", "voicemail-hangup"),
    ],
    "no_answer": [
        Said("completed", "NO_ANSWER", "no-answer"),
        Said("Failed", "no-answer", "dial_no_answer"),
        Said("completed", "Unanswered", "No Answer"),
    ],
    "busy": [
        Said("completed", "BUSY", "busy"),
        Said("failed", "busy", "dial_busy"),
        Said("COMPLETED", "user_busy", "Busy"),
    ],
    "rejected": [
        Said("completed", "REJECTED", "user_declined"),
        Said("failed", "Call-Rejected", "rejected"),
    ],
    "failed": [
        Said("failed", "FAILED", "dial_failed", failure="provider"),
        Said("Failed", "failed", "error", failure="provider"),
        Said("failed", "invalid_destination", "invalid-destination", failure="invalid_number"),
    ],
    "unknown": [
        Said("completed", "COMPLETED", "completed"),  # with no duration, whatever that means
        Said("completed", "gone_fishing", "gone-fishing"),
    ],
}


class Webhook(Order):
    """The agent's `session_data_webhook`, and how it goes wrong: shares of the calls.

    `late` ones come `late_by` seconds after the others; a `forged` one is posted besides, with
    another ending, by somebody who does not know the last of the address. Without `unanswered` a
    call that nobody answered posts nothing.
    """

    url: str = Field(pattern=r"^https?://\S+$")
    headers: dict[str, str] = Field(default_factory=dict)
    never: Share = 0
    late: Share = 0
    late_by: Span = (5, 15)
    twice: Share = 0
    forged: Share = 0
    unanswered: bool = False


class Endings(Order):
    """How the next `times` calls to a number end; None: all of them.

    `outcomes` are weights. A phone `rings` so many seconds, and who answers `talks` so long. Of
    those who answer a share wants no more calls (`opt_out`) or to be called again (`callback`),
    `callback_after` seconds later; the webhook alone says so.
    """

    phone_number: PhoneNumber = ANY
    times: int | None = Field(default=None, ge=1)
    outcomes: dict[Outcome, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        default={"answered": 1.0}
    )
    rings: Span = (1, 4)
    talks: Span = (3, 20)
    opt_out: Share = 0
    callback: Share = 0
    callback_after: Span = (3600, 7200)
    webhook: Webhook | None = None

    @field_validator("outcomes")
    @classmethod
    def _some_outcome(cls, outcomes: dict[Outcome, float]) -> dict[Outcome, float]:
        if sum(outcomes.values()) <= 0:
            message = f"must give one of {', '.join(get_args(Outcome))} a weight above 0"
            raise ValueError(message)
        return outcomes


def _zone(name: str) -> str:
    if name not in available_timezones():
        message = 'must be a time zone, such as "Asia/Kolkata"'
        raise ValueError(message)
    return name


class Listing(Order):
    """How the list of executions is: the clock of its times, and how far it lags (seconds).

    A share of the endings it never has. Whether a row shows its INPUT_DATA no page says.
    """

    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    new_after: float = Field(default=0, ge=0, le=DAY)
    ended_after: Span = (0, 0)
    never_ended: Share = 0
    shows_input_data: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """Whose clock its times have."""
        return ZoneInfo(self.time_zone)


class Ending(NamedTuple):
    """How a call ends, and when that is so and when the list says so (None: never)."""

    outcome: Outcome
    said: Said
    duration_seconds: float
    ended_at: datetime
    listed_at: datetime | None
    opt_out: bool
    callback_at: datetime | None


def draw(order: Endings, listing: Listing, placed_at: datetime, random: Random) -> Ending:
    """One ending, as the orders have it."""
    outcome = random.choices(list(order.outcomes), list(order.outcomes.values()))[0]
    talked = round(random.uniform(*order.talks), 1) if outcome in ("answered", "voicemail") else 0
    said = random.choice(_WAYS[outcome])
    answered_at = placed_at + timedelta(seconds=random.uniform(*order.rings))
    ended_at = answered_at + timedelta(seconds=talked)
    lag = timedelta(seconds=random.uniform(*listing.ended_after))
    answered = outcome == "answered"
    back = answered and random.random() < order.callback
    after = timedelta(seconds=random.uniform(*order.callback_after))
    return Ending(
        outcome=outcome,
        said=said,
        duration_seconds=talked,
        ended_at=ended_at,
        listed_at=None if random.random() < listing.never_ended else ended_at + lag,
        opt_out=answered and random.random() < order.opt_out,
        callback_at=(ended_at + after).replace(microsecond=0) if back else None,
    )


def lie(truth: Outcome, random: Random) -> Said:
    """How another ending is said than the true one."""
    others = [outcome for outcome in ("answered", "no_answer", "busy") if outcome != truth]
    return random.choice(_WAYS[random.choice(others)])
