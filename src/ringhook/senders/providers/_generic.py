"""What the generic providers share: settings that say where an event's particulars stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ringhook.errors import UnmappedError
from ringhook.reading.expressions import Template, compile_template
from ringhook.reading.tables import Check, Field
from ringhook.senders.providers import Locator, Provider, Source, header, whole_payload

if TYPE_CHECKING:
    from ringhook.senders.request import Request


def _compiles(text: str) -> str:
    compile_template(text)
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericSource(Source):
    """A sender that no provider's file knows: its settings say what is where."""

    topic: Annotated[str, Check(_compiles)] = Field(
        default="", description="the topic: text, or {{ JMESPath }} over the body"
    )
    topic_header: Annotated[str, Check(str.lower)] = Field(
        default="", description="or the header that holds the topic"
    )
    event_id: Annotated[str, Check(_compiles)] = Field(
        default="", description="{{ JMESPath }} to what is the same when sent again"
    )
    event_id_header: Annotated[str, Check(str.lower)] = Field(
        default="", description="or the header that holds it"
    )
    occurred_at: Annotated[str, Check(_compiles)] = Field(
        default="", description="{{ JMESPath }} to the time of the event"
    )
    answer: Literal[200, 201, 202] | None = Field(
        default=None,
        description="the one status that the sender takes for success; it gets it for events that"
        " no call can be made of, too",
    )


def items(payload: Any) -> list[Any]:
    """A list is many events: some senders wrap what they send in one."""
    return payload if isinstance(payload, list) else [payload]


def adapt(provider: Provider, source: GenericSource) -> Provider:
    """Put the source's settings in their places; what they do not say is the provider's."""
    return replace(
        provider,
        has_topics=bool(source.topic or source.topic_header) or provider.has_topics,
        topic=_topic(source) or provider.topic,
        identity=(_identity(source),) if _names_id(source) else provider.identity,
        occurred_at=_template(source.occurred_at) if source.occurred_at else provider.occurred_at,
        accepted=source.answer or provider.accepted,
        unmapped_status=source.answer or provider.unmapped_status,
    )


def _topic(source: GenericSource) -> Locator | None:
    if source.topic_header:
        return header(source.topic_header)
    return _template(source.topic) if source.topic else None


def _names_id(source: GenericSource) -> bool:
    return bool(source.event_id or source.event_id_header)


def _identity(source: GenericSource) -> Locator:
    named = header(source.event_id_header) if source.event_id_header else None
    return _required(named or _template(source.event_id))


def _required(place: Locator) -> Locator:
    """An event without the id that it should have is known by its content."""
    return lambda request, payload: place(request, payload) or whole_payload(request, payload)


def _template(text: str) -> Locator:
    template = Template(text)

    def render(request: Request, payload: Any) -> Any:
        try:
            return template.render(payload, request.received_at)
        except UnmappedError:
            return None

    return render
