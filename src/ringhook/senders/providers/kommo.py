"""Kommo (amoCRM): the webhooks of an account.

Source: developers.kommo.com, "Webhooks", and public receivers, which agree on the names. Kommo
proves nothing: the address that it is given holds the secret. It sends a form with brackets, and
many records at once: each is one event, `leads.add`, with the record's own fields, `entity`,
`action` and the `account`. A lead holds no number: `enrich = "contact"` fetches it and its first
contact, with a long-lived token of a private integration; `tenant` is the account's own host. A
contact has its own in `custom_fields`, under the code PHONE. Not confirmed: the names in what is
fetched, and that it waits 2 seconds, sends up to five times, and switches off after many errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringhook.senders.enrichment import Enrichment
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._url_token import UrlToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringhook.senders.request import Request

_LEADS = ("leads.add", "leads.responsible", "leads.restore", "leads.status", "leads.update")
_link, _name = body("account._links.self"), body("account.subdomain")


def _items(payload: Any) -> list[Any]:
    """Every record of every action."""
    return list(_records(payload)) if isinstance(payload, dict) else [payload]


def _records(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    account = payload.get("account")
    for entity, actions in payload.items():
        for action, records in actions.items() if isinstance(actions, dict) else ():
            # With gaps in their numbers they are no list.
            each = list(records.values()) if isinstance(records, dict) else records
            for record in each if isinstance(each, list) else ():
                if entity != "account" and isinstance(record, dict):
                    yield {**record, "entity": entity, "action": action, "account": account}


def _host(request: Request, payload: Any) -> str:
    """The account's own host, like `example.kommo.com`."""
    link = str(_link(request, payload) or f"{_name(request, payload) or ''}.kommo.com")
    return link.removeprefix("https://").rstrip("/")


PROVIDER = Provider(
    title="Kommo",
    schemes=(UrlToken(),),
    items=_items,
    topic=body("entity && action && join('.', [entity, action])"),
    identity=(
        body("account.id"),
        first(body("id && last_modified && [id, last_modified]"), whole_payload),
    ),
    occurred_at=first(body("last_modified"), body("date_create")),
    tenant=_host,
    never_when={"action == 'delete'": "it was deleted"},
    topics=(
        "companies.add",
        "companies.delete",
        "companies.update",
        "contacts.add",
        "contacts.delete",
        "contacts.restore",
        "contacts.update",
        "leads.delete",
        *_LEADS,
        "message.add",
        "talk.add",
        "talk.update",
        "task.add",
        "task.delete",
        "task.update",
        "unsorted.add",
        "unsorted.delete",
        "unsorted.update",
    ),
    enrich_hosts=("*.kommo.com", "*.amocrm.com", "*.amocrm.ru"),
    enrichments={
        "contact": (
            Enrichment(
                url="https://{tenant}/api/v4/leads/{{ id }}?with=contacts", into="lead", on=_LEADS
            ),
            Enrichment(
                url="https://{tenant}/api/v4/contacts/{{ lead._embedded.contacts[0].id }}",
                into="contact",
                on=_LEADS,
            ),
        ),
    },
)
