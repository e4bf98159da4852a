"""AWS SNS: alarms of CloudWatch, and whatever else is published to a topic.

Source: github aws/aws-js-sns-message-validator, and the guide "Verifying the signatures of Amazon
SNS messages". SNS signs with a key of its own, whose certificate is fetched from the address that
the message names, if that is SNS's in the topic's region, and kept in memory. The key proves AWS
and not you: the secret is the topic's ARN, and messages of other topics are refused. (A certificate
in base64 may follow the ARN, after a space: then none is fetched.) A subscription to that topic
is confirmed by itself. Turn raw message delivery off: what comes raw is not signed. `content` is
the message where it is JSON. The topics here are `alarm.` with the state of a CloudWatch alarm
(`alarm.alarm`, `alarm.ok`, which never rings), or `notification`. No message has a phone: the route
names that of your own engineer. Not confirmed: for how long SNS tries, and the fields of an alarm.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ringhook.errors import BadRequestError, RejectedError, UnavailableError
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._rsa import Key, key_of
from ringhook.senders.request import Reply, read_payload
from ringhook.senders.signatures import MISMATCH, covered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ringhook.senders.request import Request

_CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = (
    "Message",
    "MessageId",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
)
_ALGORITHMS = {"1": "sha1", "2": "sha256"}
_REGION = re.compile(r"arn:aws(?:-[a-z]+)*:sns:([a-z]{2}(?:-[a-z]+)+-\d+):\d+:[\w.-]+", re.ASCII)
_LARGEST_CERTIFICATE = 20_000


def signed_text(message: dict[str, Any]) -> str:
    """What SNS signs of a message: names and values, a line each, in this order."""
    names = _CONFIRMATION if message.get("Type") in _CONFIRMATIONS else _NOTIFICATION
    return "".join(f"{name}\n{message[name]}\n" for name in names if message.get(name) is not None)


@functools.lru_cache(maxsize=8)
def fetched_key(url: str) -> Key:
    """The key of the certificate at this address. Raises UnavailableError if it cannot be had."""
    # Imported here: no other provider asks anybody while it verifies.
    import ssl  # noqa: PLC0415

    import urllib3  # noqa: PLC0415

    try:
        answer = urllib3.request(
            "GET", url, redirect=False, retries=False, timeout=3.0, preload_content=False
        )
        text = answer.read(_LARGEST_CERTIFICATE).decode("ascii")
        return key_of(ssl.PEM_cert_to_DER_cert(text.strip()))
    except (urllib3.exceptions.HTTPError, ValueError, binascii.Error) as error:
        message = f"SNS's certificate cannot be fetched: {type(error).__name__}"
        raise UnavailableError(message) from error


@dataclass(frozen=True, slots=True)
class Signature:
    """RSA by SNS's certificate, over the fields of a message of the secret's topic."""

    key_at: Callable[[str], Key] = fetched_key

    @property
    def description(self) -> str:
        """As `Scheme` says."""
        return "RSA by SNS's certificate, over the fields of a message of the secret's topic"

    def applies(self, request: Request) -> bool:
        """Whether the message is signed."""
        return bool(_message(request).get("Signature"))

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - a message may be tried again for hours
        """Check the topic, where the certificate is from, then the signature."""
        message = _message(request)
        topic = str(message.get("TopicArn"))
        pinned = [
            certificate.strip()
            for arn, _, certificate in (secret.partition(" ") for secret in secrets)
            if hmac.compare_digest(arn.encode(), topic.encode(errors="replace"))
        ]
        if not pinned:
            raise RejectedError("a message of another topic than the source's secret names")
        algorithm = _ALGORITHMS.get(str(message.get("SignatureVersion")))
        text = signed_text(message)
        # Whoever may publish could else write into a message what looks like other fields.
        if algorithm is None or text.count("\nMessageId\n") != 1:
            raise RejectedError("the message is not in the form that SNS signs")
        try:
            given = base64.b64decode(str(message.get("Signature")), validate=True)
        except ValueError as error:
            raise RejectedError("the Signature is not base64") from error
        for certificate in pinned:
            key = _pinned(certificate) if certificate else self.key_at(_address(message, topic))
            if key.verifies(given, text.encode(errors="replace"), algorithm):
                return
        raise RejectedError(MISMATCH)

    def proven(self, request: Request) -> Request:
        """The body, of which `read` gives the signed fields alone."""
        return covered(request, address=False)


def _message(request: Request) -> dict[str, Any]:
    try:
        payload = read_payload(request)
    except (BadRequestError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _pinned(certificate: str) -> Key:
    try:
        return key_of(base64.b64decode(certificate, validate=True))
    except ValueError as error:
        message = "what follows the ARN in the secret is no certificate in base64"
        raise UnavailableError(message) from error


def _is_sns(url: str, topic: str) -> bool:
    """Whether this is an address of SNS, in the topic's own region."""
    found = _REGION.fullmatch(topic)
    if not found or not url.isascii() or not url.startswith("https://"):
        return False
    host = f"sns.{found[1]}.amazonaws.com"
    return url[len("https://") :].partition("/")[0] in {host, f"{host}.cn"}


def _address(message: dict[str, Any], topic: str) -> str:
    url = str(message.get("SigningCertURL") or "")
    if not _is_sns(url, topic) or not urlsplit(url).path.endswith(".pem"):
        raise RejectedError("the certificate's address is not SNS's in the topic's region")
    return url


def _read(request: Request) -> Any:
    """What is signed of the message, with its JSON as `content`."""
    payload = read_payload(request)
    if not isinstance(payload, dict):
        return payload
    names = _CONFIRMATION if payload.get("Type") in _CONFIRMATIONS else _NOTIFICATION
    signed = {name: payload[name] for name in names if name in payload}
    try:
        content = json.loads(str(signed.get("Message")))
    except (ValueError, RecursionError):
        return signed
    return {**signed, "content": content} if isinstance(content, dict) else signed


def _challenge(payload: Any) -> Reply | None:
    """Confirm a subscription, by the address that SNS signed for it."""
    if not isinstance(payload, dict) or payload.get("Type") != "SubscriptionConfirmation":
        return None
    url = str(payload.get("SubscribeURL") or "")
    if not _is_sns(url, str(payload.get("TopicArn"))):
        raise RejectedError("the address that confirms is not SNS's in the topic's region")
    return Reply(200, {"calls": [], "reason": "the subscription is confirmed"}, visit=url)


def _topic(_request: object, payload: Any) -> str:
    named = payload if isinstance(payload, dict) else {}
    content = named.get("content")
    if isinstance(content, dict) and "AlarmName" in content:
        return f"alarm.{content.get('NewStateValue')}".lower()
    return str(named.get("Type") or "").lower()


PROVIDER = Provider(
    title="AWS SNS",
    schemes=(Signature(),),
    read=_read,
    challenge=_challenge,
    topic=_topic,
    identity=(first(body("MessageId"), whole_payload),),
    occurred_at=first(body("content.AlarmName && content.StateChangeTime"), body("Timestamp")),
    tenant=body("TopicArn"),
    never={
        "alarm.ok": "it is over",
        "unsubscribeconfirmation": "the topic was unsubscribed",
    },
    topics=(
        "alarm.alarm",
        "alarm.insufficient_data",
        "alarm.ok",
        "notification",
        "unsubscribeconfirmation",
    ),
)
