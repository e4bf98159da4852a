"""What a body says: JSON, a form or a multipart form, told by its bytes rather than its header.

Few senders sign their headers. So whoever repeats a captured request under another content type is
read alike; a declared charset counts only where the bytes are not UTF-8. Everything here takes time
in proportion to the body, whatever its bytes.
"""

from __future__ import annotations

import binascii
import json
import re
import zlib
from typing import Any
from urllib.parse import parse_qsl

from ringhook.errors import BadRequestError

# Unpacked, a body may be as large as one that comes as it is: what Lambda takes at most.
LARGEST_BODY = 6_000_000
MOST_FIELDS = 1000
DEEPEST_NAME = 8
LONGEST_HEAD = 8000

_JSON = json.JSONDecoder(strict=False)
_LIKE_JSON = re.compile(r'\s*(?:\{\s*["}]|\[\s*["\[{\]])')
_LIKE_FORM = re.compile(r"[\w.%+*~\[\]-]{1,200}=")
_MULTIPART = re.compile(rb"[\r\n]*--([^\r\n]{1,200})(\r?\n)content-", re.IGNORECASE)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\s;\"']*)", re.IGNORECASE)
# In all of these, ASCII is itself. Python knows others, some of which take quadratic time.
_UTF_8 = re.compile(r"utf-?8(mb[34])?|us-ascii|ascii|")
_KNOWN = re.compile(
    r"iso-?8859-?[0-9]{1,2}|latin-?[0-9]{1,2}|windows-?(125[0-8]|874|31j|949)|cp(125[0-8]|874|932)"
    r"|utf-?(16|32)(-?[lb]e)?|shift-?jis|sjis|ms932|euc-?(jp|kr)|ks-c-5601-1987|gbk?|gb-?(2312|18030)"
    r"|big5|koi8-[ru]|macintosh|tis-620"
)
_PYTHON_NAMES = {"windows-31j": "cp932", "windows-949": "cp949", "windows-874": "cp874"}
# A browser's word for ISO 8859-1, and what forms without a declaration are in where not in UTF-8.
_WESTERN = "cp1252"

_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_BRACKETS = re.compile(rf"([^\[\]]+)((?:\[[^\[\]]*\]){{1,{DEEPEST_NAME}}})")


def read(body: bytes, content_type: str = "", content_encoding: str = "") -> Any:
    """The payload in this body; a form's names with brackets become objects and lists.

    Raises BadRequestError, with what is wrong where, if it cannot be read.
    """
    body = _unpacked(body, content_encoding.strip().lower())
    if match := _MULTIPART.match(body):
        return nested(_parts(body, match[1], match[2], _charset(content_type)))
    charset = _charset(content_type)
    text = _text(body, charset)
    if content_type.lower().startswith("multipart/") and not _LIKE_JSON.match(text):
        message = "the body is not the multipart form that its header announces"
        raise BadRequestError(message)
    is_form = "x-www-form-urlencoded" in content_type.lower()
    if is_form and not text.lstrip().startswith(("{", "[")):
        return form(text, charset)
    try:
        return read_json(text)
    except BadRequestError:
        if _LIKE_FORM.match(text) or (is_form and not _LIKE_JSON.match(text)):
            return form(text, charset)
        raise


def read_json(text: str, what: str = "the body") -> Any:
    """JSON, in whose strings templates may have put raw line breaks. Raises BadRequestError."""
    try:
        return _JSON.decode(text)
    except json.JSONDecodeError as error:
        message = f"{what} is not JSON: {error.msg} at line {error.lineno} column {error.colno}"
        raise BadRequestError(message) from error
    except (RecursionError, ValueError) as error:
        message = f"{what} is JSON nested too deeply or with a number too long to read"
        raise BadRequestError(message) from error


def form(text: str, charset: str = "") -> dict[str, Any]:
    """The fields of a form. Raises BadRequestError if there are more than any form has."""
    try:
        try:
            pairs = _pairs(text, "utf-8", "strict")
        except UnicodeDecodeError:
            pairs = _pairs(text, charset or _WESTERN, "replace")
    except ValueError as error:
        message = f"the form cannot be read: {error}"
        raise BadRequestError(message) from error
    return nested(pairs)


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Fields as PHP and Rails read their names: `a[b]` in objects, `a[]` and `a[0]` in lists.

    One that is repeated (check boxes) is a list, too. A name whose brackets do not close, or are
    too many, stays as it is.
    """
    result: dict[str, Any] = {}
    for name, value in pairs:
        match = _BRACKETS.fullmatch(name) if "[" in name else None
        *parents, last = [match[1], *match[2][1:-1].split("][")] if match else [name]
        place = result
        for parent in parents:
            key = parent or _next(place)
            inner = place.get(key)
            # Where both `contact` and `contact[phone]` are sent, the object says more.
            place[key] = place = inner if isinstance(inner, dict) else {}
        key = last or _next(place)
        held = place.get(key)
        if isinstance(held, list):
            held.append(value)
        elif held is None:
            place[key] = value
        elif not isinstance(held, dict):
            place[key] = [held, value]
    return {name: _listed(value) for name, value in result.items()}


def _next(place: dict[str, Any]) -> str:
    """The number of the next element of a list, which is an object of numbers until it is whole."""
    number = len(place)
    while str(number) in place:
        number += 1
    return str(number)


def _listed(value: Any) -> Any:
    """An object whose names count from 0 as the list that it means."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(part) for name, part in value.items()}
    if all(str(number) in inner for number in range(len(inner))):
        return [inner[str(number)] for number in range(len(inner))]
    return inner


def _pairs(text: str, encoding: str, errors: str) -> list[tuple[str, str]]:
    return parse_qsl(
        text.rstrip("\r\n"),
        keep_blank_values=True,
        max_num_fields=MOST_FIELDS,
        encoding=encoding,
        errors=errors,
    )


def _charset(header: str) -> str:
    """The declared charset as Python calls it; "" for UTF-8 and where none is declared.

    Raises BadRequestError for one that cannot be read.
    """
    match = _CHARSET.search(header)
    name = match[1].lower().replace("_", "-") if match else ""
    if _UTF_8.fullmatch(name):
        return ""
    if not _KNOWN.fullmatch(name):
        message = "the body is declared to be in a charset that is not known"
        raise BadRequestError(message)
    if name.replace("-", "") in {"iso88591", "latin1"}:
        return _WESTERN
    return _PYTHON_NAMES.get(name, name)


def _text(body: bytes, charset: str) -> str:
    # A mark, or the zeros of ASCII, tell UTF-16 and UTF-32; what is UTF-8 is nothing else.
    for encoding in dict.fromkeys((json.detect_encoding(body), charset or "utf-8")):
        try:
            return body.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            place = error.start
    if charset == _WESTERN:
        # Five bytes mean nothing in it; browsers read them as ISO 8859-1 does.
        return body.decode(_WESTERN, "replace")
    message = f"the body is not {charset or 'UTF-8'} (byte {place})"
    raise BadRequestError(message)


def _unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its compression. Of gzip its first bytes tell, whatever the header says."""
    if body.startswith(b"\x1f\x8b"):
        return _inflated(body, 31)
    if encoding == "deflate" and not body.lstrip().startswith((b"{", b"[")):
        # RFC 9110 means zlib's format; some senders leave its header out.
        return _inflated(body, 15 if body.startswith(b"\x78") else -15)
    return body


def _inflated(body: bytes, window: int) -> bytes:
    engine = zlib.decompressobj(window)
    try:
        found = engine.decompress(body, LARGEST_BODY)
    except zlib.error as error:
        message = "the body is not compressed as its header or its first bytes say"
        raise BadRequestError(message) from error
    if not engine.eof or engine.unused_data.strip(b"\0\r\n"):
        message = f"the body is cut off, or more than {LARGEST_BODY} bytes when it is unpacked"
        raise BadRequestError(message)
    return found


def _parts(body: bytes, boundary: bytes, newline: bytes, charset: str) -> list[tuple[str, str]]:
    """The fields of a multipart form (RFC 7578), without uploaded files."""
    boundary = boundary.rstrip()
    if body.count(b"--" + boundary) > MOST_FIELDS:
        message = f"the form cannot be read: more than {MOST_FIELDS} parts"
        raise BadRequestError(message)
    _, *parts, end = (newline + body).split(newline + b"--" + boundary)
    if not end.startswith(b"--"):
        message = "the body is not the whole multipart form that it begins"
        raise BadRequestError(message)
    found = (_part(part, newline, charset) for part in parts)
    return [pair for pair in found if pair is not None]


def _part(part: bytes, newline: bytes, charset: str) -> tuple[str, str] | None:
    head, _, content = part.partition(newline * 2)
    if len(head) > LONGEST_HEAD:
        message = "the form cannot be read: a part's headers are too long"
        raise BadRequestError(message)
    lines = (line.partition(":") for line in _any_text(head, "").splitlines())
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    about = dict(_PARAMETER.findall(headers.get("content-disposition", "")))
    if "name" not in about or "filename" in about or "filename*" in about:
        return None
    transfer = headers.get("content-transfer-encoding", "").lower()
    try:
        if transfer == "base64":
            content = binascii.a2b_base64(content)
        elif transfer == "quoted-printable":
            content = binascii.a2b_qp(content)
    except binascii.Error as error:
        message = "a field of the form is not in the base64 that it announces"
        raise BadRequestError(message) from error
    own = _charset(headers.get("content-type", "")) or charset
    return _name(about["name"]), _any_text(content, own)


def _name(written: str) -> str:
    """A field's name, in which browsers write quotes and line breaks with percent signs."""
    bare = written.strip().removeprefix('"').removesuffix('"')
    return bare.replace('\\"', '"').replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _any_text(content: bytes, charset: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode(charset or _WESTERN, "replace")
