"""Zoho CRM: notifications of its API, and the webhooks of workflow rules.

Source: zoho.com/crm/developer, "Notification APIs: enable" (version 8), and Zoho CRM's help on
workflow webhooks. Zoho signs nothing. A notification repeats in its body the `token` that the
channel was made with: the secret. A workflow's webhook sends the secret in a header that its author
adds, `header` in the settings. A channel ends after a week at most. Notifications hold ids, and
values only where the channel returns them (`return_affected_field_values`): one event a record,
with `id`, `values` and `fields` of its own. What a workflow leaves unset arrives empty, as "null"
or as the merge field itself, `${Leads.Phone}`: it is taken away. Not confirmed: what Zoho does with
an error (its help speaks of one more try after 15 minutes for workflows), so errors in mapping are
answered with success.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringhook.reading.tables import Field
from ringhook.senders.providers import Provider, Source, body, first, whole_payload
from ringhook.senders.providers._body_token import BodyToken
from ringhook.senders.request import read_payload
from ringhook.senders.signatures import HeaderToken

if TYPE_CHECKING:
    from ringhook.senders.request import Request

_UNSET = re.compile(r"(?:null|\$\{[^{}]*\})?")
_MODULES = ("Leads", "Contacts", "Accounts", "Deals", "Tasks", "Events", "Calls", "Cases")


_HEADER = "x-webhook-secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZohoSource(Source):
    """The settings of a Zoho CRM account."""

    header: str = Field(
        default=_HEADER,
        description="the header with the secret, in webhooks of workflow rules",
    )


def _adapt(provider: Provider, source: Any) -> Provider:
    return replace(
        provider, schemes=(HeaderToken(header=source.header.lower()), BodyToken("token"))
    )


def _read(request: Request) -> Any:
    """The payload without what was left unset."""
    return _without_unset(read_payload(request))


def _without_unset(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_unset(part)
            for name, part in value.items()
            if not (isinstance(part, str) and _UNSET.fullmatch(part.strip()))
        }
    return [_without_unset(part) for part in value] if isinstance(value, list) else value


def _items(payload: Any) -> list[Any]:
    """One event for each record of a notification; a workflow's webhook is about one."""
    if not isinstance(payload, dict) or not isinstance(payload.get("ids"), list):
        return [payload]
    about = {
        name: value
        for name, value in payload.items()
        if name not in {"ids", "affected_values", "affected_fields"}
    }
    rows = _rows(payload, "affected_values")
    values = {str(row.get("record_id")): row.get("values") for row in rows}
    fields: dict[str, Any] = {}
    for row in _rows(payload, "affected_fields"):
        fields |= row
    return [
        {**about, "id": one, "values": values.get(one), "fields": fields.get(one)}
        for one in map(str, payload["ids"])
    ]


def _rows(payload: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = payload.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _topic(_request: Request, payload: Any) -> str:
    """`Leads.insert` of a notification; "workflow" else."""
    if not isinstance(payload, dict) or "operation" not in payload:
        return "workflow"
    return f"{payload.get('module') or ''}.{payload['operation']}"


def _identity(request: Request, payload: Any) -> Any:
    if isinstance(payload, dict) and "server_time" in payload:
        return [payload.get("id"), payload["server_time"]]
    return whole_payload(request, payload)


PROVIDER = Provider(
    title="Zoho CRM",
    schemes=(HeaderToken(header=_HEADER), BodyToken("token")),
    read=_read,
    hides=("token",),
    items=_items,
    topic=_topic,
    identity=(_identity,),
    occurred_at=first(body("server_time"), body("Modified_Time"), body("Created_Time")),
    # A notification names no account, only the channel that its subscriber chose a number for.
    tenant=body("channel_id"),
    never={f"{module}.delete": "the record was deleted" for module in _MODULES},
    never_when={"operation == 'delete'": "the record was deleted"},
    settings=ZohoSource,
    adapt=_adapt,
)
