"""HubSpot: app webhooks (batches of CRM events) and the "Send a webhook" action of workflows.

Events of app webhooks hold ids and no people: `enrich` fetches those, with the access token of an
app that may read contacts (scope crm.objects.contacts.read, for deals crm.objects.deals.read too).

Source: developers.hubspot.com, "Validating requests", "Webhooks API", "Contacts" and "Deals";
knowledge.hubspot.com, "Use webhooks with HubSpot workflows". Not confirmed: that HubSpot decodes
percent escapes in the address before it signs (its page says so, its own libraries do not): both
forms are tried.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringhook.enrichment import Enrichment
from ringhook.errors import RejectedError
from ringhook.providers import Provider, body, first, whole_payload
from ringhook.signatures import MISMATCH, Hmac, sha256_hex, signed_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ringhook.request import Request

_ESCAPES = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
_V3 = Hmac(
    header="x-hubspot-signature-v3",
    encoding="base64",
    signed="{method}{url}{body}{timestamp}",
    timestamp_header="x-hubspot-request-timestamp",
    timestamp_unit="ms",
)


@dataclass(frozen=True, slots=True)
class V3:
    """HMAC-SHA256 over method, address, body and time."""

    def applies(self, request: Request) -> bool:
        """Whether the request is signed by version 3."""
        return _V3.applies(request)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Check against the address as it is, then with HubSpot's escapes decoded."""
        decoded = request.url
        for escape, char in _ESCAPES.items():
            decoded = decoded.replace(escape, char).replace(escape.lower(), char)
        try:
            _V3.verify(request, secrets, now)
        except RejectedError:
            if decoded == request.url:
                raise
            _V3.verify(replace(request, url=decoded), secrets, now)


@dataclass(frozen=True, slots=True)
class Digest:
    """Versions 1 and 2: a plain SHA-256 over the secret and what follows it. It signs no time."""

    version: str
    signed: str

    def applies(self, request: Request) -> bool:
        """Whether the request is signed by this version."""
        version = request.headers.get("x-hubspot-signature-version", "v1")
        return "x-hubspot-signature" in request.headers and version == self.version

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - nothing here has a time
        """Compare the digest with the one that each secret makes."""
        given = request.headers["x-hubspot-signature"].lower().encode(errors="replace")
        for secret in secrets:
            expected = sha256_hex(signed_bytes(self.signed, request, {"secret": secret}))
            if hmac.compare_digest(expected.encode(), given):
                return
        raise RejectedError(MISMATCH)


_KINDS = ("contact", "company", "deal", "ticket", "product", "line_item")
_CHANGES = (
    "creation",
    "deletion",
    "merge",
    "propertyChange",
    "associationChange",
    "restore",
)


_API = "https://api.hubapi.com/crm/v3/objects"
_PROPERTIES = (
    "phone,mobilephone,hs_calculated_phone_number,firstname,lastname,company,country,"
    "hs_country_region_code,state,zip,hs_timezone,lifecyclestage"
)


def _of(kind: str) -> tuple[str, ...]:
    """The topics in which objectId is an object of this kind that is still there."""
    return tuple(f"{kind}.{change}" for change in ("creation", "propertyChange", "restore"))


def _items(payload: Any) -> list[Any]:
    return payload if isinstance(payload, list) else [payload]


PROVIDER = Provider(
    title="HubSpot",
    schemes=(V3(), Digest("v2", "{secret}{method}{url}{body}"), Digest("v1", "{secret}{body}")),
    items=_items,
    topic=first(body("subscriptionType"), body("eventType"), body("'workflow'")),
    # attemptNumber counts up when HubSpot sends again, and eventId is documented as not unique. A
    # workflow's body has neither: there the whole of it is what stays the same.
    identity=(
        body("[portalId, eventId, objectId, propertyName, occurredAt]"),
        lambda request, item: (
            None if isinstance(item, dict) and "eventId" in item else whole_payload(request, item)
        ),
    ),
    occurred_at=body("occurredAt"),
    tenant=first(body("portalId"), body('"portal-id"')),
    never={
        "contact.privacyDeletion": "a contact asked to be erased",
        "contact.deletion": "the contact was deleted",
    },
    topics=(
        *(f"{kind}.{change}" for kind in _KINDS for change in _CHANGES),
        "contact.privacyDeletion",
        "conversation.creation",
        "conversation.newMessage",
        "workflow",
    ),
    enrich_hosts=("api.hubapi.com",),
    enrichments={
        "contact": (
            Enrichment(
                url=f"{_API}/contacts/{{{{ objectId }}}}?properties={_PROPERTIES}",
                into="contact",
                on=_of("contact"),
            ),
        ),
        "deal": (
            Enrichment(
                url=f"{_API}/deals/{{{{ objectId }}}}"
                "?properties=dealname,amount,dealstage,pipeline&associations=contacts",
                into="deal",
                on=_of("deal"),
            ),
            Enrichment(
                url=f"{_API}/contacts/{{{{ deal.associations.contacts.results[0].id }}}}"
                f"?properties={_PROPERTIES}",
                into="contact",
                on=_of("deal"),
            ),
        ),
    },
)
