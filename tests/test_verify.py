"""`ringhook verify`: genuine, or exactly why not, and nothing claimed that is not so."""

import base64
import hashlib
import hmac
import html
import json
import random
import string
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from ringhook.reading import checked
from ringhook.senders import providers
from ringhook.senders.providers import Provider
from ringhook.senders.request import Request
from ringhook.senders.signatures import Basic, HeaderToken, Hmac, KeyForm
from ringhook_ops.cli import app
from ringhook_ops.diagnosis import verifying
from ringhook_ops.diagnosis.discovering import settings_for
from ringhook_ops.diagnosis.proving import headers_of
from ringhook_ops.diagnosis.verifying import Verdict, diagnose
from ringhook_ops.samples import gateway, library, signing, webhooks
from ringhook_ops.samples.library import Sample

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = base64.b64encode(hashlib.sha256(b"another").digest()).decode()
# A public key, and a secret in base64: no other text is one.
ANOTHER = {"gohighlevel": KEY, "standard-webhooks": f"whsec_{KEY}"}
EVERY_PROVIDER = pytest.mark.parametrize("name", providers.names())


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("RINGHOOK_SECRET", raising=False)


def sent(name: str, **options: Any) -> tuple[Provider, Request, str]:
    """A provider's usual webhook, signed now, its provider and the secret."""
    sample: Sample = library.find(name)
    request = webhooks.webhook(sample, None, now=NOW, **options)
    provider = webhooks.provider_of(sample, None, request.source)
    return provider, request, options.get("secret") or sample.secret


def run(*words: str, given: str | None = None, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, ["verify", *words], input=given, env=env)


def written(request: Request) -> str:
    return json.dumps(
        {
            "method": request.method,
            "url": request.url,
            "headers": dict(request.headers),
            "body_b64": base64.b64encode(request.body).decode(),
        }
    )


# ------------------------------------------------------------------------------- every provider
@EVERY_PROVIDER
def test_what_a_sender_signed_is_genuine(name: str) -> None:
    provider, request, secret = sent(name)

    verdict = diagnose(provider, request, secret, NOW)

    assert verdict.genuine
    assert verdict.reason.startswith(f"signed as {provider.title} signs: ")


@EVERY_PROVIDER
def test_another_secret_is_told_as_such_and_explained_by_nothing_else(name: str) -> None:
    provider, request, secret = sent(name)
    other = ANOTHER.get(name, secret.translate(str.maketrans("SsAa12", "AaSs21")))

    verdict = diagnose(provider, request, other, NOW)

    assert not verdict.genuine
    assert "another" in verdict.reason
    assert secret not in verdict.reason + "".join(verdict.hints)


@EVERY_PROVIDER
def test_a_secret_with_white_space_around_it_is_recognised(name: str) -> None:
    provider, request, secret = sent(name)

    verdict = diagnose(provider, request, f" {secret}\n", NOW)

    if not verdict.genuine:  # a public key may have white space around it
        assert "your secret without the white space around it" in verdict.reason


@EVERY_PROVIDER
def test_what_carries_no_proof_is_told_where_it_was_looked_for(name: str) -> None:
    provider, request, secret = sent(name)
    bare = replace(
        request,
        url=request.url.partition("?")[0],
        headers={"content-type": "application/json", "user-agent": "curl/8"},
        body=b'{"plain":true}',
    )

    verdict = diagnose(provider, bare, secret, NOW)

    assert not verdict.genuine
    assert "missing" in verdict.reason
    for header in {header for scheme in provider.schemes for header in headers_of(scheme)}:
        assert header in verdict.reason
    assert not any("similar headers" in hint for hint in verdict.hints)


@EVERY_PROVIDER
def test_how_a_provider_signs_can_be_said_in_a_line(name: str) -> None:
    provider, _, _ = sent(name)

    assert all(0 < len(scheme.description) < 120 for scheme in provider.schemes)


# -------------------------------------------------------------------------------------- secrets
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('"{}"', "without the quotes around it"),
        ('{{"shop": "{}"}}', "that the JSON has as 'shop'"),
        ('{{"shop": ["new", "{}"]}}', "that the JSON has as 'shop'"),
        ("whsec_{}", "without 'whsec_' before it"),
        ("Bearer {}", "without 'Bearer' before it"),
    ],
)
def test_the_wrong_form_of_a_secret_is_recognised(given: str, said: str) -> None:
    provider, request, secret = sent("shopify")

    verdict = diagnose(provider, request, given.format(secret), NOW)

    assert verdict.reason == f"it is signed with your secret {said}"


@pytest.mark.parametrize("form", ["hex", "base64"])
def test_a_key_that_the_sender_does_not_decode_is_recognised(form: KeyForm) -> None:
    key = b"sixteen or more!"
    secret = key.hex() if form == "hex" else base64.b64encode(key).decode()
    scheme = Hmac(header="x-sig", key="text")
    ours = Provider(title="Ours", schemes=(replace(scheme, key=form),))
    theirs = Provider(title="Theirs", schemes=(scheme,))
    _, request, _ = sent("shopify")
    signed = signing.sign(theirs, request, secret, NOW)

    verdict = diagnose(ours, signed, secret, NOW)

    assert verdict.reason == (
        f"the key is the secret as the text that it is, not decoded from {form}: key = 'text'"
    )


def test_a_whole_whsec_secret_is_told_from_a_decoded_one() -> None:
    """Stripe's key is the whole text, Standard Webhooks' what the rest of it encodes."""
    secret = "whsec_" + base64.b64encode(b"a secret of 24 bytes....").decode()
    _, request, _ = sent("standard-webhooks", secret=secret)
    text = Provider(
        title="Text",
        schemes=(
            Hmac(
                header="webhook-signature",
                encoding="base64",
                prefix="v1,",
                separator=" ",
                signed="{id}.{timestamp}.{body}",
                timestamp_header="webhook-timestamp",
                id_header="webhook-id",
            ),
        ),
    )

    verdict = diagnose(text, request, secret, NOW)

    assert verdict.reason.startswith("the key is the secret without 'whsec_', decoded from base64")


@pytest.mark.parametrize(
    ("secret", "hint"),
    [
        ("ringhook:other", "the user 'ringhook' is right, the password is another"),
        ("other:sample-password", "the password is right, the user is 'ringhook'"),
        ("sample-password", "yours is the password alone: write ringhook:…"),
        ("other", "for HTTP Basic the secret is user:password, and yours has no colon"),
    ],
)
def test_which_half_of_the_credentials_is_wrong_is_told(secret: str, hint: str) -> None:
    provider, request, _ = sent("basic")

    assert hint in diagnose(provider, request, secret, NOW).hints


def test_a_public_key_that_is_none_is_told() -> None:
    provider, request, _ = sent("gohighlevel")

    verdict = diagnose(provider, request, "no key", NOW)

    assert "not an Ed25519 public key" in verdict.reason


# ------------------------------------------------------------------------------------ addresses
@pytest.mark.parametrize("name", ["hubspot", "twilio"])
@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("https:", "http:"),
        lambda url: url + "/",
        lambda url: url.replace("/hooks", "/prod/hooks"),
        lambda url: url + "?a=1",
    ],
)
def test_the_address_that_was_signed_is_found(name: str, change: Callable[[str], str]) -> None:
    provider, request, secret = sent(name)
    changed = replace(request, url=change(request.url))

    verdict = diagnose(provider, changed, secret, NOW)

    assert verdict.reason == f"the URL signed is {request.url}, yours is {changed.url}"


def test_the_address_that_was_signed_is_found_behind_a_proxy() -> None:
    provider, request, secret = sent("hubspot", hooks="https://hooks.example.com/hooks")
    inside = request.url.replace("hooks.example.com", "a1b2c3.execute-api.us-east-1.amazonaws.com")
    headers = {**request.headers, "x-forwarded-host": "hooks.example.com"}

    verdict = diagnose(provider, replace(request, url=inside, headers=headers), secret, NOW)

    assert verdict.reason == f"the URL signed is {request.url}, yours is {inside}"


def test_an_address_that_cannot_be_guessed_is_known_to_be_wrong_by_a_weaker_signature() -> None:
    provider, request, secret = sent("hubspot", hooks="https://nobody-knows.example/hooks")
    weaker = hashlib.sha256(secret.encode() + request.body).hexdigest()
    headers = {**request.headers, "x-hubspot-signature": weaker, "host": "here.example"}
    changed = replace(request, url="https://here.example/hooks/crm", headers=headers)

    verdict = diagnose(provider, changed, secret, NOW)

    assert verdict.reason == "what is signed beside the body was changed: the URL, or the time"
    assert any("the secret is right" in hint for hint in verdict.hints)


# --------------------------------------------------------------------------------------- bodies
REWRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "spaced": lambda body: json.dumps(json.loads(body), ensure_ascii=False).encode(),
    "escaped": lambda body: json.dumps(json.loads(body), separators=(",", ":")).encode(),
    "indented": lambda body: json.dumps(json.loads(body), indent=2).encode(),
    "with a newline": lambda body: body + b"\n",
    "in base64": base64.b64encode,
    "as a JSON text": lambda body: json.dumps(body.decode()).encode(),
    "after a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "twice encoded": lambda body: body.decode("latin-1").encode(),
}


@pytest.mark.parametrize("how", REWRITTEN)
def test_a_body_that_was_written_again_is_recognised(how: str) -> None:
    provider, request, secret = sent("shopify", fields=[("note", '"über 12,50 €"')])
    changed = replace(request, body=REWRITTEN[how](request.body))

    verdict = diagnose(provider, changed, secret, NOW)

    assert verdict.reason.startswith("the body was changed: parsed and written again? ")


def test_a_body_whose_keys_were_sorted_by_the_sender_is_recognised() -> None:
    scheme = Hmac(header="x-signature")
    provider = Provider(title="Ours", schemes=(scheme,))
    body = json.dumps({"b": 1, "a": 12.50}, sort_keys=True).encode()
    proof = scheme.signature(body, "secret")
    _, request, _ = sent("shopify")
    changed = replace(request, body=b'{"b":1,"a":12.5}', headers={"x-signature": proof})

    verdict = diagnose(provider, changed, "secret", NOW)

    assert verdict.reason.endswith(
        "as JSON written with a space after each comma and colon, keys sorted"
    )


def test_a_form_whose_fields_were_moved_is_recognised() -> None:
    scheme = Hmac(header="x-signature")
    provider = Provider(title="Ours", schemes=(scheme,))
    headers = {
        "x-signature": scheme.signature(b"a=1&b=x+y", "secret"),
        "content-type": "application/x-www-form-urlencoded",
    }
    _, request, _ = sent("shopify")

    verdict = diagnose(
        provider, replace(request, body=b"b=x%20y&a=1", headers=headers), "secret", NOW
    )

    assert verdict.reason.endswith("as a form written anew: its fields sorted")


def test_two_troubles_at_once_are_both_told() -> None:
    provider, request, secret = sent("hubspot")
    changed = replace(request, url=request.url + "/", body=request.body + b"\n")

    both = diagnose(provider, changed, secret, NOW)
    late = diagnose(
        provider, replace(request, url=changed.url), secret, NOW + timedelta(seconds=431)
    )

    assert both.reason.startswith(f"the URL signed is {request.url}, yours is")
    assert "; and the body was changed" in both.reason
    assert late.hints == ("besides, it is 431 s old: at most 300 s are allowed",)


def test_a_body_that_was_truly_changed_is_explained_by_nothing() -> None:
    provider, request, secret = sent("shopify")
    changed = replace(request, body=request.body.replace(b"Amara", b"Imara"))

    verdict = diagnose(provider, changed, secret, NOW)

    assert verdict.reason == "signed with another secret"
    assert "no other form of this secret, of the URL or of the body matches" in verdict.hints[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


# Each example is a search through all explanations.
@settings(max_examples=25)
@given(
    body=JSON.map(lambda value: json.dumps(value).encode()) | st.binary(min_size=1),
    secret=st.text(min_size=1),
    other=st.text(min_size=1),
    value=st.text(string.printable),
)
def test_nothing_is_claimed_of_what_nobody_signed(
    body: bytes, secret: str, other: str, value: str
) -> None:
    """Whatever a stranger sends, the answer is a verdict, and never an explanation."""
    provider, request, _ = sent("shopify")
    proof = hmac.new(b"of nobody" + other.encode(errors="replace"), body, "sha256").digest()
    headers = {"x-shopify-hmac-sha256": base64.b64encode(proof).decode(), "x-other": value}

    verdict = diagnose(
        provider,
        replace(request, body=body, headers=headers),
        secret.encode("utf-8", "replace").decode(),
        NOW,
    )

    assert verdict.reason == "signed with another secret"


@settings(max_examples=8)
@given(value=st.text(), secret=st.text(min_size=1))
@pytest.mark.parametrize("name", ["stripe", "twilio", "basic", "gohighlevel", "zoho"])
def test_no_header_breaks_it(name: str, value: str, secret: str) -> None:
    provider, request, _ = sent(name)
    headers = {header: value for scheme in provider.schemes for header in headers_of(scheme)}
    changed = replace(request, headers={**request.headers, **headers})

    verdict = diagnose(provider, changed, secret.encode("utf-8", "replace").decode(), NOW)

    assert isinstance(verdict, Verdict)


def test_a_search_through_a_large_body_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "BUDGET", 100_000_000)
    provider, request, _ = sent("shopify")
    body = json.dumps({"lines": ["x" * 100] * 5_000}).encode()

    verdict = diagnose(provider, replace(request, body=body), "another", NOW)

    assert f"({100_000_000 // (len(body) + 20_000)} were tried)" in verdict.hints[0]


# ------------------------------------------------------------------------------ time and schemes
@pytest.mark.parametrize(
    ("seconds", "said"),
    [(431, "it is 431 s old: at most 300"), (-431, "it is 431 s ahead of the clock: at most 300")],
)
def test_how_late_it_is_is_told(seconds: int, said: str) -> None:
    provider, request, secret = sent("stripe")

    verdict = diagnose(provider, request, secret, NOW + timedelta(seconds=seconds))

    assert said in verdict.reason
    assert "else it is genuine: signed at 2026-11-24T12:00:00Z" in verdict.hints


def test_late_and_wrong_is_told_as_both() -> None:
    provider, request, _ = sent("stripe")

    verdict = diagnose(provider, request, "another", NOW + timedelta(seconds=431))

    assert verdict.reason == "signed with another secret"
    assert "besides, stale: signed 431 s ago, at most 300" in verdict.hints


def test_a_time_in_another_unit_is_recognised() -> None:
    scheme = Hmac(header="x-sig", signed="{timestamp}.{body}", timestamp_header="x-time")
    theirs = Provider(title="Theirs", schemes=(scheme,))
    ours = Provider(title="Ours", schemes=(replace(scheme, timestamp_unit="ms"),))
    _, request, _ = sent("shopify")
    signed = signing.sign(theirs, request, "secret", NOW)

    verdict = diagnose(ours, signed, "secret", NOW)

    assert verdict.reason == (
        "the signed time is in seconds, not milliseconds: timestamp_unit = 's'"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"algorithm": "sha1"}, "algorithm is 'sha1', not 'sha256'"),
        ({"encoding": "base64"}, "encoding is 'base64', not 'hex'"),
        ({"prefix": ""}, "prefix is '', not 'sha256='"),
        ({"signed": "{timestamp}{body}"}, "signed is '{timestamp}{body}', not"),
    ],
)
def test_how_a_sender_signs_otherwise_is_found(change: dict[str, Any], said: str) -> None:
    scheme = Hmac(
        header="x-sig",
        prefix="sha256=",
        signed="{timestamp}.{body}",
        timestamp_header="x-time",
    )
    theirs = Provider(title="Theirs", schemes=(replace(scheme, **change),))
    _, request, _ = sent("shopify")
    signed = signing.sign(theirs, request, "secret", NOW)

    verdict = diagnose(Provider(title="Ours", schemes=(scheme,)), signed, "secret", NOW)

    assert verdict.reason.startswith("signed otherwise than Ours signs: ")
    assert said in verdict.reason


def test_a_webhook_of_another_provider_is_recognised() -> None:
    _, request, secret = sent("shopify")

    verdict = diagnose(providers.find("stripe"), request, secret, NOW)

    assert "looked for the header stripe-signature" in verdict.reason
    assert "it is signed with this secret as Shopify signs: --provider shopify" in verdict.hints
    assert any("x-shopify-hmac-sha256" in h for h in verdict.hints if "similar" in h)


def test_a_header_that_a_proxy_renamed_is_found() -> None:
    provider, request, secret = sent("shopify")
    headers = dict(request.headers)
    headers["x-original-hmac"] = headers.pop("x-shopify-hmac-sha256")

    verdict = diagnose(provider, replace(request, headers=headers), secret, NOW)

    assert "the header x-original-hmac holds a signature made with this secret" in verdict.hints
    assert verdict.settings == {"header": "x-original-hmac", "encoding": "base64"}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in providers.names()
        if any(isinstance(scheme, Hmac) for scheme in sent(name)[0].schemes)
    ],
)
def test_the_settings_of_any_sender_that_signs_with_an_hmac_are_found(name: str) -> None:
    """Whatever a provider's file says of an HMAC, provider `hmac` can be told by its settings."""
    _, request, secret = sent(name)
    secret = html.unescape(secret)  # WooCommerce alone signs with it so

    found = next(settings_for(request, secret, NOW))
    generic = providers.find("hmac")
    source = checked.read(generic.settings, {"provider": "hmac", **found})

    assert diagnose(generic.adapt(generic, source), request, secret, NOW).genuine
    without = diagnose(generic, request, secret, NOW)
    assert (without.genuine, without.settings) == (True, found)


def test_an_empty_body_signs_nothing() -> None:
    provider, request, secret = sent("shopify")

    assert "empty" in diagnose(provider, replace(request, body=b""), secret, NOW).reason


def test_a_handshake_is_told_from_an_event() -> None:
    provider, request, secret = sent("intercom")
    asked = replace(request, method="HEAD", body=b"", headers={})

    verdict = diagnose(provider, asked, secret, NOW)

    assert verdict.genuine
    assert verdict.reason == "no event: Intercom tries the address, and is answered 200"


def test_a_token_of_another_length_is_told_without_the_token() -> None:
    provider, request, secret = sent("header-token")

    verdict = diagnose(provider, request, "another", NOW)

    assert verdict.hints[0] == f"it has {len(secret)} characters, yours has 7"
    assert isinstance(provider.schemes[0], HeaderToken)
    assert Basic().description.startswith("user and password")


# ---------------------------------------------------------------------------------- the command
def test_the_command_ends_as_scripts_expect(tmp_path: Path) -> None:
    _, request, secret = sent("shopify")
    file = tmp_path / "event.json"
    file.write_text(json.dumps(gateway.event(request)))
    words = (str(file), "--provider", "shopify")

    genuine = run(*words, "--secret", secret)
    forged = run(*words, "--secret", "another")

    assert genuine.exit_code == 0
    assert genuine.stdout.startswith("genuine: signed as Shopify signs: HMAC-SHA256 (base64)")
    assert forged.exit_code == 1
    assert forged.stdout.startswith("not genuine: signed with another secret\n")


@pytest.mark.parametrize(
    "words",
    [
        ("-", "--provider", "nobody", "--secret", "x"),
        ("-", "--provider", "shopify"),
        ("-", "--provider", "shopify", "--secret", "-"),
        ("-", "--provider", "shopify", "--secret", "x", "--at", "tomorrow"),
        ("-", "--provider", "shopify", "--secret", "x", "--set", "colour=blue"),
        ("missing.json", "--provider", "shopify", "--secret", "x"),
        ("-", "--secret", "x"),
    ],
)
def test_what_cannot_be_told_is_neither_genuine_nor_not(words: tuple[str, ...]) -> None:
    _, request, _ = sent("shopify")

    assert run(*words, given=written(request)).exit_code == 2


@pytest.mark.parametrize("document", ["", "[]", "{", '{"body": 5}', '{"requestContext": 5}'])
def test_what_is_no_request_is_told(document: str) -> None:
    told = run("-", "--provider", "shopify", "--secret", "x", given=document)

    assert told.exit_code == 2
    assert "FILE" in told.stderr


def test_a_request_by_hand_needs_no_source() -> None:
    _, request, secret = sent("hubspot")
    at = str(int(NOW.timestamp()))

    told = run("-", "--provider", "hubspot", "--secret", secret, "--at", at, given=written(request))

    assert told.exit_code == 0


def test_the_secret_need_not_be_in_the_history(tmp_path: Path) -> None:
    _, request, secret = sent("shopify")
    file = tmp_path / "request.json"
    file.write_text(written(request))
    words = (str(file), "--provider", "shopify")

    assert run(*words, "--secret", "-", given=f"{secret}\n").exit_code == 0
    assert run(*words, env={"RINGHOOK_SECRET": secret}).exit_code == 0
    assert run(*words).exit_code == 2


def test_the_address_may_be_given() -> None:
    _, request, secret = sent("hubspot", hooks="https://hooks.example.com/hooks")
    event = json.dumps(gateway.event(replace(request, url="https://inside.example/hooks/crm")))
    words = ("-", "--provider", "hubspot", "--secret", secret, "--at", NOW.isoformat())

    assert run(*words, given=event).exit_code == 1
    assert run(*words, "--url", request.url, given=event).exit_code == 0
    assert run(*words, "--public-url", "https://hooks.example.com", given=event).exit_code == 0


def test_what_was_fresh_when_it_arrived_is_told() -> None:
    _, request, secret = sent("hubspot")
    event = json.dumps(gateway.event(request))
    words = ("-", "--provider", "hubspot", "--secret", secret)
    later = str(int(NOW.timestamp()) + 431)

    told = run(*words, "--at", later, given=event)

    assert told.exit_code == 1
    assert "it is 431 s old" in told.stdout
    assert f"it was fresh when it arrived: see with --at {NOW.timestamp():.0f}" in told.stdout


def test_settings_are_taken_as_a_source_has_them() -> None:
    sample = library.find("hmac")
    _, request, secret = sent("hmac")
    words = ["-", "--provider", "hmac", "--secret", secret, "--at", NOW.isoformat()]
    pairs = [word for k, v in sample.settings.items() for word in ("--set", f"{k}={v}")]

    told = run(*words, *pairs, given=written(request))
    found = run(*words, given=written(request))

    assert (told.exit_code, found.exit_code) == (0, 0)
    assert '[sources.NAME]\nprovider = "hmac"\nheader = "x-signature"\n' in found.stdout


def test_programs_get_json() -> None:
    _, request, _ = sent("stripe")

    told = run("-", "--provider", "stripe", "--secret", "x", "--json", given=written(request))

    assert told.exit_code == 1
    assert json.loads(told.stdout).keys() == {"genuine", "reason", "hints", "settings"}


def test_samples_differ_whenever_they_are_made() -> None:
    """What is proven here is proven of no fixed text."""
    one, other = (
        webhooks.webhook(library.find("shopify"), None, now=NOW, chance=random.Random(seed))  # noqa: S311 - no secret
        for seed in (1, 2)
    )

    assert one.headers["x-shopify-hmac-sha256"] != other.headers["x-shopify-hmac-sha256"]
