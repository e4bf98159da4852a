"""What asking the API needs of its plan's pace."""

from __future__ import annotations

from typing import Protocol


class Pace(Protocol):
    """The API's plan: a slot for each request."""

    def take(self, account: str, *, by: float, again: bool = False) -> float | None:
        """Wait until a slot is near; the seconds that took. None: it is too far off.

        One that comes up `again`, since there was none, lets new ones go before it.
        """
        ...

    def use(self, account: str) -> None:
        """Wait for the slot's own moment: now the API is asked."""


class Unpaced:
    """A plan without limits."""

    def take(self, account: str, *, by: float, again: bool = False) -> float | None:  # noqa: ARG002 - as Pace
        """At once."""
        return 0.0

    def use(self, account: str) -> None:
        """There is nothing to wait for."""
