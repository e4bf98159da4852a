"""Odoo: automation rules that send a webhook notification (17 and newer).

Source: public copies of Odoo's code (`_run_action_webhook`), and its documentation of automation
rules. Odoo signs nothing and adds no header: the address that it is given holds the secret. It
sends the record's chosen fields with `_model` (the topic) and `_id`; choose `write_date`, which
tells one change from the next. An empty field is `false`, a field that links to another record
holds its number: the country is one. Times are UTC. It waits one second and never sends again: what
arrived is acted on, whatever its log says. Not confirmed: that times are UTC, and a lead's `mobile`
in 19.
"""

from __future__ import annotations

from ringhook.senders.providers import Provider, body, first, whole_payload
from ringhook.senders.providers._url_token import UrlToken

PROVIDER = Provider(
    title="Odoo",
    schemes=(UrlToken(),),
    topic=body("_model"),
    identity=(first(body("_id && write_date && [_id, write_date]"), whole_payload),),
    occurred_at=first(body("write_date || create_date"), body("create_date")),
    never_when={"active == `false`": "the record was archived"},
    accepted=200,
)
