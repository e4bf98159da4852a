"""LeadSquared: the webhooks of its settings, one for each kind of event.

Source: apidocs.leadsquared.com, "Webhooks" and "Webhook best practices". LeadSquared signs nothing:
a custom header that is entered with the webhook holds the secret. It tries the address with HEAD
and wants 200 for whatever it sends, or the webhook may be switched off. A lead that is created is
flat: `Phone`, `FirstName`, `mx_…` for fields of one's own, all texts. One that is updated has
`Before` and `After`; what `After` says stands at the top, too. The body does not say which event it
is: `topic` in the source's settings does; left out, it is `lead`, or `lead.update` where there is
an `After`. Leads with `DoNotCall` ring nobody. Choose JSON as the content type. Not confirmed: that
its times are UTC (`time_zone` says otherwise), the names in an update, and whether and when it
sends again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringhook.reading.tables import Field
from ringhook.senders.providers import Provider, Source, body, first, whole_payload
from ringhook.senders.request import Reply, read_payload
from ringhook.senders.signatures import HeaderToken

if TYPE_CHECKING:
    from ringhook.senders.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSquaredSource(Source):
    """The settings of a webhook of LeadSquared."""

    header: str = Field(default="x-api-key", description="the custom header with the secret")
    topic: str = Field(default="", description="what the webhook is about, such as lead.create")


def _adapt(provider: Provider, source: Any) -> Provider:
    topic = (lambda _request, _payload: source.topic) if source.topic else provider.topic
    scheme = HeaderToken(header=source.header.lower())
    return replace(provider, schemes=(scheme,), topic=topic)


def _read(request: Request) -> Any:
    """The lead; of an update, what it is now, with what it was beside it."""
    payload = read_payload(request)
    now = payload.get("After") or payload.get("Current") if isinstance(payload, dict) else None
    return {**now, **payload} if isinstance(now, dict) else payload


PROVIDER = Provider(
    title="LeadSquared",
    schemes=(HeaderToken(header="x-api-key"),),
    read=_read,
    topic=body("(After || Current) && 'lead.update' || 'lead'"),
    identity=(first(body("ProspectID && [ProspectID, ModifiedOn]"), whole_payload),),
    occurred_at=first(body("ModifiedOn"), body("CreatedOn")),
    never_when={
        # A mark that cannot be read is one.
        "[DoNotCall, After.DoNotCall, Current.DoNotCall]"
        '[?!contains(`["0", "false", "no"]`, lower(to_string(@ || `0`)))]': (
            "the lead is not to be called"
        ),
    },
    accepted=Reply(200, {"Status": "Success", "StatusReason": ""}),
    settings=LeadSquaredSource,
    adapt=_adapt,
)
