"""What the generic providers share: settings that say where an event's particulars stand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from ringhook.errors import UnmappedError
from ringhook.reading.expressions import compile_template
from ringhook.senders.providers import Locator, Provider, Source, header, whole_payload

if TYPE_CHECKING:
    from ringhook.senders.request import Request


class GenericSource(Source):
    """A sender that no provider's file knows: its settings say what is where."""

    topic: str = Field(default="", description="the topic: text, or {{ JMESPath }} over the body")
    topic_header: str = Field(default="", description="or the header that holds the topic")
    event_id: str = Field(
        default="", description="{{ JMESPath }} to what is the same when sent again"
    )
    event_id_header: str = Field(default="", description="or the header that holds it")
    occurred_at: str = Field(default="", description="{{ JMESPath }} to the time of the event")
    answer: Literal[200, 201, 202] | None = Field(
        default=None,
        description="the one status that the sender takes for success; it gets it for events that"
        " no call can be made of, too",
    )

    @field_validator("topic", "event_id", "occurred_at")
    @classmethod
    def _compiles(cls, text: str) -> str:
        compile_template(text)
        return text

    @field_validator("topic_header", "event_id_header")
    @classmethod
    def _lower(cls, name: str) -> str:
        return name.lower()


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
    template = compile_template(text)

    def render(request: Request, payload: Any) -> Any:
        try:
            return template.render(payload, request.received_at)
        except UnmappedError:
            return None

    return render
