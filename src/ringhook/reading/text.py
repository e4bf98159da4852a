"""Untrusted text stays text: what a stranger wrote, made fit for logs and language models."""

from __future__ import annotations

import re

# Controls and line breaks, which a reader would take for structure …
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# … and what nobody sees but a language model reads: Unicode's Default_Ignorable_Code_Point (zero
# width, directions, soft hyphens, fillers, variation selectors, tags), marks of annotations; and
# halves of surrogate pairs, which no encoding can carry, and two that SQS does not take.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# What a reason repeats of what was sent stands in quotes, as `repr` writes them.
_QUOTED = re.compile(r"""(?<!\w)(?:'(?:[^'\\]|\\.)*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$))""")


def tidy(text: str, longest: int) -> str:
    """The text without control and invisible characters, and no longer than `longest`."""
    return visible(_CONTROL.sub(" ", text)).strip()[:longest]


def visible(text: str) -> str:
    """The text without the characters that nobody sees."""
    return _INVISIBLE.sub("", text)


def without_quotes(reason: str) -> str:
    """A reason for the log: the ledger alone holds what was sent."""
    return _QUOTED.sub("'…'", reason)
