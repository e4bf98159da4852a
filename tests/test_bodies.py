"""Bodies as senders write them are read as they were meant; none takes long, whatever its bytes."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import time
import tomllib
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringhook.errors import BadRequestError
from ringhook.reading.bodies import LARGEST_BODY, MOST_FIELDS, read

FORM = "application/x-www-form-urlencoded"
CASES = tomllib.loads((Path(__file__).parent / "cases" / "bodies.toml").read_text())["body"]


def sent(case: dict[str, Any]) -> bytes:
    plain = case.get("text", "").encode(case.get("charset", "utf-8"))
    body = base64.b64decode(case["base64"]) if "base64" in case else plain
    if case.get("deflate"):
        return zlib.compress(body)
    return gzip.compress(body) if case.get("gzip") else body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
def test_what_was_sent_is_what_is_read(case: dict[str, Any]) -> None:
    body, headers = sent(case), (case.get("type", ""), case.get("encoding", ""))
    if "unreadable" in case:
        with pytest.raises(BadRequestError, match=case["unreadable"]):
            read(body, *headers)
    else:
        # As text, for NaN equals nothing.
        assert json.dumps(read(body, *headers)) == json.dumps(
            json.loads(case["reads"], strict=False)
        )


HEADERS = [
    "",
    "application/json",
    FORM,
    "text/plain",
    "multipart/form-data; boundary=X",
    *(
        f"{kind}; charset={name}"
        for kind in ("application/json", FORM)
        for name in ("latin-1", "sjis")
    ),
]


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "Zoë", "q": "a=b&c=d"}',
        "[1]",
        "name=Zo%C3%AB&phone=%2B1",
        '--X\r\nContent-Disposition: form-data; name="a"\r\n\r\nZoë\r\n--X--\r\n',
    ],
)
def test_no_header_that_nobody_signed_changes_what_a_body_says(body: str) -> None:
    """Else one captured request would be as many events as there are content types."""
    said = []
    for header in HEADERS:
        try:
            said.append(json.dumps(read(body.encode(), header)))
        except BadRequestError:
            # That it cannot be read harms nobody.
            continue
    assert len(said) >= 5
    assert len(set(said)) == 1


names = st.text("abcxyz_7", min_size=1, max_size=4)
trees: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(names, st.text(max_size=4), min_size=1, max_size=3),
    lambda inner: st.dictionaries(names, st.text(max_size=4) | inner, min_size=1, max_size=3),
    max_leaves=12,
).filter(lambda tree: _depth(tree) <= 8)


def _depth(tree: Any) -> int:
    return 1 + max(map(_depth, tree.values())) if isinstance(tree, dict) else 0


def _flat(tree: dict[str, Any], prefix: str = "") -> list[str]:
    fields: list[str] = []
    for name, value in tree.items():
        full = f"{prefix}[{name}]" if prefix else name
        quoted = "".join(f"%{byte:02X}" for byte in str(value).encode())
        fields += _flat(value, full) if isinstance(value, dict) else [f"{full}={quoted}"]
    return fields


@given(trees)
def test_brackets_are_read_back_into_what_they_were_made_of(tree: dict[str, Any]) -> None:
    assert read("&".join(_flat(tree)).encode(), FORM) == tree


def test_what_is_small_only_while_it_is_packed_is_unreadable() -> None:
    bomb = gzip.compress(b"[" + b" " * LARGEST_BODY + b"]")
    assert len(bomb) < 10_000
    with pytest.raises(BadRequestError, match="unpacked"):
        read(bomb, "application/json", "gzip")


def test_a_form_of_too_many_fields_is_unreadable() -> None:
    part = '--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    for body in ("&".join(["a=1"] * (MOST_FIELDS + 1)), part * (MOST_FIELDS + 1) + "--X--"):
        with pytest.raises(BadRequestError, match="form cannot be read"):
            read(body.encode(), FORM)


SIZE = 1_000_000
HEAVY = {
    "open brackets": b"[" * SIZE,
    "brackets of a form": b"a" + b"[b]" * (SIZE // 3) + b"=1",
    "a long name": b"a" * SIZE,
    "escapes": b"a=" + b"%41" * (SIZE // 3),
    "spaces": b" " * SIZE,
    "quotes": b'{"' + b'\\"' * (SIZE // 2),
    "dashes": b"--" + b"-" * 100 + b"\r\nContent-" + b"-" * SIZE,
    "heads": b"--X\r\nContent-Disposition: form-data" + b';a="\\' * (SIZE // 5) + b"\r\n--X--",
    "many heads": b"--X\r\nContent-Disposition: form-data"
    + (b';a="\\' * 1500 + b"\r\n--X\r\n") * 130
    + b"--X--",
    "numbers of a list": b"&".join([b"a[%d]=1" % n for n in range(500, 999)] + [b"a[]=1"] * 499),
}


@pytest.mark.parametrize("body", HEAVY.values(), ids=HEAVY.keys())
def test_no_body_takes_longer_than_its_size(body: bytes) -> None:
    for header in (FORM, "application/json", "multipart/form-data; boundary=X"):
        began = time.process_time()
        with contextlib.suppress(BadRequestError):
            read(body, header)
        # Some 50 ms on a quick machine; what grows with the square takes minutes.
        assert time.process_time() - began < 3


@given(
    body=st.binary(max_size=300) | st.binary(max_size=80).map(lambda b: b"\x1f\x8b\x08" + b),
    kind=st.sampled_from(HEADERS) | st.text(max_size=40),
    encoding=st.sampled_from(["", "gzip", "deflate", "br"]),
)
def test_no_body_breaks_its_reader(body: bytes, kind: str, encoding: str) -> None:
    with contextlib.suppress(BadRequestError):
        read(body, kind, encoding)
