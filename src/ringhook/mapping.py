"""From an event to the calls that its routes ask for: pure, so that it can be tried on a desk."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringhook import phone
from ringhook.calls import Call, call_id
from ringhook.errors import UnmappedError
from ringhook.expressions import Template

if TYPE_CHECKING:
    from datetime import datetime

    from ringhook.providers import Event
    from ringhook.routes import CallTemplate, Route, Routes

# Free text from a form reaches a language model on a phone line: short is safe, and an API body
# of a few kilobytes is what the API was made for.
LONGEST_VALUE = 500
LARGEST_METADATA = 4000
# What a queue's message (256 KiB) and a table's item (400 KiB) can hold beside everything else.
LARGEST_PAYLOAD = 180_000
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A route of the source that does not ask for a call for this event, and why."""

    route: str
    reason: str


def map_event(
    event: Event, routes: Routes, *, now: datetime, correlation_id: str = ""
) -> list[Call | Ignored]:
    """What each route of the event's source makes of it; an event that never rings maps to none."""
    if event.never:
        return []
    return [_map(event, route, routes, now, correlation_id) for route in routes.of(event.source)]


def _map(
    event: Event, route: Route, routes: Routes, now: datetime, correlation_id: str
) -> Call | Ignored:
    if route.on is not None and event.topic not in route.on:
        return Ignored(route.name, f"topic {event.topic!r} is not one of {', '.join(route.on)}")
    try:
        if route.when and not _holds(route.when(event.payload, now)):
            return Ignored(route.name, f"when does not hold: {route.when.text}")
    except UnmappedError as error:
        return _unmapped(event, route, routes, correlation_id, f"when: {error}", now)
    try:
        return _call(event, route, routes, correlation_id, now)
    except UnmappedError as error:
        return _unmapped(event, route, routes, correlation_id, str(error), now)


def _holds(value: object) -> bool:
    """JMESPath's truth: null, false and what is empty do not hold; 0 does."""
    return not (value is None or value is False or value in ("", [], {}))


def _call(event: Event, route: Route, routes: Routes, correlation_id: str, now: datetime) -> Call:
    template = route.call
    key = _key(route, event.payload, now)
    metadata, notes = _metadata(template, event.payload, now)
    return _base(event, route, routes, correlation_id, key, now).model_copy(
        update={
            "account": template.account,
            "agent_id": _agent_id(template, event.payload, now),
            "phone_number": _phone_number(template, event.payload, now),
            "metadata": metadata,
            "notes": notes,
        }
    )


def _unmapped(
    event: Event, route: Route, routes: Routes, correlation_id: str, reason: str, now: datetime
) -> Call:
    try:
        key = _key(route, event.payload, now)
    except UnmappedError:
        key = None
    packed = pack(event.payload)
    update: dict[str, Any] = {"unmapped": reason, "payload": packed}
    if len(packed) > LARGEST_PAYLOAD:
        update |= {"payload": "", "notes": ("the payload is too large to be kept",)}
    return _base(event, route, routes, correlation_id, key, now).model_copy(update=update)


def _base(
    event: Event, route: Route, routes: Routes, correlation_id: str, key: str | None, now: datetime
) -> Call:
    identity = (
        call_id(event.source, route.name, "event", event.event_id)
        if key is None
        else call_id(event.source, route.name, "key", key)
    )
    return Call(
        call_id=identity,
        source=event.source,
        provider=routes.sources[event.source].source.provider,
        route=route.name,
        topic=event.topic,
        event_id=event.event_id,
        occurred_at=event.occurred_at,
        received_at=now,
        correlation_id=correlation_id,
        test=event.test,
    )


def _key(route: Route, payload: Any, now: datetime) -> str | None:
    """The route's key for this payload, as text; None for a route without one.

    An empty key is refused: it would make one call of everybody who has none.
    """
    if route.policy.key is None:
        return None
    value = _field("key", route.policy.key, payload, now)
    if isinstance(value, list | dict) or value == "":
        message = f"key: {route.policy.key.text} is {'empty' if value == '' else 'not one value'}"
        raise UnmappedError(message)
    return value if isinstance(value, str) else json.dumps(value)


def _field(name: str, template: Template, payload: Any, now: datetime) -> Any:
    try:
        return template.render(payload, now)
    except UnmappedError as error:
        message = f"{name}: {error}"
        raise UnmappedError(message) from error


def _agent_id(template: CallTemplate, payload: Any, now: datetime) -> int:
    value = template.agent_id
    if isinstance(value, Template):
        value = _field("agent_id", value, payload, now)
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        message = f"agent_id: {value!r} is not an agent's number"
        raise UnmappedError(message)
    return value


def _phone_number(template: CallTemplate, payload: Any, now: datetime) -> str:
    number = _field("phone_number", template.phone_number, payload, now)
    if isinstance(number, bool) or not isinstance(number, str | int) or number == "":
        message = f"phone_number: {template.phone_number.text} is not a phone number"
        raise UnmappedError(message)
    text = str(number)
    region = None
    if template.region is not None:
        try:
            region = str(_field("region", template.region, payload, now)).strip().upper()
        except UnmappedError:
            # A number that names its own country needs no region.
            if not text.strip().startswith("+"):
                raise
    return phone.to_e164(text, region)


def _metadata(
    template: CallTemplate,
    payload: Any,
    now: datetime,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    metadata: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in template.metadata.items():
        if isinstance(value, Template):
            metadata[name] = _clean(name, _field(f"metadata.{name}", value, payload, now), notes)
        else:
            metadata[name] = value
    if (size := len(json.dumps(metadata))) > LARGEST_METADATA:
        message = (
            f"metadata: {size} characters of JSON, at most {LARGEST_METADATA}: name fewer fields"
        )
        raise UnmappedError(message)
    return metadata, tuple(notes)


def _clean(name: str, value: Any, notes: list[str]) -> Any:
    """Text without control and invisible characters, of a bounded length, all the way down."""
    if isinstance(value, dict):
        return {_clean(name, key, notes): _clean(name, part, notes) for key, part in value.items()}
    if isinstance(value, list):
        return [_clean(name, part, notes) for part in value]
    if not isinstance(value, str):
        return value
    text = _CONTROL.sub(" ", value).strip()
    if len(text) > LONGEST_VALUE:
        notes.append(f"metadata.{name} was cut from {len(text)} to {LONGEST_VALUE} characters")
        return text[:LONGEST_VALUE]
    return text


def pack(payload: Any) -> str:
    """A payload as gzip in base64, for the queue and the ledger."""
    return base64.b64encode(gzip.compress(json.dumps(payload).encode(), mtime=0)).decode()


def unpack(packed: str) -> Any:
    """The payload that `pack` packed."""
    return json.loads(gzip.decompress(base64.b64decode(packed)))
