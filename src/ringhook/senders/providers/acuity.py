"""Acuity Scheduling: the webhooks of its settings.

Source: developers.acuityscheduling.com, "Webhooks" (and its version 1.0 on the signature). The key
is the API key of the account's main administrator. An event holds no more than ids: `enrich =
"appointment"` fetches the appointment with the user and the API key (HTTP Basic), and its `phone`
and `datetime`. Nothing tells a second move of an appointment from the first one sent again: give
the route a `key`, and it is one call that moves with the appointment. `changed` comes beside all
other kinds: take it or them. Not confirmed: the fields of the appointment, and whether Acuity sends
again.
"""

from __future__ import annotations

from ringhook.senders.enrichment import Enrichment
from ringhook.senders.providers import Provider, body, whole_payload
from ringhook.senders.signatures import Hmac

PROVIDER = Provider(
    title="Acuity Scheduling",
    schemes=(Hmac(header="x-acuity-signature", encoding="base64"),),
    topic=body("action"),
    identity=(whole_payload,),
    # Webhooks made with the API name the same kinds with "appointment." in front.
    topics=(
        "appointment.canceled",
        "appointment.changed",
        "appointment.rescheduled",
        "appointment.scheduled",
        "canceled",
        "changed",
        "order.completed",
        "rescheduled",
        "scheduled",
    ),
    enrich_hosts=("acuityscheduling.com",),
    enrichments={
        "appointment": (
            Enrichment(
                url="https://acuityscheduling.com/api/v1/appointments/{{ id }}",
                into="appointment",
                on=(
                    "appointment.changed",
                    "appointment.rescheduled",
                    "appointment.scheduled",
                    "changed",
                    "rescheduled",
                    "scheduled",
                ),
                header="Authorization: Basic {credential}",
            ),
        ),
    },
)
