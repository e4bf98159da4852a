"""What travels through the queues: one kind of message for each thing that can be asked.

    ring      this call is asked for            suppress  never ring this number again
    wake      take this call up again           consent   what a person said of being called
    event     its rest is to be fetched first   forget    delete what is known of a person
    cancel    end this call                     export    hand out what is known of a person
    ended     how a call ended                  outcomes  ask how these calls ended

A message is JSON; `kind` says which of them it is. Each has its own fields, and no others. `tries`
counts how often it could not be taken, because something did not answer.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from ringhook.calls.answers import Heard
from ringhook.calls.call import Call, FromEvent
from ringhook.errors import UnreadableError
from ringhook.reading.packing import pack, unpack
from ringhook.senders.providers import Event

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Message(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
):
    tries: int = 0


class Ring(_Message, frozen=True, kw_only=True, tag="ring"):
    """Make this call. `heard`: the answer to its last claim, if the ledger could not store it."""

    call: Call
    heard: Heard | None = None


class Wake(_Message, frozen=True, kw_only=True, tag="wake"):
    """Take this call up again.

    The message holds the id alone. The ledger has the newest data, and so nothing that waits in a
    schedule tells whom to ring.
    """

    call_id: str
    heard: Heard | None = None


class ThinEvent(_Message, frozen=True, kw_only=True, tag="event"):
    """An event whose rest is yet to be fetched; `payload` is gzip in base64.

    `attempts` counts how often that was tried; it is not tried again before `not_before`.
    """

    source: str
    topic: str
    event_id: str
    occurred_at: datetime
    received_at: datetime
    correlation_id: str = ""
    test: bool = False
    hinted: bool = False
    payload: str
    attempts: int = 0
    not_before: datetime | None = None

    @classmethod
    def of(cls, event: Event, received_at: datetime, correlation_id: str) -> ThinEvent:
        """This event, as it goes into the queue."""
        return cls(
            source=event.source,
            topic=event.topic,
            event_id=event.event_id,
            occurred_at=event.occurred_at,
            received_at=received_at,
            correlation_id=correlation_id,
            test=event.test,
            hinted=event.hinted,
            payload=pack(event.payload),
        )

    @property
    def event(self) -> Event:
        """The event, as it was before it went into the queue."""
        return Event(
            source=self.source,
            topic=self.topic,
            event_id=self.event_id,
            occurred_at=self.occurred_at,
            payload=unpack(self.payload),
            test=self.test,
            hinted=self.hinted,
        )


class _Change(FromEvent, frozen=True, kw_only=True, tag_field="kind"):
    """What an event changes of calls or numbers, where it asks for no call."""

    tries: int = 0


class Cancel(_Change, frozen=True, kw_only=True, tag="cancel"):
    """End the call of this id. The other fields are for a call that is not asked for yet."""

    call_id: str
    key: str = ""
    retention: timedelta | None = None
    notify: tuple[str, ...] = ()


class Ended(_Change, frozen=True, kw_only=True, tag="ended"):
    """An agent tells how a call ended: `outcome`, as `outcomes.as_json` writes it.

    `marks` may hold the call's; `execution_id`, `phone_number` and `agent_id` are as it wrote them.
    """

    marks: tuple[str, ...] = ()
    execution_id: str = ""
    phone_number: str = ""
    agent_id: str = ""
    outcome: dict[str, Any]


class Outcomes(_Message, frozen=True, kw_only=True, tag="outcomes"):
    """The list of executions is to be asked how these calls of an agent ended."""

    account: str
    agent_id: int
    call_ids: tuple[str, ...]


class _Wish(_Change, frozen=True, kw_only=True):
    """What a person wants kept or done; every copy of the event gives the same `wish_id`."""

    wish_id: str
    phone_number: str


class Suppress(_Wish, frozen=True, kw_only=True, tag="suppress"):
    """Never ring this number again, for any route."""


class Consent(_Wish, frozen=True, kw_only=True, tag="consent"):
    """What a person said of being called for a `purpose`.

    `evidence` is what the event held, `text` the words agreed to, `until` when it ends (None: not
    before it is withdrawn).
    """

    purpose: str
    granted: bool = False
    evidence: str = ""
    text: str = ""
    until: datetime | None = None


class Forget(_Wish, frozen=True, kw_only=True, tag="forget"):
    """Delete what is known of the number. It is "" where the sender did not name one."""


class Export(_Wish, frozen=True, kw_only=True, tag="export"):
    """Hand out what is known of the number. It is "" where the sender did not name one."""


Wish = Suppress | Consent | Forget | Export
# What an event can ask for.
Asked = Call | Cancel | Ended | Wish
Message = Ring | Wake | ThinEvent | Cancel | Ended | Outcomes | Wish


def kind(of: Message) -> str:
    """Which kind of message it is."""
    return str(of.__struct_config__.tag)


def identity(asked: Asked) -> str:
    """The id of what is asked for; every copy of the event gives the same one."""
    match asked:
        case Call() | Cancel():
            return asked.call_id
        case Ended():
            return asked.event_id
    return asked.wish_id


def write(message: Message) -> str:
    """The body of a message."""
    return msgspec.json.encode(message).decode()


def read(body: str) -> Message:
    """The message that `write` wrote. Raises UnreadableError, which quotes no field's value."""
    try:
        document = json.loads(body)
        if isinstance(document, dict) and "kind" not in document:
            document = _of_last_release(document)
        message: Message = msgspec.convert(document, Message)
    except msgspec.ValidationError as error:
        raise UnreadableError(f"it is no message: {error}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableError(f"it is no message: {type(error).__name__}") from error
    return message


# Messages and schedules of before 0.2 are still read: a queue keeps them for two weeks, and a
# schedule's wake waits for a year at most. They had one shape for all: a `call` with a kind of its
# own and every kind's fields, or the id of one to `wake`, or an `event`.
_RENAMED = {
    "call_id": "wish_id",
    "consent": "granted",
    "consent_evidence": "evidence",
    "consent_text": "text",
    "consent_until": "until",
}
_KINDS = {"cancel": Cancel, "suppress": Suppress, "consent": Consent, "forget": Forget}
_KINDS["export"] = Export


def _of_last_release(old: Mapping[str, Any]) -> dict[str, Any]:
    more = {name: old[name] for name in ("heard", "tries") if old.get(name)}
    if "wake" in old:
        return {"kind": "wake", "call_id": old["wake"], **more}
    if "event" in old:
        event = dict(old["event"])
        if "not_before" in event:
            event["not_before"] = datetime.fromtimestamp(event["not_before"], UTC)
        return {"kind": "event", **event, **more}
    call = dict(old["call"])
    of = call.pop("kind", "call")
    if of == "call":
        return {"kind": "ring", "call": call, **more}
    if of != "cancel":
        call = {"phone_number": "", **{_RENAMED.get(name, name): v for name, v in call.items()}}
    fields = _KINDS[of].__struct_fields__
    return {"kind": of, **{name: call[name] for name in fields if name in call}, **more}
