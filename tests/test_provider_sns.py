"""What is SNS's alone: RSA by a certificate from AWS, one topic, and a subscription confirmed."""

import base64
import functools
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from ringhook.clients.secret_store import SecretStore
from ringhook.errors import RejectedError, UnavailableError
from ringhook.receiver import Receiver
from ringhook.routing import routes_file
from ringhook.senders.providers import sns
from ringhook.senders.providers._rsa import Key, key_of
from ringhook.senders.request import Reply, Request
from ringhook_ops.catalogue import recipes

NOW = datetime(2026, 7, 14, 14, 12, tzinfo=UTC)
TOPIC = "arn:aws:sns:ap-south-1:123456789012:on-call"
HOST = "https://sns.ap-south-1.amazonaws.com"
KNOWN = json.loads((Path(__file__).parent / "sns_signed_texts.json").read_text())
MESSAGE = KNOWN[0]["message"]


@functools.cache
def pair(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate(private: Any) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.example.com")])
    made = x509.CertificateBuilder(name, name, private.public_key(), 1, NOW, NOW + timedelta(9))
    return made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def signed(message: dict[str, Any], version: str = "2") -> Request:
    """The library of cryptography signs."""
    kind: Any = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 - as SNS does
    text = sns.signed_text(message).encode()
    proof = base64.b64encode(pair().sign(text, padding.PKCS1v15(), kind)).decode()
    return sent({**message, "SignatureVersion": version, "Signature": proof})


def sent(message: dict[str, Any]) -> Request:
    return Request(
        source="on-call",
        method="POST",
        url="https://x/hooks/on-call",
        headers={"content-type": "text/plain; charset=UTF-8"},
        body=json.dumps(message).encode(),
        received_at=NOW,
    )


def verify(request: Request, *secrets: str, asked: list[str] | None = None) -> None:
    def key_at(url: str) -> Key:
        if asked is not None:
            asked.append(url)
        return key_of(certificate(pair()))

    sns.Signature(key_at).verify(request, secrets or [TOPIC], NOW)


@pytest.mark.parametrize("known", KNOWN, ids=["notification", "confirmation"])
def test_what_is_signed_is_what_amazons_own_validator_says(known: dict[str, Any]) -> None:
    text = sns.signed_text(known["message"])

    assert hashlib.sha256(text.encode()).hexdigest() == known["sha256"]


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_genuine_message_is_taken_by_the_certificate_at_its_address(version: str) -> None:
    asked: list[str] = []

    verify(signed(MESSAGE, version), asked=asked)

    assert asked == [MESSAGE["SigningCertURL"]]


def test_a_certificate_in_the_secret_is_not_fetched() -> None:
    asked: list[str] = []
    kept = base64.b64encode(certificate(pair())).decode()

    verify(signed(MESSAGE), f"{TOPIC} {kept}", asked=asked)

    assert asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.ap-south-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.s3.amazonaws.com/a.pem",
        "https://sns.ap-south-1.amazonaws.com.example.com/a.pem",
        "https://sns.ap-south-1.amazonaws.com@example.com/a.pem",
        "https://sns.ap-south-1.amazonaws.com:8443/a.pem",
        "https://example.com/sns.ap-south-1.amazonaws.com/a.pem",
        "https://sns.ap-south-1.amazonaws.com\\@example.com/a.pem",
        f"{HOST}/?a=.pem",
        f"{HOST}/a.txt",
        "",
    ],
)
def test_no_certificate_is_fetched_from_anywhere_else(url: str) -> None:
    asked: list[str] = []

    with pytest.raises(RejectedError):
        verify(signed({**MESSAGE, "SigningCertURL": url}), asked=asked)

    assert asked == []


def test_another_topics_message_is_refused_before_anything_is_fetched() -> None:
    asked: list[str] = []

    with pytest.raises(RejectedError, match="another topic"):
        verify(signed({**MESSAGE, "TopicArn": TOPIC + "-2"}), asked=asked)

    assert asked == []


@pytest.mark.parametrize(
    "change",
    [
        {"Message": "{}"},
        {"Subject": None},
        {"Timestamp": "2026-07-15T14:12:01.204Z"},
        {"MessageId": "1"},
        {"Type": "SubscriptionConfirmation"},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"Signature": "%"},
        {"Signature": base64.b64encode(b"\x00" * 256).decode()},
    ],
)
def test_a_changed_message_is_refused(change: dict[str, Any]) -> None:
    genuine = json.loads(signed(MESSAGE).body)

    with pytest.raises(RejectedError):
        verify(sent({**genuine, **change}))


def test_a_message_that_could_be_cut_in_two_ways_is_refused() -> None:
    with pytest.raises(RejectedError):
        verify(signed({**MESSAGE, "Message": "x\nMessageId\n1\nTimestamp\n2"}))


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30\x82\xff\xff",
        certificate(pair(1024)),
        certificate(generate_private_key(SECP256R1())),
        certificate(pair())[:-300],
    ],
    ids=["empty", "cut", "short-key", "no-rsa", "half"],
)
def test_what_is_no_certificate_with_a_key_of_rsa_is_refused(der: bytes) -> None:
    with pytest.raises(ValueError, match="certificate"):
        key_of(der)
    kept = base64.b64encode(der).decode()
    with pytest.raises((UnavailableError, RejectedError)):
        verify(signed(MESSAGE), f"{TOPIC} {kept or '%'}")


@pytest.mark.parametrize("bits", [2048, 3072])
def test_the_key_is_read_as_the_library_reads_it(bits: int) -> None:
    numbers = pair(bits).public_key().public_numbers()

    assert key_of(certificate(pair(bits))) == Key(numbers.n, numbers.e)


# The subscription.

CONFIRMATION = KNOWN[1]["message"]


def receiver(visit: Callable[[str], None]) -> Receiver:
    kept = f"{TOPIC} {base64.b64encode(certificate(pair())).decode()}"
    vault = SimpleNamespace(
        get_secret_value=lambda **_: {"SecretString": json.dumps({"on-call": kept})}
    )
    return Receiver(
        routes=routes_file.load(recipes.add(None, recipes.find("sns", None)).text),
        secrets=SecretStore(cast("Any", vault), "arn", lambda: 0.0),
        deliver=lambda _tasks, _status: Reply(202, {}),
        visit=visit,
    )


def test_a_subscription_to_the_sources_topic_is_confirmed() -> None:
    visited: list[str] = []

    reply = receiver(visited.append).answer(signed(CONFIRMATION))

    assert reply.status == 200
    assert visited == [CONFIRMATION["SubscribeURL"]]


@pytest.mark.parametrize(
    "change",
    [
        {"TopicArn": TOPIC + "-2"},
        {"SubscribeURL": "https://example.com/?Action=ConfirmSubscription"},
        {"SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"},
    ],
)
def test_no_other_subscription_is_confirmed(change: dict[str, Any]) -> None:
    visited: list[str] = []

    with pytest.raises(RejectedError):
        receiver(visited.append).answer(signed({**CONFIRMATION, **change}))

    assert visited == []


def test_a_subscription_that_cannot_be_confirmed_is_no_success() -> None:
    def fails(_url: str) -> None:
        raise UnavailableError("it answers 403")

    with pytest.raises(UnavailableError):
        receiver(fails).answer(signed(CONFIRMATION))
