"""Nobody unknown gets in: each sender's proof holds, and nothing that is only like it does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import shopify_app
import standardwebhooks
import svix
from hubspot.utils.signature import Signature as HubSpotSignature
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, at, provider, request

from ringhook.errors import RejectedError, UnavailableError
from ringhook.senders.request import Request
from ringhook.senders.signatures import Basic, HeaderToken, Hmac, Scheme, verify

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
BODY = '{"name": "Zoë", "phone": "+14155550123"}'.encode()
URL = "https://hooks.example.com/hooks/it"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_WHSEC = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()

Headers = dict[str, str]
Signer = Callable[[str, bytes, datetime], Headers]


def digest(secret: str, data: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), data, algorithm).digest()


def by_shopify(secret: str, body: bytes, _now: datetime) -> Headers:
    return {"X-Shopify-Hmac-Sha256": base64.b64encode(digest(secret, body)).decode()}


def by_shopify_events(secret: str, body: bytes, _now: datetime) -> Headers:
    return {"Shopify-Hmac-Sha256": base64.b64encode(digest(secret, body)).decode()}


def by_hubspot(version: str) -> Signer:
    """HubSpot's own library signs."""

    def sign(secret: str, body: bytes, now: datetime) -> Headers:
        time = str(int(now.timestamp() * 1000))
        signature = HubSpotSignature.get_signature(
            secret, body.decode(), version, http_uri=URL, http_method="POST", timestamp=time
        )
        if version == "v3":
            return {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": time}
        return {"X-HubSpot-Signature": signature, "X-HubSpot-Signature-Version": version}

    return sign


def by_standard_webhooks(secret: str, body: bytes, now: datetime) -> Headers:
    """The specification's own library signs."""
    signature = standardwebhooks.Webhook(secret).sign("msg_1", now, body.decode())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def by_svix(secret: str, body: bytes, now: datetime) -> Headers:
    """Svix's own library signs."""
    signature = svix.Webhook(secret).sign("msg_1", now, body.decode())
    return {
        "svix-id": "msg_1",
        "svix-timestamp": str(int(now.timestamp())),
        "svix-signature": signature,
    }


def like_stripe(secret: str, body: bytes, now: datetime) -> Headers:
    time = str(int(now.timestamp()))
    signature = digest(secret, time.encode() + b"." + body).hex()
    return {"Stripe-Signature": f"t={time},v1={signature},v0=abc"}


def like_zendesk(secret: str, body: bytes, now: datetime) -> Headers:
    time = now.isoformat().replace("+00:00", "Z")
    signature = base64.b64encode(digest(secret, time.encode() + body)).decode()
    return {"X-Signature": signature, "X-Signature-Timestamp": time}


def by_basic(secret: str, _body: bytes, _now: datetime) -> Headers:
    return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}


@dataclass(frozen=True)
class Sender:
    """How one kind of sender proves itself. `signs` says what a change of must be noticed."""

    name: str
    sign: Signer
    provider: str
    settings: dict[str, Any] = field(default_factory=dict)
    secret: str = "the secret"
    other: str = "another secret"
    signs_body: bool = True
    signs_time: bool = False
    # Without these headers there is no proof; the version of HubSpot's has a documented default.
    proof: tuple[str, ...] = ()

    def request(
        self, body: bytes = BODY, now: datetime = NOW, secret: str | None = None
    ) -> Request:
        return request(body, self.sign(secret or self.secret, body, now), url=URL)

    def verify(self, asked: Request, *secrets: str, now: datetime = NOW) -> None:
        schemes = provider(self.provider, **self.settings).schemes
        verify(schemes, asked, secrets or [self.secret], now)


SENDERS = [
    Sender("shopify", by_shopify, "shopify", proof=("x-shopify-hmac-sha256",)),
    Sender("shopify-events", by_shopify_events, "shopify", proof=("shopify-hmac-sha256",)),
    Sender(
        "hubspot-v3",
        by_hubspot("v3"),
        "hubspot",
        signs_time=True,
        proof=("x-hubspot-signature-v3", "x-hubspot-request-timestamp"),
    ),
    Sender("hubspot-v2", by_hubspot("v2"), "hubspot", proof=("x-hubspot-signature",)),
    Sender("hubspot-v1", by_hubspot("v1"), "hubspot", proof=("x-hubspot-signature",)),
    Sender(
        "standard-webhooks",
        by_standard_webhooks,
        "standard-webhooks",
        secret=WHSEC,
        other=OTHER_WHSEC,
        signs_time=True,
        proof=("webhook-id", "webhook-timestamp", "webhook-signature"),
    ),
    Sender(
        "svix",
        by_svix,
        "standard-webhooks",
        secret=WHSEC,
        other=OTHER_WHSEC,
        signs_time=True,
        proof=("svix-id", "svix-timestamp", "svix-signature"),
    ),
    Sender(
        "hmac-in-hex",
        lambda secret, body, now: {"X-Signature": "sha1=" + digest(secret, body, "sha1").hex()},
        "hmac",
        {"header": "X-Signature", "prefix": "sha1=", "algorithm": "sha1"},
        proof=("x-signature",),
    ),
    Sender(
        "hmac-in-upper-case-hex",
        lambda secret, body, now: {"X-Signature": digest(secret, body, "sha512").hex().upper()},
        "hmac",
        {"header": "X-Signature", "algorithm": "sha512"},
        proof=("x-signature",),
    ),
    Sender(
        "hmac-with-time-in-its-header",
        like_stripe,
        "hmac",
        {
            "header": "Stripe-Signature",
            "prefix": "v1=",
            "separator": ",",
            "signed": "{timestamp}.{body}",
            "timestamp_prefix": "t=",
        },
        signs_time=True,
        proof=("stripe-signature",),
    ),
    Sender(
        "hmac-with-iso-time",
        like_zendesk,
        "hmac",
        {
            "header": "X-Signature",
            "encoding": "base64",
            "signed": "{timestamp}{body}",
            "timestamp_header": "X-Signature-Timestamp",
            "timestamp_unit": "iso",
        },
        signs_time=True,
        proof=("x-signature", "x-signature-timestamp"),
    ),
    Sender(
        "bearer",
        lambda secret, body, now: {"Authorization": f"Bearer {secret}"},
        "bearer",
        signs_body=False,
        proof=("authorization",),
    ),
    Sender(
        "header-token",
        lambda secret, body, now: {"X-Webhook-Secret": secret},
        "header-token",
        signs_body=False,
        proof=("x-webhook-secret",),
    ),
    Sender(
        "basic",
        by_basic,
        "basic",
        secret="user:pass:with colon",
        other="user:another",
        signs_body=False,
        proof=("authorization",),
    ),
]
BY_NAME = {sender.name: sender for sender in SENDERS}
every_sender = pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.name)
every_signer = pytest.mark.parametrize(
    "sender", [s for s in SENDERS if s.signs_body], ids=lambda sender: sender.name
)
every_dated_signer = pytest.mark.parametrize(
    "sender", [s for s in SENDERS if s.signs_time], ids=lambda sender: sender.name
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_published_vectors_are_judged_as_published(vector: dict[str, Any]) -> None:
    now = NOW if vector["now"] is None else datetime.fromtimestamp(vector["now"], UTC)
    asked = request(
        vector["body"].encode(), vector["headers"], method=vector["method"], url=vector["url"]
    )
    schemes = provider(vector["provider"], **vector["settings"]).schemes
    if vector["valid"]:
        verify(schemes, asked, [vector["secret"]], now)
    else:
        with pytest.raises(RejectedError):
            verify(schemes, asked, [vector["secret"]], now)


@every_sender
def test_a_genuine_request_is_accepted(sender: Sender) -> None:
    sender.verify(sender.request())


@pytest.mark.parametrize("name", ["shopify", "shopify-events"])
@pytest.mark.parametrize("changed", [False, True])
def test_shopifys_own_library_judges_a_signature_alike(name: str, changed: bool) -> None:
    sender = BY_NAME[name]
    asked = sender.request()
    body = BODY + b" " * changed
    theirs = shopify_app.ShopifyApp("id", sender.secret).verify_webhook_req(
        {
            "method": "POST",
            "url": URL,
            "headers": {**asked.headers, "X-Shopify-Shop-Domain": "a.myshopify.com"},
            "body": body.decode(),
        }
    )
    assert theirs.ok is not changed
    if changed:
        with pytest.raises(RejectedError):
            sender.verify(replace(asked, body=body))
    else:
        sender.verify(asked)


@every_signer
@pytest.mark.parametrize("position", [0, len(BODY) // 2, len(BODY) - 1])
def test_a_changed_byte_is_noticed(sender: Sender, position: int) -> None:
    body = bytes(byte ^ (i == position) for i, byte in enumerate(BODY))
    with pytest.raises(RejectedError):
        sender.verify(replace(sender.request(), body=body))


@pytest.mark.parametrize(
    "sender",
    # HubSpot's older versions sign the address too, and GETs without a body.
    [s for s in SENDERS if s.signs_body and s.name not in ("hubspot-v1", "hubspot-v2")],
    ids=lambda sender: sender.name,
)
def test_an_empty_body_is_refused_even_if_signed(sender: Sender) -> None:
    with pytest.raises(RejectedError):
        sender.verify(sender.request(b""))


@every_sender
def test_another_secret_is_refused(sender: Sender) -> None:
    with pytest.raises(RejectedError):
        sender.verify(sender.request(secret=sender.other))


@every_sender
def test_either_secret_is_good_while_they_are_changed(sender: Sender) -> None:
    for secret in (sender.secret, sender.other):
        sender.verify(sender.request(secret=secret), sender.secret, sender.other)


@every_sender
@pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
def test_without_a_secret_nothing_is_served(sender: Sender, secrets: list[str]) -> None:
    schemes = provider(sender.provider, **sender.settings).schemes
    with pytest.raises(UnavailableError, match="no signing secret"):
        verify(schemes, sender.request(), secrets, NOW)


@pytest.mark.parametrize(
    ("sender", "header"),
    [pytest.param(s, h, id=f"{s.name}: {h}") for s in SENDERS for h in s.proof],
)
@pytest.mark.parametrize("how", ["left out", "empty"])
def test_a_missing_header_is_no_proof(sender: Sender, header: str, how: str) -> None:
    asked = sender.request()
    headers = {name: value for name, value in asked.headers.items() if name != header}
    if how == "empty":
        headers[header] = ""
    with pytest.raises(RejectedError):
        sender.verify(replace(asked, headers=headers))


@every_dated_signer
@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_clocks_may_differ_by_five_minutes(sender: Sender, seconds: int) -> None:
    sender.verify(sender.request(now=at(seconds)))


@every_dated_signer
@pytest.mark.parametrize("seconds", [-86_400, -301, 301, 86_400])
def test_what_was_signed_longer_ago_or_ahead_is_refused(sender: Sender, seconds: int) -> None:
    with pytest.raises(RejectedError, match="stale"):
        sender.verify(sender.request(now=at(seconds)))


@every_dated_signer
@pytest.mark.parametrize("time", ["", "now", "-1", "1e9", "99999999999999999", "١٧٣١٦١٢", "1.5"])
def test_a_time_that_cannot_be_read_is_refused(sender: Sender, time: str) -> None:
    asked = sender.request()
    headers = dict(asked.headers)
    for name, value in asked.headers.items():
        if "timestamp" in name:
            headers[name] = time
        elif name == "stripe-signature":
            headers[name] = f"t={time}," + value.partition(",")[2]
    with pytest.raises(RejectedError):
        sender.verify(replace(asked, headers=headers))


def test_the_signed_time_is_the_text_received_not_a_number_made_of_it() -> None:
    """A captured request cannot be made fresh with another way of writing the time."""
    sender = BY_NAME["hmac-with-time-in-its-header"]
    asked = sender.request()
    signed = asked.headers["stripe-signature"]
    padded = signed.replace("t=", "t=0")
    with pytest.raises(RejectedError):
        sender.verify(replace(asked, headers={"stripe-signature": padded}))


@pytest.mark.parametrize("name", ["standard-webhooks", "hmac-with-time-in-its-header"])
def test_one_good_signature_among_several_is_enough(name: str) -> None:
    sender = BY_NAME[name]
    asked = sender.request()
    header, separator, prefix = (
        ("webhook-signature", " ", "v1,")
        if name == "standard-webhooks"
        else ("stripe-signature", ",", "v1=")
    )
    bad = separator.join([prefix + "AAAA", "v9,what", asked.headers[header]])
    sender.verify(replace(asked, headers={**asked.headers, header: bad}))


def test_hubspot_is_held_to_its_strongest_signature() -> None:
    """A wrong v3 is not saved by a right v2 or v1 beside it."""
    v3, v2 = BY_NAME["hubspot-v3"], BY_NAME["hubspot-v2"]
    both = {**v2.request().headers, **v3.request(secret=v3.other).headers}
    with pytest.raises(RejectedError):
        v3.verify(replace(v3.request(), headers=both))
    older = v2.request(secret=v2.other).headers
    v3.verify(replace(v3.request(), headers={**older, **v3.request().headers}))


def test_hubspots_first_version_may_go_unnamed() -> None:
    sender = BY_NAME["hubspot-v1"]
    asked = sender.request()
    headers = {"x-hubspot-signature": asked.headers["x-hubspot-signature"]}
    sender.verify(replace(asked, headers=headers))


def test_an_unknown_version_of_hubspots_is_no_proof() -> None:
    asked = BY_NAME["hubspot-v2"].request()
    headers = {**asked.headers, "x-hubspot-signature-version": "v4"}
    with pytest.raises(RejectedError, match="no signature"):
        BY_NAME["hubspot-v2"].verify(replace(asked, headers=headers))


@pytest.mark.parametrize(
    ("received", "signed"),
    [
        ("?to=a%40b%2Fc", "?to=a@b/c"),
        ("?to=a%40b%2fc", "?to=a@b/c"),
        ("?to=a%40b", "?to=a%40b"),
        ("?q=a%26b%3Ac", "?q=a%26b:c"),
        ("?q=%21%24%27%28%29%2A%2C%3B%3F", "?q=!$'()*,;?"),
    ],
)
def test_hubspots_address_holds_with_its_escapes_decoded_or_not(received: str, signed: str) -> None:
    time = str(int(NOW.timestamp() * 1000))
    signature = HubSpotSignature.get_signature(
        "the secret", BODY.decode(), "v3", http_uri=URL + signed, timestamp=time
    )
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": time}
    BY_NAME["hubspot-v3"].verify(request(BODY, headers, url=URL + received))


@pytest.mark.parametrize(("method", "url"), [("PUT", URL), ("POST", URL + "?x=1")])
@pytest.mark.parametrize("name", ["hubspot-v3", "hubspot-v2"])
def test_hubspots_signature_holds_for_one_method_and_address(
    name: str, method: str, url: str
) -> None:
    sender = BY_NAME[name]
    with pytest.raises(RejectedError):
        sender.verify(replace(sender.request(), method=method, url=url))


@pytest.mark.parametrize("written", ["bearer", "BEARER"])
def test_the_name_of_an_authorization_scheme_has_no_case(written: str) -> None:
    BY_NAME["bearer"].verify(request(BODY, {"authorization": f"{written} the secret"}))


@pytest.mark.parametrize("value", ["Basic the secret", "the secret", "Bearer", "Bearer "])
def test_a_bearer_token_stands_after_its_scheme(value: str) -> None:
    with pytest.raises(RejectedError):
        BY_NAME["bearer"].verify(request(BODY, {"authorization": value}))


@pytest.mark.parametrize("value", ["Basic !", "Basic =", "Basic dGhl secret", "Basic é", "Basic "])
def test_basic_credentials_that_are_not_base64_are_refused(value: str) -> None:
    with pytest.raises(RejectedError):
        BY_NAME["basic"].verify(request(BODY, {"authorization": value}))


@pytest.mark.parametrize(
    ("form", "secret", "key"),
    [
        ("text", "s3cret", b"s3cret"),
        ("hex", "00ff10", b"\x00\xff\x10"),
        ("base64", "AP8Q", b"\x00\xff\x10"),
        ("whsec", "whsec_AP8Q", b"\x00\xff\x10"),
        ("whsec", "AP8", b"\x00\xff"),
        ("whsec", "whsec_AP8=", b"\x00\xff"),
    ],
)
def test_a_secret_is_used_in_the_form_in_which_it_is_handed_out(
    form: str, secret: str, key: bytes
) -> None:
    schemes = provider("hmac", header="X-Signature", key=form).schemes
    signature = hmac.new(key, BODY, hashlib.sha256).hexdigest()
    verify(schemes, request(BODY, {"x-signature": signature}), [secret], NOW)


@pytest.mark.parametrize(
    ("form", "secret"),
    [("hex", "no hex"), ("base64", "a b"), ("base64", "abcde"), ("whsec", "whsec_é")],
)
def test_a_secret_in_another_form_is_our_fault_and_not_the_senders(form: str, secret: str) -> None:
    schemes = provider("hmac", header="X-Signature", key=form).schemes
    with pytest.raises(UnavailableError, match="signing secret") as raised:
        verify(schemes, request(BODY, {"x-signature": "00"}), [secret], NOW)
    assert secret not in str(raised.value)


header_text = st.text(max_size=60)


@every_sender
@given(data=st.data())
def test_garbage_is_refused_and_breaks_nothing(sender: Sender, data: st.DataObject) -> None:
    """Whatever stands in a body and in the headers of a proof, it is refused in one way."""
    headers = dict.fromkeys(sender.proof, "")
    for name in headers:
        prefixes = st.sampled_from(["", "v1,", "sha1=", "t=1795435200,v1=", "Bearer ", "Basic "])
        headers[name] = data.draw(prefixes, label="prefix") + data.draw(header_text, label=name)
    body = data.draw(st.binary(max_size=60), label="body")
    with pytest.raises(RejectedError):
        sender.verify(request(body, headers, url=URL))


@given(
    body=st.binary(max_size=40),
    header=st.text(max_size=40),
    time=st.text(max_size=20),
    url=st.text(max_size=40),
    method=st.text(max_size=8),
)
@pytest.mark.parametrize(
    "scheme",
    [
        Hmac(header="x", encoding="base64", separator=",", prefix="v="),
        Hmac(header="x", signed="{method}{url}{timestamp}{body}", timestamp_header="t"),
        Hmac(header="x", signed="{timestamp}{body}", timestamp_header="t", timestamp_unit="iso"),
        HeaderToken(header="x", prefix="Token "),
        Basic(),
    ],
    ids=lambda scheme: str(scheme)[:60],
)
def test_no_text_in_a_request_raises_anything_but_a_rejection(
    scheme: Scheme, body: bytes, header: str, time: str, url: str, method: str
) -> None:
    headers = {"x": header, "t": time, "authorization": header}
    asked = replace(request(body, method=method, url=url), headers=headers)
    with pytest.raises(RejectedError):
        verify([scheme], asked, ["the secret"], NOW)


@pytest.mark.parametrize("shown", [WHSEC, "v1," + WHSEC, WHSEC.removeprefix("whsec_")])
def test_a_secret_of_standard_webhooks_is_taken_as_it_is_shown(shown: str) -> None:
    """Supabase shows `v1,whsec_…` (supabase.com, "Auth Hooks")."""
    headers = by_standard_webhooks(WHSEC, BODY, NOW)
    verify(provider("standard-webhooks").schemes, request(BODY, headers), [shown], NOW)
