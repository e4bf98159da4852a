"""What is ActiveCampaign's alone: forms whose names have brackets, and a secret in the address."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, provider, request

from ringhook import signatures
from ringhook.errors import RejectedError
from ringhook.providers.activecampaign import nested

names = st.text("abcxyz_7", min_size=1, max_size=4)
trees: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(names, st.text(max_size=4), min_size=1, max_size=3),
    lambda inner: st.dictionaries(names, st.text(max_size=4) | inner, min_size=1, max_size=3),
    max_leaves=12,
).filter(lambda tree: _depth(tree) <= 8)


def _depth(tree: Any) -> int:
    return 1 + max(map(_depth, tree.values())) if isinstance(tree, dict) else 0


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in tree.items():
        full = f"{prefix}[{name}]" if prefix else name
        fields |= _flat(value, full) if isinstance(value, dict) else {full: value}
    return fields


@given(trees)
def test_brackets_are_read_back_into_what_they_were_made_of(tree: dict[str, Any]) -> None:
    assert nested(_flat(tree)) == tree


@pytest.mark.parametrize(
    "name", ["a[", "a]", "[a]", "a[b", "a[]", "a[b]c", "a[[b]]", "", "a" + "[b]" * 9]
)
def test_a_name_with_brackets_of_another_kind_stays_as_it_is(name: str) -> None:
    assert nested({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    "fields", [{"a": "x", "a[b]": "y"}, {"a[b]": "y", "a": "x"}, {"a": ["x", "z"], "a[b]": "y"}]
)
def test_an_object_says_more_than_a_text_of_the_same_name(fields: dict[str, Any]) -> None:
    assert nested(fields) == {"a": {"b": "y"}}


def test_a_body_of_json_is_taken_as_it_is() -> None:
    sent = request(b'{"type": "subscribe", "contact": {"phone": "+14155550184"}}')

    assert provider("activecampaign").read(sent)["contact"]["phone"] == "+14155550184"


def test_the_secret_stands_in_the_address_as_a_token_or_as_a_user() -> None:
    schemes = provider("activecampaign").schemes
    address = "https://hooks.example.com/hooks/crm"
    user = "Basic " + base64.b64encode(b"hook:s3cret").decode()

    signatures.verify(schemes, request(url=f"{address}?token=s3%2Bcret"), ["s3+cret"], NOW)
    signatures.verify(schemes, request(headers={"authorization": user}), ["hook:s3cret"], NOW)
    for query in ("", "?token=", "?token=S3cret", "?Token=s3cret", "?token=x&token=s3cret"):
        with pytest.raises(RejectedError):
            signatures.verify(schemes, request(url=address + query), ["s3cret"], NOW)
