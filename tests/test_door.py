"""What a stranger may cost: nothing that grows with more than the size of what he sends."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from tests.test_bodies import HEAVY

from ringhook.errors import RinghookError
from ringhook.routing import routes_file
from ringhook.routing.receiving import receive
from ringhook.senders import providers
from ringhook.senders.request import Request

_ROUTES = """
countries = ["US"]
[sources.door]
provider = "PROVIDER"
MORE
[[routes]]
name = "ring"
source = "door"
call.agent_id = 1
call.phone_number = "{{ phone }}"
policy.purpose = "service"
"""
_MORE = {
    "hmac": 'header = "x-signature"',
    "meta": 'verify_token = "token"',
    "whatsapp": 'verify_token = "token"',
}
_TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=X",
)
_BODIES = {
    **HEAVY,
    "many fields": b"&".join(b"a%d=%s" % (n, b"x" * 1000) for n in range(990)),
    "a long list": b"[" + b"1," * 500_000 + b"1]",
    "one word again and again": b"Body=" + b"Body " * 200_000,
}
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("provider", providers.names())
def test_no_stranger_costs_more_than_the_size_of_what_he_sends(provider: str) -> None:
    text = _ROUTES.replace("PROVIDER", provider).replace("MORE", _MORE.get(provider, ""))
    if provider == "unleashx":  # tells how calls ended: no route may use it
        text = text.replace('source = "door"', 'source = "other"')
        text += '[sources.other]\nprovider = "bearer"\n'
    routes = routes_file.load(text)
    schemes = routes.sources["door"].provider.schemes
    named = {getattr(one, name, "") for one in schemes for name in ("header", "id_header")}
    stamped = {getattr(one, "timestamp_header", "") for one in schemes}
    proof = dict.fromkeys(named, "v1,abc") | dict.fromkeys(stamped, str(int(NOW.timestamp())))
    proof |= {"authorization": "Bearer abc", "x-twilio-signature": "abc"}
    for name, body in _BODIES.items():
        for content_type in _TYPES:
            request = Request(
                source="door",
                method="POST",
                url="https://hooks.example.com/hooks/door?token=abc",
                headers=proof | {"content-type": content_type},
                body=body,
                received_at=NOW,
            )
            began = time.process_time()
            with pytest.raises(RinghookError):
                receive(request, routes, lambda: ["c2VjcmV0IG9mIHNpeHRlZW4=", "0123456789abcdef"])
            # A few tens of milliseconds a megabyte; what grows with the square takes minutes.
            assert time.process_time() - began < 2, f"{name} as {content_type}"
