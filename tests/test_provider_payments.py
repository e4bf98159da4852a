"""PayU, Tap and MyFatoorah sign in part: the phone needs a token. And what others have alone."""

import hashlib
import hmac
import importlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from ringhook.calls.call import Call
from ringhook.errors import RejectedError
from ringhook.reading import checked
from ringhook.routing import routes_file
from ringhook.routing.receiving import Received, receive
from ringhook.senders import providers, signatures
from ringhook.senders.providers import payu, tap
from ringhook.senders.request import Request
from ringhook_ops.catalogue import recipes
from ringhook_ops.samples import library, webhooks

NOW = datetime(2026, 7, 14, 14, 12, tzinfo=UTC)
IN_PART = ["payu", "tap", "myfatoorah"]
EACH = pytest.mark.parametrize("name", IN_PART)
STRANGER = "+14155550199"


def webhook(name: str, *, token: bool = True) -> tuple[Request, str]:
    sample = library.find(name)
    secret = sample.secret if token else sample.secret.partition(" ")[0]
    return webhooks.webhook(sample, None, now=NOW, secret=secret), secret


def with_strangers_phone(name: str, request: Request) -> Request:
    """Everything that is signed is as it was."""
    if name == "payu":
        fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        return replace(request, body=urlencode({**fields, "phone": STRANGER}).encode())
    payload = json.loads(request.body)
    if name == "tap":
        payload["customer"]["phone"] = {"country_code": "1", "number": "4155550199"}
    else:
        payload["Data"]["Customer"]["Mobile"] = STRANGER
    return replace(request, body=json.dumps(payload).encode())


def rung(name: str, request: Request, secret: str) -> list[Call]:
    text = recipes.add(None, recipes.find(name, None), countries=["US", "GB"]).text
    got = receive(request, routes_file.load(text), lambda: [secret])
    assert isinstance(got, Received)
    return [task for task in got.tasks if isinstance(task, Call)]


@EACH
def test_with_a_token_the_recipe_rings_the_customer(name: str) -> None:
    request, secret = webhook(name)

    (call,) = rung(name, request, secret)

    assert not call.unmapped
    assert call.phone_number.startswith("+44")


@EACH
def test_without_a_token_no_phone_is_read_and_the_event_is_kept(name: str) -> None:
    request, secret = webhook(name, token=False)

    for sent in (request, with_strangers_phone(name, request)):
        (call,) = rung(name, sent, secret)
        assert call.unmapped
        assert "0199" not in call.phone_number


@EACH
def test_a_captured_webhook_with_another_phone_does_not_get_in_without_the_token(name: str) -> None:
    request, secret = webhook(name)
    forged = with_strangers_phone(name, request)

    for url in (request.url.partition("?")[0], request.url + "x"):
        with pytest.raises(RejectedError):
            rung(name, replace(forged, url=url), secret)


@EACH
def test_a_changed_signed_field_is_refused(name: str) -> None:
    request, secret = webhook(name)
    status = {"payu": b"status=failure", "tap": b"DECLINED", "myfatoorah": b"PENDING"}[name]
    assert status in request.body
    for scheme in providers.find(name).schemes:
        scheme.verify(request, [secret], NOW)

    changed = replace(request, body=request.body.replace(status, status[:-1]))
    for wrong, key in ((changed, secret), (request, "other " + secret.partition(" ")[2])):
        with pytest.raises(RejectedError):
            signatures.verify(providers.find(name).schemes, wrong, [key], NOW)


@EACH
def test_an_event_is_the_same_with_its_unsigned_fields_and_without(name: str) -> None:
    provider = providers.find(name)
    request, _ = webhook(name)
    bare = replace(request, url=request.url.partition("?")[0])

    (with_all,) = provider.events(request, provider.payload(request))
    (signed,) = provider.events(bare, provider.payload(bare))

    assert (with_all.event_id, with_all.topic) == (signed.event_id, signed.topic)


def test_a_fee_of_payus_stands_in_front_of_what_is_hashed() -> None:
    fields = {"status": "success", "txnid": "T1", "amount": "10.00", "key": "K", "udf1": "u"}
    text = "12.00|salt|success||||||||||u||||10.00|T1|K"

    expected = hashlib.sha512(text.encode()).hexdigest()

    assert payu.signature({**fields, "additionalCharges": "12.00"}, "salt") == expected
    assert payu.signature(fields, "salt") != expected


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (12.5, "KWD", "12.500"),
        (100, "SAR", "100.00"),
        ("7.1", "AED", "7.10"),
        (0.1, "BHD", "0.100"),
    ],
)
def test_tap_signs_an_amount_with_the_decimals_of_its_currency(
    amount: Any, currency: str, written: str
) -> None:
    charge = {"amount": amount, "currency": currency}

    assert tap.signature(charge, "k") == tap.signature({**charge, "amount": written}, "k")
    assert tap.signature(charge, "k") != tap.signature({**charge, "amount": 3}, "k")


@pytest.mark.parametrize("written", ["{}", "SHA256({})", "sha256( {} )"])
def test_phonepes_hash_is_taken_as_it_is_documented_and_as_it_is_seen(written: str) -> None:
    request, secret = webhook("phonepe")
    schemes = providers.find("phonepe").schemes
    for given in (secret, secret.upper()):
        header = {"authorization": written.format(given)}
        signatures.verify(schemes, replace(request, headers=header), [secret], NOW)
    for wrong in (secret[:-1], "", "0" * 64):
        header = {"authorization": written.format(wrong)}
        with pytest.raises(RejectedError):
            signatures.verify(schemes, replace(request, headers=header), [secret], NOW)


def test_grafanas_repeats_are_one_event_and_another_outbreak_is_another() -> None:
    provider = providers.find("grafana")
    request, _ = webhook("grafana")
    payload = provider.payload(request)

    def ids(**changes: Any) -> list[str]:
        alerts = [{**payload["alerts"][0], **changes}]
        found = provider.events(request, {**payload, "message": "again", "alerts": alerts})
        return [event.event_id for event in found]

    first = [event.event_id for event in provider.events(request, payload)]
    assert ids(values={"B": 9}) == first
    assert ids(startsAt="2026-07-15T10:00:00Z") != first


def test_grafana_signs_the_time_where_the_contact_point_names_a_header_for_it() -> None:
    settings = {"provider": "grafana", "timestamp_header": "X-Time"}
    provider = providers.find("grafana")
    provider = provider.adapt(provider, checked.read(provider.settings, settings))
    request, _ = webhook("grafana")
    now = str(int(NOW.timestamp()))
    proof = hmac.new(b"k", now.encode() + b":" + request.body, "sha256").hexdigest()
    header = {"x-grafana-alerting-signature": proof}

    signatures.verify(
        provider.schemes, replace(request, headers=header | {"x-time": now}), ["k"], NOW
    )
    for time in ({}, {"x-time": str(int(now) - 1)}):
        with pytest.raises(RejectedError):
            signatures.verify(provider.schemes, replace(request, headers=header | time), ["k"], NOW)


def test_a_booking_of_squares_that_is_called_off_is_a_topic_of_its_own() -> None:
    provider = providers.find("square")
    request, _ = webhook("square")

    def topic(status: str) -> str:
        booking = {"type": "booking.updated", "data": {"object": {"booking": {"status": status}}}}
        return provider.event(request, booking).topic

    assert topic("ACCEPTED") == "booking.updated"
    for status in ("CANCELLED_BY_SELLER", "CANCELLED_BY_CUSTOMER", "DECLINED", "NO_SHOW"):
        assert topic(status) == "booking.updated.cancelled"


def test_what_is_signed_here_is_genuine_to_paddles_own_library() -> None:
    # Both libraries are published without types that hold.
    library = importlib.import_module("paddle_billing.Notifications")
    request, secret = webhook("paddle")
    named = {"Paddle-Signature": request.headers["paddle-signature"]}

    def agrees(key: str, body: bytes) -> bool:
        asked = SimpleNamespace(headers=named, body=body)
        given = library.Verifier().verify(asked, library.Secret(key), verify_time_drift=False)
        return bool(given)

    assert agrees(secret, request.body)
    assert not agrees(secret + "x", request.body)
    assert not agrees(secret, request.body + b" ")


def test_what_is_signed_here_is_genuine_to_squares_own_library() -> None:
    verifies = importlib.import_module("square.utils.webhooks_helper").verify_signature
    request, secret = webhook("square")
    asked = {
        "request_body": request.body.decode(),
        "signature_header": request.headers["x-square-hmacsha256-signature"],
        "signature_key": secret,
        "notification_url": request.url,
    }

    assert verifies(**asked)
    assert not verifies(**asked | {"signature_key": "another"})
    assert not verifies(**asked | {"notification_url": request.url + "x"})
