"""What is Twilio's alone: what it signs, with which algorithm, and who asked to be left alone."""

from dataclasses import replace
from typing import Literal
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, provider, request

from ringhook.errors import RejectedError
from ringhook.senders.providers.twilio import Signature
from ringhook.senders.request import Request
from ringhook.senders.signatures import sha256_hex

FORM = {"content-type": "application/x-www-form-urlencoded"}
HASH = "bodySHA256="
SHARED_KEY = {"x-twilio-webhooks-signature-settings": "key=webhooks_1,algorithm=HMAC_SHA256"}
SECRET = "sample-auth-token"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
addresses = st.sampled_from(
    [
        "https://hooks.example.com/hooks/phone",
        "https://hooks.example.com:443/hooks/phone?a=1&b=%20",
        "https://hooks.example.com:8443/hooks/phone",
        "http://hooks.example.com/hooks/phone",
    ]
)
algorithms: st.SearchStrategy[Literal["sha1", "sha256"]] = st.sampled_from(["sha1", "sha256"])


def form(fields: dict[str, str], url: str = "https://hooks.example.com/hooks/phone") -> Request:
    return request(urlencode(fields).encode(), FORM, url=url)


def signed(plain: Request, scheme: Signature) -> Request:
    headers = {"x-twilio-signature": scheme.signature(plain, SECRET)}
    if scheme.algorithm == "sha256":
        headers |= SHARED_KEY
    return replace(plain, headers={**plain.headers, **headers})


@given(fields=st.dictionaries(texts.filter(bool), texts), url=addresses, algorithm=algorithms)
def test_twilios_own_library_signs_and_verifies_alike(
    fields: dict[str, str], url: str, algorithm: Literal["sha1", "sha256"]
) -> None:
    from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

    library, scheme = RequestValidator(SECRET), Signature(algorithm)
    name = f"HMAC_{algorithm.upper()}"
    plain = form(fields, url)
    own = {"x-twilio-signature": library.compute_signature(url, fields, name)}
    named = SHARED_KEY if algorithm == "sha256" else {}

    scheme.verify(replace(plain, headers={**FORM, **own, **named}), [SECRET], NOW)
    assert library.validate(url, fields, scheme.signature(plain, SECRET), name)


@pytest.mark.parametrize("port", [":443", ":80", ""])
def test_the_address_may_be_signed_with_its_port_or_without(port: str) -> None:
    bare = "http://h.example.com/x?a=1" if port == ":80" else "https://h.example.com/x?a=1"
    with_port = bare.replace("example.com", "example.com" + (port or ":443"))
    for sent_to, signed_as in ((bare, with_port), (with_port, bare)):
        webhook = signed(form({"CallSid": "CA1"}, signed_as), Signature())
        Signature().verify(replace(webhook, url=sent_to), [SECRET], NOW)


def test_a_field_that_is_sent_twice_is_signed_with_each_of_its_values_once() -> None:
    twice = replace(form({}), body=b"MediaUrl=b&MediaUrl=a&MediaUrl=b")
    known = Signature().signature(replace(form({}), body=b"MediaUrl=a&MediaUrl=b"), SECRET)

    assert Signature().signature(twice, SECRET) == known


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (b'{"a": 2}', HASH + sha256_hex(b'{"a": 1}')),
        (b'{"a": 1}', ""),
        (b'{"a": 1}', HASH),
    ],
)
def test_a_body_that_is_no_form_must_be_the_one_that_the_address_names(
    body: bytes, query: str
) -> None:
    json = {"content-type": "application/json"}
    plain = request(body, json, url=f"https://hooks.example.com/hooks/phone?{query}")

    with pytest.raises(RejectedError, match="bodySHA256"):
        Signature().verify(signed(plain, Signature()), [SECRET], NOW)


def test_a_form_passed_off_as_json_is_refused() -> None:
    webhook = signed(form({"From": "+14155550119"}), Signature())
    disguised = {**webhook.headers, "content-type": "application/json"}

    with pytest.raises(RejectedError):
        Signature().verify(replace(webhook, headers=disguised), [SECRET], NOW)


def test_a_header_never_chooses_another_algorithm_than_the_sources() -> None:
    plain = form({"CallSid": "CA1"})
    weaker, stronger = signed(plain, Signature("sha1")), signed(plain, Signature("sha256"))
    [token], [shared] = (
        provider("twilio", **settings).schemes for settings in ({}, {"algorithm": "sha256"})
    )

    token.verify(weaker, [SECRET], NOW)
    shared.verify(stronger, [SECRET], NOW)
    for scheme, webhook in ((token, stronger), (shared, weaker)):
        with pytest.raises(RejectedError, match="but this source is set to"):
            scheme.verify(webhook, [SECRET], NOW)


@pytest.mark.parametrize(
    "settings", ["algorithm=HMAC_MD5", "algorithm=NONE", "algorithm=", "algorithm=HMAC_SHA256,x"]
)
def test_an_algorithm_that_is_not_set_is_refused_whatever_its_name(settings: str) -> None:
    webhook = signed(form({"CallSid": "CA1"}), Signature())
    named = {**webhook.headers, "x-twilio-webhooks-signature-settings": settings}

    with pytest.raises(RejectedError):
        Signature().verify(replace(webhook, headers=named), [SECRET], NOW)


@pytest.mark.parametrize(
    ("fields", "topic"),
    [
        ({"CallSid": "CA1", "CallStatus": "no-answer"}, "call.no-answer"),
        ({"MessageSid": "SM1", "SmsStatus": "received"}, "message.received"),
        ({"MessageSid": "SM1", "SmsStatus": "sent", "MessageStatus": "sent"}, "message.sent"),
        ({"EventType": "onMessageAdded", "MessageSid": "IM1"}, "onMessageAdded"),
    ],
)
def test_topics_tell_what_happened_to_what(fields: dict[str, str], topic: str) -> None:
    twilio = provider("twilio")
    webhook = form(fields)

    assert [event.topic for event in twilio.events(webhook, twilio.read(webhook))] == [topic]


@pytest.mark.parametrize("word", ["STOP", "stop ", " Unsubscribe", "QUIT", "stopall"])
def test_whoever_asks_to_stop_is_not_rung(word: str) -> None:
    twilio = provider("twilio")
    webhook = form({"MessageSid": "SM1", "Body": word})
    [event] = twilio.events(webhook, twilio.read(webhook))

    assert event.never


def test_whoever_writes_of_stopping_may_be_rung() -> None:
    twilio = provider("twilio")
    webhook = form({"MessageSid": "SM1", "Body": "Does the bus stop here?"})
    [event] = twilio.events(webhook, twilio.read(webhook))

    assert not event.never


def test_each_event_of_a_stream_is_one() -> None:
    twilio = provider("twilio")
    stream = [{"id": "EZ1", "type": "com.twilio.a"}, {"id": "EZ2", "type": "com.twilio.a"}]

    assert len({event.event_id for event in twilio.events(request(b"[]"), stream)}) == 2
