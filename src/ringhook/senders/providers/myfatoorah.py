"""MyFatoorah: the webhooks (version 2) of a merchant in the Gulf or Egypt.

Source: docs.myfatoorah.com, "Webhook information" and "Payment status data model" of version 2; the
rule of the signature as eight public receivers quote it. The secret is the webhook's secret key.
MyFatoorah signs some fields, in the header MyFatoorah-Signature: the invoice's id, status and
ExternalIdentifier, the transaction's status (the topic) and PaymentId. The phone is not among them,
so whoever has seen one webhook could write another one into it: without a token in its address, a
source reads the signed fields alone, and rings nobody by what MyFatoorah sends. Give it the address
with `?token=` and a token of your own, and keep both as the secret, the key first and a space
between. Refunds are signed in a way of their own; other events, and webhooks of version 1, are
refused. Not confirmed: all topics, that Customer.Mobile is whole, and how long it waits.
"""

from __future__ import annotations

import base64
import hmac
from typing import Any

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._signed_fields import SignedFields

_PAYMENT = (
    "Invoice.Id",
    "Invoice.Status",
    "Transaction.Status",
    "Transaction.PaymentId",
    "Invoice.ExternalIdentifier",
)
_REFUND = (
    "Refund.Id",
    "Refund.Status",
    "Amount.ValueInBaseCurrency",
    "ReferencedInvoice.Id",
)


def signature(payload: Any, key: str) -> str:
    """The signature of an event, in base64."""
    data = payload.get("Data") if isinstance(payload, dict) else None
    places = _REFUND if isinstance(data, dict) and "Refund" in data else _PAYMENT
    signed = ",".join(f"{place}={_text(data, place)}" for place in places)
    digest = hmac.new(key.encode(), signed.encode(errors="replace"), "sha256").digest()
    return base64.b64encode(digest).decode()


def _text(data: Any, place: str) -> str:
    for name in place.split("."):
        data = data.get(name) if isinstance(data, dict) else None
    return "" if data is None else str(data)


_SCHEME = SignedFields(
    fields=tuple(f"Data.{place}" for place in (*_PAYMENT, *_REFUND)),
    signature=signature,
    header="myfatoorah-signature",
)

PROVIDER = Provider(
    title="MyFatoorah",
    schemes=(_SCHEME,),
    read=_SCHEME.read,
    # Signed, as the event's name and reference are not.
    topic=first(body("Data.Refund && 'REFUND'"), body("Data.Transaction.Status")),
    identity=(
        first(
            body("Data.Transaction && Data.[Invoice.Id, Transaction.PaymentId]"),
            body("Data.Refund && Data.Refund.[Id, Status]"),
            whole_payload,
        ),
    ),
    occurred_at=body("Event.CreationDate"),
    topics=("AUTHORIZE", "CANCELED", "FAILED", "PENDING", "REFUND", "SUCCESS"),
    accepted=200,
)
