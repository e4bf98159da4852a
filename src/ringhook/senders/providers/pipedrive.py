"""Pipedrive: webhooks of version 2 (the default since March 2025) and of version 1.

Source: pipedrive.readme.io, "Guide for Webhooks v2" and "Guide for Webhooks". Pipedrive signs
nothing: it logs in with the user and password that the webhook was given (`http_auth_user`). It
waits 10 seconds and sends again after 3, 30 and 150; ten events whose first attempt fails ban the
webhook for half an hour, in which events are lost, and three days without a success delete it.
Only persons have phones (version 2: `data.phones`, version 1: `current.phone`); deals, leads and
activities have a `person_id`: `enrich = "person"` fetches who that is, with an API token
(developers.pipedrive.com, "Get details of a person", version 2). Not confirmed: whether
`marketing_status` stands in version 2's `data`; it speaks of e-mail, so it forbids no call here: a
route may look at it in `when`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringhook.senders.enrichment import Enrichment
from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.signatures import Basic

if TYPE_CHECKING:
    from ringhook.senders.request import Request

_ENTITIES = (
    "person",
    "deal",
    "lead",
    "activity",
    "organization",
    "note",
    "product",
    "user",
    "pipeline",
    "stage",
    "project",
    "task",
)

_action, _entity = body("meta.action"), first(body("meta.entity"), body("meta.object"))


def _topic(request: Request, payload: Any) -> str:
    """`create.person` of version 2, `added.person` of version 1: as version 1 writes its events."""
    return f"{_action(request, payload) or ''}.{_entity(request, payload) or ''}"


def _topics(*actions: str) -> tuple[str, ...]:
    return tuple(f"{action}.{entity}" for action in actions for entity in _ENTITIES)


PROVIDER = Provider(
    title="Pipedrive",
    schemes=(Basic(),),
    topic=_topic,
    # meta.attempt (version 2) and retry (version 1) count up in the body when it is sent again. In
    # version 2 meta.id is the event's, in version 1 the record's: there the microsecond tells.
    identity=(first(body("meta.[id, entity_id, timestamp, timestamp_micro]"), whole_payload),),
    occurred_at=body("meta.timestamp"),
    tenant=body("meta.company_id"),
    never=dict.fromkeys(_topics("delete", "deleted"), "the record was deleted"),
    never_when={
        "meta.action == 'delete' || meta.action == 'deleted'": "the record was deleted",
    },
    topics=_topics("create", "change", "delete", "added", "updated", "deleted", "merged"),
    enrich_hosts=("api.pipedrive.com", "*.pipedrive.com"),
    enrichments={
        "person": (
            Enrichment(
                url="https://api.pipedrive.com/api/v2/persons"
                "/{{ data.person_id || current.person_id }}",
                into="person",
                on=tuple(
                    f"{action}.{entity}"
                    for action in ("create", "change", "added", "updated")
                    for entity in ("deal", "lead", "activity")
                ),
                header="x-api-token: {credential}",
            ),
        ),
    },
)
