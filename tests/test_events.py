"""The samples' files, and the events made of them (`test_catalogue.py` holds them to providers)."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringhook.senders import providers, signatures
from ringhook_ops.commands.sending import EVENTS_AT
from ringhook_ops.samples import library, webhooks

EVENTS = Path(__file__).parents[1] / "events"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_every_body_is_named_and_every_name_has_a_body() -> None:
    bodies = {
        (file.parent.name, file.stem)
        for file in library.FOLDER.glob("*/*")
        if file.name != "sample.toml"
    }

    assert bodies == {
        (provider, library.file_name(name))
        for provider in library.providers()
        for name in library.names(provider)
    }


def test_the_files_in_events_are_current() -> None:
    """`ringhook event --all events` makes them."""
    made = dict(webhooks.every_event(EVENTS_AT))

    assert {file.name for file in EVENTS.iterdir()} == made.keys()
    for name, document in made.items():
        assert json.loads((EVENTS / name).read_text()) == document, name


def test_two_samples_made_at_once_are_two_events() -> None:
    provider = providers.find("shopify")
    bodies = [webhooks.webhook(library.find("shopify"), None, now=NOW) for _ in range(2)]

    one, other = (provider.events(made, provider.payload(made))[0] for made in bodies)
    assert one.event_id != other.event_id
    assert one.occurred_at == other.occurred_at == NOW


def test_an_id_is_the_same_wherever_it_stands() -> None:
    body = json.loads(webhooks.webhook(library.find("shopify"), None, now=NOW).body)

    assert body["admin_graphql_api_id"] == f"gid://shopify/Order/{body['id']}"


def test_a_field_is_changed_before_the_signature_is_made() -> None:
    sample = library.find("shopify")
    fields = [("shipping_address.phone", "+14155550199"), ("id", "7"), ("line_items.0.sku", '"7"')]
    made = webhooks.webhook(sample, None, now=NOW, fields=fields)

    body = json.loads(made.body)
    assert body["shipping_address"]["phone"] == "+14155550199"
    assert (body["id"], body["line_items"][0]["sku"]) == (7, "7")
    signatures.verify(providers.find("shopify").schemes, made, [sample.secret], NOW)


def test_a_field_of_a_form_is_changed_and_its_repeated_fields_stay() -> None:
    made = webhooks.webhook(library.find("bearer"), None, now=NOW, fields=[("phone", "+1 2")])

    payload = providers.find("bearer").read(made)
    assert payload["phone"] == "+1 2"
    assert payload["interest"] == ["solar", "battery"]


@pytest.mark.parametrize("path", ["nowhere.phone", "line_items.9", "line_items.first", "id.x"])
def test_a_field_that_is_not_there_is_named(path: str) -> None:
    with pytest.raises(library.SampleError, match=path):
        webhooks.webhook(library.find("shopify"), None, now=NOW, fields=[(path, "1")])


def test_a_body_that_is_neither_json_nor_a_form_is_not_changed() -> None:
    with pytest.raises(library.SampleError, match="text/xml"):
        webhooks.webhook(library.find("salesforce"), None, now=NOW, fields=[("phone", "1")])


def test_an_unknown_sample_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(library.SampleError, match="orders/create, orders/cancelled"):
        library.find("shopify", "orders/eaten")
    with pytest.raises(library.SampleError, match="standard-webhooks"):
        library.find("shopfy")
