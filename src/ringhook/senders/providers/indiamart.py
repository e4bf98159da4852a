"""IndiaMART: enquiries, buy leads and calls, pushed by its Lead Manager.

Source: public receivers of the push (its own page could not be read), and help.indiamart.com on the
pull of the same leads, which names the same keys. IndiaMART proves nothing: the address that it is
given holds the secret. A lead is what stands in `RESPONSE`: `SENDER_MOBILE`, `SENDER_NAME`,
`QUERY_PRODUCT_NAME`; its times are India's and name no zone. QUERY_TYPE tells what it is: W an
enquiry, B a buy lead, WA WhatsApp, P a call to the seller, V and BIZ a look at the catalogue. A
call rings back only if it was missed. After two days of other answers than 200 it switches the push
off. Not confirmed: the types V, BIZ and WA, the zone, whether it sends again, and how its test
looks: look at a first real push in the ledger before you rely on this.
"""

from __future__ import annotations

import re
from typing import Any

from ringhook import clock
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._url_token import UrlToken

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def _items(payload: Any) -> list[Any]:
    """What is in the envelope, one lead or a list of them, or what came without one."""
    inside = payload.get("RESPONSE", payload) if isinstance(payload, dict) else payload
    leads = inside if isinstance(inside, list) else [inside]
    return [_plain(lead) for lead in leads]


def _plain(lead: Any) -> Any:
    """The lead with a space where its texts have a line break of HTML."""
    if not isinstance(lead, dict):
        return lead
    return {k: _BREAK.sub(" ", v).strip() if isinstance(v, str) else v for k, v in lead.items()}


PROVIDER = Provider(
    title="IndiaMART",
    schemes=(UrlToken(),),
    items=_items,
    topic=body("QUERY_TYPE"),
    identity=(first(body("UNIQUE_QUERY_ID"), whole_payload),),
    occurred_at=body("QUERY_TIME"),
    zone=clock.zone("Asia/Kolkata"),
    never={
        "V": "the buyer only looked at the catalogue",
        "BIZ": "the buyer only looked at the catalogue",
    },
    never_when={
        "QUERY_TYPE == 'P' && !contains(['0', '00:00', '00:00:00'],"
        " to_string(CALL_DURATION || ''))": (
            "the buyer has spoken with the seller, or it is not told that the call was missed"
        ),
    },
    topics=("B", "BIZ", "P", "V", "W", "WA"),
    accepted=200,
)
