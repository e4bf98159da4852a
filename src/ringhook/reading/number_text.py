"""What is written where a phone number should stand: its digits, if it is nothing but a number.

Only what is known to be decoration is taken off; of anything else it is said what was seen. Letters
never become digits: on a keypad they would ("Tom" is 866), and a stranger would be rung.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ringhook.errors import UnmappedError
from ringhook.reading.text import visible

LONGEST = 200
_ESCAPED = {"%2b": "+", "%20": " ", "&#43;": "+", "&plus;": "+", "&nbsp;": " ", "&quot;": '"'}
_ESCAPE = re.compile("|".join(_ESCAPED), re.IGNORECASE)
# Full-width, small and heavy plus signs; what the Japanese and minus signs write for a dash.
_PLUS = "\uff0b\ufe62\u2795"
_DASH = "\u2212\u30fc\uff70"
_DOT = "\u00b7\u2027\u30fb\uff65\u3002"
# Quotes of every script are told by their category; these stand around numbers as well.
_AROUND = " \n'\"`\u00b4=\u2706\u260e\U0001f4de\U0001f4f1\U0001f4f2\u2709<>"
_AFTER = ".,;:-"
_FLAGS = re.compile("^[\U0001f1e6-\U0001f1ff]{2}\\s*(?=[+(])")

# What people and programs write before a number, closed and lower-case. A single letter counts only
# with a colon: `p:` is Meta's, `t:` and `m:` stand in signatures.
_LATIN = (
    "phone|ph|telephone|tel|telefon|telefone|telefono|tel\u00e9fono|t\u00e9l\u00e9phone|telefoon|"
    "telefonnummer|rufnummer|mobile|mobil|m\u00f3vil|movil|mob|mobilnummer|mobiltelefon|handy|cell|"
    "cellphone|cellulare|celular|cel|portable|whatsapp|wa|call"
)
_OTHER_SCRIPTS = (
    "\u0442\u0435\u043b|\u0442\u0435\u043b\u0435\u0444\u043e\u043d|\u043c\u043e\u0431|"
    "\u7535\u8bdd|\u96fb\u8a71|\u96fb\u8a71\u756a\u53f7|\u624b\u673a|\u624b\u6a5f|\u643a\u5e2f|"
    "\u0647\u0627\u062a\u0641|\u062c\u0648\u0627\u0644|\u05d8\u05dc\u05e4\u05d5\u05df|"
    "\u05e0\u05d9\u05d9\u05d3|\u092b\u093c\u094b\u0928|\u0e42\u0e17\u0e23"
)
_LABEL = re.compile(
    r"^(?:(?:callto|sms|tel|whatsapp):(?://)?|[ptmhc]:|"
    rf"(?:{_LATIN})(?: ?(?:phone|number|no|nr|\#))?(?:[ .:\-=]+|(?=[+(]))|"
    rf"(?:{_OTHER_SCRIPTS})[ .:\-=]*)\s*",
    re.IGNORECASE,
)
# What stands in brackets after a number and says which of a person's phones it is.
_KIND = re.compile(
    r"\s*[(\[]\s*(?:mobile|mobil|cell|cellular|home|work|office|main|primary|whatsapp|privat|"
    r"private|phone|handy|iphone)\s*[)\]]$",
    re.IGNORECASE,
)
# The marks of programs that write `scheme:+47…`, where a form turned the plus into a space.
_LOST = re.compile(r"^(?:[pc]:|whatsapp:|sms:|callto:)? +[(\[]?\d", re.IGNORECASE)

_OTHER_SPACES = re.compile(r"^[^\S \n]+")
_PARAMETERS = re.compile(r"([^;]*)((?:;[a-z][a-z0-9-]*(?:=[^;\s]*)?)+)", re.IGNORECASE)
_CHANGES = ("ext", "isub", "phone-context")
_SEVERAL = re.compile(
    r"[,;|\n]|\s(?:or|and|oder|und|ou|y|et|o|e|&)\s|(?<=\d)[\s/]+(?=\+)", re.IGNORECASE
)
_NUMBER = re.compile(r"[(\[ ]*\+*[(\[ ]*\d[\d ().\[\]/-]*")

_EXTENSION = (
    r"\d[\s,;.(-]*(?:extension|extn|ext|x|poste|durchwahl|dw|interno|int|ramal|anexo|\u0434\u043e\u0431|\#)"
    r"[\s.:=-]*\d"
)
_STRANGE = tuple(
    (re.compile(shape, re.IGNORECASE), seen)
    for shape, seen in (
        ("@", "is an e-mail or SIP address, not a phone number"),
        (r"https?:|www\.|//", "is a web address, not a phone number"),
        (
            r"^\d[.,]?\d*e\+?\d+$",
            "is a spreadsheet's short form of a number (E+), whose last digits are lost",
        ),
        (_EXTENSION, "has an extension, which cannot be dialled"),
        ("^-", "has a minus before it"),
        (r"\d[^a-z]*\+", "has a plus among its digits: several numbers, or none"),
        (r"[*\u2022\u2026]", "has digits that are hidden"),
    )
)
# What is made of digits and yet no number: (shape, what it is).
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_OCTET = r"(?:[1-9]?\d|1\d\d|2[0-4]\d|25[0-5])"
_OTHERS = (
    (re.compile(rf"{_YEAR}[-/.]{_MONTH}[-/.]{_DAY}"), "a date"),
    (re.compile(rf"{_DAY}[-/.]{_DAY}[-/.]{_YEAR}"), "a date"),
    (re.compile(rf"(?:{_OCTET}\.){{3}}[12]\d\d"), "an address of the internet"),
    (re.compile(r"[1-9]\d{0,2}\.\d{5,}"), "a decimal fraction"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """A number as it was written, no more than digits."""

    digits: str
    plus: bool = False
    """It names its country: a plus stands before it."""
    lost: bool = False
    """A space stands where a plus may have been: a form's `+47…` that nobody encoded."""
    slashes: tuple[int, ...] = ()
    """How many digits stand before each slash: an area code, or another number's end."""
    gaps: tuple[int, ...] = ()
    """How many digits stand before each gap that a second number's area code may follow."""


def numbers(text: str) -> tuple[Written, ...]:
    """The numbers that a text holds, if it holds nothing else; at least one.

    Raises UnmappedError saying what was seen.
    """
    if len(text) > LONGEST:
        message = f"is a text of {len(text)} characters, not a phone number"
        raise UnmappedError(message)
    # Of all spaces, only the common one is what decoding makes of a plus.
    plain = _plain(_OTHER_SPACES.sub("", text))
    if not any(char.isdigit() for char in plain):
        message = "is not a phone number: it has no digits"
        raise UnmappedError(message)
    lost = bool(_LOST.match(plain.lstrip("\n'\"`=")))
    bare = _undecorated(plain)
    if found := _PARAMETERS.fullmatch(bare):
        uri = re.match(r"\W*tel:", plain, re.IGNORECASE)
        bare = _without_parameters(found[1], found[2], bare, uri=bool(uri))
    pieces = [piece for piece in map(_undecorated, _SEVERAL.split(bare)) if piece]
    return tuple(_written(piece, lost=lost) for piece in pieces or [bare])


def _plain(text: str) -> str:
    """The text in ASCII where that says the same: digits of every script, signs and spaces."""
    unescaped = _ESCAPE.sub(lambda found: _ESCAPED[found[0].lower()], visible(text))
    return "".join(map(_ascii, unescaped))


def _ascii(char: str) -> str:
    if char < "\x7f":
        return "\n" if char < " " else char
    # Only decimal digits: ² and ① are none.
    if (digit := unicodedata.decimal(char, -1)) >= 0:
        return str(digit)
    kind = unicodedata.category(char)
    if char in _PLUS:
        return "+"
    if char in _DOT:
        return "."
    if kind == "Pd" or char in _DASH:
        return "-"
    if kind in {"Pi", "Pf"} or char in "\u201a\u201e\u05f3\u05f4\uff02\uff07\u300c\u300d":
        return '"'
    if kind == "Zs":
        return " "
    return chr(ord(char) - 0xFEE0) if "\uff01" <= char <= "\uff5e" else char


def _undecorated(text: str) -> str:
    """The text without what stands around a number and says nothing of it."""
    before = None
    while text != before:
        before = text
        text = text.strip(_AROUND).rstrip(_AFTER)
        text = _KIND.sub("", _LABEL.sub("", _FLAGS.sub("", text), count=1))
        if re.fullmatch(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}", text):
            text = text[1:-1]
    return text


def _without_parameters(head: str, tail: str, text: str, *, uri: bool) -> str:
    """The number of a `tel:` URI (RFC 3966), which some parameters make another one."""
    pairs = (part.partition("=") for part in tail.lower().split(";")[1:])
    said = {name: value for name, _, value in pairs}
    if not uri and not said.keys() & set(_CHANGES):
        return text
    if "ext" in said or "isub" in said:
        message = "has an extension, which cannot be dialled"
        raise UnmappedError(message)
    context = said.get("phone-context", "")
    if not context or head.startswith("+"):
        return head
    # Only a country's code can be put before a number; what else a context means is its own.
    if not re.fullmatch(r"\+[1-9]\d{0,2}", context):
        message = "is a local number of a network of its own (phone-context)"
        raise UnmappedError(message)
    return f"{context} {head}"


def _written(piece: str, *, lost: bool) -> Written:
    if not _NUMBER.fullmatch(piece):
        message = _seen(piece)
        raise UnmappedError(message)
    for shape, name in _OTHERS:
        if shape.fullmatch(piece):
            message = f"is {name}, not a phone number"
            raise UnmappedError(message)
    digits = re.sub(r"\D", "", piece)
    plus = piece.lstrip("([ ").startswith("+")
    slashes = _before(r"/", piece)
    return Written(digits, plus, lost and not plus, slashes, _before(r"(?<=\d)\s+(?=[0(])", piece))


def _before(mark: str, piece: str) -> tuple[int, ...]:
    """How many digits stand before each of these marks."""
    starts = (found.start() for found in re.finditer(mark, piece))
    return tuple(sum(char.isdigit() for char in piece[:start]) for start in starts)


def _seen(piece: str) -> str:
    """Describe what is in this text that cannot be part of a number."""
    for shape, seen in _STRANGE:
        if shape.search(piece):
            return seen
    if any(char.isalpha() for char in piece):
        return "has letters, and letters never become digits"
    strange = next((char for char in piece if not re.match(r"[\d +().\[\]/-]", char)), piece[:1])
    return f"is not a phone number: it has {strange!r}"
