"""Meta Lead Ads: the `leadgen` webhooks of Facebook pages.

Source: developers.facebook.com, "Webhooks: getting started" and "Webhooks for leads". The secret is
the app's. Before Meta sends anything it asks with GET for the `verify_token` that was entered in
the app's settings: any text of your own, written as `verify_token` in the source's settings, too.
A request may hold many leads, of several pages; each is one event with `value.leadgen_id`, and
nothing about the person: `enrich = "lead"` fetches what they entered ("Retrieving leads", with the
page's access token; sent in the header as on the Graph API's other pages, which is not confirmed
for leads). Meta sends again for 36 hours. Not confirmed: that it switches off the
webhooks of an app that keeps failing.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringhook.reading.tables import Field
from ringhook.senders.enrichment import Enrichment
from ringhook.senders.providers import Provider, Source, body, first, whole_payload
from ringhook.senders.request import Reply
from ringhook.senders.signatures import Hmac

if TYPE_CHECKING:
    from ringhook.senders.request import Request


SIGNATURE = Hmac(header="x-hub-signature-256", prefix="sha256=")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaSource(Source):
    """The settings of a Meta app."""

    verify_token: str = Field(
        min_length=1, description="the verify token that the app's webhook settings have"
    )


def adapt(provider: Provider, source: Any) -> Provider:
    """Answer the question for the verify token that the settings name."""
    token = source.verify_token.encode()

    def greet(request: Request) -> Reply | None:
        """Give Meta its challenge back, if it knows the verify token."""
        query = request.query
        if request.method != "GET" or query.get("hub.mode") != "subscribe":
            return None
        given = query.get("hub.verify_token", "").encode(errors="replace")
        challenge = query.get("hub.challenge", "")
        if hmac.compare_digest(given, token) and re.fullmatch(r"[\w-]{1,200}", challenge, re.ASCII):
            return Reply(200, challenge, "text/plain")
        return Reply(403, {"error": "another verify token"})

    return replace(provider, greet=greet)


def _items(payload: Any) -> list[Any]:
    """Every change of every entry, each with the entry's id and time."""
    entries = payload.get("entry") if isinstance(payload, dict) else None
    return [
        {
            "object": payload.get("object"),
            "id": entry.get("id"),
            "time": entry.get("time"),
            **change,
        }
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("changes"), list)
        for change in entry["changes"]
        if isinstance(change, dict)
    ]


PROVIDER = Provider(
    title="Meta Lead Ads",
    schemes=(SIGNATURE,),
    items=_items,
    topic=body("field"),
    identity=(first(body("value.leadgen_id"), whole_payload),),
    occurred_at=first(body("value.created_time"), body("time")),
    tenant=first(body("value.page_id"), body("id")),
    topics=("leadgen",),
    enrich_hosts=("graph.facebook.com",),
    enrichments={
        "lead": (
            Enrichment(
                url="https://graph.facebook.com/v26.0/{{ value.leadgen_id }}"
                "?fields=created_time,ad_name,form_id,field_data,custom_disclaimer_responses",
                into="lead",
                on=("leadgen",),
            ),
        ),
    },
    settings=MetaSource,
    adapt=adapt,
)
