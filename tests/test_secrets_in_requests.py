"""Senders that cannot sign: a secret in the address or in the body, and signatures over fields."""

import hashlib
import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from tests.builders import NOW, gateway_event

from ringhook.calls.call import Call
from ringhook.errors import RejectedError
from ringhook.reading.packing import unpack
from ringhook.routing.receiving import Received, receive
from ringhook.routing.routes_file import load
from ringhook.senders import signatures
from ringhook.senders.providers import Provider
from ringhook.senders.providers._body_token import BodyToken
from ringhook.senders.providers._signed_fields import SignedFields
from ringhook.senders.providers._url_token import UrlToken, with_query
from ringhook.senders.request import Reply, Request, from_gateway

SECRET = "s3cret+with/odd?chars=%"
WRITTEN = "s3cret%2Bwith%2Fodd%3Fchars%3D%25"
ROUTES = """
countries = ["US"]
[sources.portal]
provider = "url-token"
{settings}
[[routes]]
name = "ring"
source = "portal"
call = {{ agent_id = 1, phone_number = "{{{{ phone }}}}" }}
"""


def sent(
    body: str = '{"phone": "+14155550123"}',
    *,
    method: str = "POST",
    query: str = "",
    path: str = "",
) -> Request:
    event = gateway_event("portal", body, method=method, query=query)
    if path:
        event["pathParameters"]["secret"] = path
    return from_gateway(event, public_url="", received_at=NOW)


def received(request: Request, settings: str = "") -> Received:
    got = receive(request, load(ROUTES.format(settings=settings)), lambda: [SECRET])
    assert isinstance(got, Received)
    return got


def rung(request: Request) -> list[str]:
    return [call.phone_number for call in received(request).tasks if isinstance(call, Call)]


@pytest.mark.parametrize(
    "request_", [sent(path=SECRET), sent(query=f"token={WRITTEN}")], ids=["path", "query"]
)
def test_the_secret_may_stand_in_the_path_or_in_the_query(request_: Request) -> None:
    assert rung(request_) == ["+14155550123"]


@pytest.mark.parametrize(
    "request_",
    [
        sent(),
        sent(query="token="),
        sent(query="token=x"),
        sent(path="x"),
        sent(path=SECRET[:-1]),
        sent(path="x", query=f"token={WRITTEN}"),
        sent('{"token": "s3cret+with/odd?chars=%"}'),
    ],
)
def test_an_address_without_the_secret_is_refused(request_: Request) -> None:
    with pytest.raises(RejectedError):
        received(request_)


def test_a_lead_in_the_address_is_an_event_and_the_secret_no_part_of_it() -> None:
    query = f"token={WRITTEN}&phone=%2B14155550123&who%5Bname%5D=Asha"

    (taken,) = received(sent("", method="GET", query=query)).events

    assert taken.event.payload == {"phone": "+14155550123", "who": {"name": "Asha"}}
    assert rung(sent("", method="GET", query=query)) == ["+14155550123"]


def test_what_the_sender_writes_into_the_address_is_read_with_the_body() -> None:
    request = sent('{"id": 7}', query=f"token={WRITTEN}&phone=%2B14155550123&id=8")

    assert received(request).events[0].event.payload == {"id": 7, "phone": "+14155550123"}


@pytest.mark.parametrize("query", [f"token={WRITTEN}", f"token={WRITTEN}&"])
def test_somebody_who_only_looks_at_the_address_is_answered_and_rings_nobody(query: str) -> None:
    reply = receive(
        sent("", method="GET", query=query),
        load(ROUTES.format(settings="")),
        lambda: [SECRET],
    )

    assert isinstance(reply, Reply)
    assert reply.status == 200


def test_a_head_of_a_known_source_is_answered_before_anything_is_proven() -> None:
    reply = receive(sent("", method="HEAD"), load(ROUTES.format(settings="")), lambda: [SECRET])

    assert reply == Reply(200, "", "text/plain")


def test_a_request_that_cannot_be_read_is_kept_without_the_secret() -> None:
    for request in (
        sent('{"phone": ', query=f"token={WRITTEN}"),
        sent("", method="GET", query="&".join([f"token={WRITTEN}", *("a=1" for _ in range(1500))])),
    ):
        kept = received(request).kept
        assert kept
        told = f"{kept} {unpack(kept.payload)}"
        assert "/hooks/portal" in told or "phone" in told
        assert SECRET not in told
        assert WRITTEN not in told


def test_two_unreadable_gets_are_two() -> None:
    many = "&".join("a=1" for _ in range(1500))
    one, other = (
        received(sent("", method="GET", query=f"token={WRITTEN}&n={n}&{many}")).kept for n in "12"
    )
    assert one
    assert other
    assert one.call_id != other.call_id


def test_a_kept_get_says_again_what_it_said() -> None:
    many = "&".join("a=1" for _ in range(1500))
    kept = received(sent("", method="GET", query=f"token={WRITTEN}&phone=1&{many}")).kept

    assert kept
    form = unpack(kept.payload)
    assert form["method"] == "GET"
    assert "phone=1" in form["url"]


def test_a_generic_source_may_demand_one_status_for_all_that_is_no_error() -> None:
    routes = load(ROUTES.format(settings="answer = 200"))
    provider = routes.sources["portal"].provider

    assert (provider.accepted, provider.unmapped_status) == (200, 200)
    with pytest.raises(Exception, match="answer"):
        load(ROUTES.format(settings="answer = 500"))


# A secret in the body.


def in_body(payload: Any) -> Request:
    return replace(sent(json.dumps(payload)), headers={"content-type": "application/json"})


def test_a_secret_in_the_body_is_compared_and_taken_out_of_what_is_kept() -> None:
    scheme = BodyToken("auth.application_token")
    provider = Provider(title="x", schemes=(scheme,), hides=("auth.application_token",))
    right = in_body({"auth": {"application_token": SECRET, "domain": "d"}, "id": 1})

    signatures.verify(provider.schemes, right, ["other", SECRET], NOW)
    assert provider.payload(right) == {"auth": {"domain": "d"}, "id": 1}
    others: list[Any] = [
        {"auth": {"application_token": "x"}},
        {"auth": {"application_token": ""}},
        {"auth": {"application_token": [SECRET]}},
        {"auth": SECRET},
        {"application_token": SECRET},
        [],
    ]
    for wrong in others:
        with pytest.raises(RejectedError):
            signatures.verify(provider.schemes, in_body(wrong), [SECRET], NOW)


def test_what_is_hidden_is_hidden_in_each_event_of_a_list() -> None:
    provider = Provider(title="x", hides=("auth.token", "key"))
    request = in_body([{"auth": [{"token": 1}, {"token": 2, "a": 3}], "key": 4}, {"key": 5}, "key"])

    assert provider.payload(request) == [{"auth": [{}, {"a": 3}]}, {}, "key"]


# A signature over fields.


def _hash(payload: Any, key: str) -> str:
    named = payload if isinstance(payload, dict) else {}
    text = f"{key}|{named.get('id')}|{named.get('status')}"
    return hashlib.sha512(text.encode()).hexdigest()


FIELDS = SignedFields(fields=("id", "status", "a.b"), signature=_hash, place="hash", hex=True)


def signed(key: str = "salt", *, query: str = "", **more: Any) -> Request:
    payload: dict[str, Any] = {"id": "1", "status": "failed", "phone": "+14155550123", **more}
    proof = _hash(payload, key).upper()
    return replace(in_body({**payload, "hash": proof}), url=f"https://h/hooks/portal?{query}")


def test_what_is_not_signed_is_not_read() -> None:
    request = signed(a={"b": 1, "c": 2})

    signatures.verify((FIELDS,), request, ["salt"], NOW)
    assert FIELDS.read(request) == {"id": "1", "status": "failed", "a": {"b": 1}}


def test_a_token_in_the_address_vouches_for_the_rest() -> None:
    request = signed(query="token=door")

    signatures.verify((FIELDS,), request, ["old x", "salt door"], NOW)
    assert FIELDS.read(request)["phone"] == "+14155550123"


@pytest.mark.parametrize(
    ("query", "secret"),
    [
        ("token=door", "salt"),
        ("token=", "salt door"),
        ("", "salt door"),
        ("token=other", "salt door"),
        ("token=door", "other door"),
        ("", "other"),
    ],
)
def test_key_and_token_are_both_demanded_and_no_token_may_be_made_up(
    query: str, secret: str
) -> None:
    with pytest.raises(RejectedError):
        signatures.verify((FIELDS,), signed(query=query), [secret], NOW)


def test_a_changed_signed_field_is_refused() -> None:
    request = signed()

    changed = replace(request, body=request.body.replace(b"failed", b"paid"))
    with pytest.raises(RejectedError):
        signatures.verify((FIELDS,), changed, ["salt"], NOW)


def test_url_tokens_name_what_is_wrong_without_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for request in (sent(path="guess"), sent(query="token=guess")):
        with pytest.raises(RejectedError) as refused:
            UrlToken().verify(request, [SECRET], NOW)
        assert "guess" not in str(refused.value)
        assert SECRET not in str(refused.value)
    assert with_query()(sent("", method="GET", query="token=guess")) == {}
