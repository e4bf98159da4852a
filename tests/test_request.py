"""A request as it came: the very bytes, the address that was signed, and what a body says."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, gateway_event, request

from ringhook.errors import BadRequestError
from ringhook.senders.request import Request, from_gateway, read_payload


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


def test_the_headers_say_what_the_body_is() -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
    assert read_payload(request(gzip.compress(b"name=Zo%C3%AB"), headers)) == {"name": "Zoë"}
