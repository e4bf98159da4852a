"""HighLevel (GoHighLevel, LeadConnector): marketplace apps, and webhooks of workflows.

Source: marketplace.gohighlevel.com, "Webhook integration guide", and npm @gohighlevel/api-client
3.1.0. HighLevel signs an app's events with Ed25519; the secret is its public key, as published:
base64 or PEM. The key is the same for all, so it proves HighLevel, not the customer: pin `tenant`
to a `locationId`. Webhooks of workflows are not signed: add a header with a secret to the action
and name it as `header` in the settings. A source takes one or the other, never both, for the public
key is no secret that a header could prove. The older `x-wh-signature` (RSA) is not taken: the guide
gives it up on 1 July 2026, and what is signed since has the newer one. Not confirmed: that only an
answer of 429 makes HighLevel send again, that an event then has a new `timestamp`, that every app
event has one (one that has none is not held to any time), and the fields of a workflow's body.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringhook.errors import BadRequestError, RejectedError, UnavailableError
from ringhook.reading.tables import Field
from ringhook.senders.providers import Provider, Source, body, first, whole_payload
from ringhook.senders.request import read_payload
from ringhook.senders.signatures import MISMATCH, TOLERANCE, HeaderToken, check_fresh, covered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ringhook.senders.request import Request

_HEADER = "x-ghl-signature"
# How the 32 bytes of an Ed25519 key begin as a SubjectPublicKeyInfo (RFC 8410, in DER).
_ED25519 = bytes.fromhex("302a300506032b6570032100")


@dataclass(frozen=True, slots=True)
class Ed25519:
    """An Ed25519 signature over the body, which holds the time that it must be fresh by."""

    @property
    def description(self) -> str:
        """As `Scheme` says."""
        return "an Ed25519 signature over the body, which holds the time that it must be fresh by"

    def applies(self, request: Request) -> bool:
        """Whether the signature's header is there."""
        return _HEADER in request.headers

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Check the signature with each public key, then the freshness of what it signs."""
        # Imported here: no other provider needs it, and this one only for signed events.
        from nacl.exceptions import BadSignatureError  # noqa: PLC0415
        from nacl.signing import VerifyKey  # noqa: PLC0415

        keys = [VerifyKey(public_key(secret)) for secret in secrets]
        try:
            given = base64.b64decode(request.headers[_HEADER], validate=True)
        except ValueError as error:
            message = f"the header {_HEADER} is not base64"
            raise RejectedError(message) from error
        for key in keys:
            try:
                key.verify(request.body, given)
            except (BadSignatureError, ValueError):
                # By another key, over another body, or (ValueError) no signature's length.
                continue
            _check_fresh(request, now)
            return
        raise RejectedError(MISMATCH)

    def proven(self, request: Request) -> Request:
        """The body alone."""
        return covered(request, address=False)


def public_key(text: str) -> bytes:
    """The 32 bytes of a public key in base64 or PEM, with or without what says its kind.

    Raises UnavailableError if it is no such key.
    """
    lines = (line.strip() for line in text.splitlines() if "-----" not in line)
    try:
        key = base64.b64decode("".join(lines), validate=True)
    except ValueError:
        key = b""
    key = key.removeprefix(_ED25519)
    if len(key) != 32:
        message = "the signing secret is not an Ed25519 public key in base64 or PEM, as it must be"
        raise UnavailableError(message)
    return key


def _check_fresh(request: Request, now: datetime) -> None:
    """Look at the time in the body, as whoever reads it next will see it."""
    try:
        payload = read_payload(request)
    except BadRequestError:
        # Genuine, but no object: whoever reads it next says better what is wrong.
        return
    timestamp = payload.get("timestamp") if isinstance(payload, dict) else None
    if timestamp is not None:
        check_fresh(str(timestamp), "iso", TOLERANCE, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoHighLevelSource(Source):
    """The settings of a HighLevel app or workflow."""

    header: str = Field(
        default="",
        description="the header with the secret, for webhooks of workflows;"
        " left out: events of an app, which HighLevel signs",
    )


def _adapt(provider: Provider, source: Any) -> Provider:
    if not source.header:
        return provider
    return replace(provider, schemes=(HeaderToken(header=source.header.lower()),))


_KINDS = {
    "Appointment": ("Create", "Update", "Delete"),
    "Contact": ("Create", "Update", "Delete", "DndUpdate", "TagUpdate"),
    "Opportunity": ("Create", "Update", "Delete", "StageUpdate", "StatusUpdate"),
    "Invoice": ("Create", "Sent", "Paid", "PartiallyPaid", "Void"),
    "Note": ("Create", "Update", "Delete"),
    "Order": ("Create", "StatusUpdate"),
    "Task": ("Create", "Complete", "Delete"),
}

PROVIDER = Provider(
    title="HighLevel",
    schemes=(Ed25519(),),
    topic=first(body("type"), body("'workflow'")),
    identity=(first(body("webhookId"), whole_payload),),
    occurred_at=body("timestamp"),
    tenant=first(body("locationId"), body("location.id"), body("companyId")),
    never={
        "ContactDelete": "the contact was deleted",
        "AppointmentDelete": "the appointment was deleted",
        "OpportunityDelete": "the opportunity was deleted",
        "UNINSTALL": "the account removed the app",
    },
    never_when={
        "dnd == `true` || dnd == 'true'": "the contact is on do-not-disturb",
        "dndSettings.Call.status == 'active' || dndSettings.Call.status == 'permanent'": (
            "the contact is on do-not-disturb for calls"
        ),
    },
    topics=(
        *(f"{kind}{what}" for kind, whats in _KINDS.items() for what in whats),
        "ConversationUnreadUpdate",
        "INSTALL",
        "InboundMessage",
        "OpportunityAssignedToUpdate",
        "OpportunityMonetaryValueUpdate",
        "OutboundMessage",
        "UNINSTALL",
        "workflow",
    ),
    settings=GoHighLevelSource,
    adapt=_adapt,
)
