"""A request as it came: the very bytes, the address that was signed, and what a body says."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, gateway_event, request

from ringhook.errors import BadRequestError
from ringhook.request import Request, from_gateway, read_payload


def received(event: dict[str, Any], public_url: str = "") -> Request:
    return from_gateway(event, public_url=public_url, received_at=NOW)


@given(st.binary(max_size=200))
def test_the_bytes_are_the_ones_that_were_sent(body: bytes) -> None:
    assert received(gateway_event("it", body, base64=True)).body == body


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_body_is_the_same_whether_it_travelled_as_text_or_as_base64(text: str) -> None:
    plain, encoded = gateway_event("it", text), gateway_event("it", text, base64=True)
    assert received(plain).body == received(encoded).body == text.encode()


def test_no_body_is_an_empty_one() -> None:
    event = gateway_event("it", "")
    del event["body"]
    assert received(event).body == b""
    assert received(event | {"body": None}).body == b""


def test_names_of_headers_have_no_case() -> None:
    event = gateway_event("it", "") | {"headers": {"X-Shopify-TOPIC": "Orders/Create"}}
    assert received(event).headers == {"x-shopify-topic": "Orders/Create"}
    assert received(event | {"headers": None}).headers == {}


def test_what_else_a_request_is_known_by() -> None:
    one = received(gateway_event("shop-2", "{}", method="PUT"))
    assert (one.source, one.method, one.correlation_id) == ("shop-2", "PUT", "request-1")
    assert one.received_at == NOW


@pytest.mark.parametrize(
    ("public_url", "query", "url"),
    [
        ("", "", "https://hooks.example.com/hooks/it"),
        ("", "a=1&b=%2F", "https://hooks.example.com/hooks/it?a=1&b=%2F"),
        ("https://in.example.org", "", "https://in.example.org/hooks/it"),
        ("https://in.example.org/", "a=1", "https://in.example.org/hooks/it?a=1"),
        ("https://in.example.org/prod", "", "https://in.example.org/prod/hooks/it"),
    ],
)
def test_the_address_is_the_one_that_the_sender_was_given(
    public_url: str, query: str, url: str
) -> None:
    assert received(gateway_event("it", "", query=query), public_url).url == url


@pytest.mark.parametrize("source", ["", "UPPER", "a b", "-a", "a/b", "é", "a" * 64, "..", None])
def test_an_address_without_a_sources_name_is_unreadable(source: str | None) -> None:
    event = gateway_event("it", "")
    event["pathParameters"] = None if source is None else {"source": source}
    with pytest.raises(BadRequestError, match="no source's name"):
        received(event)


@pytest.mark.parametrize("body", ["!", "abc", "YQ=", "é", "YQ==\n!"])
def test_base64_that_is_none_is_unreadable(body: str) -> None:
    with pytest.raises(BadRequestError, match="cannot be read as bytes"):
        received(gateway_event("it", "") | {"body": body, "isBase64Encoded": True})


def test_text_that_no_bytes_can_be_made_of_is_unreadable() -> None:
    with pytest.raises(BadRequestError, match="cannot be read as bytes"):
        received(gateway_event("it", "") | {"body": "\ud800"})


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("", {}),
        ("?a=1&b=two%20words", {"a": "1", "b": "two words"}),
        ("?a=1&a=2", {"a": "1"}),
        ("?a=&b", {"a": "", "b": ""}),
    ],
)
def test_the_parameters_of_an_address(query: str, parameters: dict[str, str]) -> None:
    assert request(url=f"https://hooks.example.com/hooks/it{query}").query == parameters


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part),
)


@given(json_values)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["bare", "with a byte order mark"])
def test_json_is_read_as_it_was_written(mark: bytes, value: Any) -> None:
    assert read_payload(request(mark + json.dumps(value).encode())) == value


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", {}),
        (b"name=Zo%C3%AB&phone=%2B14155550123", {"name": "Zoë", "phone": "+14155550123"}),
        (b"a=one+two&empty=", {"a": "one two", "empty": ""}),
        (b"x=1&y=2&x=3&x=4", {"x": ["1", "3", "4"], "y": "2"}),
        (b"contact%5Bphone%5D=1", {"contact[phone]": "1"}),
    ],
)
@pytest.mark.parametrize("charset", ["", "; charset=UTF-8"])
def test_a_form_is_read_as_its_fields(body: bytes, fields: dict[str, Any], charset: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded" + charset}
    assert read_payload(request(body, headers)) == fields


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON: Expecting value at line 1 column 1"),
        (b'{"a": 1,\n "b"}', "line 2 column 5"),
        (b"a=1", "not JSON"),
        (b"\xff", r"not UTF-8 \(byte 0\)"),
        (b'"\xe2\x82"', r"not UTF-8 \(byte 1\)"),
        (b"[" * 200_000, "nested too deeply"),
        (b"1" * 10_000, "a number too long"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_with_its_place(body: bytes, said: str) -> None:
    with pytest.raises(BadRequestError, match=said):
        read_payload(request(body))


def test_a_form_of_too_many_fields_is_unreadable() -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with pytest.raises(BadRequestError, match="form"):
        read_payload(request(b"&".join([b"a=1"] * 1001), headers))


@given(body=st.binary(max_size=300), kind=st.sampled_from(["json", "x-www-form-urlencoded", ""]))
def test_no_body_breaks_its_reader(body: bytes, kind: str) -> None:
    with contextlib.suppress(BadRequestError):
        read_payload(request(body, {"Content-Type": f"application/{kind}"}))
