"""JustDial: leads of a listing, pushed by arrangement with its account manager.

Source: public receivers, and the help of CRMs (LeadSquared, Kylas) that take them; JustDial
publishes no specification. It proves nothing: the address that it is given holds the secret. A lead
comes as the parameters of a GET, as JSON or as a form, and is answered with 200 and the word
SUCCESS. Its date and time are India's and name no zone. `dncmobile` and `dncphone` mark a number of
people who are not to be called: such a number is taken out of the lead, and a lead without another
one rings nobody. `parentid` is the listing. Not confirmed: the zone, whether it sends again, and
which of the three forms yours has. Look at a first real lead in the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringhook import clock
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._url_token import UrlToken, with_query
from ringhook.senders.request import Reply

if TYPE_CHECKING:
    from ringhook.senders.request import Request

_read_all = with_query()
_NO = {"", "0", "false", "no", "n", "none"}


def _read(request: Request) -> Any:
    """The lead without the numbers that are marked as not to be called."""
    lead = _read_all(request)
    if not isinstance(lead, dict):
        return lead
    # A mark that cannot be read is one.
    marked = [n for n in ("mobile", "phone") if str(lead.get(f"dnc{n}", 0)).lower() not in _NO]
    return {**lead, **dict.fromkeys(marked, "")} | ({"dnc": marked} if marked else {})


PROVIDER = Provider(
    title="JustDial",
    schemes=(UrlToken(),),
    gets=True,
    read=_read,
    topic=body("leadtype"),
    identity=(first(body("leadid"), whole_payload),),
    occurred_at=first(body("date && time && join(' ', [date, time])"), body("date")),
    zone=clock.zone("Asia/Kolkata"),
    tenant=body("parentid"),
    never_when={"dnc && !mobile && !phone": "the number is marked as not to be called"},
    accepted=Reply(200, "SUCCESS", "text/plain"),
)
