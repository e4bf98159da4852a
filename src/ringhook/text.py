"""Untrusted text stays text: what a stranger wrote, made fit for logs and language models."""

from __future__ import annotations

import re

# Controls and line breaks, which a reader would take for structure …
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# … and what nobody sees but a language model reads: zero-width and direction marks, soft hyphens,
# variation selectors, tags; and halves of surrogate pairs, which no encoding can carry.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


def tidy(text: str, longest: int) -> str:
    """The text without control and invisible characters, and no longer than `longest`."""
    return _INVISIBLE.sub("", _CONTROL.sub(" ", text)).strip()[:longest]
