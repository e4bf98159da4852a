"""The way of a webhook through the deployed stack: proven, mapped, accepted, and rung once."""

import json
from dataclasses import replace

import pytest
from tests.e2e.deployed import HTTP, RANG, Deployed
from tests.e2e.waiting import until

from ringhook.reading.packing import unpack
from ringhook_ops.samples import library
from ringhook_ops.sandbox.server import TOKEN


def test_a_shopify_order_is_accepted_in_time_and_rings_once_as_its_route_says(
    stack: Deployed,
) -> None:
    number = stack.number()
    told = stack.post(stack.shopify(number))
    assert told.status == 202
    assert told.seconds < 4, "Shopify gives 5 seconds"
    assert told.body["calls"] == [{"route": "confirm-order", "call_id": told.call_id}]
    item = stack.ends(told.call_id)
    (request,) = stack.dials(number)
    assert request["body"] == {
        "agent_id": 1042,
        "phone_number": number,
        "metadata": {
            "customer_id": 7718203344905,
            "order_id": "#1048",
            "call_reason": "Confirm order #1048",
            "call_id": told.call_id,
        },
    }
    assert {name.lower(): value for name, value in request["headers"].items()}["token"] == TOKEN
    assert item["status"] in RANG
    assert item["execution_id"]
    assert item["attempt_count"] == 1


def test_one_correlation_id_runs_from_the_request_to_the_call(stack: Deployed) -> None:
    number = stack.number()
    stack.api.misbehave({"phone_number": number, "do": "429", "retry_after": 1})
    call_id = stack.post(stack.shopify(number)).call_id
    correlation_id = stack.ends(call_id)["correlation_id"]
    assert correlation_id
    (answered,) = until(
        lambda: [line for line in stack.cloud.log("receiver") if call_id in str(line.get("answer"))]
    )
    assert answered["correlation_id"] == correlation_id
    dialled = until(
        lambda: (
            lines
            if len(lines := [x for x in stack.cloud.log("dialer") if x.get("call_id") == call_id])
            == 2
            else []
        )
    )
    assert {line["message"]: line.get("correlation_id") for line in dialled} == {
        "call.queued": correlation_id,
        "call.initiated": correlation_id,
    }


def test_the_same_webhook_twenty_times_at_once_and_once_more_later_is_one_call(
    stack: Deployed,
) -> None:
    number = stack.number()
    order = stack.shopify(number)
    told = stack.post_at_once([order] * 20)
    assert [one.status for one in told] == [202] * 20
    (call_id,) = {one.call_id for one in told}
    stack.ends(call_id)
    stack.comes_to_rest()
    assert len(stack.dials(number)) == 1
    assert stack.post(order).call_id == call_id
    stack.comes_to_rest()
    assert len(stack.dials(number)) == 1


def test_a_captured_order_with_other_ids_and_another_topic_rings_nobody_new(
    stack: Deployed,
) -> None:
    number = stack.number()
    order = stack.shopify(number)
    call_id = stack.post(order).call_id
    stack.ends(call_id)
    headers = {
        **order.headers,
        "x-shopify-webhook-id": "another",
        "x-shopify-event-id": "another",
        "x-shopify-topic": "orders/updated",
        "x-shopify-triggered-at": "2026-01-01T00:00:00Z",
    }
    assert stack.post(replace(order, headers=headers)).call_id == call_id
    stack.comes_to_rest()
    assert len(stack.dials(number)) == 1


def test_a_hubspot_body_of_a_hundred_events_is_a_hundred_calls(stack: Deployed) -> None:
    numbers = [stack.number() for _ in range(100)]
    told = stack.post(stack.hubspot(numbers))
    assert told.status == 202
    assert told.seconds < 5
    call_ids = {call["call_id"] for call in told.body["calls"]}
    assert len(call_ids) == 100
    outcomes = [stack.ends(call_id, timeout=60) for call_id in call_ids]
    assert {item["status"] for item in outcomes} <= set(RANG)
    assert len({item["execution_id"] for item in outcomes}) == 100
    assert all(len(stack.dials(number)) == 1 for number in numbers)


def test_a_form_arrives_in_base64_and_is_read(stack: Deployed) -> None:
    number, secret = stack.number(), library.find("bearer").secret
    headers = {
        "authorization": f"Bearer {secret}",
        "content-type": "application/x-www-form-urlencoded",
    }
    body = f"id={stack.id()}&name=Sofia&phone=%2B{number[1:]}".encode()
    told = stack.post_to("form", body, headers)
    assert told.status == 202
    assert stack.ends(told.call_id)["status"] in RANG
    assert len(stack.dials(number)) == 1


@pytest.mark.parametrize("forgery", ["body", "signature", "no signature"])
def test_a_forged_order_is_refused_and_rings_nobody(stack: Deployed, forgery: str) -> None:
    number = stack.number()
    order = stack.shopify(number)
    if forgery == "body":
        forged = replace(order, body=order.body.replace(b"#1048", b"#1049"))
    else:
        headers = {k: v for k, v in order.headers.items() if k != "x-shopify-hmac-sha256"}
        wrong = {"x-shopify-hmac-sha256": "AAAA"} if forgery == "signature" else {}
        forged = replace(order, headers=headers | wrong)
    told = stack.post(forged)
    assert (told.status, told.body) == (401, {"error": "not authorised"})
    stack.comes_to_rest()
    assert stack.dials(number) == []


def test_an_unknown_source_is_not_found(stack: Deployed) -> None:
    assert stack.tell("nobody", {}).status == 404


def test_a_source_without_a_secret_lets_nobody_in(stack: Deployed) -> None:
    assert stack.tell("unfilled", {"phone": stack.number()}).status == 503


def test_what_lacks_a_number_is_kept_with_its_payload_until_it_is_sent_corrected(
    stack: Deployed,
) -> None:
    key, number = stack.id(), stack.number()
    told = stack.tell("form", {"id": key, "name": "Sofia"})
    assert told.status == 422
    assert "{{ phone }}" in told.body["error"]
    (unmapped,) = told.body["unmapped"]
    item = stack.becomes(unmapped["call_id"], "unmapped")
    assert "{{ phone }}" in item["reason"]
    assert unpack(item["payload"]) == {"id": key, "name": "Sofia"}
    corrected = stack.tell("form", {"id": key, "name": "Sofia", "phone": number})
    assert corrected.call_id == unmapped["call_id"]
    item = stack.becomes(corrected.call_id, *RANG)
    assert "payload" not in item
    assert len(stack.dials(number)) == 1


def test_an_order_without_a_number_is_accepted_from_a_sender_that_punishes_errors(
    stack: Deployed,
) -> None:
    told = stack.post(stack.shopify(None))
    assert told.status == 202
    (unmapped,) = told.body["unmapped"]
    item = stack.becomes(unmapped["call_id"], "unmapped")
    assert unpack(item["payload"])["name"] == "#1048"


def test_logs_hold_no_number_no_person_and_no_secret(stack: Deployed) -> None:
    stack.ends(stack.post(stack.shopify(stack.number())).call_id)
    secret = library.find("shopify").secret
    forbidden = {secret, library.find("bearer").secret, TOKEN, "Amara", "amara.osei", "Sofia"}
    # As they are written: with and without the country's code, and as the samples write them.
    forbidden |= {number.removeprefix("+") for number in stack.used}
    forbidden |= {number.removeprefix("+1") for number in stack.used}
    lines = until(stack.raw_logs)
    assert not [(text, line) for line in lines for text in forbidden if text in line]


def test_a_secret_in_the_address_is_enough_in_the_path_in_the_query_and_with_get(
    stack: Deployed,
) -> None:
    secret = library.find("url-token").secret
    lead = {"lead_id": stack.id(), "phone": stack.number()}
    by_get = {"lead_id": stack.id(), "phone": stack.number()}
    address = f"{stack.cloud.webhooks_url}/portal"

    in_path = stack.post_to(f"portal/{secret}", json.dumps(lead).encode(), {})
    in_query = stack.post_to(f"portal?token={secret}", json.dumps(lead).encode(), {})
    pushed = HTTP.request("GET", address, fields={"token": secret, **by_get})
    looked = HTTP.request("HEAD", address)
    refused = HTTP.request("POST", f"{address}/guess", body=json.dumps(lead))

    assert (in_path.status, in_query.status, pushed.status, looked.status) == (200,) * 4
    assert refused.status == 401
    assert in_path.call_id == in_query.call_id
    for number, call_id in (
        (lead["phone"], in_path.call_id),
        (by_get["phone"], json.loads(pushed.data)["calls"][0]["call_id"]),
    ):
        assert stack.ends(call_id)["status"] in RANG
        assert len(stack.dials(number)) == 1
