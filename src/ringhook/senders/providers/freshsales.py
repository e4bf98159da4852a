"""Freshsales (Freshworks CRM): the "Trigger webhook" action of workflows.

Source: crmsupport.freshworks.com, "How to use webhooks in workflows". Freshsales signs nothing: it
logs in with a user and a password (HTTP Basic), or sends a header that the workflow's author adds,
`header` in the settings. The body is whatever the author picks or writes, so the settings say
where its topic, id and time are: let it hold `{{contact.id}}` and `{{contact.updated_at}}`, for two
webhooks with the very same body are the same event. Not confirmed: what it does with an error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ringhook.reading.tables import Field
from ringhook.senders.providers import Provider
from ringhook.senders.providers._generic import GenericSource
from ringhook.senders.providers._generic import adapt as adapt_generic
from ringhook.senders.signatures import Basic, HeaderToken

_HEADER = "x-webhook-secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshsalesSource(GenericSource):
    """The settings of a Freshsales account."""

    header: str = Field(
        default=_HEADER, description="the header with the secret, where there is no user"
    )


def _adapt(provider: Provider, source: Any) -> Provider:
    schemes = (Basic(), HeaderToken(header=source.header.lower()))
    return replace(adapt_generic(provider, source), schemes=schemes)


PROVIDER = Provider(
    title="Freshsales",
    schemes=(Basic(), HeaderToken(header=_HEADER)),
    never_when={
        "contact.do_not_disturb == `true` || contact.do_not_disturb == 'true'": (
            "the contact is on do-not-disturb"
        ),
    },
    settings=FreshsalesSource,
    adapt=_adapt,
)
