"""Shopify: who took their consent back, and the topics that it sends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ringhook.senders.providers import Event
from ringhook.senders.providers.shopify import PROVIDER
from ringhook.senders.request import Request


def event(payload: Any, topic: str = "customers_marketing_consent/update", **headers: str) -> Event:
    request = Request(
        source="shop",
        method="POST",
        url="https://hooks.example.com/hooks/shop",
        headers={"content-type": "application/json", "x-shopify-topic": topic, **headers},
        body=json.dumps(payload).encode(),
        received_at=datetime(2026, 7, 14, 15, tzinfo=UTC),
    )
    (only,) = PROVIDER.events(request, PROVIDER.read(request))
    return only


@pytest.mark.parametrize("kind", ["sms_marketing_consent", "email_marketing_consent"])
@pytest.mark.parametrize(
    ("state", "rings"),
    [
        ("subscribed", True),
        ("pending", True),
        ("not_subscribed", True),
        ("unsubscribed", False),
        ("redacted", False),
    ],
)
def test_whoever_takes_consent_back_is_not_rung_for_it(
    kind: str, state: str, *, rings: bool
) -> None:
    told = event({"id": 1, "phone": "+14155550123", kind: {"state": state}})

    assert bool(told.never) != rings


def test_what_an_order_says_of_its_customer_forbids_nothing() -> None:
    """A consent to messages, or none, says nothing about a call for the order."""
    order = {"id": 1, "customer": {"sms_marketing_consent": {"state": "unsubscribed"}}}

    assert not event(order, "orders/create").never


@pytest.mark.parametrize(
    "topic",
    [
        "customers_email_marketing_consent/update",
        "customers_whats_app_marketing_consent/update",
        "customer.tags_added",
        "customer.tags_removed",
        "subscription_billing_attempts/failure",
    ],
)
def test_topics_that_shops_are_told_to_use_are_not_doubted(topic: str) -> None:
    assert topic in PROVIDER.topics


@pytest.mark.parametrize(
    ("body", "header", "test"),
    [
        ({}, "true", True),
        ({"test": False}, "true", True),
        ({"test": True}, "false", True),
        ({"test": False}, "false", False),
        ({"test": None}, "", False),
    ],
)
def test_a_test_is_marked_in_the_body_or_in_a_header(
    body: dict[str, Any], header: str, *, test: bool
) -> None:
    assert event(body, "checkouts/create", **{"x-shopify-test": header}).test is test
