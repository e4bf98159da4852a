"""UnleashX itself: an agent's `session_data_webhook`, which tells how a call ended.

It makes no call. It ends the one that it is about: whether somebody answered, for how long, and
what the agent noted. UnleashX documents neither the body of this webhook nor a signature, so the
secret stands in the address, and the body is read by many names: `status` or `CALL_STATUS`,
`duration` or `TOTAL_DURATION`, and so on. Where your agent's body has others, the settings say so.

A webhook is a hint: it counts once a second field, beside the call's id, says which call it is
about (the number, the agent, the execution), or the list of executions says the same. Of a call
that nobody answered an agent may send nothing, so the list is asked as well.

`opt_out` and `callback_at` let what was said in the call act: the number goes on the do-not-call
list at once, and the person is called at the time that they asked for, under the route's whole
policy. Both are off until you say where the agent puts them, and whatever is not plainly yes, or
not plainly a moment, does nothing.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from ringhook.errors import RejectedError, UnmappedError
from ringhook.reading.expressions import Expression, compile_expression
from ringhook.reading.tables import Check, Field
from ringhook.senders.providers import Provider, Source, whole_payload
from ringhook.senders.providers._endings import told
from ringhook.senders.providers._generic import items
from ringhook.senders.providers._url_token import UrlToken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ringhook.senders.request import Request


def _compiles(text: str) -> str:
    compile_expression(text)
    return text


_Place = Annotated[str, Check(_compiles)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnleashXSource(Source):
    """Where an agent's body has what is looked for, where its name does not tell."""

    header: str = Field(
        default="", description="a header that must hold the secret as well, if the agent sends one"
    )
    call_id: _Place = Field(
        default="", description="JMESPath to the `call_id` of the metadata that went with the call"
    )
    status: _Place = Field(default="", description="JMESPath to the word that says how it ended")
    duration: _Place = Field(default="", description="JMESPath to how long it lasted, in seconds")
    disposition: _Place = Field(default="", description="JMESPath to the agent's own verdict")
    opt_out: _Place = Field(
        default="",
        description="JMESPath to whether the person does not want to be called again: true or yes"
        " puts the number on the do-not-call list",
    )
    callback_at: _Place = Field(
        default="",
        description="JMESPath to when the person asked to be called: a day and a time, by"
        " `time_zone` where it names no zone",
    )
    recording: _Place = Field(default="", description="JMESPath to the recording's address")
    transcript: _Place = Field(default="", description="JMESPath to the transcript's address")


@dataclass(frozen=True, slots=True)
class _AddressAndHeader(UrlToken):
    """A shared secret in the address, and in a header besides."""

    header: str = ""

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        """Compare both with each secret."""
        given = request.headers.get(self.header, "").encode(errors="replace")
        same = [hmac.compare_digest(secret.encode(), given) for secret in secrets]
        UrlToken.verify(self, request, secrets, now)
        if not any(same):
            message = f"the header {self.header} holds another secret"
            raise RejectedError(message)


def _found(place: Expression, payload: Any, now: datetime) -> Any:
    """What stands there; nothing, where the expression does not fit what the agent sent."""
    try:
        return place(payload, now)
    except UnmappedError:
        return None


def adapt(provider: Provider, source: Any) -> Provider:
    """Look where the settings say."""
    named = ("status", "duration", "disposition", "opt_out", "callback_at", "recording")
    places = {
        name: Expression(text)
        for name in (*named, "transcript", "call_id")
        if (text := getattr(source, name))
    }

    def ending(payload: Any, now: datetime) -> dict[str, Any]:
        found = told(payload)
        said = {name: _found(place, payload, now) for name, place in places.items()}
        if "status" in said:
            found["words"] = {"status": said.pop("status")}
        if "call_id" in said:
            found["marks"] = [said.pop("call_id")]
        return {**found, **said}

    header = source.header.lower()
    schemes = (_AddressAndHeader(header=header),) if header else provider.schemes
    return replace(provider, schemes=schemes, ending=ending)


PROVIDER = Provider(
    title="UnleashX: how calls ended",
    schemes=(UrlToken(),),
    items=items,
    has_topics=False,
    identity=(whole_payload,),
    settings=UnleashXSource,
    adapt=adapt,
    ending=lambda payload, _now: told(payload),
)
