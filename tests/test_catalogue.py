"""The promises that every provider keeps: a new one is held to them by its file and its samples.

What its `sample.toml` may hold for this, beside what `ringhook_ops.samples.library` reads:

    account = "…"        # what `tenant` is to be pinned to, where events name their account
    [[handshakes]]       # how the sender proves the address, and the answer that it wants
    method = "GET"       # left out: POST
    query = "verify={secret}&challenge=42"
    body = "…"           # with `signed = true` it is signed like a webhook
    headers = { … }
    status = 200
    answer = "42"        # a table, if JSON

    [[again]]            # what changes when the sender sends the same event again, beside counters
    [[test]]             # what makes a sample one of the sender's tests
    [[never]]            # what makes it one that `never_when` is about
    sample = "…"         # which; left out: the first
    body = { "data.livemode" = false }
    text = { "<DoNotCall>false" = "<DoNotCall>true" }  # in a body that is no JSON and no form
    headers = { … }
"""

import base64
import copy
import dataclasses
import functools
import importlib
import json
import random
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ringhook.calls.call import Call
from ringhook.clients.queue import CallQueue
from ringhook.clients.secret_store import SecretStore
from ringhook.errors import (
    BadRequestError,
    MisfitError,
    RejectedError,
    RinghookError,
    UnavailableError,
)
from ringhook.reading import checked
from ringhook.receiver import Receiver, Tasks, through_queue
from ringhook.routing.routes_file import load
from ringhook.senders import providers, signatures
from ringhook.senders.providers import Event, Provider, sns
from ringhook.senders.providers._signed_fields import SignedFields
from ringhook.senders.request import Reply, Request, from_gateway
from ringhook.senders.signatures import Scheme
from ringhook.telemetry import metrics
from ringhook_ops.samples import gateway, library, signing, webhooks
from ringhook_ops.samples.library import Sample

NOW = datetime(2026, 7, 14, 15, tzinfo=UTC)
# When the events happened: not now, or a time that is not read would look like one that is.
THEN = NOW - timedelta(seconds=100)
VECTORS = [
    pytest.param(vector, id=vector["id"])
    for file in sorted(Path(__file__).parent.glob("vectors-*.json"))
    for vector in json.loads(file.read_text())
]
CATALOGUE = library.providers()
RING = """
countries = ["US"]
[sources.{source}]
{settings}
[[routes]]
name = "ring"
source = "{source}"
call = {{ agent_id = 1, phone_number = '{phone}' }}
policy = {{ calling_hours = "any" }}
"""


@dataclass(frozen=True)
class Case:
    """A sample, proven by one of the schemes that its provider has."""

    sample: Sample
    provider: Provider
    scheme: Scheme
    # Whether the sample itself holds the proof: a token in its body or address.
    carried: bool

    def webhook(
        self,
        *,
        secret: str = "",
        then: datetime = THEN,
        now: datetime = NOW,
        seed: int = 0,
        change: "Change | None" = None,
    ) -> Request:
        """The sample as an event of `then`, signed `now`; the same `seed`, the same ids."""
        return self.signed(self.unsigned(then=then, seed=seed, change=change), secret, now)

    def unsigned(
        self, *, then: datetime = THEN, seed: int = 0, change: "Change | None" = None
    ) -> Request:
        """The sample without a proof that is not part of its body."""
        chance = random.Random(seed)  # noqa: S311 - the ids of samples are no secret
        fresh = self.sample.fresh(then, self.sample.secret, chance)
        for path, value in (change.body if change else {}).items():
            fresh = fresh.with_field(path, json.dumps(value))
        for old, new in (change.text if change else {}).items():
            assert old.encode() in fresh.body
            fresh = replace(fresh, body=fresh.body.replace(old.encode(), new.encode()))
        # An id that the scheme signs is the event's, and so the sample's, whatever it is called.
        id_header = getattr(self.scheme, "id_header", "")
        named = {id_header: f"msg_{chance.getrandbits(64):x}"} if id_header else {}
        return Request(
            source=fresh.source,
            method=fresh.method,
            url=f"https://{gateway.DOMAIN}/hooks/{fresh.source}"
            + f"?{fresh.query}" * bool(fresh.query),
            headers=named | fresh.headers | (change.headers if change else {}),
            body=fresh.body,
            received_at=NOW,
        )

    def signed(self, request: Request, secret: str = "", now: datetime = NOW) -> Request:
        """The request with the proof of this scheme, received when it is signed."""
        own = self.sample.secret
        request = replace(request, received_at=now)
        if secret:
            # A sender may write the secret itself into the address or the body.
            request = replace(
                request,
                url=request.url.replace(own, secret),
                body=request.body.replace(own.encode(), secret.encode()),
            )
        if self.carried:
            return request
        return signing.sign(
            replace(self.provider, schemes=(self.scheme,)), request, secret or own, now
        )

    def signs(self, *, change: Callable[[Request], Request], now: datetime = NOW) -> bool:
        """Whether the proof is another one for a request that differs so, or at another time."""
        plain = self.unsigned()
        before, after = self.signed(plain), self.signed(change(plain), now=now)
        return _proof(plain, before) != _proof(change(plain), after)

    @property
    def signs_body(self) -> bool:
        """Whether it signs all of it: what is signed of fields alone is tested by itself."""
        if isinstance(self.scheme, SignedFields | sns.Signature):
            return False
        return bool(self.sample.body) and self.signs(change=_with_another_byte)

    @property
    def signs_time(self) -> bool:
        return self.signs(change=lambda request: request, now=NOW + timedelta(hours=1))


@dataclass(frozen=True)
class Change:
    """What a table of `sample.toml` changes in a sample."""

    body: dict[str, Any]
    text: dict[str, str]
    headers: dict[str, str]


def _proof(unsigned: Request, signed: Request) -> dict[str, str]:
    """What signing added to a request: headers, and the address if it holds a secret."""
    added = {
        name: value for name, value in signed.headers.items() if unsigned.headers.get(name) != value
    }
    return added | ({"url": signed.url} if signed.url != unsigned.url else {})


def _with_another_byte(request: Request, place: int = -2) -> Request:
    body = bytearray(request.body or b"  ")
    body[place] ^= 1
    return replace(request, body=bytes(body))


@functools.cache
def _about(provider: str) -> dict[str, Any]:
    return tomllib.loads((library.FOLDER / provider / "sample.toml").read_text())


@functools.cache
def _cases(provider: str) -> tuple[Case, ...]:
    return tuple(_found(provider))


def _found(provider: str) -> Iterator[Case]:
    for name in library.names(provider):
        sample = library.find(provider, name)
        adapted = webhooks.provider_of(sample, None, sample.source)
        bare = Request(
            source=sample.source,
            method="POST",
            url=f"https://example.com/?{sample.query}",
            headers=sample.headers,
            body=sample.body,
            received_at=NOW,
        )
        carried = [scheme for scheme in adapted.schemes if scheme.applies(bare)]
        for scheme in carried or adapted.schemes:
            case = Case(sample, adapted, scheme, bool(carried))
            if carried or _can_sign(case):
                yield case


def _can_sign(case: Case) -> bool:
    """Whether the proof can be added; one that stands in the body is tried with what has it."""
    try:
        case.webhook()
    except NotImplementedError:
        return False
    return True


def _id(case: Case) -> str:
    schemes = case.provider.schemes
    scheme = f"-{schemes.index(case.scheme)}" * (len(schemes) > 1)
    return f"{case.sample.provider}-{case.sample.name}{scheme}"


EVERY = [case for name in CATALOGUE for case in _cases(name)]


def _each(condition: Callable[[Case], bool]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "case", [pytest.param(case, id=_id(case)) for case in EVERY if condition(case)]
    )


every_case = _each(lambda _: True)
# A shared secret signs nothing: it vouches for whatever comes with it.
every_signing_case = _each(lambda case: case.signs_body)
every_timed_case = _each(lambda case: case.signs_time)
every_case_with_ids = _each(lambda case: case.unsigned(seed=1) != case.unsigned(seed=2))
every_case_with_accounts = _each(lambda case: case.provider.tenant is not None)
every_provider = pytest.mark.parametrize("name", CATALOGUE)


def _changes(kind: str) -> list[Any]:
    """The samples that a kind of table of `sample.toml` makes, each by its first scheme."""
    return [
        pytest.param(
            next(c for c in _cases(name) if table.get("sample", c.sample.name) == c.sample.name),
            Change(*(table.get(part, {}) for part in ("body", "text", "headers"))),
            id=f"{name}-{index}",
        )
        for name in CATALOGUE
        for index, table in enumerate(_about(name).get(kind, ()))
    ]


@pytest.fixture(autouse=True)
def _no_metrics() -> Iterator[None]:
    yield
    metrics.clear_metrics()


@dataclass(frozen=True)
class Outcome:
    reply: Reply
    calls: tuple[Call, ...]


def answer(
    case: Case,
    request: Request,
    secrets: Sequence[str] = (),
    *,
    phone: str = "+14155550123",
    tenant: str = "",
) -> Outcome:
    """What the receiver makes of a request, with a route that rings for every event."""
    settings = {"provider": case.sample.provider, **case.sample.settings}
    if tenant:
        settings["tenant"] = tenant
    # TOML writes texts, numbers, booleans and lists of them as JSON does.
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
    text = RING.format(source=request.source, settings=lines, phone=phone)
    if case.provider.ending:
        # Its source asks for no calls, and no route may take its events: another's asks for some.
        sources, _, route = text.partition("[[routes]]")
        route = route.replace(f'source = "{request.source}"', 'source = "another"')
        text = f'{sources}[sources.another]\nprovider = "bearer"\n[[routes]]{route}'
    kept = {request.source: list(secrets) or case.sample.secret}
    vault = SimpleNamespace(
        get_secret_value=lambda **_: {"SecretString": json.dumps(kept)},
    )
    queue = CallQueue(cast("Any", SimpleNamespace(send_message_batch=lambda **_: {})), "")
    taken: list[Call] = []

    def deliver(tasks: Tasks, unmapped_status: int) -> Reply:
        taken.extend(task for task in tasks if isinstance(task, Call))
        return through_queue(queue)(tasks, unmapped_status)

    receiver = Receiver(
        routes=_routes(text),
        secrets=SecretStore(cast("Any", vault), "arn", lambda: 0.0),
        deliver=deliver,
        visit=lambda _url: None,
    )
    reply = receiver.answer(request)
    return Outcome(reply, tuple(taken))


# They are the same for thousands of requests.
_routes = functools.cache(load)


def events(case: Case, request: Request) -> list[Event]:
    return case.provider.events(request, case.provider.payload(request))


def _as_demanded(case: Case, outcome: Outcome) -> bool:
    """Whether the answer is a success in the form that the sender demands."""
    accepted = case.provider.accepted
    if isinstance(accepted, Reply):
        return outcome.reply == accepted
    return outcome.reply.status in ({accepted} if accepted else {200, 202})


def _refused(case: Case, request: Request, secrets: Sequence[str] = ()) -> str:
    """Why the receiver refuses the request."""
    with pytest.raises(RejectedError) as refused:
        answer(case, request, secrets)
    return str(refused.value)


def another(secret: str) -> str:
    """Another secret of the same form: text, hexadecimal, base64 or `whsec_…`.

    A key pair's cannot be made up: there `sample.toml` says `another`.
    """
    for about in map(_about, CATALOGUE):
        if about["secret"] == secret and "another" in about:
            return str(about["another"])
    start, underscore, rest = secret.rpartition("_")
    forms = str.maketrans("0123456789abcdef", "1234567890bcdefa")
    return start + underscore + rest.translate(forms)


# Who it is from.


@every_provider
def test_there_is_a_signed_sample(name: str) -> None:
    assert _cases(name), f"teach ringhook_ops.samples.signing to sign as {name} does"


def _asking(case: Case) -> list[Event]:
    """The events that may ask for a call; who tells how calls end asks for none."""
    asks = not case.provider.ending
    return [event for event in events(case, case.webhook()) if asks and not event.never]


@every_case
def test_a_genuine_webhook_is_answered_as_the_sender_demands(case: Case) -> None:
    outcome = answer(case, case.webhook())

    assert len(outcome.calls) == len(_asking(case))
    assert _as_demanded(case, outcome)


@every_case
def test_the_proof_holds_however_the_gateway_encodes_the_body(case: Case) -> None:
    webhook = case.webhook()
    plain = {"body": webhook.body.decode(), "isBase64Encoded": False}
    encoded = {"body": base64.b64encode(webhook.body).decode(), "isBase64Encoded": True}

    for form in (plain, encoded):
        event = gateway.event(webhook) | form
        received = from_gateway(event, public_url="", received_at=NOW)
        assert answer(case, received) == answer(case, webhook)


@every_signing_case
def test_a_changed_byte_is_refused(case: Case) -> None:
    webhook = case.webhook()

    for place in (0, len(webhook.body) // 2, -1):
        _refused(case, _with_another_byte(webhook, place))


@every_case
def test_another_secret_is_refused(case: Case) -> None:
    other = another(case.sample.secret)
    assert other != case.sample.secret

    _refused(case, case.webhook(), [other])
    _refused(case, case.webhook(secret=other))


@every_case
def test_both_secrets_hold_during_a_rotation(case: Case) -> None:
    old, new = case.sample.secret, another(case.sample.secret)

    for secret in (old, new):
        for order in ([old, new], [new, old]):
            assert answer(case, case.webhook(secret=secret), order).reply.status < 300


@every_case
def test_nothing_is_genuine_without_a_secret(case: Case) -> None:
    with pytest.raises(UnavailableError):
        answer(case, case.webhook(), [""])


@every_case
def test_a_request_without_its_proof_is_refused(case: Case) -> None:
    webhook, plain = case.webhook(), case.unsigned()
    own = _proof(plain, webhook)
    named = {
        getattr(case.scheme, field.name)
        for field in dataclasses.fields(cast("Any", case.scheme))
        if field.name.endswith("header")
    } & webhook.headers.keys()
    secret = {
        name
        for name, value in _proof(plain, case.webhook(secret=another(case.sample.secret))).items()
        if own.get(name) != value
    }

    for name in named | secret - {"url"}:
        headers = {key: value for key, value in webhook.headers.items() if key != name}
        _refused(case, replace(webhook, headers=headers))
    if case.sample.secret in webhook.url:
        _refused(case, replace(webhook, url=webhook.url.partition("?")[0]))


@every_timed_case
def test_a_stale_signature_is_refused(case: Case) -> None:
    tolerance = getattr(case.scheme, "tolerance", signatures.TOLERANCE)
    webhook = case.webhook()

    for seconds in (tolerance - 1, 1 - tolerance):
        late = replace(webhook, received_at=NOW + timedelta(seconds=seconds))
        assert answer(case, late).reply.status < 300
    for seconds in (tolerance + 1, -tolerance - 1):
        late = replace(webhook, received_at=NOW + timedelta(seconds=seconds))
        assert "stale" in _refused(case, late)


@pytest.mark.parametrize("vector", VECTORS)
def test_known_signatures_are_judged_as_their_origin_does(vector: dict[str, Any]) -> None:
    provider = providers.find(vector["provider"])
    settings = {"provider": vector["provider"], **vector.get("settings", {})}
    adapted = provider.adapt(provider, checked.read(provider.settings, settings))
    now = datetime.fromtimestamp(vector["now"], UTC) if vector.get("now") else NOW
    request = Request(
        source="known",
        method=vector.get("method", "POST"),
        url=vector.get("url") or "https://hooks.example.com/hooks/known",
        headers={name.lower(): value for name, value in vector["headers"].items()},
        body=vector["body"].encode(),
        received_at=now,
    )

    if vector["valid"]:
        signatures.verify(adapted.schemes, request, [vector["secret"]], now)
    else:
        with pytest.raises(RejectedError):
            signatures.verify(adapted.schemes, request, [vector["secret"]], now)


# What it says.


@every_case
def test_topic_and_time_are_read(case: Case) -> None:
    webhook = case.webhook()
    found = events(case, webhook)

    assert found
    if case.provider.has_topics:
        topics = {event.topic for event in found}
        assert all(topics)
        if case.provider.topics:
            assert topics <= set(case.provider.topics)
        if len(topics) == 1 and case.sample.name in case.provider.topics:
            assert topics == {case.sample.name}
    for item, event in zip(case.provider.items(case.provider.payload(webhook)), found, strict=True):
        if case.provider.occurred_at(webhook, item) is not None:
            assert THEN - timedelta(hours=1) <= event.occurred_at <= THEN + timedelta(minutes=1)


@every_provider
def test_a_time_that_is_sent_is_read(name: str) -> None:
    if _about(name).get("times"):
        times = {e.occurred_at for case in _cases(name) for e in events(case, case.webhook())}
        assert times != {NOW}


@every_case
def test_an_event_is_the_same_when_it_is_sent_again(case: Case) -> None:
    again = case.unsigned()
    changed = replace(again, body=_with_counters_up(again.body))
    later = NOW + timedelta(hours=6)

    first = [event.event_id for event in events(case, case.webhook())]
    second = [event.event_id for event in events(case, case.signed(changed, now=later))]

    assert first == second


@pytest.mark.parametrize(("case", "change"), _changes("again"))
def test_an_event_is_the_same_with_what_its_sender_changes(case: Case, change: Change) -> None:
    first = [event.event_id for event in events(case, case.webhook())]
    second = [event.event_id for event in events(case, case.webhook(change=change))]

    assert first == second


COUNTER = re.compile(r"(delivery_?)?(attempt|retry)s?(_?(number|count))?|retries", re.IGNORECASE)


def _with_counters_up(body: bytes) -> bytes:
    """A JSON body in which everything that counts attempts has counted on."""
    try:
        document = json.loads(body)
    except ValueError:
        return body

    def count(node: Any) -> None:
        if isinstance(node, list):
            for child in node:
                count(child)
        elif isinstance(node, dict):
            for key, child in node.items():
                if COUNTER.fullmatch(key) and type(child) is int:
                    node[key] = child + 1
                count(child)

    count(document)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


@every_case_with_ids
def test_other_ids_make_another_event(case: Case) -> None:
    first = {event.event_id for event in events(case, case.webhook(seed=1))}
    second = {event.event_id for event in events(case, case.webhook(seed=2))}

    assert len(first) == len(events(case, case.webhook()))
    assert not first & second


@every_provider
def test_two_topics_are_two_events(name: str) -> None:
    found = {
        (case.sample.name, event.event_id)
        for case in _cases(name)
        for event in events(case, case.webhook())
    }

    # A topic that nobody signed makes no event another: there the bodies must differ.
    if not providers.find(name).hints_topics:
        assert len({event_id for _, event_id in found}) == len(found)


@every_signing_case
def test_headers_that_are_not_signed_make_no_event_another(case: Case) -> None:
    """Whoever captured a webhook may write what he likes into them."""
    webhook = case.webhook()
    before = events(case, webhook)

    for name in webhook.headers.keys() - {"content-type"}:
        altered = replace(webhook, headers={**webhook.headers, name: webhook.headers[name] + "0"})
        try:
            signatures.verify(
                case.provider.schemes, altered, [case.sample.secret], altered.received_at
            )
        except RejectedError:
            continue
        try:
            after = events(case, altered)
        except MisfitError:
            # An erasure under another topic is no event at all.
            assert case.provider.privacy
            continue
        if [event.topic for event in after] == [event.topic for event in before]:
            assert [e.event_id for e in after] == [e.event_id for e in before], name


# What must not ring.


# What must have a shape of its own, for nobody signs its topic, and is no sample.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("shopify", "shop/redact"): {"shop_id": 954889, "shop_domain": "s.myshopify.com"},
    ("woocommerce", "customer.deleted"): {"id": 25},
    ("woocommerce", "order.deleted"): {"id": 727},
}
NEVER = [(name, topic) for name in CATALOGUE for topic in providers.find(name).never]


@every_provider
def test_topics_that_never_ring_are_topics_of_the_sender(name: str) -> None:
    provider = providers.find(name)
    if provider.topics:
        assert provider.never.keys() | provider.privacy.keys() <= set(provider.topics)


@pytest.mark.parametrize(("name", "topic"), NEVER)
def test_topics_that_must_never_ring_do_not(name: str, topic: str) -> None:
    case, webhook = _of_topic(name, topic)

    outcome = answer(case, webhook)

    assert outcome.calls == ()
    assert _as_demanded(case, outcome)


def _of_topic(name: str, topic: str) -> tuple[Case, Request]:
    """A webhook of this topic: a sample, or one in which the topic is written over."""
    cases = _cases(name)
    if (name, topic) in BODIES:
        plain = cases[0].unsigned()
        own = {plain.headers[h]: h for h in plain.headers}[cases[0].sample.name]
        body = json.dumps(BODIES[name, topic]).encode()
        written = replace(plain, body=body, headers={**plain.headers, own: topic})
        return cases[0], cases[0].signed(written)
    for case in sorted(cases, key=lambda case: case.sample.name != topic):
        webhook = case.webhook()
        if {event.topic for event in events(case, webhook)} == {topic}:
            return case, webhook
        now = events(case, webhook)[0].topic
        parts = list(zip(re.split(r"[./_]", now), re.split(r"[./_]", topic), strict=False))
        # As a value of its own, as part of one, or in parts that are values of their own.
        for edge, swaps in ((r"\b", [(now, topic)]), ("", [(now, topic)]), (r"\b", parts)):
            plain = case.unsigned()
            text, headers, url = plain.body.decode(), dict(plain.headers), plain.url
            for old, new in swaps:
                text = re.sub(f"{edge}{re.escape(old)}{edge}", new, text)
                if plain.method == "GET":
                    url = re.sub(f"{edge}{re.escape(old)}{edge}", new, url)
                headers = {k: new if v == old else v for k, v in headers.items()}
            written = case.signed(replace(plain, body=text.encode(), headers=headers, url=url))
            if {event.topic for event in events(case, written)} == {topic}:
                return case, written
    return pytest.fail(f"give {name} a sample of {topic}: none can be made of those that it has")


@pytest.mark.parametrize(("case", "change"), _changes("never"))
def test_events_that_must_never_ring_do_not(case: Case, change: Change) -> None:
    outcome = answer(case, case.webhook(change=change))

    assert any(event.never for event in events(case, case.webhook(change=change)))
    assert not outcome.calls or len(outcome.calls) < len(events(case, case.webhook()))


@every_provider
def test_every_reason_never_to_ring_is_shown(name: str) -> None:
    shown = {
        event.never
        for case, change in [
            *((case, None) for case in _cases(name)),
            *(tuple(p.values) for p in _changes("never") if p.values[0].sample.provider == name),
        ]
        for event in events(case, case.webhook(change=change))
    }
    demanded = set(providers.find(name).never_when.values())

    assert demanded <= shown, f"add [[never]] to {name}/sample.toml"


@pytest.mark.parametrize(("case", "change"), _changes("test"))
def test_the_senders_own_tests_are_known_as_such(case: Case, change: Change) -> None:
    assert all(call.test for call in answer(case, case.webhook(change=change)).calls)
    assert not any(call.test for call in answer(case, case.webhook()).calls)


@every_provider
def test_a_provider_that_marks_tests_shows_one(name: str) -> None:
    if providers.find(name).test is not _default("test"):
        assert "test" in _about(name), f"add [[test]] to {name}/sample.toml"


def _default(field: str) -> Any:
    return next(f.default for f in dataclasses.fields(Provider) if f.name == field)


@every_case_with_accounts
def test_another_account_is_refused_where_a_source_is_pinned_to_one(case: Case) -> None:
    webhook = case.webhook()
    accounts = case.provider.tenants(webhook, case.provider.payload(webhook))
    assert len(accounts) == 1
    account = accounts.pop()
    # An event that does not say which account it is of is refused as well.
    own = account not in {"", "None"}
    other = account[:-1] + ("8" if account[-1] == "9" else "9") if own else "another"

    if own:
        assert answer(case, webhook, tenant=account).reply.status < 300
    with pytest.raises(RejectedError, match="another account"):
        answer(case, webhook, tenant=other)


@every_provider
def test_a_provider_with_accounts_shows_one(name: str) -> None:
    if providers.find(name).tenant:
        accounts = {
            account
            for case in _cases(name)
            for webhook in [case.webhook()]
            for account in case.provider.tenants(webhook, case.provider.payload(webhook))
        }
        assert accounts - {"", "None"}
        if "account" in _about(name):
            assert accounts - {"", "None"} == {_about(name)["account"]}


# What it is answered.


HANDSHAKES = [
    pytest.param(name, handshake, id=f"{name}-{index}")
    for name in CATALOGUE
    for index, handshake in enumerate(_about(name).get("handshakes", ()))
]


@pytest.mark.parametrize(("name", "handshake"), HANDSHAKES)
def test_a_handshake_is_answered_and_rings_nobody(name: str, handshake: dict[str, Any]) -> None:
    case = _cases(name)[0]
    secret = case.sample.secret
    request = replace(
        case.unsigned(),
        method=handshake.get("method", "POST"),
        url=f"https://{gateway.DOMAIN}/hooks/{case.sample.source}"
        + (f"?{query}" if (query := handshake.get("query", "")) else ""),
        headers={key.lower(): value for key, value in handshake.get("headers", {}).items()},
        body=handshake.get("body", "").encode(),
    )
    request = replace(request, url=request.url.replace("{secret}", secret))
    if handshake.get("signed"):
        request = case.signed(request)

    if handshake["status"] == 401:
        _refused(case, request)
        return
    outcome = answer(case, request)

    assert outcome.calls == ()
    assert outcome.reply.status == handshake["status"]
    if "answer" in handshake:
        assert outcome.reply.body == handshake["answer"]


@every_provider
def test_a_provider_with_a_handshake_shows_it(name: str) -> None:
    provider = providers.find(name)
    if provider.greet is not _default("greet") or provider.challenge is not _default("challenge"):
        assert "handshakes" in _about(name), f"add [[handshakes]] to {name}/sample.toml"


@every_case
def test_an_event_of_which_no_call_can_be_made_is_answered_so_that_it_is_not_sent_again(
    case: Case,
) -> None:
    outcome = answer(case, case.webhook(), phone="{{ no.such.field }}")

    rings = _asking(case)
    assert [bool(call.unmapped) for call in outcome.calls] == [True] * len(rings)
    if case.provider.accepted:
        assert _as_demanded(case, outcome)
    elif rings:
        assert outcome.reply.status == case.provider.unmapped_status
    else:
        assert outcome.reply.status in {200, 202}


@every_provider
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_no_sender_is_told_that_a_source_of_his_is_gone(name: str, method: str) -> None:
    """To some of them, 404 or 410 means: never send anything here again."""
    for case in _cases(name):
        # Where events come by GET too, one in the address is an event.
        if case.sample.method != method and not (case.provider.gets and method == "GET"):
            outcome = answer(case, replace(case.webhook(), method=method))

            assert outcome.calls == ()
            assert outcome.reply.status not in {404, 410}
            assert method != "HEAD" or outcome.reply.status == 200


ODD: tuple[Any, ...] = (None, True, 0, "", "x", [], {}, [[]], {"id": {}}, 10**30)


@every_case
def test_genuine_nonsense_is_answered_or_called_unreadable(case: Case) -> None:
    """Whatever stands where something else should, no error of ours comes of it."""
    plain = case.unsigned()
    try:
        document = json.loads(plain.body)
    except ValueError:
        bodies = [plain.body[: len(plain.body) // 2], b"<a/>", b"=&=", b"\xff\xfe", b"null"]
    else:
        bodies = [json.dumps(odd).encode() for odd in ODD]
        chance = random.Random(0)  # noqa: S311 - the same ones every time
        bodies += [json.dumps(_spoilt(document, chance)).encode() for _ in range(20)]

    for body in bodies:
        try:
            outcome = answer(case, case.signed(replace(plain, body=body)))
        except (BadRequestError, RejectedError):
            continue
        except RinghookError as error:
            pytest.fail(f"{body[:200]!r}: {error!r}")
        assert outcome.reply.status in {200, 202, 422}


def _spoilt(document: Any, chance: random.Random) -> Any:
    """The document with something odd in one of its places."""
    spoilt = copy.deepcopy(document)
    places: list[tuple[Any, Any]] = []

    def visit(node: Any) -> None:
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in pairs:
            places.append((node, key))
            if isinstance(child, dict | list):
                visit(child)

    if isinstance(spoilt, dict | list):
        visit(spoilt)
    if places:
        node, key = chance.choice(places)
        node[key] = chance.choice(ODD)
    return spoilt


# The sender's own library, where there is one.


def _stripe(request: Request, secret: str, now: datetime) -> dict[str, str]:
    from stripe import WebhookSignature

    signature: str = WebhookSignature.generate_signature_header(
        request.body.decode(), secret, timestamp=int(now.timestamp())
    )
    return {"stripe-signature": signature}


def _svix(request: Request, secret: str, now: datetime) -> dict[str, str]:
    from svix.webhooks import Webhook

    signature = Webhook(secret).sign("msg_2718", now, request.body.decode())
    stamp = str(int(now.timestamp()))
    return {"svix-id": "msg_2718", "svix-timestamp": stamp, "svix-signature": signature}


def _standard(request: Request, secret: str, now: datetime) -> dict[str, str]:
    from standardwebhooks import Webhook

    signature = Webhook(secret).sign("msg_2718", now, request.body.decode())
    stamp = str(int(now.timestamp()))
    return {"webhook-id": "msg_2718", "webhook-timestamp": stamp, "webhook-signature": signature}


def _bigcommerce(request: Request, secret: str, now: datetime) -> dict[str, str]:
    # Its documentation hands the client secret to the same library, in base64.
    return _standard(request, base64.b64encode(secret.encode()).decode(), now)


OFFICIAL = [
    ("stripe", _stripe),
    ("standard-webhooks", _svix),
    ("standard-webhooks", _standard),
    ("bigcommerce", _bigcommerce),
]


@pytest.mark.parametrize(
    ("name", "library"), [pytest.param(*row, id=row[1].__name__[1:]) for row in OFFICIAL]
)
def test_what_the_senders_own_library_signs_is_genuine(
    name: str, library: Callable[[Request, str, datetime], dict[str, str]]
) -> None:
    for case in _cases(name):
        plain = case.unsigned()
        signed = replace(
            plain, headers={**plain.headers, **library(plain, case.sample.secret, NOW)}
        )

        assert answer(case, signed).reply.status < 300
        _refused(case, _with_another_byte(signed))
        _refused(case, signed, [another(case.sample.secret)])


def test_what_is_signed_here_is_genuine_to_razorpays_own_library() -> None:
    # Published without types.
    library = importlib.import_module("razorpay").Utility()

    for case in _cases("razorpay"):
        webhook = case.webhook()
        signature = webhook.headers["x-razorpay-signature"]
        assert library.verify_webhook_signature(
            webhook.body.decode(), signature, case.sample.secret
        )
