"""Bitrix24: outgoing webhooks, and the events of local applications.

Source: github.com/bitrix24/b24restdocs, "Events", "Local webhooks" and "onCrmLeadAdd". The secret
is the token that Bitrix24 shows with the webhook: it comes in the body as
`auth.application_token`, and is not kept. An event holds no more than an id. `enrich = "lead"`
(`"contact"`, `"deal"`) fetches the rest with an incoming webhook: its credential is what stands in
that one's address between `/rest/` and the last `/`, like `1/abcdefgh`, and `tenant` is the
portal's own host. Bitrix24 sends once: what is answered with an error is lost. Not confirmed: the
form in which a portal's own domain stands in `auth.domain`.
"""

from __future__ import annotations

from ringhook.senders.enrichment import Enrichment
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._body_token import BodyToken

_KINDS = ("LEAD", "DEAL", "CONTACT", "COMPANY")
_ACTIONS = ("ADD", "UPDATE", "DELETE")
_HOSTS = (
    *("ae", "by", "cn", "com", "com.br", "com.tr", "de", "es", "eu", "fr", "id", "in", "it"),
    *("jp", "kz", "mx", "pl", "ru", "tech", "uk", "vn"),
)


def _get(kind: str, number: str, events: str) -> Enrichment:
    """Ask the portal for the record of this id."""
    return Enrichment(
        url=f"https://{{tenant}}/rest/{{credential}}/crm.{kind}.get.json?ID={{{{ {number} }}}}",
        into=kind,
        on=(f"ONCRM{events}ADD", f"ONCRM{events}UPDATE"),
    )


PROVIDER = Provider(
    title="Bitrix24",
    schemes=(BodyToken("auth.application_token"),),
    hides=("auth.application_token", "auth.access_token", "auth.refresh_token"),
    topic=body("event"),
    identity=(first(body("data.FIELDS.ID && ts && [data.FIELDS.ID, ts]"), whole_payload),),
    occurred_at=body("ts"),
    tenant=body("auth.domain"),
    never={f"ONCRM{kind}DELETE": f"the {kind.lower()} was deleted" for kind in _KINDS},
    topics=tuple(f"ONCRM{kind}{action}" for kind in _KINDS for action in _ACTIONS),
    enrich_hosts=tuple(f"*.bitrix24.{end}" for end in _HOSTS),
    enrichments={
        "lead": (_get("lead", "data.FIELDS.ID", "LEAD"),),
        "contact": (_get("contact", "data.FIELDS.ID", "CONTACT"),),
        "deal": (
            _get("deal", "data.FIELDS.ID", "DEAL"),
            _get("contact", "deal.result.CONTACT_ID", "DEAL"),
        ),
    },
)
