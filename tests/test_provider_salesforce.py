"""What is Salesforce's alone: SOAP, read with care, and answered with its own acknowledgement."""

from xml.etree import ElementTree as ET

import pytest
from pydantic import ValidationError
from tests.builders import NOW, provider, request

from ringhook.errors import BadRequestError
from ringhook.reading import checked
from ringhook.senders.request import Reply, Request
from ringhook_ops.samples import library, webhooks

ORGANISATION = "00D5g000004SampEAE"


def sample(name: str) -> Request:
    return webhooks.webhook(library.find("salesforce", name), None, now=NOW)


def message(inside: str, before: str = "") -> Request:
    return request(
        f'{before}<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Body>'
        f'<notifications xmlns="http://soap.sforce.com/2005/09/outbound">{inside}'
        "</notifications></e:Body></e:Envelope>".encode(),
        {"content-type": "text/xml; charset=utf-8"},
    )


def test_every_notification_is_an_event_with_the_fields_as_texts() -> None:
    salesforce = provider("salesforce")
    sent = sample("batch")
    first, second = salesforce.events(sent, salesforce.read(sent))

    assert (first.topic, second.topic) == ("Lead", "Lead")
    assert first.payload["sObject"]["Company"] == "Dahl & Sons"
    assert first.payload["sObject"]["DoNotCall"] == "false"
    assert not first.never
    assert second.never == "the person is not to be called"
    assert first.event_id != second.event_id


def test_a_session_is_never_passed_on() -> None:
    inside = (
        "<OrganizationId>00D5g000004SampEAE</OrganizationId><SessionId>00D!AQ.opens.all</SessionId>"
        "<Notification><Id>04l1</Id><sObject/></Notification>"
    )
    [event] = provider("salesforce").read(message(inside))

    assert "opens" not in repr(event)
    assert event["OrganizationId"] == ORGANISATION


def test_a_nil_field_is_a_missing_one_and_a_custom_object_keeps_its_name() -> None:
    inside = (
        '<Notification><Id>04l1</Id><sObject xsi:type="sf:Survey__c"'
        ' xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Phone xsi:nil="true"/>'
        "<sf:Score__c>9</sf:Score__c></sObject></Notification>"
    )
    [event] = provider("salesforce").read(message(inside))

    assert event["type"] == "Survey__c"
    assert event["sObject"] == {"Phone": None, "Score__c": "9"}


def test_a_message_may_begin_with_a_byte_order_mark_and_hold_nothing() -> None:
    sent = message("", before="\ufeff<?xml version='1.0' encoding='UTF-8'?>")

    assert provider("salesforce").read(sent) == []


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    "sent",
    [
        message("<OrganizationId>&b;</OrganizationId>", before=LAUGHS),
        message("<OrganizationId>&a;</OrganizationId>", before=OUTSIDE),
        message("", before='<!DOCTYPE x SYSTEM "http://evil.example/x.dtd">'),
        message("", before='<?xml version="1.0" encoding="x-unknown"?>'),
        message("<open>"),
        request(b"<Envelope/>"),
        request(b"{}"),
        request(b""),
        request(b"\xff\xfe\x00"),
    ],
)
def test_what_is_no_outbound_message_or_dangerous_to_read_is_not_read(sent: Request) -> None:
    with pytest.raises(BadRequestError):
        provider("salesforce").read(sent)


@pytest.mark.parametrize("tenant", [ORGANISATION, ORGANISATION[:15]])
def test_a_pinned_organisation_may_be_written_long_or_short(tenant: str) -> None:
    salesforce = provider("salesforce")
    settings = {"provider": "salesforce", "tenant": tenant}
    pinned = checked.read(salesforce.settings, settings).tenant
    sent = sample("Lead")

    assert salesforce.tenants(sent, salesforce.read(sent)) == {pinned}


def test_organisations_that_differ_in_case_alone_are_two() -> None:
    salesforce = provider("salesforce")
    other = ORGANISATION[:14] + "P"
    pinned = salesforce.settings(provider="salesforce", tenant=other).tenant
    sent = sample("Lead")

    assert salesforce.tenants(sent, salesforce.read(sent)) != {pinned}


@pytest.mark.parametrize("tenant", ["", "00D5g000004Sam", "acme", "005xx0000012345"])
def test_what_is_no_organisations_id_is_refused_in_the_settings(tenant: str) -> None:
    with pytest.raises(ValidationError, match="organisation"):
        provider("salesforce", tenant=tenant)


def test_the_acknowledgement_is_soap_that_says_true() -> None:
    accepted = provider("salesforce").accepted

    assert isinstance(accepted, Reply)
    assert (accepted.status, accepted.content_type) == (200, "text/xml")
    answer = ET.fromstring(str(accepted.body))  # noqa: S314 - it is our own
    assert answer.findtext(".//{http://soap.sforce.com/2005/09/outbound}Ack") == "true"
