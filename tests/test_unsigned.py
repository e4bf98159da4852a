"""Over the whole catalogue: what nobody signed makes no second call, and ends nothing.

Whoever has captured one webhook holds its body and its proof, and may write whatever the proof does
not cover. What a sender signs stands here in a table of its own, read from what the senders
publish, and is signed here by functions of their own: of the code nothing is used but the function
that API Gateway calls.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from tests.builders import Lambda

from ringhook import receiver
from ringhook_ops.samples import library

HOST = "hooks.example.com"
# When the events happened: so long ago that a time taken from the forger's clock would show.
AGE = timedelta(days=3)
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Sent:
    """A request on the wire; header names are lower-case."""

    source: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def url(self) -> str:
        return f"https://{HOST}/hooks/{self.source}" + f"?{self.query}" * bool(self.query)

    def but(
        self,
        headers: dict[str, str] | None = None,
        *,
        query: str | None = None,
        body: bytes | None = None,
    ) -> Sent:
        return replace(
            self,
            query=self.query if query is None else query,
            body=self.body if body is None else body,
            headers={**self.headers, **(headers or {})},
        )

    def without(self, *names: str) -> Sent:
        return replace(self, headers={n: v for n, v in self.headers.items() if n not in names})

    def event(self) -> dict[str, Any]:
        return {
            "rawQueryString": self.query,
            "headers": self.headers,
            "requestContext": {
                "domainName": HOST,
                "http": {"method": "POST", "path": f"/hooks/{self.source}"},
                "requestId": "request-1",
            },
            "pathParameters": {"source": self.source},
            "body": base64.b64encode(self.body).decode(),
            "isBase64Encoded": True,
        }


# What each sender signs, and how.


def _mac(key: bytes, data: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(key, data, algorithm).digest()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


Signer = Callable[[Sent, str, datetime], dict[str, str]]


def _over_body(header: str, form: str = "{hex}", algorithm: str = "sha256") -> Signer:
    def sign(sent: Sent, secret: str, _now: datetime) -> dict[str, str]:
        mac = _mac(secret.encode(), sent.body, algorithm)
        return {header: form.format(hex=mac.hex(), b64=_b64(mac))}

    return sign


def _woo(sent: Sent, secret: str, _now: datetime) -> dict[str, str]:
    key = secret.replace("&quot;", '"').encode()
    return {"x-wc-webhook-signature": _b64(_mac(key, sent.body))}


def _stamp(now: datetime) -> str:
    return str(int(now.timestamp()))


def _stripe(header: str) -> Signer:
    def sign(sent: Sent, secret: str, now: datetime) -> dict[str, str]:
        mac = _mac(secret.encode(), f"{_stamp(now)}.".encode() + sent.body).hex()
        return {header: f"t={_stamp(now)},v1={mac}"}

    return sign


def _standard(key: Callable[[str], bytes], family: str = "webhook") -> Signer:
    def sign(sent: Sent, secret: str, now: datetime) -> dict[str, str]:
        start = f"msg_2718.{_stamp(now)}.".encode()
        return {
            f"{family}-id": "msg_2718",
            f"{family}-timestamp": _stamp(now),
            f"{family}-signature": "v1," + _b64(_mac(key(secret), start + sent.body)),
        }

    return sign


def _whsec(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def _close(sent: Sent, secret: str, now: datetime) -> dict[str, str]:
    mac = _mac(bytes.fromhex(secret), _stamp(now).encode() + sent.body)
    return {"close-sig-hash": mac.hex(), "close-sig-timestamp": _stamp(now)}


def _slack(sent: Sent, secret: str, now: datetime) -> dict[str, str]:
    mac = _mac(secret.encode(), f"v0:{_stamp(now)}:".encode() + sent.body)
    return {"x-slack-signature": f"v0={mac.hex()}", "x-slack-request-timestamp": _stamp(now)}


def _zendesk(sent: Sent, secret: str, now: datetime) -> dict[str, str]:
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    name = "x-zendesk-webhook-signature"
    mac = _mac(secret.encode(), stamp.encode() + sent.body)
    return {name: _b64(mac), f"{name}-timestamp": stamp}


def _hmac(sent: Sent, secret: str, now: datetime) -> dict[str, str]:
    mac = _mac(secret.encode(), f"{_stamp(now)}.".encode() + sent.body)
    return {"x-signature": f"sha256={mac.hex()}", "x-timestamp": _stamp(now)}


def _cashfree(sent: Sent, secret: str, now: datetime) -> dict[str, str]:
    stamp = str(int(now.timestamp() * 1000))
    mac = _mac(secret.encode(), stamp.encode() + sent.body)
    return {"x-webhook-signature": _b64(mac), "x-webhook-timestamp": stamp}


def _framer(sent: Sent, secret: str, _now: datetime) -> dict[str, str]:
    mac = _mac(secret.encode(), sent.body + b"sub_2718").hex()
    return {"framer-signature": f"sha256={mac}", "framer-webhook-submission-id": "sub_2718"}


def _webflow(sent: Sent, secret: str, now: datetime) -> dict[str, str]:
    stamp = str(int(now.timestamp() * 1000))
    mac = _mac(secret.encode(), f"{stamp}:".encode() + sent.body)
    return {"x-webflow-signature": mac.hex(), "x-webflow-timestamp": stamp}


def _bearer(_sent: Sent, secret: str, _now: datetime) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def _named(_sent: Sent, secret: str, _now: datetime) -> dict[str, str]:
    return {"x-webhook-secret": secret}


def _paddle(sent: Sent, secret: str, now: datetime) -> dict[str, str]:
    mac = _mac(secret.encode(), f"{_stamp(now)}:".encode() + sent.body)
    return {"paddle-signature": f"ts={_stamp(now)};h1={mac.hex()}"}


def _square(sent: Sent, secret: str, _now: datetime) -> dict[str, str]:
    mac = _mac(secret.encode(), sent.url.encode() + sent.body)
    return {"x-square-hmacsha256-signature": _b64(mac)}


def _hubspot(version: str) -> Signer:
    def sign(sent: Sent, secret: str, now: datetime) -> dict[str, str]:
        start = b"POST" + sent.url.encode()
        if version == "v3":
            stamp = str(int(now.timestamp() * 1000))
            mac = _mac(secret.encode(), start + sent.body + stamp.encode())
            return {"x-hubspot-signature-v3": _b64(mac), "x-hubspot-request-timestamp": stamp}
        signed = secret.encode() + (start if version == "v2" else b"") + sent.body
        digest = hashlib.sha256(signed).hexdigest()
        return {"x-hubspot-signature": digest, "x-hubspot-signature-version": version}

    return sign


def _twilio(sent: Sent, secret: str, _now: datetime) -> dict[str, str]:
    pairs = sorted(set(parse_qsl(sent.body.decode(), keep_blank_values=True)))
    signed = sent.url + "".join(name + value for name, value in pairs)
    return {"x-twilio-signature": _b64(_mac(secret.encode(), signed.encode(), "sha1"))}


def _highlevel(sent: Sent, _secret: str, _now: datetime) -> dict[str, str]:
    from nacl.signing import SigningKey

    # The key pair whose public half the sample has as its secret.
    signed = SigningKey(b"ringhook sample, signs no events").sign(sent.body)
    return {"x-ghl-signature": _b64(signed.signature)}


def _login(sent: Sent, secret: str, _now: datetime) -> dict[str, str]:
    return {"authorization": f"Basic {_b64(secret.encode())}"}


def _nothing(_sent: Sent, _secret: str, _now: datetime) -> dict[str, str]:
    """The secret stands in the address or the body of the sample."""
    return {}


@dataclass(frozen=True)
class Proof:
    """How a sender proves itself, the headers that this covers, and where the topic stands.

    `vouches`: it shows a secret, and so answers for all that it sends.
    """

    sign: Signer
    covers: tuple[str, ...] = ()
    address: bool = False
    vouches: bool = False
    topic: str = ""


STANDARD = ("webhook-id", "webhook-timestamp")
PROOFS: dict[str, list[Proof]] = {
    "acuity": [Proof(_over_body("x-acuity-signature", "{b64}"))],
    "aftership": [Proof(_over_body("aftership-hmac-sha256", "{b64}"))],
    "bitrix24": [Proof(_nothing, vouches=True)],
    "chargebee": [Proof(_login, vouches=True)],
    "clickpost": [Proof(lambda _s, key, _n: {"webhook_key": key}, vouches=True)],
    "frappe": [Proof(_over_body("x-frappe-webhook-signature", "{b64}"))],
    "freshdesk": [Proof(_login, vouches=True)],
    "grafana": [Proof(_over_body("x-grafana-alerting-signature"))],
    "interakt": [Proof(_over_body("interakt-signature", "sha256={hex}"))],
    "kommo": [Proof(_nothing, vouches=True)],
    "paddle": [Proof(_paddle)],
    "pagerduty": [Proof(_over_body("x-pagerduty-signature", "v1={hex}"))],
    "phonepe": [Proof(lambda _s, key, _n: {"authorization": key}, vouches=True)],
    "shiprocket": [Proof(lambda _s, key, _n: {"x-api-key": key}, vouches=True)],
    "square": [Proof(_square, address=True)],
    "activecampaign": [Proof(_nothing, vouches=True)],
    "basic": [Proof(_login, vouches=True)],
    "bearer": [Proof(_bearer, vouches=True)],
    "contact-form-7": [Proof(_named, vouches=True)],
    "elementor": [Proof(_nothing, vouches=True)],
    "framer": [Proof(_framer, ("framer-webhook-submission-id",))],
    "google-forms": [Proof(_bearer, vouches=True)],
    "gravity-forms": [Proof(_named, vouches=True)],
    "odoo": [Proof(_nothing, vouches=True)],
    "pabbly": [Proof(_bearer, vouches=True)],
    "power-automate": [Proof(_bearer, vouches=True)],
    "viasocket": [Proof(_bearer, vouches=True)],
    "wati": [Proof(_nothing, vouches=True)],
    "webflow": [Proof(_webflow, ("x-webflow-timestamp",))],
    "wpforms": [Proof(_named, vouches=True)],
    "bigcommerce": [Proof(_standard(str.encode), STANDARD)],
    "calcom": [Proof(_over_body("x-cal-signature-256"))],
    "calendly": [Proof(_stripe("calendly-webhook-signature"))],
    "cashfree": [Proof(_cashfree, ("x-webhook-timestamp",))],
    "close": [Proof(_close, ("close-sig-timestamp",))],
    "exotel": [Proof(_nothing, vouches=True)],
    "freshsales": [Proof(_login, vouches=True)],
    "github": [
        Proof(_over_body("x-hub-signature-256", "sha256={hex}"), topic="x-github-event"),
    ],
    "google-ads": [Proof(_nothing, vouches=True)],
    "gohighlevel": [Proof(_highlevel)],
    "header-token": [Proof(lambda _s, key, _n: {"x-webhook-secret": key}, vouches=True)],
    "hmac": [Proof(_hmac, ("x-timestamp",))],
    "hubspot": [
        Proof(_hubspot("v3"), ("x-hubspot-request-timestamp",), address=True),
        Proof(_hubspot("v2"), ("x-hubspot-signature-version",), address=True),
        Proof(_hubspot("v1"), ("x-hubspot-signature-version",)),
    ],
    "indiamart": [Proof(_nothing, vouches=True)],
    "intercom": [Proof(_over_body("x-hub-signature", "sha1={hex}", "sha1"))],
    "jotform": [Proof(_nothing, vouches=True)],
    "justdial": [Proof(_nothing, vouches=True)],
    "leadsquared": [Proof(lambda _s, key, _n: {"x-api-key": key}, vouches=True)],
    "meta": [Proof(_over_body("x-hub-signature-256", "sha256={hex}"))],
    "pipedrive": [Proof(_login, vouches=True)],
    "razorpay": [Proof(_over_body("x-razorpay-signature"))],
    "salesforce": [Proof(_nothing, vouches=True)],
    "salla": [Proof(_over_body("x-salla-signature"))],
    "shopify": [
        Proof(_over_body("x-shopify-hmac-sha256", "{b64}"), topic="x-shopify-topic"),
        Proof(_over_body("shopify-hmac-sha256", "{b64}"), topic="shopify-topic"),
    ],
    "slack": [Proof(_slack, ("x-slack-request-timestamp",))],
    "standard-webhooks": [
        Proof(_standard(_whsec), STANDARD),
        Proof(_standard(_whsec, "svix"), ("svix-id", "svix-timestamp")),
    ],
    "stripe": [Proof(_stripe("stripe-signature"))],
    "tally": [Proof(_over_body("tally-signature", "{b64}"))],
    "twilio": [Proof(_twilio, address=True)],
    "typeform": [Proof(_over_body("typeform-signature", "sha256={b64}"))],
    "unleashx": [Proof(_nothing, vouches=True)],
    "url-token": [Proof(_nothing, vouches=True)],
    "whatsapp": [Proof(_over_body("x-hub-signature-256", "sha256={hex}"))],
    "woocommerce": [Proof(_woo, topic="x-wc-webhook-topic")],
    "zendesk": [Proof(_zendesk, ("x-zendesk-webhook-signature-timestamp",))],
    "zoho": [Proof(lambda _s, key, _n: {"x-webhook-secret": key}, vouches=True)],
}
# Those that sign some fields of their body: what is read of them is theirs or the address vouches,
# and test_secrets_in_requests.py holds them to it.
OF_FIELDS = {"myfatoorah", "payu", "sns", "tap"}
# The topics that stand in headers which nobody signs.
TOPICS = {
    "shopify": "app/uninstalled carts/create checkouts/create checkouts/delete customers/create"
    " customers/data_request customers/delete customers/redact customers_marketing_consent/update"
    " draft_orders/create fulfillments/create orders/cancelled orders/create orders/delete"
    " orders/edited orders/fulfilled orders/paid orders/updated refunds/create shop/redact",
    "woocommerce": "coupon.created customer.created customer.deleted customer.updated"
    " order.created order.deleted order.restored order.updated product.created action.anything",
    "github": "issues issue_comment ping pull_request push release workflow_run status",
}
# Of the samples, those whose signed body asks for something beside a call.
ASKS = {
    ("shopify", "customers/redact"): {"forget"},
    ("shopify", "customers/data_request"): {"export"},
    ("shopify", "orders/cancelled"): {"cancel"},
    ("hubspot", "batch"): {"forget"},
    ("unleashx", "session-ended"): {"ended"},
    ("unleashx", "execution"): {"ended"},
}
# What tells an event where it is not signed; whoever forges may add any of them.
HINTS = {
    "topic": "x-shopify-topic shopify-topic x-wc-webhook-topic x-github-event x-topic topic",
    "id": "x-shopify-webhook-id x-shopify-event-id x-wc-webhook-delivery-id x-wc-webhook-id"
    " x-github-delivery x-razorpay-event-id x-zendesk-webhook-invocation-id"
    " i-twilio-idempotency-token x-request-id svix-id webhook-id x-event-id",
    "time": "x-shopify-triggered-at shopify-triggered-at date webhook-timestamp svix-timestamp"
    " x-hubspot-request-timestamp",
    "account": "x-shopify-shop-domain shopify-shop-domain x-wc-webhook-source x-zendesk-account-id",
}
BATCHES = {
    ("hubspot", "batch"): 4,
    ("meta", "batch"): 3,
    ("salesforce", "batch"): 2,
    ("zoho", "Leads.update"): 2,
    ("whatsapp", "batch"): 2,
}


@dataclass
class Desk:
    """The receiver, and what it puts into its queue."""

    secret: str = ""
    routes: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)

    def client(self, name: str) -> Any:
        secret = {"SecretString": json.dumps({self.source: self.secret})}
        if name == "secretsmanager":
            return SimpleNamespace(get_secret_value=lambda **_: secret)
        return SimpleNamespace(send_message_batch=self._send)

    source: str = ""

    def _send(self, *, Entries: list[dict[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803 - as SQS calls it
        self.messages += [json.loads(entry["MessageBody"]) for entry in Entries]
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def post(self, sent: Sent) -> tuple[int, list[dict[str, Any]]]:
        """The status, and what is asked for: every message's call."""
        self.messages.clear()
        reply = receiver.handler(sent.event(), Lambda())
        return reply["statusCode"], [
            one.get("call", one) for one in self.messages if one["kind"] != "event"
        ]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Desk]]:
    def make(source: str, secret: str, routes: str) -> Desk:
        one = Desk(secret=secret, source=source)
        file = tmp_path / "routes.toml"
        file.write_text(routes)
        monkeypatch.setattr(receiver, "ROUTES", file)
        monkeypatch.setattr(receiver, "SecretsManager", lambda: one.client("secretsmanager"))
        monkeypatch.setattr(receiver, "Sqs", lambda: one.client("sqs"))
        monkeypatch.setenv("RINGHOOK_QUEUE_URL", "https://queue")
        monkeypatch.setenv("RINGHOOK_SIGNING_SECRETS", "arn:signing")
        monkeypatch.delenv("RINGHOOK_PUBLIC_URL", raising=False)
        receiver._receiver.cache_clear()
        return one

    yield make
    receiver._receiver.cache_clear()


def routes_of(provider: str, source: str, settings: dict[str, Any], topic: str) -> str:
    """Routes that take everything, what is named, one thing by its key, and a wish."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    topics = [one for one in TOPICS.get(provider, "").split() if not _never_rings(one)]
    call = 'call = { agent_id = 1, phone_number = "+14155550123" }\n'
    text = f'countries = ["US"]\n[sources.{source}]\nprovider = "{provider}"\n'
    text += "\n".join(lines)
    if provider == "unleashx":  # it asks for no calls, so no route may name it
        return f"routes = []\n{text}"
    text += f'\n[[routes]]\nname = "all"\nsource = "{source}"\n{call}'
    if topics:
        text += f'\n[[routes]]\nname = "named"\nsource = "{source}"\non = {json.dumps(topics)}\n'
        text += call
        ends = [one for one in TOPICS[provider].split() if one.endswith(("cancelled", "deleted"))]
        text += f'\n[[routes]]\nname = "keyed"\nsource = "{source}"\n{call}'
        text += f'policy.key = "{{{{ id || token }}}}"\npolicy.cancelled_by = {json.dumps(ends)}\n'
    if provider == "shopify":
        text += f'\n[[routes]]\nname = "wish"\nsource = "{source}"\naction = "suppress"\n'
        text += 'on = ["customers_marketing_consent/update", "customers/delete"]\n'
        text += 'record = { phone_number = "+14155550123" }\n'
    if provider == "twilio":
        text += f'\n[[routes]]\nname = "keyed"\nsource = "{source}"\n{call}'
        text += 'policy.key = "{{ MessageSid || CallSid }}"\n'
    assert topic in ("", *TOPICS.get(provider, "").split()) or provider not in TOPICS
    return text


def _never_rings(topic: str) -> bool:
    return topic.endswith(("redact", "request", "/delete", ".deleted", "uninstalled", "ping"))


def variants(sent: Sent, proof: Proof, provider: str, now: datetime) -> Iterator[Sent]:
    """The request with everything else that whoever captured it could have written."""
    proving = set(proof.sign(sent, SECRETS[provider], now))
    fixed = proving | set(proof.covers)
    other = {
        "topic": [*TOPICS.get(provider, "").split(), "invented", "orders/create,customers/redact"],
        "id": ["another-id", "", "1,2"],
        "time": [now.isoformat(), _stamp(now), "2000-01-01T00:00:00Z", "2099-01-01T00:00:00Z"],
        "account": ["another.example", ""],
    }
    for name in sent.headers.keys() - fixed:
        yield sent.without(name)
        if name != "content-type":
            yield sent.but({name: sent.headers[name] + "0"})
            yield sent.but({name: f"{sent.headers[name]},{sent.headers[name]}"})
    for kind, names in HINTS.items():
        for name in set(names.split()) - fixed:
            yield from (sent.but({name: value}) for value in other[kind])
    if proof.topic:
        yield from _of_another_topic(sent, proof.topic, other["topic"], fixed, now)
    if not proof.vouches and provider != "twilio":
        for kind in (JSON, FORM, "text/plain", f"{JSON}; charset=latin-1", f"{FORM}; charset=gbk"):
            yield sent.but({"content-type": kind})
    if not proof.address and not proof.vouches:
        yield sent.but(query="a=1")
        yield sent.but(query="topic=orders/create&id=2&id=3")


def _of_another_topic(
    sent: Sent, header: str, topics: list[str], fixed: set[str], now: datetime
) -> Iterator[Sent]:
    """Another topic, and a time and an id to go with it."""
    for topic in topics:
        hints = {name: now.isoformat() for name in HINTS["time"].split() if name not in fixed}
        hints |= {name: f"id {topic}" for name in HINTS["id"].split() if name not in fixed}
        yield sent.but(hints).but({header: topic})


SECRETS = {name: library.find(name).secret for name in library.providers()}
CASES = [
    pytest.param(name, one, proof, id=f"{name}-{one}-{index}")
    for name in PROOFS
    for one in library.names(name)
    # What comes by GET is signed by nobody, and has no body that a signature could cover.
    if library.find(name, one).body
    for index, proof in enumerate(PROOFS[name])
]


def genuine(provider: str, name: str, proof: Proof, now: datetime) -> Sent:
    """The sample, as its sender would have sent it for something of three days ago."""
    chance = random.Random(0)  # noqa: S311 - ids of samples
    sample = library.find(provider, name)
    fresh = sample.fresh(now - AGE if provider != "gohighlevel" else now, sample.secret, chance)
    headers = dict(fresh.headers)
    if proof.topic == "shopify-topic":
        headers = {key.removeprefix("x-"): value for key, value in headers.items()}
    plain = Sent(fresh.source, fresh.query, headers, fresh.body)
    return plain.but(proof.sign(plain, sample.secret, now))


def test_it_is_written_down_what_every_sender_signs() -> None:
    assert set(library.providers()) == PROOFS.keys() | OF_FIELDS


@pytest.mark.parametrize(("provider", "name", "proof"), CASES)
def test_what_nobody_signed_makes_no_second_call_and_ends_nothing(
    provider: str, name: str, proof: Proof, desk: Callable[..., Desk]
) -> None:
    now = datetime.now(UTC)
    sample = library.find(provider, name)
    sent = genuine(provider, name, proof, now)
    one = desk(
        sample.source,
        sample.secret,
        routes_of(provider, sample.source, sample.settings, sent.headers.get(proof.topic, "")),
    )
    status, first = one.post(sent)
    assert status in {200, 202}
    asks = ASKS.get((provider, name), set())
    assert {call["kind"] for call in first if call.get("kind", "call") != "call"} == asks
    rung: dict[str, set[str]] = {}
    times: dict[str, datetime] = {}
    for altered in (sent, *variants(sent, proof, provider, now)):
        _, calls = one.post(altered)
        for call in calls:
            kind = call.get("kind", "call")
            if kind == "call" and not call.get("unmapped"):
                rung.setdefault(call["route"], set()).add(call["call_id"])
                at = datetime.fromisoformat(call["occurred_at"])
                times[call["route"]] = max(at, times.get(call["route"], at))
            elif kind != "call":
                assert kind in asks, (kind, altered.headers)
    for route, ids in rung.items():
        assert len(ids) <= BATCHES.get((provider, name), 1), route
    if asks & {"forget", "export"} and (provider, name) not in BATCHES:
        assert rung == {}
    # The time that the sender signed, where there is one: what was sent anew is as old as it was.
    if not {provider, name} & UNTIMED and rung:
        assert max(times.values()) <= now - AGE + timedelta(hours=1)


# Forms of Twilio and of pages have no time, nor has a workflow's body; HighLevel's must be fresh.
UNTIMED = {
    "acuity",
    "contact-form-7",
    "elementor",
    "framer",
    "freshdesk",
    "gohighlevel",
    "twilio",
    "workflow",
    "wpforms",
}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        *((name, "", "") for name in library.names("twilio")),
        # Only some accounts are sent an OptOutType, and a word of one's own is only told by it.
        ("opt-out", "&OptOutType=STOP", ""),
        ("opt-out", "Body=Stop", "Body=Arret"),
    ],
)
def test_a_signed_form_makes_one_call_however_it_is_cut(
    name: str, old: str, new: str, desk: Callable[..., Desk]
) -> None:
    now = datetime.now(UTC)
    [proof] = PROOFS["twilio"]
    sent = genuine("twilio", name, proof, now)
    assert old.encode() in sent.body
    sent = sent.but(body=sent.body.replace(old.encode(), new.encode()))
    sent = sent.but(_twilio(sent, SECRETS["twilio"], now))
    one = desk(sent.source, SECRETS["twilio"], routes_of("twilio", sent.source, {}, ""))
    rung: dict[str, set[str]] = {}
    for altered in (sent, *recut(sent)):
        assert (
            _twilio(altered, SECRETS["twilio"], now)["x-twilio-signature"]
            == (sent.headers["x-twilio-signature"])
        )
        for call in one.post(altered)[1]:
            if not call.get("unmapped") and call.get("kind", "call") == "call":
                rung.setdefault(call["route"], set()).add(call["call_id"])

    assert {route: len(ids) for route, ids in rung.items()} == (
        {} if name == "opt-out" else {"all": 1, "keyed": 1}
    )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", '{"phone": "+14155550123", "prénom": "Zoé", "note": "où"}'),
        ("application/x-www-form-urlencoded", "phone=%2B14155550123&pr%E9nom=Zo%E9&note=o%F9"),
    ],
)
def test_a_charset_that_nobody_signed_makes_no_second_event_of_a_body(
    kind: str, body: str, desk: Callable[..., Desk]
) -> None:
    secret = "a secret of the app"
    raw = body.encode("latin-1")
    signature = hmac.new(secret.encode(), raw, "sha256").hexdigest()
    one = desk("app", secret, routes_of("hmac", "app", {"header": "x-signature"}, ""))
    rung = set()
    for charset in ("", "latin-1", "cp1252", "iso-8859-5", "gbk", "koi8-r", "macintosh"):
        declared = f"{kind}; charset={charset}" if charset else kind
        sent = Sent(
            source="app",
            query="",
            body=raw,
            headers={"content-type": declared, "x-signature": signature},
        )
        rung |= {call["call_id"] for call in one.post(sent)[1] if not call.get("unmapped")}

    assert len(rung) == 1


def recut(sent: Sent) -> Iterator[Sent]:
    """Other forms, and other addresses, that come to the very text that was signed."""
    pairs = sorted(set(parse_qsl(sent.body.decode(), keep_blank_values=True)))
    yield sent.but(body=sent.body + b"&" + sent.body)
    for name, value in pairs:
        yield sent.but(body=sent.body + b"&" + urlencode({name: value}).encode())
    cuts: list[list[tuple[str, str]]] = []
    for index, (name, value) in enumerate(pairs):
        rest, after = pairs[:index], pairs[index + 1 :]
        whole = name + value
        # Another border between a name and its value.
        cuts += [[*rest, (whole[:at], whole[at:]), *after] for at in range(1, len(whole) + 1)]
        # A value in two fields.
        cuts += [
            [*rest, (name, value[:at]), (value[at:end], value[end:]), *after]
            for at in range(len(value))
            for end in range(at + 1, len(value) + 1)
        ]
        if after:
            # Two fields in one.
            cuts.append([*rest, (name, value + "".join(after[0])), *after[1:]])
    signed = "".join(name + value for name, value in pairs)
    for cut in cuts:
        if "".join(name + value for name, value in sorted(set(cut))) == signed:
            yield sent.but(body=urlencode(cut).encode())


def test_an_order_under_the_topic_of_an_erasure_is_kept_and_one_of_an_erasure_is_not(
    desk: Callable[..., Desk],
) -> None:
    now = datetime.now(UTC)
    proof = PROOFS["shopify"][0]
    for name, topic in (
        ("orders/create", "customers/redact"),
        ("customers/redact", "orders/create"),
    ):
        sent = genuine("shopify", name, proof, now).but({"x-shopify-topic": topic})
        one = desk(sent.source, SECRETS["shopify"], routes_of("shopify", sent.source, {}, topic))

        status, [kept] = one.post(sent)

        assert status == 202
        assert kept["unmapped"]
        payload = gzip_of(kept["payload"])
        if name == "orders/create":
            assert sent.body.decode() in json.loads(payload).values()
        else:
            phone = json.loads(sent.body)["customer"]["phone"]
            assert phone not in payload
            assert hashlib.sha256(sent.body).hexdigest() in payload


def gzip_of(packed: str) -> str:
    import gzip

    return gzip.decompress(base64.b64decode(packed)).decode()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_source_of_hubspots_version_3_takes_no_older_one(
    version: str, desk: Callable[..., Desk]
) -> None:
    now = datetime.now(UTC)
    newest = PROOFS["hubspot"][0]
    sent = genuine("hubspot", "contact.creation", newest, now)
    both = sent.but(_hubspot(version)(sent, SECRETS["hubspot"], now))
    stripped = both.without("x-hubspot-signature-v3", "x-hubspot-request-timestamp")
    for settings, status in (({"signature": "v3"}, 401), ({"signature": "any"}, 202)):
        text = routes_of("hubspot", sent.source, settings, "")
        one = desk(sent.source, SECRETS["hubspot"], text)
        assert one.post(stripped)[0] == status
        assert one.post(both)[0] == 202
