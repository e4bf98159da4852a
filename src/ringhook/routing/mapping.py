"""From an event to the calls that its routes ask for: pure, so that it can be tried on a desk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ringhook.calls import messages
from ringhook.calls.call import Call, call_id
from ringhook.errors import UnmappedError
from ringhook.reading import phone
from ringhook.reading.expressions import Expression, Template
from ringhook.reading.text import tidy
from ringhook.reading.times import parse_time
from ringhook.routing.keeping import keep
from ringhook.routing.metadata import LARGEST_METADATA, LONGEST_VALUE, clean
from ringhook.routing.route_values import AGENT_ID

if TYPE_CHECKING:
    from ringhook.calls.messages import Asked
    from ringhook.routing.routes import CallTemplate, Route, Routes
    from ringhook.senders.providers import Event


@dataclass(frozen=True, slots=True)
class Ignored:
    """A route of the source that does not ask for a call for this event, and why."""

    route: str
    reason: str


def map_event(
    event: Event, routes: Routes, *, now: datetime, correlation_id: str = "", missing: str = ""
) -> list[Asked | Ignored]:
    """What each route makes of an event: calls, cancellations, wishes to be kept, or why nothing.

    An event that never rings asks for no call. Of an erasure or an export that is all; any other
    still ends calls that wait, and what routes record of it is kept: a wish not to be called often
    stands in just such an event.
    `missing`: why the rest of the event could not be fetched; no route can look at it then.
    """
    zone = routes.sources[event.source].provider.zone
    origin = _Origin(event, routes, correlation_id, now.astimezone(zone), missing)
    if event.never and event.asks:
        return [_privacy(origin, number) for number in event.numbers]
    if event.misfit:
        return [_misfit(origin, route) for route in routes.of(event.source)]
    reached = [one for one in routes.of(event.source) if one.record or not event.never]
    mapped = [_map(origin, route) for route in reached]
    asking = {one.route for one in mapped if not isinstance(one, Ignored)}
    return mapped + _cancellations(origin, asking) + _replaced(origin)


@dataclass(frozen=True, slots=True)
class _Origin:
    """What every call of one event has in common."""

    event: Event
    routes: Routes
    correlation_id: str
    now: datetime
    missing: str

    def about(self, route: Route | None) -> dict[str, Any]:
        """The fields of `FromEvent` for this route; None: what the provider's own event asks."""
        source = route.source if route else self.event.source
        return {
            "source": source,
            "provider": self.routes.sources[source].source.provider,
            "route": route.name if route else "",
            "topic": self.event.topic,
            "event_id": self.event.event_id,
            "occurred_at": self.event.occurred_at,
            "received_at": self.now.astimezone(UTC),
            "correlation_id": self.correlation_id,
            "test": self.event.test,
        }

    def kept(self, route: Route, key: str | None) -> dict[str, Any]:
        """What the ledger keeps of a call of this route, whatever becomes of it."""
        return {
            "key": (key or "")[:LONGEST_VALUE],
            "retention": route.policy.retention,
            "notify": self.routes.told_of(route),
        }

    def cancel(self, route: Route, key: str) -> messages.Cancel:
        """The end of the route's call of this key."""
        return messages.Cancel(
            **self.about(route), **self.kept(route, key), call_id=_by_key(route, key)
        )

    def by_event(self, route: str) -> str:
        """The id of what this event alone asks of a route."""
        return call_id(self.event.source, route, "event", self.event.event_id)

    def render(self, name: str, template: Template) -> Any:
        """A template's value; raises UnmappedError naming the field."""
        try:
            return template.render(self.event.payload, self.now)
        except UnmappedError as error:
            message = f"{name}: {error}"
            raise UnmappedError(message) from error


def _map(origin: _Origin, route: Route) -> Asked | Ignored:
    event = origin.event
    if event.topic in route.policy.cancelled_by:
        return Ignored(route.name, f"topic {event.topic!r} cancels")
    if route.on is not None and event.topic not in route.on:
        return Ignored(route.name, f"topic {event.topic!r} is not one of {', '.join(route.on)}")
    if doubt := _doubt(origin, route):
        return Ignored(route.name, doubt)
    if origin.missing:
        return _unmapped(origin, route, origin.missing)
    try:
        if route.when and not _holds(route.when(event.payload, origin.now)):
            return Ignored(route.name, f"when does not hold: {route.when.text}")
        made = _call(origin, route) if route.call else _record(origin, route)
    except UnmappedError as error:
        return _unmapped(origin, route, str(error))
    # A wish not to be called is kept whatever else is wrong.
    lets_ring = isinstance(made, Call) or (isinstance(made, messages.Consent) and made.granted)
    return _unmapped(origin, route, event.unmapped) if event.unmapped and lets_ring else made


def _misfit(origin: _Origin, route: Route) -> Call | Ignored:
    """Keep an event whose body does not fit its topic, if a route waits for that topic."""
    topic = origin.event.topic
    if topic in (*(route.on or ()), *route.policy.cancelled_by):
        return _unmapped(origin, route, origin.event.misfit)
    if route.on is not None:
        return Ignored(route.name, f"topic {topic!r} is not one of {', '.join(route.on)}")
    return Ignored(route.name, origin.event.misfit)


def _doubt(origin: _Origin, route: Route) -> str:
    """Why this route does not take an event whose topic nobody signed; "" if it does."""
    topic = origin.event.topic
    if not origin.event.hinted:
        return ""
    if route.record and route.on is not None:
        return _may_not(topic)
    provider = origin.routes.sources[origin.event.source].provider
    if route.on is None and provider.topics and topic not in provider.topics:
        return f"nobody signed the topic {topic!r}, which {provider.title} is not known to send"
    return ""


def _may_not(topic: str) -> str:
    return (
        f"nobody signed the topic {topic!r}, and its body does not tell that it is of it: so it"
        " neither cancels nor keeps anybody from being rung"
    )


def _holds(value: object) -> bool:
    """JMESPath's truth: null, false and what is empty do not hold; 0 does."""
    return not (value is None or value is False or value in ("", [], {}))


def _call(origin: _Origin, route: Route) -> Call:
    template = route.call
    if template is None:
        raise UnmappedError(route.name)
    key = _key(origin, route)
    metadata, notes = _metadata(origin, template)
    consent, evidence = _consent(origin, route)
    ring_at, appointment = _wait(origin, route)
    number = _phone_number(origin, template.phone_number, template.region)
    return Call(
        **origin.about(route),
        call_id=origin.by_event(route.first_name) if key is None else _by_key(route, key),
        **origin.kept(route, key),
        account=template.account,
        agent_id=_agent_id(origin, template.agent_id),
        phone_number=number.e164,
        metadata=metadata,
        notes=number.notes + notes,
        time_zone=_where(origin, template.time_zone),
        country=_where(origin, template.country),
        province=_where(origin, template.province),
        postal_code=_where(origin, template.postal_code),
        ring_at=ring_at,
        appointment=appointment,
        consent=consent,
        consent_evidence=evidence,
    )


def _record(origin: _Origin, route: Route) -> messages.Suppress | messages.Consent:
    """A wish to be kept: not to be called any more, or what was said of a consent."""
    record = route.record
    if record is None:
        raise UnmappedError(route.name)
    granted, evidence, text = False, "", ""
    if record.granted:
        value = record.granted(origin.event.payload, origin.now)
        granted, evidence = _holds(value), _seen(record.granted, value, origin)
    if record.text:
        text = tidy(str(origin.render("text", record.text)), LONGEST_VALUE)
    number = _phone_number(origin, record.phone_number, record.region).e164
    wish_id = origin.by_event(route.first_name)
    if route.action == "suppress":
        return messages.Suppress(**origin.about(route), wish_id=wish_id, phone_number=number)
    until = origin.event.occurred_at + record.expires_after if record.expires_after else None
    return messages.Consent(
        **origin.about(route),
        wish_id=wish_id,
        phone_number=number,
        purpose=record.purpose,
        granted=granted,
        evidence=evidence,
        text=text,
        until=until if granted else None,
    )


def _privacy(origin: _Origin, number: str) -> messages.Forget | messages.Export:
    """An erasure or an export, of a number as the provider wrote it; "" where it is not told."""
    try:
        known = phone.read(number, None, frozenset()).e164 if number else ""
    except UnmappedError:
        known = ""
    asks = messages.Forget if origin.event.asks == "forget" else messages.Export
    return asks(**origin.about(None), wish_id=origin.by_event(""), phone_number=known)


def _cancellations(origin: _Origin, asking: set[str]) -> list[Asked | Ignored]:
    """The waiting calls that this event ends: by its topic, or by a route that takes it."""
    found: list[Asked | Ignored] = []
    hinted = origin.event.hinted
    # Of an event whose topic is a hint, what its body says may end calls: a route's `when`.
    telling = [r for r in origin.routes.of(origin.event.source) if r.when or not hinted]
    for route in origin.routes.ended_by(origin.event.source):
        ends = set(route.policy.cancelled_by)
        by_topic = route.source == origin.event.source and origin.event.topic in ends
        if by_topic and hinted:
            found.append(Ignored(route.name, _may_not(origin.event.topic)))
        keyed_by = [route] if by_topic and not hinted else []
        keyed_by += [r for r in telling if r.name in ends & asking]
        for other in keyed_by:
            try:
                key = _key(origin, other)
            except UnmappedError as error:
                found.append(Ignored(route.name, f"cannot be cancelled by {other.name}: {error}"))
                continue
            if key is not None:
                found.append(origin.cancel(route, key))
    return found


def _replaced(origin: _Origin) -> list[Asked | Ignored]:
    """The calls that this event replaces by a call of another id, as a moved booking does.

    They end whether or not the event makes a call itself: what they were for is not there any more.
    """
    found: list[Asked | Ignored] = []
    for route in origin.routes.of(origin.event.source):
        named = origin.event.topic in (route.on or ()) and not origin.event.hinted
        reached = route.on is None or named
        if route.policy.replaces is None or not reached:
            continue
        try:
            old = _one_value(origin, "replaces", route.policy.replaces)
            if old != _key(origin, route):
                found.append(origin.cancel(route, old))
        except UnmappedError:
            # Most events replace nothing.
            continue
    return found


def _unmapped(origin: _Origin, route: Route, reason: str) -> Call:
    try:
        key = _key(origin, route)
    except UnmappedError:
        key = None
    payload, notes = keep(origin.event.payload)
    return Call(
        **origin.about(route),
        call_id=origin.by_event(route.first_name) if key is None else _by_key(route, key),
        **origin.kept(route, key),
        phone_number=_known_number(origin, route),
        unmapped=tidy(reason, LONGEST_VALUE),
        payload=payload,
        notes=notes,
    )


def _by_key(route: Route, key: str) -> str:
    return call_id(route.source, route.first_name, "key", key)


def _key(origin: _Origin, route: Route) -> str | None:
    """The route's key for this payload, as text; None for a route without one.

    An empty key is refused: it would make one call of everybody who has none.
    """
    return None if route.policy.key is None else _one_value(origin, "key", route.policy.key)


def _one_value(origin: _Origin, name: str, template: Template) -> str:
    value = origin.render(name, template)
    if isinstance(value, list | dict) or value == "":
        message = f"{name}: {template.text} is {'empty' if value == '' else 'not one value'}"
        raise UnmappedError(message)
    return value if isinstance(value, str) else json.dumps(value)


def _wait(origin: _Origin, route: Route) -> tuple[datetime | None, datetime | None]:
    """When the call may ring, and the appointment that it must come before."""
    policy = route.policy
    if policy.at is not None and policy.before is not None:
        appointment = parse_time(origin.render("at", policy.at), origin.now.tzinfo or UTC)
        if appointment is None:
            message = f"at: {policy.at.text} is no time"
            raise UnmappedError(message)
        try:
            return appointment - policy.before, appointment
        except OverflowError as error:
            message = f"at: {policy.at.text} is no time that a calendar has"
            raise UnmappedError(message) from error
    return (origin.event.occurred_at + policy.after if policy.after else None), None


def _consent(origin: _Origin, route: Route) -> tuple[bool, str]:
    """Whether the payload holds the consent that the route asks for, and what it says."""
    expression = route.policy.consent
    if not isinstance(expression, Expression):
        return False, ""
    value = expression(origin.event.payload, origin.now)
    return _holds(value), _seen(expression, value, origin)


def _seen(expression: Expression, value: Any, origin: _Origin) -> str:
    """What an expression saw, to be kept as evidence."""
    text = json.dumps(value, default=str)[:200]
    when = origin.event.occurred_at.isoformat(timespec="seconds")
    topic = f" {origin.event.topic}" if origin.event.topic else ""
    event = f"{origin.event.event_id} ({origin.event.source}{topic})"
    return f"{expression.text} was {text} in {event} of {when}"


def _where(origin: _Origin, template: Template | None) -> str:
    """One part of an address; "" if the payload does not have it, which is no error."""
    if template is None:
        return ""
    try:
        return tidy(str(template.render(origin.event.payload, origin.now)), 100)
    except UnmappedError:
        return ""


def _agent_id(origin: _Origin, setting: Template | int) -> int:
    value = origin.render("agent_id", setting) if isinstance(setting, Template) else setting
    if isinstance(value, bool | float) or not AGENT_ID.fullmatch(str(value)):
        written = setting.text if isinstance(setting, Template) else setting
        message = f"agent_id: {written} is not an agent's number"
        raise UnmappedError(message)
    return int(value)


def _phone_number(origin: _Origin, template: Template, region: Template | None) -> phone.Reading:
    """The number that the payload holds; raises UnmappedError, with why its region is not known."""
    number = origin.render("phone_number", template)
    if isinstance(number, bool) or not isinstance(number, str | int | float) or number == "":
        message = f"phone_number: {template.text} is not a phone number"
        raise UnmappedError(message)
    named, unnamed = None, ""
    try:
        named = str(origin.render("region", region)) if region else None
    except UnmappedError as error:
        unnamed = f" ({error})"
    try:
        return phone.read(number, named, origin.routes.countries)
    except UnmappedError as error:
        # A number that names its own country needs no region.
        message = f"{error}{unnamed}"
        raise UnmappedError(message) from error


def _known_number(origin: _Origin, route: Route) -> str:
    """The number of a call that cannot be made for another reason; "" if that is not known."""
    template = route.call or route.record
    if template is None:
        return ""
    try:
        return _phone_number(origin, template.phone_number, template.region).e164
    except UnmappedError:
        return ""


def _metadata(origin: _Origin, template: CallTemplate) -> tuple[dict[str, Any], tuple[str, ...]]:
    metadata: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in template.metadata.items():
        found = origin.render(f"metadata.{name}", value) if isinstance(value, Template) else value
        metadata[name] = clean(name, found, notes)
    # As the API gets it: letters of every script count alike.
    if (size := len(json.dumps(metadata, ensure_ascii=False))) > LARGEST_METADATA:
        message = (
            f"metadata: {size} characters of JSON, at most {LARGEST_METADATA}: name fewer fields"
        )
        raise UnmappedError(message)
    return metadata, tuple(notes)
