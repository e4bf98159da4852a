"""Grafana: the webhook contact point of its alerting (version 12 on, which signs).

Source: six public receivers that quote grafana.com/docs, "Configure webhook notifications"; the
page itself was not read. HMAC is off until the contact point is given a secret; a header with the
time may be added, which is then signed, too: name it as `timestamp_header`. Older versions cannot
sign: connect them as `basic` or `bearer`. A notification holds a group of alerts, each is an event
and `group` has the rest; the topic is `firing` or `resolved`, which never rings. A group that still
fires is sent again every few hours: the same event, by the alert's fingerprint and its `startsAt`.
No event has a phone: the route names that of your own engineer. The Test button sends an alert
called TestAlert. Not confirmed: that name, and how Grafana waits and sends again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ringhook.reading.tables import Field
from ringhook.senders.providers import Provider, Source, body, first, whole_payload
from ringhook.senders.signatures import Hmac

_HEADER = "x-grafana-alerting-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaSource(Source):
    """The settings of a contact point."""

    header: str = Field(default=_HEADER, description="the header with the signature")
    timestamp_header: str = Field(
        default="", description="the header with the time, if the contact point names one"
    )


def _scheme(header: str, timestamp_header: str = "") -> Hmac:
    signed = "{timestamp}:{body}" if timestamp_header else "{body}"
    return Hmac(header=header.lower(), timestamp_header=timestamp_header.lower(), signed=signed)


def _adapt(provider: Provider, source: Any) -> Provider:
    return replace(provider, schemes=(_scheme(source.header, source.timestamp_header),))


def _items(payload: Any) -> list[Any]:
    """Every alert of the group, with what is said of the group."""
    alerts = payload.get("alerts") if isinstance(payload, dict) else None
    if not isinstance(alerts, list):
        return [payload]
    group = {name: value for name, value in payload.items() if name != "alerts"}
    return [{**alert, "group": group} for alert in alerts if isinstance(alert, dict)]


PROVIDER = Provider(
    title="Grafana",
    schemes=(_scheme(_HEADER),),
    items=_items,
    topic=body("status"),
    identity=(
        first(
            body("fingerprint && startsAt && [group.orgId, fingerprint, startsAt]"), whole_payload
        ),
    ),
    occurred_at=first(body("status == 'resolved' && endsAt || startsAt")),
    test=body("labels.alertname == 'TestAlert'"),
    never={"resolved": "it is over"},
    topics=("firing", "resolved"),
    accepted=200,
    settings=GrafanaSource,
    adapt=_adapt,
)
