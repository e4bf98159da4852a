"""PayU India: the webhooks of a merchant's payments.

Source: docs.payu.in, "Transaction callback", "Partner payment webhooks" and "Collect additional
charges". The secret is the merchant's salt. PayU signs some fields, with a plain SHA-512 in the
body's `hash`: `key`, `txnid`, `amount`, `productinfo`, `firstname`, `email`, `udf1` to `udf5` and
`status`, the topic. The phone is not among them, so whoever has seen one webhook could write
another one into it: without a token in its address, a source reads the signed fields alone, and
rings nobody by what PayU sends. Give PayU the address with `?token=` and a token of your own, and
keep both as the secret, the salt first and a space between. One `txnid` that fails again is one
event. Not confirmed: whether PayU sends again, how long it waits, that `addedon` is India's time,
and how a fee in `additional_charges`, so spelt, is signed.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ringhook import clock
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._signed_fields import SignedFields

_REVERSED = (
    "udf5",
    "udf4",
    "udf3",
    "udf2",
    "udf1",
    "email",
    "firstname",
    "productinfo",
    "amount",
    "txnid",
    "key",
)
# The fee that PayU adds stands in front.
_FEES = ("additionalCharges", "additional_charges")


def signature(payload: Any, salt: str) -> str:
    """The hash of a payload, in hexadecimal."""
    named = payload if isinstance(payload, dict) else {}

    def of(name: str) -> str:
        value = named.get(name)
        return value if isinstance(value, str) else "" if value is None else str(value)

    fee = next(filter(None, map(of, _FEES)), "")
    # `udf6` to `udf10` are kept free.
    parts = [*([fee] if fee else []), salt, of("status"), *[""] * 5, *map(of, _REVERSED)]
    return hashlib.sha512("|".join(parts).encode(errors="replace")).hexdigest()


_SCHEME = SignedFields(
    fields=("status", *_REVERSED, *_FEES), signature=signature, place="hash", hex=True
)

PROVIDER = Provider(
    title="PayU India",
    schemes=(_SCHEME,),
    read=_SCHEME.read,
    topic=body("status"),
    # Signed, as `mihpayid` is not.
    identity=(first(body("txnid"), whole_payload),),
    occurred_at=body("addedon"),
    tenant=body("key"),
    topics=("failed", "failure", "pending", "success"),
    accepted=200,
    zone=clock.zone("Asia/Kolkata"),
)
