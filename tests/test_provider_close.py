"""What is Close's alone: a key handed out in hexadecimal, of which the bytes sign."""

import hashlib
import hmac
from dataclasses import replace

import pytest
from tests.builders import NOW, provider, request

from ringhook.errors import RejectedError, UnavailableError
from ringhook.senders import signatures

KEY = "058bfb6a3d8cfdc4da7c3be5901b16ae11da982b46a25fb2cd7016e97a140a1c"
BODY = b'{"event": {"id": "ev_1", "object_type": "lead", "action": "created"}}'


def headers(key: bytes) -> dict[str, str]:
    stamp = str(int(NOW.timestamp()))
    proof = hmac.new(key, stamp.encode() + BODY, hashlib.sha256).hexdigest()
    return {"close-sig-timestamp": stamp, "close-sig-hash": proof}


def test_the_bytes_sign_and_not_the_text_that_writes_them() -> None:
    schemes = provider("close").schemes

    signatures.verify(schemes, request(BODY, headers(bytes.fromhex(KEY))), [KEY], NOW)
    with pytest.raises(RejectedError):
        signatures.verify(schemes, request(BODY, headers(KEY.encode())), [KEY], NOW)


def test_a_secret_that_is_no_key_is_said_to_be_none() -> None:
    with pytest.raises(UnavailableError, match="hex"):
        signatures.verify(
            provider("close").schemes, request(BODY, headers(b"x")), ["whsub_5wQkZr7T"], NOW
        )


def test_the_time_is_signed_too() -> None:
    genuine = request(BODY, headers(bytes.fromhex(KEY)))
    later = {**genuine.headers, "close-sig-timestamp": str(int(NOW.timestamp()) + 1)}

    with pytest.raises(RejectedError):
        signatures.verify(provider("close").schemes, replace(genuine, headers=later), [KEY], NOW)
