"""The same webhook through Ringhook and through what a user would pick instead."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.load import Senders, outcome, percentile
from bench.progress import say
from bench.report import Cell, Part, Table
from bench.rival_programs import RIVALS, NotInstalledError
from bench.stub import Stub
from bench.webhooks import event_of, lead
from ringhook_ops.processes import ProgramError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.load import Sent
    from bench.rival_programs import Rival
    from bench.setup import Setup

ANSWER_AFTER = 0.1
SPEED = """\
Seconds of the clock, on the machine that also runs the senders and the API's stand-in, which
answers a call after {api:.0f} ms. A sender posts its next webhook once the last was answered, on a
connection that it keeps; each webhook is another lead, signed, and the signature is checked. Before
each row as many senders at once had a webhook taken that is not counted, or {warming:.0f} s passed.
What was not begun after {longest:.0f} s is not sent. p99 of fewer than 100 is the slowest. Not
taken: answered otherwise than 2xx, or not within 30 s. All rung: seconds from the first webhook to
the last call of those taken.

What runs on the local cloud is as slow as the emulator: one Python process stands for the gateway,
the queues and the table, each function that runs at once is a process to start on these cores, and
there are two dialers, each with one call at a time. In process, one instance of each function is
handed one event after the other, as Lambda does it, with the emulator behind it; on Lambda more
senders have more instances."""
THRICE = """\
{leads} leads, each of which is sent three times, one right after the other, by 8 senders. Lost: a
webhook of it was taken, and its phone was never rung."""
DOWN = """\
The API answers 503 for {outage:g} s, and meanwhile {leads} leads are sent, each once. Refused:
the sender was told so, or heard nothing for 30 s, and it is for the sender to send again. Lost:
taken, and not rung within {patience:g} s."""
_ENDS = "rung once", "rung again", "refused", "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is sent: `levels` is the webhooks by number of senders; times are in seconds."""

    levels: Mapping[int, int] = field(default_factory=lambda: {1: 40, 8: 160, 64: 320})
    warming: float = 90.0
    longest: float = 20.0
    thrice: int = 20
    down: int = 20
    outage: float = 10.0
    patience: float = 60.0
    still: float = 2.0


QUICK = Scale(levels={1: 2, 2: 4}, thrice=2, down=2, outage=0.5, patience=1.0, still=0.2)


def measure(setup: Setup) -> Part:
    """Run the scenes with each, one after the other."""
    scale = QUICK if setup.quick else Scale()
    in_process = _in_process(setup, scale.levels[1])
    speed, *rest = tables(RIVALS, scale)
    return Part(tables=[replace(speed, rows=[*in_process, *speed.rows]), *rest])


def tables(rivals: Sequence[Rival], scale: Scale) -> list[Table]:
    """The three tables. What cannot be installed, or fails, has a row that says so."""
    speed: list[Sequence[Cell]] = []
    thrice: list[Sequence[Cell]] = []
    down: list[Sequence[Cell]] = []
    for rival in rivals:
        say(f"{rival.name}")
        try:
            with (
                tempfile.TemporaryDirectory(prefix="bench-") as directory,
                Stub(answer_after=ANSWER_AFTER) as api,
                rival.start(Path(directory), api.url) as url,
            ):
                again, outage = _sent_thrice(url, api, scale), _api_down(url, api, scale)
                levels = [_level(url, api, scale, *level) for level in scale.levels.items()]
        except (NotInstalledError, ProgramError) as error:
            reason = f"not measured: {str(error).splitlines()[0]}"
            for rows in (speed, thrice, down):
                rows.append([rival.name, reason])
            continue
        speed += [[rival.name, *level] for level in levels]
        thrice.append([rival.name, *again])
        down.append([rival.name, *outage])
    return [
        Table(
            title="Beside what a user would pick instead",
            note=SPEED.format(
                api=ANSWER_AFTER * 1000, longest=scale.longest, warming=scale.warming
            ),
            columns=(
                *("", "senders", "webhooks", "p50, ms", "p99, ms", "taken a second"),
                *("not taken", "all rung after, s"),
            ),
            rows=speed,
        ),
        Table(
            title="When the sender sends thrice",
            note=THRICE.format(leads=scale.thrice),
            columns=("", *_ENDS),
            rows=thrice,
        ),
        Table(
            title="When the API answers 503",
            note=DOWN.format(outage=scale.outage, leads=scale.down, patience=scale.patience),
            columns=("", *_ENDS),
            rows=down,
        ),
    ]


def _level(url: str, api: Stub, scale: Scale, senders: int, webhooks: int) -> Sequence[Cell]:
    say(f"  {senders} senders")
    warm = _warm(url, api, scale, senders)
    begun = time.monotonic()
    sent = warm.post_all([lead() for _ in range(webhooks)], scale.longest)
    took = time.monotonic() - begun
    all_rung = _settled(api, sent, scale)
    not_taken = sum(not one.taken for one in sent)
    return [
        senders,
        len(sent),
        *_latencies([one.seconds for one in sent]),
        (len(sent) - not_taken) / took,
        not_taken,
        "not all" if all_rung is None else "" if not_taken == len(sent) else all_rung - begun,
    ]


def _sent_thrice(url: str, api: Stub, scale: Scale) -> Sequence[Cell]:
    say("  sent thrice")
    leads = [one for one in [lead() for _ in range(scale.thrice)] for _ in range(3)]
    sent = _warm(url, api, scale, 8).post_all(leads, scale.longest)
    _settled(api, sent, scale)
    return _ended(sent, api)


def _api_down(url: str, api: Stub, scale: Scale) -> Sequence[Cell]:
    say("  the API down")
    warm = _warm(url, api, scale, 8)
    api.be_down(scale.outage)
    sent = warm.post_over([lead() for _ in range(scale.down)], scale.outage * 0.95)
    _settled(api, sent, scale)
    return _ended(sent, api)


def _warm(url: str, api: Stub, scale: Scale, number: int) -> Senders:
    """So many senders, whose webhooks (not counted) were all taken at once, if that can be had.

    They begin few and double, as what they send to may have to start a process for each.
    """
    ends, at_once = time.monotonic() + scale.warming, 1
    while True:
        senders = Senders(url, at_once)
        sent = senders.post_all([lead() for _ in range(at_once)], scale.longest)
        all_taken = all(one.taken for one in sent)
        if at_once == number and (all_taken or time.monotonic() > ends):
            _settled(api, sent, scale)
            return senders
        if all_taken or time.monotonic() > ends:
            at_once = min(2 * at_once, number)


def _ended(sent: Sequence[Sent], api: Stub) -> Sequence[Cell]:
    found = outcome(sent, api.rung())
    return [found.once, found.doubled, found.refused, found.lost]


def _settled(api: Stub, sent: Sequence[Sent], scale: Scale) -> float | None:
    """Wait until what was taken has rung and nothing more rings; when it had. None: not all did."""
    wanted = {one.lead for one in sent if one.taken}
    ends, at = time.monotonic() + scale.patience, None
    total, since = -1, time.monotonic()
    while time.monotonic() < ends:
        rung = api.rung()
        now = time.monotonic()
        if at is None and wanted <= rung.keys():
            at = now
        if sum(rung.values()) != total:
            total, since = sum(rung.values()), now
        elif at is not None and now - since > scale.still:
            break
        time.sleep(0.1)
    return at


def _latencies(seconds: Sequence[float]) -> tuple[float, float]:
    """The middle and the 99th percentile, in milliseconds."""
    return percentile(seconds, 0.5) * 1000, percentile(seconds, 0.99) * 1000


def _in_process(setup: Setup, webhooks: int) -> list[Sequence[Cell]]:
    """A row for each function, handed one event after the other."""
    say("the functions in process")
    code, account = setup.code, setup.account
    warm_up = 3
    with Stub(answer_after=ANSWER_AFTER) as api:
        calls = account.queued(code, [lead() for _ in range(webhooks + warm_up)])
        dialer = account.environment("dialer") | api.environment
        events = [event_of(lead()) for _ in range(webhooks + warm_up)]
        rows: list[Sequence[Cell]] = []
        for name, handed, environment in (
            ("receiver", events, account.environment("receiver")),
            ("dialer", calls, dialer),
        ):
            each = code.run(f"ringhook.{name}", handed, environment).each[warm_up:]
            figures = [*_latencies(each), len(each) / sum(each)]
            rows.append([f"Ringhook's {name} in process", 1, len(each), *figures, 0, ""])
        api.check(webhooks + warm_up)
    return rows
