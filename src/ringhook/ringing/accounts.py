"""Accounts of the API: their tokens, and whether anything may be asked for them.

What an account lacks (a token that is accepted, credit, a plan) no other call of it has either: so
one refusal holds them all, and one call at a time tries whether it is mended.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from ringhook.calls.answers import AccountRefused, NotAsked
from ringhook.errors import UnavailableError
from ringhook.ringing.book import Hold
from ringhook.telemetry import count, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringhook.calls.answers import Answer
    from ringhook.clients.secret_store import SecretStore
    from ringhook.ringing.book import Book

# An account that cannot ring is tried again after so many seconds at first, and at most; and no
# other call tries it for so long after one has set out to.
_FIRST, _LAST, _TRYING = 5.0, 600.0, 30.0


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts whose tokens these are; holds are in the book."""

    book: Book
    tokens: SecretStore
    clock: Callable[[], float]
    jitter: Callable[[], float]

    def token(self, account: str, hold: Hold | None) -> str:
        """The account's token; read anew where it is missing, or was rejected.

        Raises UnavailableError if there is none that a header can hold.
        """
        fresh = hold is not None and hold.cause == "token"
        token = _usable(self.tokens.get(fresh=fresh), account)
        token = token or _usable(self.tokens.get(fresh=True), account)
        if not token:
            message = f"the token secret has no usable token for account {account!r}"
            raise UnavailableError(message)
        return token

    def admit(self, account: str, hold: Hold | None, token: str) -> tuple[float, Hold | None]:
        """Until when (epoch seconds) a call of the account waits, 0 if it need not; and its hold.

        A token that is not the one that was rejected is tried at once. Else one call tries at a
        time, and the others not all at the very moment when that may have been learnt from.
        """
        now = self.clock()
        if hold is None or (hold.cause == "token" and hold.token != _mark(token)):
            return 0.0, hold
        if hold.probe_at <= now:
            trying = replace(hold, probe_at=now + _TRYING)
            if self.book.hold(account, trying, over=hold):
                return 0.0, trying
            hold = trying
        return hold.probe_at + self.jitter() * max(1.0, hold.probe_at - now), hold

    def refused(
        self, answer: AccountRefused, account: str, token: str, hold: Hold | None
    ) -> Answer:
        """Hold the account, of which `hold` was known; or the call was asked with an old token."""
        now = self.clock()
        if answer.cause == "token":
            count("TokenRejected")
            with suppress(UnavailableError):
                newer = _usable(self.tokens.get(fresh=True), account)
                if newer and newer != token:
                    return NotAsked("the token was changed meanwhile")
            answer = msgspec.structs.replace(
                answer, reason=f"its token is not accepted: {answer.reason}"
            )
        since = hold.since if hold else now
        wait = min(_LAST, max(_FIRST, (now - since) / 2))
        held = Hold(answer.reason, answer.cause, since, now + wait, _mark(token))
        try:
            if self.book.hold(account, held, over=hold) and not hold:
                count("AccountHeld")
                logger.error("account.held", account=account, reason=answer.reason)
        except UnavailableError:
            # Then each call finds it out for itself.
            logger.warning("account.not_held", account=account, reason=answer.reason)
        return msgspec.structs.replace(
            answer, reason=waits(account, answer.reason), until=held.probe_at + 1
        )

    def let_go(self, account: str) -> None:
        """It rings again."""
        with suppress(UnavailableError):
            self.book.let_go(account)
            logger.info("account.let_go", account=account)


def waits(account: str, reason: str) -> str:
    """Why a call of the account waits."""
    return f"account {account} cannot ring, and its calls wait: {reason}"


def _usable(tokens: dict[str, Any], account: str) -> str:
    token = tokens.get(account)
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token.strip()):
        return ""
    return token.strip()


def _mark(token: str) -> str:
    """What tells tokens apart, and nothing of them."""
    return hashlib.sha256(token.encode()).hexdigest()[:12]
