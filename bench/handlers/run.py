"""Events to one handler, one after the other, as Lambda hands them over: run in a process anew.

    python run.py MODULE WARM_UP < events.json > result.json

The result: the answers, the seconds of processor time that the events after the first WARM_UP
took, the seconds of the clock that each took, and, where BENCH_COUNT is set, what each event made
the handler ask of the outside. Whatever
the handler prints goes to standard error. Nothing is imported that a bare handler would not.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time


class Context:
    """The part of Lambda's context that handlers look at."""

    function_name = "bench"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:bench"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """As if each invocation had just begun."""
        return 60_000


def main() -> None:
    """Read the events, hand them over, write what came of it."""
    module, warm_up = sys.argv[1], int(sys.argv[2])
    result, sys.stdout = sys.stdout, sys.stderr
    events = json.load(sys.stdin)
    asked: list[str] = []
    if os.environ.get("BENCH_COUNT"):
        from bench.handlers.counting import note  # noqa: PLC0415 - nothing is imported that is not needed

        note(asked)
    handler = importlib.import_module(module).handler
    context = Context()
    answers, each, asked_by_event, begun = [], [], [], 0.0
    for number, event in enumerate(events):
        if number == warm_up:
            begun = time.process_time()
        asked.clear()
        handed = time.perf_counter()
        answers.append(handler(event, context))
        each.append(time.perf_counter() - handed)
        asked_by_event.append(list(asked))
    spent = time.process_time() - begun
    said = {"answers": answers, "seconds": spent, "each": each, "asked": asked_by_event}
    json.dump(said, result)


if __name__ == "__main__":
    main()
