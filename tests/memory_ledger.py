"""A ledger in memory, for simulations of hours; test_ledger.py holds it to the real one's suite."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime

from ringhook.calls import Call
from ringhook.consents import Consent, stands
from ringhook.errors import ConflictError
from ringhook.ledger import Change, Entry
from ringhook.policy import History


class MemoryLedger:
    """What `Ledger` promises, kept in dictionaries under a lock."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._calls: dict[str, Entry] = {}
        self._numbers: dict[str, History] = {}
        self._days: Counter[str] = Counter()
        self._forgotten: dict[str, float] = {}

    def read(self, call_id: str) -> Entry | None:
        with self._lock:
            return self._calls.get(call_id)

    def write(self, call: Call, change: Change, *, over: Entry | None, now: datetime) -> Entry:
        with self._lock:
            held = self._calls.get(call.call_id)
            if (held and held.version) != (over and over.version):
                raise ConflictError(call.call_id)
            entry = Entry(
                call=call.model_copy(update={"payload": "", "unmapped": ""}),
                status=change.status,
                version=held.version + 1 if held else 1,
                due_at=change.due_at or 0,
                lease_until=change.lease_until or 0,
                asked_at=change.asked_at,
                attempts=change.attempts,
                looks=change.looks,
                settled=change.status != "calling" and change.due_at is None,
            )
            self._calls[call.call_id] = entry
            return entry

    def export(self, call: Call, now: datetime) -> None:
        pass

    def history(self, number: str, now: datetime) -> History:
        with self._lock:
            today = self._days[now.date().isoformat()]
            forgotten_at = self._forgotten.get(number, 0.0)
            known = self._numbers.get(number, History())
            return replace(known, today=today, forgotten_at=forgotten_at)

    def reserve(self, call: Call, history: History, now: datetime, a_day: int | None) -> None:
        with self._lock:
            held = self.history(call.phone_number, now)
            if held.version != history.version or (a_day is not None and held.today >= a_day):
                raise ConflictError(call.phone_number)
            self._days[now.date().isoformat()] += 1
            self._change(call.phone_number, rung={**held.rung, call.call_id: now.timestamp()})

    def release(self, call: Call, reserved_at: datetime) -> None:
        with self._lock:
            held = self.history(call.phone_number, reserved_at)
            rung = {one: at for one, at in held.rung.items() if one != call.call_id}
            self._days[reserved_at.date().isoformat()] -= 1
            self._change(call.phone_number, rung=rung)

    def suppress_number(self, number: str, reason: str, now: datetime) -> None:
        with self._lock:
            self._change(number, do_not_call=reason)

    def record_consent(self, number: str, purpose: str, consent: Consent, now: datetime) -> None:
        with self._lock:
            held = self.history(number, now)
            if stands(consent, held.consents.get(purpose)):
                self._change(number, consents={**held.consents, purpose: consent})

    def forget(self, number: str, now: datetime) -> list[str]:
        with self._lock:
            theirs = [c for c, entry in self._calls.items() if entry.call.phone_number == number]
            for call_id in [*theirs, *self.history(number, now).rung]:
                self.spend(call_id, now)
            self._forgotten[number] = now.timestamp()
            if self.history(number, now).do_not_call:
                self._change(number, consents={}, rung={})
            else:
                self._numbers.pop(number, None)
            return theirs

    def spend(self, call_id: str, now: datetime) -> None:
        with self._lock:
            unknown = {"source": "", "provider": "", "event_id": "", "occurred_at": now}
            call = Call.model_validate({"call_id": call_id, "received_at": now, **unknown})
            self._calls[call_id] = Entry(call, "forgotten", -1)

    def _change(self, number: str, **fields: object) -> None:
        held = self._numbers.get(number, History())
        changed = {"version": held.version + 1, **fields}
        self._numbers[number] = replace(held, **changed)  # type: ignore[arg-type]
