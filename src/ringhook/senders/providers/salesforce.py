"""Salesforce: outbound messages of flows and workflow rules (SOAP).

Source: developer.salesforce.com, "Outbound messaging: notifications", and Microsoft's receiver
(github aspnet/AspNetWebHooks). Salesforce signs nothing: the address that it is given holds the
secret, as `?token=…`. An outbound message names its organisation, which is no secret but may be
pinned as `tenant`; of its id, the first 15 characters count, in upper and lower case. A message
holds up to 100 notifications, one event each: `sObject` has the fields that the administrator chose
(`sObject.MobilePhone`), all of them texts ("true", "false"); empty ones are not sent. The topic is
the object's kind, `Lead` or `Survey__c`; `ActionId` says which outbound message it is. Salesforce
takes nothing but its own acknowledgement for success, and else sends again for 24 hours. Not
confirmed: that it waits 60 seconds.

A flow's HTTP callout sends whatever JSON its author writes, with the credentials of a Named
Credential: connect it as provider `basic`, `bearer` or `header-token` (which has a recipe for it,
`speed-to-lead`), with the flow's `{!$Flow.InterviewGuid}` as the event's id. It is not sent again
by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from defusedxml import ElementTree

from ringhook.errors import BadRequestError
from ringhook.reading.tables import Check, Field
from ringhook.senders.providers import TENANT, Provider, Source, body, first, whole_payload
from ringhook.senders.providers._url_token import UrlToken
from ringhook.senders.request import Reply

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ringhook.senders.request import Request

_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
# SessionId is missing on purpose: it opens the organisation's API to whoever reads it.
_SHARED = ("OrganizationId", "ActionId", "EnterpriseUrl", "PartnerUrl")
_ACK = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    "<soapenv:Body>"
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound">'
    "<Ack>true</Ack>"
    "</notificationsResponse>"
    "</soapenv:Body>"
    "</soapenv:Envelope>"
)


def _organisation(tenant: str) -> str:
    if not re.fullmatch(r"00D[0-9A-Za-z]{12}([0-9A-Z]{3})?", tenant):
        message = "an organisation's id is 00D… with 15 or 18 characters"
        raise ValueError(message)
    return tenant[:15]


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforceSource(Source):
    """The settings of a Salesforce organisation."""

    tenant: Annotated[str, Check(_organisation)] | None = Field(default=None, description=TENANT)


def _read(request: Request) -> Any:
    """The notifications of an outbound message, each with what the message says of them all."""
    try:
        envelope = ElementTree.fromstring(request.body, forbid_dtd=True)
    except (SyntaxError, ValueError, LookupError) as error:
        # In turn: not XML, forbidden in it, and written in an unknown encoding.
        message = f"the body is not XML that can be read: {error}"
        raise BadRequestError(message) from error
    outbound = envelope.find(f".//{_OUTBOUND}notifications")
    if outbound is None:
        message = "the body is XML, but not an outbound message"
        raise BadRequestError(message)
    shared = {name: outbound.findtext(_OUTBOUND + name) for name in _SHARED}
    return [shared | _notification(one) for one in outbound.iterfind(f"{_OUTBOUND}Notification")]


def _notification(element: Element) -> dict[str, Any]:
    record = element.find(f"{_OUTBOUND}sObject")
    fields = () if record is None else record
    return {
        "Id": element.findtext(f"{_OUTBOUND}Id"),
        "type": "" if record is None else record.get(_TYPE, "").rpartition(":")[2],
        "sObject": {field.tag.rpartition("}")[2]: field.text for field in fields},
    }


PROVIDER = Provider(
    title="Salesforce",
    schemes=(UrlToken(),),
    read=_read,
    items=list,
    topic=body("type"),
    identity=(first(body("Id"), whole_payload),),
    occurred_at=first(body("sObject.SystemModstamp"), body("sObject.LastModifiedDate")),
    # The other three characters of a long id only check the case of the first 15.
    tenant=lambda _request, item: (item["OrganizationId"] or "")[:15],
    never_when={
        "sObject.DoNotCall == 'true'": "the person is not to be called",
        "sObject.PersonDoNotCall == 'true'": "the person is not to be called",
        "sObject.IsDeleted == 'true'": "the record was deleted",
    },
    accepted=Reply(200, _ACK, "text/xml"),
    settings=SalesforceSource,
)
