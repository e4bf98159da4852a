"""`[notify.NAME]` in `routes.toml`: whom routes tell how their calls end, and what is refused."""

from __future__ import annotations

import pytest
from tests.builders import NOW

from ringhook.calls.call import Call
from ringhook.errors import RoutesError
from ringhook.routing.mapping import map_event
from ringhook.routing.routes_file import load
from ringhook.senders.providers import Event

FILE = """
countries = ["US"]
[sources.shop]
provider = "shopify"
[[routes]]
name = "first"
source = "shop"
policy.key = "{{ id }}"
call.agent_id = 1
call.phone_number = "{{ phone }}"
"""
CRM = '[notify.crm]\nurl = "https://crm.example.com/ringhook"\n'


def problem(text: str) -> str:
    with pytest.raises(RoutesError) as caught:
        load(text)
    [found] = caught.value.problems
    assert found.line
    return str(found)


def told(text: str) -> tuple[str, ...]:
    """Whom the call of the one route is to be told to."""
    payload = {"id": 7, "phone": "+14155550123"}
    event = Event("shop", "orders/create", "e-1", NOW, payload)
    [call] = map_event(event, load(text), now=NOW)
    assert isinstance(call, Call)
    assert call.key == "7"
    return call.notify


def test_a_route_tells_whom_it_names() -> None:
    assert told(f'{FILE}notify = ["crm"]\n{CRM}') == ("crm",)


def test_a_route_that_names_nobody_tells_the_defaults() -> None:
    assert told(f"{FILE}{CRM}default = true\n[notify.log]\nurl = 'https://log.example.com/'") == (
        "crm",
    )


def test_a_route_that_names_none_tells_nobody() -> None:
    assert told(f"{FILE}notify = []\n{CRM}default = true\n") == ()


def test_no_default_tells_nobody() -> None:
    assert told(f"{FILE}{CRM}") == ()


def test_who_is_not_there_cannot_be_named() -> None:
    said = problem(f'{FILE}notify = ["crn"]\n{CRM}')

    assert "routes[0].notify: there is no [notify.crn]; did you mean 'crm'?" in said


def test_the_name_of_the_accounts_own_bus_is_taken() -> None:
    assert "give 'account' another name" in problem(
        f'{FILE}[notify.account]\nurl = "https://a.example/"'
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example.com/x",
        "https://crm.example.com",
        "https://{{ host }}/x",
        "https://crm.{{ host }}/x",
        "https://user:secret@crm.example.com/x",
        "https://localhost/x",
        "https://[::1]/x",
        "https://{credential}/x",
        "ftp://crm.example.com/x",
        "//crm.example.com/x",
    ],
)
def test_an_address_is_https_with_a_host_written_out(url: str) -> None:
    said = problem(f'{FILE}[notify.crm]\nurl = "{url}"')

    assert "notify.crm.url: must begin with https:// and a host, written out" in said


@pytest.mark.parametrize("url", ["https://a.example/x y", "https://a.example/../x#y"])
def test_an_address_is_a_plain_one(url: str) -> None:
    assert "notify.crm.url" in problem(f'{FILE}[notify.crm]\nurl = "{url}"')


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('on = ["call.finished"]', "notify.crm.on"),
        ("headers = { Host = 'x' }", "no header that a notification can be given"),
        ("headers = { webhook-id = 'x' }", "no header that a notification can be given"),
        ('headers = { "X y" = "x" }', "no header that a notification can be given"),
        ('body = { a = "{{ [ }}" }', "not a JMESPath expression"),
        ('body = { a = ["{credential}"] }', "has its place in `headers`"),
        ('succeeds = "{{ status }}"', "without {{ }}"),
        ('method = "GET"', "notify.crm.method"),
        ('ulr = "x"', "there is no such key"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(more: str, said: str) -> None:
    assert said in problem(f"{FILE}{CRM}{more}\n")


def test_a_notification_is_signed_unless_it_sends_its_secret() -> None:
    sends = "[notify.slack]\nurl = 'https://hooks.slack.com/services/{credential}'\n"
    bears = f"{CRM}headers = {{ Authorization = 'Bearer {{credential}}' }}\n"

    found = load(f"{FILE}{sends}{bears.replace('notify.crm', 'notify.hub')}{CRM}").notify

    assert {name: one.is_signed for name, one in found.items()} == {
        "slack": False,
        "hub": False,
        "crm": True,
    }
