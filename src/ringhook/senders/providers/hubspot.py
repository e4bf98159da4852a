"""HubSpot: app webhooks (batches of CRM events) and the "Send a webhook" action of workflows.

Events of app webhooks hold ids and no people: `enrich` fetches those, with the access token of an
app that may read contacts (scope crm.objects.contacts.read, for deals crm.objects.deals.read too).
Newer apps subscribe to generic events, `object.creation` of the kind `0-1`: their topic here is the
classic one, `contact.creation`. A workflow that sends a key of its author's instead of a signature
is connected as provider `header-token`. A workflow's body has no id: where its author picks what it
holds, let a time be in it, for two webhooks with the very same body are the same event.

HubSpot sends signatures of several versions side by side. Versions 1 and 2 sign no time: whoever
has captured a webhook can take version 3 away and pass with another at any age. `signature = "v3"`
takes version 3 alone: set it for an app's webhooks, which all carry it.

Source: developers.hubspot.com, "Validating requests", "Webhooks API", "Create generic webhook
subscriptions", "Contacts" and "Deals"; knowledge.hubspot.com, "Use webhooks with HubSpot
workflows". Not confirmed: that HubSpot decodes percent escapes in the address before it signs (its
page says so, its own libraries do not): both forms are tried.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ringhook.errors import RejectedError
from ringhook.reading.tables import Field
from ringhook.senders.enrichment import Enrichment
from ringhook.senders.providers import Provider, Source, body, first, whole_payload
from ringhook.senders.signatures import MISMATCH, Hmac, check_cut, covered, sha256_hex, signed_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ringhook.senders.request import Request

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
V3_SIGNATURE = Hmac(
    header="x-hubspot-signature-v3",
    encoding="base64",
    signed="{method}{url}{body}{timestamp}",
    timestamp_header="x-hubspot-request-timestamp",
    timestamp_unit="ms",
)


@dataclass(frozen=True, slots=True)
class V3:
    """HMAC-SHA256 over method, address, body and time."""

    @property
    def description(self) -> str:
        """As `Scheme` says."""
        return "version 3: HMAC-SHA256 over method, address, body and time"

    def applies(self, request: Request) -> bool:
        """Whether the request is signed by version 3."""
        return V3_SIGNATURE.applies(request)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Check against the address as it is, then with HubSpot's escapes decoded."""
        decoded = request.url
        for escape, char in _ESCAPES.items():
            decoded = decoded.replace(escape, char).replace(escape.lower(), char)
        try:
            V3_SIGNATURE.verify(request, secrets, now)
        except RejectedError:
            if decoded == request.url:
                raise
            V3_SIGNATURE.verify(replace(request, url=decoded), secrets, now)

    def proven(self, request: Request) -> Request:
        """The address, the body and the signed time."""
        return V3_SIGNATURE.proven(request)


@dataclass(frozen=True, slots=True)
class Digest:
    """Versions 1 and 2: a plain SHA-256 over the secret and what follows it. It signs no time."""

    version: str
    signed: str

    @property
    def description(self) -> str:
        """As `Scheme` says."""
        number = self.version.removeprefix("v")
        return f"version {number}: SHA-256 over the secret and what follows it; it signs no time"

    def applies(self, request: Request) -> bool:
        """Whether the request is signed by this version."""
        version = request.headers.get("x-hubspot-signature-version", "v1")
        return "x-hubspot-signature" in request.headers and version == self.version

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:  # noqa: ARG002 - nothing here has a time
        """Compare the digest with the one that each secret makes."""
        check_cut(self.signed, request)
        given = request.headers["x-hubspot-signature"].lower().encode(errors="replace")
        for secret in secrets:
            expected = sha256_hex(signed_bytes(self.signed, request, {"secret": secret}))
            if hmac.compare_digest(expected.encode(), given):
                return
        raise RejectedError(MISMATCH)

    def proven(self, request: Request) -> Request:
        """The body, and with version 2 the address."""
        return covered(request, address="{url}" in self.signed)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSpotSource(Source):
    """The settings of a HubSpot app."""

    signature: Literal["", "any", "v3"] = Field(
        default="",
        description="v3: take nothing but version 3, the only one that signs the time;"
        " any (as when left out): versions 1 and 2 as well, which a captured webhook passes at any"
        " age",
    )

    @property
    def advice(self) -> str:
        """Version 3 alone is recommended; who wants the others says so."""
        if self.signature:
            return ""
        return (
            'set signature = "v3": versions 1 and 2 sign no time, so a captured webhook passes at'
            ' any age (or "any", where something still signs only by those)'
        )


def _adapt(provider: Provider, source: Any) -> Provider:
    return replace(provider, schemes=(V3(),)) if source.signature == "v3" else provider


# The numbers that HubSpot gives its own kinds of objects; an account's own begin with 2-.
_KINDS = {
    "0-1": "contact",
    "0-2": "company",
    "0-3": "deal",
    "0-5": "ticket",
    "0-7": "product",
    "0-8": "line_item",
}
_CHANGES = (
    "creation",
    "deletion",
    "merge",
    "propertyChange",
    "associationChange",
    "restore",
)

_TOPIC = first(body("subscriptionType"), body("eventType"), body("'workflow'"))
_KIND = body("objectTypeId")

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


def _topic(request: Request, payload: Any) -> str:
    """`contact.creation`, whether HubSpot names it so or as `object.creation` of contacts."""
    kind, _, change = str(_TOPIC(request, payload)).partition(".")
    named = _KINDS.get(str(_KIND(request, payload)), kind) if kind == "object" else kind
    return f"{named}.{change}" if change else named


PROVIDER = Provider(
    title="HubSpot",
    schemes=(V3(), Digest("v2", "{secret}{method}{url}{body}"), Digest("v1", "{secret}{body}")),
    items=_items,
    topic=_topic,
    # attemptNumber counts up when HubSpot sends again, and eventId is documented as not unique. A
    # workflow's body has neither: there the whole of it is what stays the same.
    identity=(
        body("[portalId, eventId, objectTypeId, objectId, propertyName, occurredAt]"),
        lambda request, item: (
            None if isinstance(item, dict) and "eventId" in item else whole_payload(request, item)
        ),
    ),
    occurred_at=body("occurredAt"),
    tenant=first(body("portalId"), body('"portal-id"')),
    never={
        "contact.privacyDeletion": "a contact asked to be erased",
        **{f"{kind}.deletion": f"the {kind} was deleted" for kind in (*_KINDS.values(), "object")},
    },
    # Whose number it was is not told: HubSpot has erased it.
    privacy={"contact.privacyDeletion": ("forget", "['']")},
    topics=(
        *(f"{kind}.{change}" for kind in (*_KINDS.values(), "object") for change in _CHANGES),
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
    settings=HubSpotSource,
    adapt=_adapt,
)
