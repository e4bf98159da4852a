"""Secrets: read when needed, kept for minutes, changed without a restart, never told."""

from __future__ import annotations

import json
from dataclasses import dataclass

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from mypy_boto3_secretsmanager import SecretsManagerClient
from tests.conftest import unique

from ringhook.clients.secret_store import MAX_AGE, MIN_AGE, SecretStore, as_list
from ringhook.errors import UnavailableError


@dataclass
class Safe:
    """A secret, a store for it, and the time that the store goes by."""

    client: SecretsManagerClient
    name: str
    now: float = 1000

    @property
    def store(self) -> SecretStore:
        return SecretStore(self.client, self.name, lambda: self.now)

    def put(self, text: str) -> None:
        self.client.put_secret_value(SecretId=self.name, SecretString=text)


@pytest.fixture
def safe(aws: None) -> Safe:
    client = boto3.client("secretsmanager")
    name = unique("secret")
    client.create_secret(Name=name, SecretString='{"shop": "one"}')
    return Safe(client, name)


@pytest.mark.parametrize(
    ("age", "fresh", "seen"),
    [
        (MAX_AGE - 1, False, "one"),
        (MAX_AGE, False, "two"),
        (MIN_AGE - 1, True, "one"),
        (MIN_AGE, True, "two"),
    ],
)
def test_a_change_is_seen_after_a_while_and_sooner_when_asked_for(
    safe: Safe, age: float, fresh: bool, seen: str
) -> None:
    store = safe.store
    assert store.get() == {"shop": "one"}
    safe.put('{"shop": "two"}')
    safe.now += age
    assert store.get(fresh=fresh) == {"shop": seen}


@pytest.mark.parametrize("text", ["hush hush", "[]", '"hush hush"', "7", '{"shop": "hush hush"'])
def test_what_is_no_json_object_is_unavailable_and_never_quoted(safe: Safe, text: str) -> None:
    safe.put(text)
    with pytest.raises(UnavailableError, match="is not a JSON object") as raised:
        safe.store.get()
    assert "hush" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_a_secret_that_is_not_filled_in_is_said_to_be_so(safe: Safe) -> None:
    safe.name = "empty"
    with pytest.raises(UnavailableError, match="not filled in"):
        safe.store.get()


def test_no_secret_at_all_is_unavailable(safe: Safe) -> None:
    safe.name = ""
    with pytest.raises(UnavailableError, match="no secret is configured"):
        safe.store.get()


def test_a_binary_secret_is_unavailable(safe: Safe) -> None:
    safe.client.put_secret_value(SecretId=safe.name, SecretBinary=b"{}")
    with pytest.raises(UnavailableError):
        safe.store.get()


def test_secrets_manager_not_answering_is_unavailable(safe: Safe) -> None:
    def no_connection(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://secretsmanager")

    safe.client.meta.events.register_first("before-send", no_connection)
    with pytest.raises(UnavailableError, match="cannot be read"):
        safe.store.get()


def test_after_a_failure_the_next_use_reads_again(safe: Safe) -> None:
    safe.put("no JSON")
    store = safe.store
    with pytest.raises(UnavailableError):
        store.get()
    safe.put(json.dumps({"shop": "mended"}))
    assert store.get() == {"shop": "mended"}


@pytest.mark.parametrize(
    ("value", "secrets"),
    [
        ("one", ["one"]),
        (["new", "old"], ["new", "old"]),
        ("", []),
        (["", "one"], ["one"]),
        (None, []),
        (7, []),
        ([7, {"x": "y"}], []),
    ],
)
def test_one_secret_or_several_without_empty_ones(value: object, secrets: list[str]) -> None:
    assert as_list(value) == secrets
