"""Senders at work, and what came of what they sent."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3

from bench.webhooks import headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# As long as senders wait, or a little longer than most do.
_PATIENCE = urllib3.Timeout(30.0)


@dataclass(frozen=True, slots=True)
class Sent:
    """One webhook: its lead's id, the status it was answered (0: none), and after how long."""

    lead: str
    status: int
    seconds: float

    @property
    def taken(self) -> bool:
        """Whether the sender was told that it is in good hands."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many leads ended so. A lead of which nothing was taken is `refused`, not `lost`."""

    once: int
    doubled: int
    refused: int
    lost: int


def outcome(sent: Iterable[Sent], rung: Mapping[str, int]) -> Outcome:
    """What became of the leads that were sent; `rung` says how often each one's phone was rung."""
    taken: dict[str, bool] = {}
    for one in sent:
        taken[one.lead] = taken.get(one.lead, False) or one.taken
    ends = Counter(
        ("doubled" if rung[lead] > 1 else "once")
        if rung.get(lead)
        else ("lost" if was_taken else "refused")
        for lead, was_taken in taken.items()
    )
    return Outcome(ends["once"], ends["doubled"], ends["refused"], ends["lost"])


def percentile(figures: Sequence[float], share: float) -> float:
    """The least figure that so large a share (0 to 1) of them does not exceed: nearest rank."""
    return sorted(figures)[max(0, math.ceil(share * len(figures)) - 1)]


class Senders:
    """So many senders, each with a connection that it keeps, who post to `url`."""

    def __init__(self, url: str, number: int) -> None:
        """Send nothing yet."""
        self._url = url
        self._number = number
        self._http = urllib3.PoolManager(maxsize=number, retries=False, timeout=_PATIENCE)

    def post(self, lead: Mapping[str, Any]) -> Sent:
        """Send one webhook."""
        body = json.dumps(lead).encode()
        begun = time.perf_counter()
        try:
            status = self._http.request("POST", self._url, body=body, headers=headers(body)).status
        except urllib3.exceptions.HTTPError:
            status = 0
        return Sent(lead["id"], status, time.perf_counter() - begun)

    def post_all(self, leads: Sequence[Mapping[str, Any]], longest: float) -> list[Sent]:
        """Each sender takes the next lead as soon as its last was answered; `longest` in seconds.

        What was not begun by then is not sent.
        """
        waiting, lock, ends = iter(leads), threading.Lock(), time.monotonic() + longest

        def work(_: int) -> list[Sent]:
            sent = []
            while time.monotonic() < ends:
                with lock:
                    lead = next(waiting, None)
                if lead is None:
                    break
                sent.append(self.post(lead))
            return sent

        with ThreadPoolExecutor(self._number) as pool:
            return [one for some in pool.map(work, range(self._number)) for one in some]

    def post_over(self, leads: Sequence[Mapping[str, Any]], seconds: float) -> list[Sent]:
        """Send the leads evenly over so many seconds, whether or not the last was answered."""
        with ThreadPoolExecutor(self._number) as pool:
            begun, under_way = time.monotonic(), []
            for number, lead in enumerate(leads):
                time.sleep(max(0.0, begun + number * seconds / len(leads) - time.monotonic()))
                under_way.append(pool.submit(self.post, lead))
            return [one.result() for one in under_way]
