"""The clock, and what happens when: one seed gives one history. It knows nothing of Ringhook.

Functions run as they are, each in a thread, one at a time: whoever does input or output gives the
turn away until its time has come. So they meet each other in every order, and any may die there.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

# A Monday, at six in the morning in London.
START = 1_795_413_600.0


class DeathError(BaseException):
    """The process dies: nothing of it may be caught."""


@dataclass
class Process:
    """A running function; it dies at its `die_at`th step (0: at none), or when its time is over."""

    name: str
    deadline: float
    die_at: int = 0
    steps: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)


class World:
    """What is due next; `now` is in epoch seconds."""

    def __init__(self, seed: int) -> None:
        self.now = START
        self.random = Random(seed)
        self.story: list[str] = []
        self.deaths = 0
        self.failures: list[BaseException] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self._running: Process | None = None
        self._home = threading.Lock()
        self._home.acquire()

    def tell(self, text: str) -> None:
        seconds = round(self.now - START, 1)
        self.story.append(
            f"{seconds // 3600:02.0f}:{seconds // 60 % 60:02.0f}:{seconds % 60:04.1f} {text}"
        )

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def at(self, time: float, do: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._due, (max(time, self.now), self._order, do))

    def run(self, until: float, idle: Callable[[int], bool]) -> bool:
        """Let everything happen; whether it came to rest (`idle`, of how much is due) by then."""
        while self._due and self._due[0][0] <= until:
            if idle(len(self._due)):
                return True
            self.now, _, do = heapq.heappop(self._due)
            do()
        return not self._due

    def start(
        self,
        process: Process,
        do: Callable[[], None],
        ended: Callable[[bool], None],
    ) -> None:
        """Run a function; `ended` hears whether it lived."""

        def body() -> None:
            process.turn.acquire()
            lived = False
            try:
                do()
                lived = True
            except DeathError:
                self.deaths += 1
                self.tell(f"{process.name} dies at its step {process.steps}")
            except BaseException as error:  # noqa: BLE001 - a fault of the simulation, or of the code
                self.failures.append(error)
            self._running = None
            ended(lived)
            self._home.release()

        process.turn.acquire()
        threading.Thread(target=body, daemon=True).start()
        self._resume(process)

    def step(self, latency: float = 0.005) -> None:
        """Input or output of the running function: it may die here."""
        process = self._running
        if process is None:
            return
        process.steps += 1
        if process.steps == process.die_at:
            raise DeathError
        self.sleep(latency)

    def sleep(self, seconds: float) -> None:
        """Let the running function wait."""
        process = self._running
        if process is None:
            raise AssertionError("nothing runs that could wait")
        until = min(self.now + seconds, process.deadline)
        if self._due and self._due[0][0] <= until:
            self.at(until, lambda: self._resume(process))
            self._running = None
            self._home.release()
            process.turn.acquire()
        else:
            self.now = max(self.now, until)
        if self.now >= process.deadline:
            raise DeathError

    def _resume(self, process: Process) -> None:
        self._running = process
        process.turn.release()
        self._home.acquire()
