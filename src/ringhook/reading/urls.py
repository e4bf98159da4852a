"""Addresses with `{{ JMESPath }}` in them: a value fills its own place, and leads nowhere else.

Who can make a sender send an event chooses its values, and a request may carry a credential. So
host, path and parameters are the template's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from ringhook.errors import UnavailableError, UnmappedError

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from ringhook.reading.expressions import Expression, Template

# Ids, names and e-mail addresses are shorter.
LONGEST_VALUE = 300
CREDENTIAL = "{credential}"
_START = re.compile(r"https://([^/?#]*)/")
_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?%-]|\{credential\})*")
# What stands for itself in a path.
_IN_PATH = re.compile(r"[A-Za-z0-9_~-]+(?:/[A-Za-z0-9_~-]+)*")
# Encoded or not, a server may take these for the end of a path's segment.
_ENDS_SEGMENT = frozenset("/\\%?#;")


def host_of(url: Template) -> str:
    """The host (and port), as it is written out after https:// and before a /; else ""."""
    start = _START.match(str(url.parts[0]))
    return start[1] if start else ""


def check_literals(url: Template) -> None:
    """Raise ValueError, saying what is wrong, unless what is written out is a plain address."""
    literals = [part for part in url.parts if isinstance(part, str)]
    for literal in literals:
        if not _LITERAL.fullmatch(literal):
            message = f"{literal!r} has characters that must be percent-encoded in an address"
            raise ValueError(message)
    path = "{}".join(literals).partition("?")[0]
    if {".", ".."} & set(path.split("/")) or "".join(literals).count("?") > 1:
        message = "is no plain address: a path without . and .., and one ? at most"
        raise ValueError(message)


def fill(url: Template, payload: Any, now: datetime) -> str:
    """The address for this payload: its values percent-encoded, each within its own place.

    Raises UnmappedError if a value is missing, or could be taken for more than a value.
    """
    address = ""
    for part in url.parts:
        if isinstance(part, str):
            address += part
        else:
            address += _escaped(part, part(payload, now), in_path="?" not in address)
    path = address.partition("?")[0]
    if {".", ".."} & set(path.split("/")):
        message = f"{url.text} leads out of its path"
        raise UnmappedError(message)
    return address


def vouched(address: str, credential: str, name: str, *, parts: int) -> str:
    """The address with the credential of this name where it says `{credential}`.

    Raises UnavailableError if it could be taken for more than so many parts of the path.
    """
    if CREDENTIAL not in address:
        return address
    if not _IN_PATH.fullmatch(credential) or credential.count("/") >= parts:
        message = f"the credential {name!r} cannot be a part of an address"
        raise UnavailableError(message)
    return address.replace(CREDENTIAL, credential, 1)


def _escaped(expression: Expression, value: object, *, in_path: bool) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        what = "finds nothing" if value is None else "is not one id"
        message = f"{{{{ {expression.text} }}}} {what} in the payload"
        raise UnmappedError(message)
    text = str(value)
    if not (0 < len(text) <= LONGEST_VALUE and text.isprintable() and text.strip()):
        message = f"{{{{ {expression.text} }}}} is empty, too long or not printable"
        raise UnmappedError(message)
    if in_path and _ENDS_SEGMENT & set(text):
        message = f"{{{{ {expression.text} }}}} has characters that have no place in a path"
        raise UnmappedError(message)
    return quote(text, safe="")
