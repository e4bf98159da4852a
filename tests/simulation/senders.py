"""What senders post, and the routes that take it."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tests.simulation.facts import Sent
from tests.simulation.invocation import at_the_door

from ringhook.routing import routes_file
from ringhook.routing.routes import Routes

_CALL = """
[[routes]]
name = "NAME"
source = "SOURCE"
on = ["TOPIC"]
call.agent_id = AGENT
call.phone_number = "{{ PHONE }}"
call.metadata = { key = "{{ id }}", version = "{{ version }}" }
policy.key = "{{ id }}"
policy.cancelled_by = ["TOPIC.cancelled"]
policy.purpose = "service"
policy.on_uncertain = "UNCERTAIN"
"""
_TIMELY = """
policy.calling_hours = "HOURS"
policy.expires_after = "EXPIRES"
"""
_LEAD = """
[[routes]]
name = "lead"
source = "crm"
on = ["contact.creation"]
call.agent_id = 1
call.phone_number = "{{ contact.properties.phone }}"
call.metadata = { key = "lead-{{ objectId }}", version = "{{ sourceId }}" }
policy.key = "{{ objectId }}"
policy.cancelled_by = ["contact.deletion"]
policy.purpose = "service"
policy.on_uncertain = "UNCERTAIN"
"""
_FILE = f"""
countries = ["GB"]
[sources.shop]
provider = "bearer"
topic = "{{{{ topic }}}}"
event_id = "{{{{ event }}}}"
occurred_at = "{{{{ at }}}}"
[sources.crm]
provider = "hubspot"
[sources.crm.enrich]
url = "https://api.hubapi.com/crm/v3/objects/contacts/{{{{ objectId }}}}?properties=phone"
into = "contact"
on = ["contact.creation"]
[sources.privacy]
provider = "shopify"
{_CALL.replace("NAME", "order").replace("TOPIC", "order").replace("AGENT", "1")}{_TIMELY}
{_CALL.replace("NAME", "offer").replace("TOPIC", "offer").replace("AGENT", "1")}{_TIMELY}
policy.consent = "recorded:offers"
{_LEAD}{_TIMELY}
{_CALL.replace("NAME", "reminder").replace("TOPIC", "booking").replace("AGENT", "2")}
policy.at = "{{{{ starts }}}}"
policy.before = "1h"
policy.calling_hours = "any"
policy.gap = "none"
[[routes]]
name = "stop"
source = "shop"
on = ["stop"]
action = "suppress"
record.phone_number = "{{{{ phone }}}}"
[[routes]]
name = "consents"
source = "shop"
on = ["agree", "withdraw"]
action = "consent"
record.phone_number = "{{{{ phone }}}}"
record.purpose = "offers"
record.granted = "topic == 'agree'"
"""
SECRETS = {"shop": "shop secret", "crm": "crm secret", "privacy": "privacy secret"}


@cache
def routes_of(hours: tuple[int, int], expires: float, *, redials: bool) -> Routes:
    """The routes, with these calling hours, and so many seconds until an event is too old."""
    first, last = hours
    text = _FILE.replace("SOURCE", "shop").replace("PHONE", "phone")
    text = text.replace("EXPIRES", f"{expires / 60:.0f}m")
    text = text.replace("HOURS", f"{first:02}:00-{last:02}:00" if first else "any")
    return routes_file.load(text.replace("UNCERTAIN", "redial" if redials else "leave"))


def webhook(sent: Sent, now: float) -> dict[str, Any]:
    """As API Gateway hands it over, sent now by the clock of its sender, which it was made by."""
    what = sent.key.partition("-")[0]
    source, post = {"erase": ("privacy", _erasure), "lead": ("crm", _lead)}.get(
        what, ("shop", _event)
    )
    body, headers = post(sent, now)
    return at_the_door(source, headers, body, sent.key)


def _event(sent: Sent, _: float) -> tuple[str, dict[str, str]]:
    what = sent.key.partition("-")[0]
    event = {
        "topic": f"{what}.cancelled" if sent.does == "cancel" else what,
        "event": f"{sent.key}/{sent.version}",
        "at": _written(sent.says),
        "id": sent.key,
        "version": sent.version,
        "phone": sent.number,
    }
    if sent.starts:
        event["starts"] = _written(sent.starts)
    return json.dumps(event), {"authorization": f"Bearer {SECRETS['shop']}"}


def _lead(sent: Sent, now: float) -> tuple[str, dict[str, str]]:
    """An event that names nobody: who it is must be fetched."""
    event = {
        "eventId": int(sent.key[5:]) * 100 + int(sent.version[1:]),
        "subscriptionId": 1,
        "portalId": 1,
        "appId": 1,
        "occurredAt": round(sent.says * 1000),
        "subscriptionType": f"contact.{'deletion' if sent.does == 'cancel' else 'creation'}",
        "attemptNumber": 0,
        "objectId": int(sent.key[5:]),
        "sourceId": sent.version,
    }
    body, stamp = json.dumps([event]), str(round(now * 1000))
    signed = f"POSThttps://hooks.example.com/hooks/crm{body}{stamp}"
    return body, {
        "x-hubspot-signature-v3": _hmac("crm", signed),
        "x-hubspot-request-timestamp": stamp,
    }


def _erasure(sent: Sent, _: float) -> tuple[str, dict[str, str]]:
    customer = {"id": sent.key, "phone": sent.number}
    body = json.dumps({"shop_domain": "ours.myshopify.com", "customer": customer})
    return body, {
        "x-shopify-topic": "customers/redact",
        "x-shopify-triggered-at": _written(sent.says),
        "x-shopify-hmac-sha256": _hmac("privacy", body),
    }


def _hmac(source: str, text: str) -> str:
    return b64encode(hmac.new(SECRETS[source].encode(), text.encode(), "sha256").digest()).decode()


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
