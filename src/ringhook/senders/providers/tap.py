"""Tap Payments: the charges of a merchant in the Gulf.

Source: developers.tap.company, "Webhook", as public receivers quote it; not read itself. The secret
is the API key, sk_live_… Tap signs some fields, in the header hashstring: id, amount, currency, the
references of gateway and payment, status (the topic) and the time of creation. The phone is not
among them, so whoever has seen one webhook could write another one into it: without a token in its
address, a source reads the signed fields alone, and rings nobody by what Tap sends. Give the
charge's `post.url` with `?token=` and a token of your own, and keep both as the secret, the API key
first and a space between. `live_mode` marks tests, as far as the address vouches for it. Not
confirmed: all topics, how long Tap waits and whether it sends again, and how it signs what is no
charge.
"""

from __future__ import annotations

import hmac
from decimal import Decimal, InvalidOperation
from typing import Any

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._signed_fields import SignedFields

# What is signed, and as what: the amount with the decimals of its currency.
_FIELDS = {
    "id": "id",
    "amount": "amount",
    "currency": "currency",
    "gateway_reference": "reference.gateway",
    "payment_reference": "reference.payment",
    "status": "status",
    "created": "transaction.created",
}
_THREE_DECIMALS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")


def signature(payload: Any, key: str) -> str:
    """The hashstring of a charge, in hexadecimal."""
    values = {name: _at(payload, place) for name, place in _FIELDS.items()}
    values["amount"] = _written(values["amount"], values["currency"])
    signed = "".join(f"x_{name}{'' if value is None else value}" for name, value in values.items())
    return hmac.new(key.encode(), signed.encode(errors="replace"), "sha256").hexdigest()


def _at(payload: Any, place: str) -> Any:
    for name in place.split("."):
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload


def _written(amount: Any, currency: Any) -> str:
    """An amount as Tap signs it: with two decimals, or three where the currency has them."""
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        return ""
    return f"{number:.3f}" if currency in _THREE_DECIMALS else f"{number:.2f}"


_SCHEME = SignedFields(
    fields=tuple(_FIELDS.values()), signature=signature, header="hashstring", hex=True
)

PROVIDER = Provider(
    title="Tap Payments",
    schemes=(_SCHEME,),
    read=_SCHEME.read,
    topic=body("status"),
    identity=(first(body("id"), whole_payload),),
    occurred_at=body("transaction.created"),
    test=body("live_mode == `false`"),
    topics=(
        "ABANDONED",
        "AUTHORIZED",
        "CANCELLED",
        "CAPTURED",
        "DECLINED",
        "FAILED",
        "INITIATED",
        "IN_PROGRESS",
        "RESTRICTED",
        "TIMEDOUT",
        "UNKNOWN",
        "VOID",
    ),
    accepted=200,
)
