"""Samples are what their providers send: signed as they sign, and the same in `events/`."""

import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringhook import providers, signatures
from ringhook.errors import RejectedError
from ringhook.request import from_gateway
from ringhook_ops import gateway, samples, webhooks
from ringhook_ops.cli import EVENTS_AT

ROOT = Path(__file__).parents[1]
EVERY = [(provider, name) for provider in samples.providers() for name in samples.names(provider)]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_every_provider_has_a_sample() -> None:
    assert samples.providers() == providers.names()


def test_every_body_is_named_and_every_name_has_a_body() -> None:
    bodies = {
        (file.parent.name, file.stem)
        for file in samples.FOLDER.glob("*/*")
        if file.name != "sample.toml"
    }

    assert bodies == {(provider, samples.file_name(name)) for provider, name in EVERY}


@pytest.mark.parametrize(("provider", "name"), EVERY)
def test_a_sample_is_genuine_through_the_gateway_and_not_with_another_secret(
    provider: str, name: str
) -> None:
    sample = samples.find(provider, name)
    made = webhooks.webhook(sample, None, now=NOW)

    received = from_gateway(
        json.loads(json.dumps(gateway.event(made))), public_url="", received_at=NOW
    )

    adapted = webhooks.provider_of(sample, None, sample.source)
    signatures.verify(adapted.schemes, received, [sample.secret], NOW)
    other = webhooks.webhook(sample, None, now=NOW, secret=_other(sample))
    with pytest.raises(RejectedError):
        signatures.verify(adapted.schemes, other, [sample.secret], NOW)


def _other(sample: samples.Sample) -> str:
    """Another secret in the same form, be that text, hexadecimal or base64, or another key pair."""
    about = tomllib.loads((samples.FOLDER / sample.provider / "sample.toml").read_text())
    secret = sample.secret
    if "another" in about:
        return str(about["another"])
    return secret[:8] + ("B" if secret[8] == "A" else "A") + secret[9:]


@pytest.mark.parametrize(("provider", "name"), EVERY)
def test_a_sample_happens_now_and_never_twice_with_the_same_identity(
    provider: str, name: str
) -> None:
    sample = samples.find(provider, name)
    adapted = webhooks.provider_of(sample, None, sample.source)
    seen: set[str] = set()
    for _ in range(2):
        made = webhooks.webhook(sample, None, now=NOW)
        events = adapted.events(made, adapted.read(made))
        assert events
        assert all(NOW - timedelta(hours=1) <= event.occurred_at <= NOW for event in events)
        assert not seen & {event.event_id for event in events}
        seen |= {event.event_id for event in events}


def test_the_files_in_events_are_current() -> None:
    """`ringhook event --all events` makes them."""
    made = dict(webhooks.every_event(EVENTS_AT))

    assert {file.name for file in (ROOT / "events").iterdir()} == made.keys()
    for name, document in made.items():
        assert json.loads((ROOT / "events" / name).read_text()) == document, name


def test_a_field_is_changed_before_the_signature_is_made() -> None:
    sample = samples.find("shopify")
    made = webhooks.webhook(
        sample, None, now=NOW, fields=[("shipping_address.phone", "+14155550199"), ("id", "7")]
    )

    body = json.loads(made.body)
    assert (body["shipping_address"]["phone"], body["id"]) == ("+14155550199", 7)
    signatures.verify(providers.find("shopify").schemes, made, [sample.secret], NOW)


def test_a_field_of_a_form_is_changed_and_its_repeated_fields_stay() -> None:
    made = webhooks.webhook(samples.find("bearer"), None, now=NOW, fields=[("phone", "+1 2")])

    payload = providers.find("bearer").read(made)
    assert payload["phone"] == "+1 2"
    assert payload["interest"] == ["solar", "battery"]


@pytest.mark.parametrize("path", ["nowhere.phone", "line_items.9", "line_items.first", "id.x"])
def test_a_field_that_is_not_there_is_named(path: str) -> None:
    with pytest.raises(samples.SampleError, match=path):
        webhooks.webhook(samples.find("shopify"), None, now=NOW, fields=[(path, "1")])


def test_an_unknown_sample_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(samples.SampleError, match="orders/create, orders/cancelled"):
        samples.find("shopify", "orders/eaten")
    with pytest.raises(samples.SampleError, match="standard-webhooks"):
        samples.find("shopfy")
