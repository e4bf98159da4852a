"""What each part of the bench is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.account import Account
    from bench.functions import Code


@dataclass(frozen=True, slots=True)
class Setup:
    """The functions, and an account for them; `quick` is to show that it works, once each."""

    code: Code
    account: Account
    quick: bool
