"""What is Meta's alone: the question for the verify token, and many leads in one request."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from ringhook.senders.providers import Provider, meta
from ringhook.senders.request import Request


@pytest.fixture
def provider() -> Provider:
    source = meta.MetaSource(provider="meta", verify_token="schlüssel & co")
    return meta.PROVIDER.adapt(meta.PROVIDER, source)


def request(method: str = "GET", **query: str) -> Request:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    asked |= {f"hub.{name}": value for name, value in query.items()}
    return Request(
        source="leads",
        method=method,
        url=f"https://hooks.example.com/hooks/leads?{urlencode(asked)}",
        headers={},
        body=b"",
        received_at=datetime(2026, 7, 14, tzinfo=UTC),
    )


def test_the_verify_token_is_compared_as_it_was_entered(provider: Provider) -> None:
    reply = provider.greet(request(verify_token="schlüssel & co"))

    assert reply is not None
    assert (reply.status, reply.body, reply.content_type) == (200, "1158201444", "text/plain")


@pytest.mark.parametrize("token", ["", "schlüssel", "\udce4"])
def test_another_verify_token_is_refused(provider: Provider, token: str) -> None:
    asked = urlencode({"hub.verify_token": token}, errors="surrogateescape")
    url = "https://hooks.example.com/hooks/leads?hub.mode=subscribe&hub.challenge=1&" + asked

    reply = provider.greet(replace(request(), url=url))

    assert reply is not None
    assert reply.status == 403


def test_nothing_but_a_plain_word_is_given_back(provider: Provider) -> None:
    """The answer must not become a page of a stranger's making."""
    asked = request(verify_token="schlüssel & co", challenge="<script>alert(1)</script>")

    reply = provider.greet(asked)

    assert reply is not None
    assert reply.status == 403


def test_other_requests_are_not_greeted(provider: Provider) -> None:
    assert provider.greet(request("POST", verify_token="schlüssel & co")) is None
    assert provider.greet(request(verify_token="schlüssel & co", mode="unsubscribe")) is None


def test_every_change_of_every_entry_is_an_event_that_knows_its_page() -> None:
    changes = [{"field": "leadgen", "value": {"leadgen_id": n}} for n in ("1", "2")]
    payload = {
        "object": "page",
        "entry": [
            {"id": "10", "time": 1, "changes": changes},
            {"id": "20", "time": 2, "changes": changes[:1]},
            {"id": "30", "time": 3, "messaging": [{}]},
        ],
    }

    items = meta.PROVIDER.items(payload)

    assert [(one["id"], one["time"], one["value"]["leadgen_id"]) for one in items] == [
        ("10", 1, "1"),
        ("10", 1, "2"),
        ("20", 2, "1"),
    ]
