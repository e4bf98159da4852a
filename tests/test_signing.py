"""Signatures to AWS: those of botocore, byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.regions import EndpointResolver
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st
from tests.aws_door import signature

from ringhook.clients.services import address
from ringhook.clients.signing import Credentials, signed
from ringhook.errors import UnavailableError

# What a header may hold; a value with spaces is signed with one in place of many.
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True).filter(
    lambda name: (
        name
        not in {
            *("host", "x-amz-date", "x-amz-security-token", "authorization", "date"),
            # Those that botocore does not sign, since they change on the way.
            *("expect", "transfer-encoding", "user-agent", "x-amzn-trace-id", "connection"),
            "x-amz-content-sha256",
        }
    )
)
KEYS = st.text(st.sampled_from("ABCabc012/+="), min_size=1, max_size=40)


@given(
    credentials=st.builds(
        Credentials,
        st.from_regex(r"[A-Z0-9]{4,20}", fullmatch=True),
        KEYS,
        st.one_of(st.just(""), KEYS),
    ),
    scope=st.tuples(
        st.sampled_from(["us-east-1", "eu-west-1", "cn-north-1"]),
        st.sampled_from(["sqs", "secretsmanager"]),
    ),
    host=st.sampled_from(
        ["sqs.us-east-1.amazonaws.com", "127.0.0.1:4566", "a.example:80", "A.Example:443"]
    ),
    scheme=st.sampled_from(["http", "https"]),
    path=st.sampled_from(["", "/", "/a", "/a/b c/~d", "/queue%20"]),
    headers=st.dictionaries(NAMES, VALUES, max_size=5),
    body=st.binary(max_size=200),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - UTC, below
)
def test_every_signature_is_the_one_that_botocore_makes(
    credentials: Credentials,
    scope: tuple[str, str],
    scheme: str,
    host: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    moment: datetime,
) -> None:
    url = f"{scheme}://{host}{path}"

    ours = signed(credentials, scope, url, headers, body, moment.replace(tzinfo=UTC))

    theirs = signature(url, ours, body, credentials.secret, credentials.token)
    assert ours["authorization"] == theirs
    assert ours.get("x-amz-security-token", "") == credentials.token


def test_what_is_printed_of_credentials_is_no_secret() -> None:
    assert "hush" not in repr(Credentials("AKID", "hush", "hush hush"))


@pytest.mark.parametrize("service", ["sqs", "secretsmanager", "dynamodb", "scheduler"])
def test_every_region_has_the_address_that_botocore_knows(service: str) -> None:
    session = get_session()
    resolver = EndpointResolver(session.get_data("endpoints"))
    for partition in session.get_available_partitions():
        for region in session.get_available_regions(service, partition):
            known = resolver.construct_endpoint(service, region, partition)
            assert known
            assert address(service, region) == f"https://{service}.{region}.{known['dnsSuffix']}"
            assert known["hostname"] == f"{service}.{region}.{known['dnsSuffix']}"


def test_without_a_region_nothing_is_asked() -> None:
    with pytest.raises(UnavailableError, match="AWS_REGION"):
        address("sqs", "")
