"""The command: `python -m bench` for the whole, `python -m bench warm` for a part."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench import asked, bundle_size, cold_start, decide, growth, machine, report, rivals, warm
from bench.account import Account
from bench.functions import place
from bench.setup import Setup
from bench.webhooks import routes
from ringhook_ops import bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.report import Part

# The bundle comes first: what runs from it leaves bytecode in it.
PARTS: dict[str, Callable[[Setup], Part]] = {
    "bundle": bundle_size.measure,
    "cold-start": cold_start.measure,
    "warm": warm.measure,
    "decide": decide.measure,
    "growth": growth.measure,
    "requests": asked.measure,
    "rivals": rivals.measure,
}
RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = """# What Ringhook costs

Made by `make bench`, and not by hand; it took {minutes:.0f} minutes. One part alone:
`python -m bench warm`, and so on (`--help`).

"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for; print it, and write the whole down."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure what Ringhook costs on this machine. The whole, in full, is written"
        " to bench/RESULTS.md.",
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=f"one of: {', '.join(PARTS)}")
    parser.add_argument(
        "--quick", action="store_true", help="once each, from the tree: whether it works"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"there is no part {min(unknown)!r}: there are {', '.join(PARTS)}")
    begun, facts = time.monotonic(), machine.facts()
    parts = _measure([name for name in PARTS if name in (given.parts or PARTS)], quick=given.quick)
    facts["busy"] += f", {machine.load()} at the end"
    if given.json:
        print(_json(facts, parts))
        return
    text = _text(facts, parts)
    print(text)
    if not given.parts and not given.quick:
        minutes = (time.monotonic() - begun) / 60
        RESULTS.write_text(HEAD.format(minutes=minutes) + text)


def _measure(names: Sequence[str], *, quick: bool) -> list[Part]:
    bundle.WORK.mkdir(exist_ok=True)
    # Beside the bundle, whose files are linked and not copied.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=bundle.WORK) as directory:
        code = place(Path(directory), routes(), built=not quick)
        with Account() as account:
            setup = Setup(code, account, quick)
            return [PARTS[name](setup) for name in names]


def _text(facts: Mapping[str, str], parts: Sequence[Part]) -> str:
    ratios = [ratio for part in parts for ratio in part.ratios]
    lines = [report.markdown(report.targets(ratios))] if ratios else []
    lines.append(report.markdown(report.machine(facts)))
    lines += [report.markdown(table) for part in parts for table in part.tables]
    return "\n".join(lines)


def _json(facts: Mapping[str, str], parts: Sequence[Part]) -> str:
    return json.dumps({"machine": facts, "parts": [asdict(part) for part in parts]}, indent=2)


if __name__ == "__main__":
    main()
