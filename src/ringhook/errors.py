"""Every error of Ringhook, arranged by what whoever catches it must do."""

from __future__ import annotations

from dataclasses import dataclass


class RinghookError(Exception):
    """The base of all errors that Ringhook raises on purpose."""


class RejectedError(RinghookError):
    """The request is not proven to come from its sender: 401, and the reason stays in the log."""


class StaleError(RejectedError):
    """It was signed too long ago, or ahead of our clock: `age` seconds, below 0 if ahead.

    `limit` is how many it may be, on either side.
    """

    def __init__(self, age: float, limit: float) -> None:
        """Keep the age and the limit."""
        self.age = age
        self.limit = limit
        side = "ago" if age > 0 else "ahead"
        super().__init__(f"stale: signed {abs(age):.0f} s {side}, at most {limit}")


class BadRequestError(RinghookError):
    """The sender is known, but what it sent cannot be read: 400, with the reason."""


class UnreadableError(RinghookError):
    """What came through a queue is no message: no later reading makes it one."""


class UnavailableError(RinghookError):
    """Something that must be looked at cannot be looked at now: wait, do not let through."""


class LaterError(UnavailableError):
    """Whoever was asked may answer later: ask again, not before `after` seconds have passed."""

    def __init__(self, message: str, after: float = 0) -> None:
        """Keep what was said of when."""
        self.after = after
        super().__init__(message)


class ServiceError(UnavailableError):
    """AWS refused, or did not answer. `code` says how, in its own words or as Python's error.

    `passing`: asking again may help. `reasons` has a word for each part of a transaction.
    """

    def __init__(
        self,
        service: str,
        action: str,
        code: str,
        *,
        passing: bool = False,
        reasons: tuple[str, ...] = (),
    ) -> None:
        """Keep what tells one failure from another."""
        self.code = code
        self.reasons = reasons
        self.passing = passing
        super().__init__(f"{service} does not do {action} ({code})")


class UnsentError(RinghookError):
    """Nothing of a request was sent: no connection, or no TLS on it."""


class CutError(RinghookError):
    """A request was sent, or sent in part, and no whole answer came."""


class ConflictError(RinghookError):
    """What was read has been changed by another meanwhile: read it again."""


class UnstorableError(RinghookError):
    """What a call holds cannot be kept in the ledger: then it cannot be made either."""


class UnmappedError(RinghookError):
    """An event matched a route but lacks what the call needs; the text names field and cause."""


class RegionlessError(UnmappedError):
    """A national number, and nothing says of which country."""


class MisfitError(BadRequestError):
    """A genuine body under a topic that nobody signed, and that it is not of.

    `private`: it holds a person who asked to be forgotten, so nothing of it may be kept.
    """

    def __init__(self, message: str, *, private: bool) -> None:
        """Keep whether it is private."""
        super().__init__(message)
        self.private = private


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with `routes.toml`: where (`line` from 1; 0: unknown), and the cure."""

    line: int
    where: str
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.where}: {self.message}" if self.where else f"{place}{self.message}"


class RoutesError(RinghookError):
    """`routes.toml` cannot be used; `problems` says all that is wrong with it, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems sorted by line."""
        self.problems = sorted(problems, key=lambda problem: problem.line)
        super().__init__("\n".join(str(problem) for problem in self.problems))
