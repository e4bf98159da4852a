"""What each kind of call makes the functions ask of AWS and the API, counted request by request."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bench.progress import say
from bench.report import Part, Table
from bench.webhooks import BUSY, event_of, gateway_event, lead, routes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.account import Account
    from bench.functions import Code
    from bench.setup import Setup

NOTE = """\
Counted where they leave the process. Each function is warm: its first request reads its secret
once more, and reads it again every five minutes."""
COLUMNS = ("DynamoDB", "SQS", "Scheduler", "Secrets Manager", "API")


def measure(setup: Setup) -> Part:
    """Count for each kind of call."""
    say("requests per call")
    # Half a day from now, in New York and everywhere near it.
    hour = (datetime.now(UTC).hour + 7) % 24
    code, account = setup.code.with_routes(routes(late=f"{hour:02}:00-{hour:02}:30")), setup.account
    rows = [*_receiver(code, account), *_dialer(code, account), *_keeper(code, account)]
    table = Table(
        title="Requests per call",
        note=NOTE,
        columns=("", *COLUMNS, "which"),
        rows=rows,
    )
    return Part(tables=[table])


def _receiver(code: Code, account: Account) -> list[Sequence[str]]:
    forged = gateway_event(b"{}", {"x-signature": "0" * 64})
    kinds = {
        "the first": event_of(lead()),
        "receiver: a call": event_of(lead()),
        "receiver: a cancel": event_of(lead(topic="lead.closed")),
        "receiver: a topic that no route takes": event_of(lead(topic="lead.seen")),
        "receiver: a call without a phone": event_of(lead(phone="")),
        "receiver: a forged webhook": forged,
        "receiver: 100 calls in one webhook": event_of([lead() for _ in range(100)]),
    }
    return _count(code, "receiver", kinds, account)


def _dialer(code: Code, account: Account) -> list[Sequence[str]]:
    payloads = {
        "the first": lead(),
        "dialer: a call that rings": lead(),
        "dialer: a call outside its hours": lead(topic="lead.late"),
        "dialer: a call to an API that is busy": lead(phone=f"+1212300{BUSY}"),
        "dialer: a call without a phone": lead(phone=""),
    }
    again = "dialer: a call that has rung, sent again"
    events = account.queued(code, [*payloads.values(), payloads["dialer: a call that rings"]])
    kinds = dict(zip([*payloads, again], events, strict=True))
    return _count(code, "dialer", kinds, account)


def _keeper(code: Code, account: Account) -> list[Sequence[str]]:
    payloads = {
        "the first": lead(topic="lead.closed"),
        "keeper: a cancel": lead(topic="lead.closed"),
    }
    events = account.queued(code, list(payloads.values()), "told")
    kinds: dict[str, Any] = dict(zip(payloads, events, strict=True))
    kinds["keeper: its look for what is overdue, with nothing found"] = {}
    return _count(code, "keeper", kinds, account, last={"overdue": 0, "asked": 0})


def _count(
    code: Code, function: str, kinds: Mapping[str, Any], account: Account, last: Any = None
) -> list[Sequence[str]]:
    """A row for each kind but the first, which warms the function.

    Raises RuntimeError if the `last` is answered otherwise: its row would have a wrong name.
    """
    environment = account.environment(function) | {"BENCH_COUNT": "1"}
    ran = code.run(f"ringhook.{function}", list(kinds.values()), environment)
    if last not in (None, ran.answers[-1]):
        message = f"{list(kinds)[-1]}: it answered {ran.answers[-1]}, not {last}"
        raise RuntimeError(message)
    return [_row(kind, asked) for kind, asked in zip(kinds, ran.asked, strict=True)][1:]


def _row(kind: str, asked: Sequence[str]) -> Sequence[str]:
    by_service = Counter(_service(one) for one in asked)
    which = Counter(one.partition(" ")[2] or one for one in asked if _service(one) != "API")
    said = ", ".join(f"{n} times {name}" if n > 1 else name for name, n in which.items())
    return [kind, *(str(by_service[name] or "") for name in COLUMNS), said]


def _service(one: str) -> str:
    return next(name for name in COLUMNS if one.startswith(name))
