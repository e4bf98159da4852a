"""The agents' webhooks at the end of their calls: each posted once, when it is due."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import urllib3

# So many are under way at once, and so long is an answer waited for (seconds).
_AT_ONCE, _PATIENCE = 8, 10.0


@dataclass(order=True)
class Post:
    """A webhook, and what was answered: None until then, and for ever if nothing was."""

    due_at: datetime
    url: str = field(compare=False)
    headers: Mapping[str, str] = field(compare=False)
    body: Mapping[str, Any] = field(compare=False)
    genuine: bool = field(compare=False)
    sent_at: datetime | None = field(default=None, compare=False)
    status: int | None = field(default=None, compare=False)


class Posting:
    """Posts each webhook when it is due, from `start` to `stop`."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._due: list[Post] = []
        self._changed = threading.Condition()
        self._ended = False
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._http = urllib3.PoolManager(maxsize=_AT_ONCE, retries=False, timeout=_PATIENCE)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to post."""
        self._thread.start()

    def stop(self) -> None:
        """Post nothing more; no thread outlives this."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(cancel_futures=True)
        self._http.clear()

    def add(self, post: Post) -> None:
        """Post this when it is due."""
        with self._changed:
            heapq.heappush(self._due, post)
            self._changed.notify()

    def clear(self) -> None:
        """Forget what is still to be posted."""
        with self._changed:
            self._due.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._ended and (wait := self._wait()) != 0:
                    self._changed.wait(wait)
                if self._ended:
                    return
                post = heapq.heappop(self._due)
            self._pool.submit(self._post, post)

    def _wait(self) -> float | None:
        """Seconds until the next is due; None if there is none."""
        if not self._due:
            return None
        return max(0.0, (self._due[0].due_at - self._now()).total_seconds())

    def _post(self, post: Post) -> None:
        post.sent_at = self._now()
        try:
            answer = self._http.request("POST", post.url, headers=post.headers, json=post.body)
        except urllib3.exceptions.HTTPError:
            return
        post.status = answer.status
