"""What may have become of a body, an address or a secret on its way: every form worth a try.

Each function gives the other forms of what it is given, the likeliest first, each once and never
the given one itself. A form proves nothing: `verifying` believes it when a signature matches.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlencode, urlsplit, urlunsplit

from ringhook.senders.request import Request

Form = TypeVar("Form", str, bytes)

# What stands before the path where a stage of the gateway, or a proxy, has a name.
_STAGES = ("prod", "Prod", "production", "staging", "Stage", "dev", "test", "live", "v1", "default")
_NUMBER = "ringhook-number:"


def secrets(secret: str) -> Iterator[tuple[str, str]]:
    """Other texts that may have been meant by a secret, with how they differ."""
    return _once(secret, _secrets(secret))


def _secrets(secret: str) -> Iterator[tuple[str, str]]:
    bare = secret.strip()
    yield "without the white space around it", bare
    yield "without the quotes around it", bare.strip("\"'")
    yield from _within_json(bare)
    yield "without 'whsec_' before it", bare.removeprefix("whsec_")
    yield "with 'whsec_' before it", f"whsec_{bare}"
    for scheme in ("Bearer ", "Basic ", "Token "):
        if bare.lower().startswith(scheme.lower()):
            yield f"without {scheme.strip()!r} before it", bare[len(scheme) :].strip()
            yield f"without {scheme.strip()!r}, decoded from base64", _unbase64(bare[len(scheme) :])
    yield "decoded from base64", _unbase64(bare)
    yield "encoded in base64", base64.b64encode(secret.encode()).decode()
    yield "with its HTML entities decoded", html.unescape(bare)
    yield "with its HTML entities encoded", html.escape(bare)
    yield "with its percent escapes decoded", unquote(bare)
    yield "in lower case", bare.lower()
    yield "in upper case", bare.upper()
    yield "with a newline at its end", bare + "\n"
    yield "with a space at its end", bare + " "


def _within_json(text: str) -> Iterator[tuple[str, str]]:
    """The secrets in `{"source": "secret" or ["new", "old"]}`, when all of it was given."""
    try:
        document = json.loads(text)
    except ValueError:
        return
    for name, value in document.items() if isinstance(document, dict) else ():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield f"that the JSON has as {name!r}", one


def _unbase64(text: str) -> str:
    try:
        return base64.b64decode(text.strip(), validate=True).decode()
    except ValueError:
        return ""


def addresses(request: Request) -> Iterator[str]:
    """Other addresses under which the sender may know this one: those that differ least first."""
    parts = urlsplit(request.url)
    host, _, port = parts.netloc.partition(":")
    headers = request.headers
    forwarded = re.search(r"host=\"?([^;,\"\s]+)", headers.get("forwarded", ""), re.IGNORECASE)
    hosts = [host, headers.get("x-forwarded-host", ""), headers.get("x-original-host", "")]
    hosts += [headers.get("host", ""), forwarded[1] if forwarded else ""]
    ports = [f":{port}" if port else "", "", ":443", ":80"]
    if given := headers.get("x-forwarded-port"):
        ports.append(f":{given}")
    forms = product(
        dict.fromkeys([parts.scheme, "https", "http"]),
        dict.fromkeys(name.partition(":")[0] for name in hosts if name),
        dict.fromkeys(ports),
        dict.fromkeys(_paths(parts.path, headers)),
        dict.fromkeys(_queries(parts.query)),
    )
    first = (parts.scheme, host, ports[0], parts.path, parts.query)

    def changes(form: tuple[str, ...]) -> int:
        return sum(a != b for a, b in zip(form, first, strict=True))

    urls = [urlunsplit((s, h + p, path, q, "")) for s, h, p, path, q in sorted(forms, key=changes)]
    yield from (url for _, url in _once(request.url, (("", url) for url in urls)))


def _paths(path: str, headers: Mapping[str, str]) -> Iterator[str]:
    yield path
    yield path.rstrip("/") if path.endswith("/") else path + "/"
    yield re.sub("/+", "/", path)
    yield unquote(path)
    if prefix := headers.get("x-forwarded-prefix"):
        yield "/" + prefix.strip("/") + path
    _, _, rest = path.removeprefix("/").partition("/")
    yield f"/{rest}"
    for stage in _STAGES:
        yield f"/{stage}{path}"


def _queries(query: str) -> Iterator[str]:
    yield query
    yield ""
    pairs = parse_qsl(query, keep_blank_values=True)
    yield unquote(query)
    yield urlencode(pairs)
    yield urlencode(pairs, quote_via=quote)
    yield urlencode(sorted(pairs))


def bodies(body: bytes, content_type: str) -> Iterator[tuple[str, bytes]]:
    """Other bytes that this body may have been when it was signed, with how they differ."""
    return _once(body, _bodies(body, content_type))


def _bodies(body: bytes, content_type: str) -> Iterator[tuple[str, bytes]]:
    yield "without the white space around it", body.strip()
    yield "without the newline at its end", body.rstrip(b"\r\n")
    yield "with a newline at its end", body + b"\n"
    yield "with CR LF at its end", body + b"\r\n"
    yield "with LF for each CR LF", body.replace(b"\r\n", b"\n")
    yield "with CR LF for each LF", body.replace(b"\n", b"\r\n")
    yield "without the byte order mark before it", body.removeprefix(b"\xef\xbb\xbf")
    yield "with a byte order mark before it", b"\xef\xbb\xbf" + body
    with contextlib.suppress(ValueError):
        yield "decoded from base64", base64.b64decode(body, validate=True)
    yield "encoded in base64", base64.b64encode(body)
    try:
        text = body.decode("utf-8-sig")
        yield "before its UTF-8 was read as Latin-1 and written again", text.encode("latin-1")
    except UnicodeError:
        text = body.decode(errors="replace")
    yield "before it was read as Latin-1 and written as UTF-8", body.decode("latin-1").encode()
    try:
        document = json.loads(text, parse_float=lambda number: _NUMBER + number)
    except (ValueError, RecursionError):
        yield from _forms(parse_qsl(text, keep_blank_values=True))
        return
    if isinstance(document, str):
        yield "taken out of the JSON text that it was put into", document.encode()
    elif isinstance(document, dict) and "x-www-form-urlencoded" in content_type.lower():
        yield from _forms([(name, str(value)) for name, value in document.items()])
    yield from _json(document)


_LAYOUTS: dict[str, dict[str, Any]] = {
    "compactly": {"separators": (",", ":")},
    "with a space after each comma and colon": {},
    "indented by 2": {"indent": 2},
    "indented by 4": {"indent": 4},
    "indented by tabs": {"indent": "\t"},
}
_ESCAPES: dict[str, dict[str, str]] = {
    "": {},
    "slashes escaped": {"/": "\\/"},
    "<, > and & escaped": {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"},
}


def _json(document: Any) -> Iterator[tuple[str, bytes]]:
    """JSON as other libraries write it; numbers with a fraction stay the texts that they are."""
    for order, wide, escape, end, layout in product(
        ("", "keys sorted"),
        ("", "other letters as \\u…"),
        _ESCAPES,
        ("", "a newline at its end"),
        _LAYOUTS,
    ):
        try:
            text = json.dumps(
                document, sort_keys=bool(order), ensure_ascii=bool(wide), **_LAYOUTS[layout]
            )
        except (TypeError, ValueError):
            continue
        text = re.sub(f'"{_NUMBER}([^"]*)"', r"\1", text)
        for plain, escaped in _ESCAPES[escape].items():
            text = text.replace(plain, escaped)
        said = ", ".join(part for part in (layout, order, wide, escape, end) if part)
        yield f"as JSON written {said}", (text + "\n" * bool(end)).encode(errors="replace")


def _forms(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
    for order, spaces, case, safe in product(
        ("", "its fields sorted"),
        (quote_plus, quote),
        ("", "escapes in lower case"),
        ("", "[]", "*", "[]@:/,!'()*"),
    ):
        text = urlencode(sorted(pairs) if order else pairs, quote_via=spaces, safe=safe)
        if case:
            text = re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text)
        parts = (order, "" if spaces is quote_plus else "spaces as %20", case)
        plain = f"{safe} as they are" if safe else ""
        said = ", ".join(part for part in (*parts, plain) if part)
        yield f"as a form written anew{said and ': ' + said}", text.encode(errors="replace")


def _once(given: Form, forms: Iterable[tuple[str, Form]]) -> Iterator[tuple[str, Form]]:
    seen = {given, given[:0]}
    for said, form in forms:
        if form not in seen:
            seen.add(form)
            yield said, form
