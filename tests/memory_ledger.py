"""A ledger in memory, for simulations of hours; test_ledger.py holds it to the real one's suite."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from msgspec import structs

from ringhook.calls.call import Call
from ringhook.calls.consents import Consent, stands
from ringhook.calls.item import Item
from ringhook.calls.messages import Export
from ringhook.deciding.policy import History
from ringhook.errors import ConflictError
from ringhook.ringing.book import Count, Hold, Known


class MemoryLedger:
    """What `Ledger` promises, kept in dictionaries under a lock."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._calls: dict[str, Item] = {}
        self._numbers: dict[str, History] = {}
        self._days: Counter[str] = Counter()
        self._forgotten: dict[str, float] = {}
        self._holds: dict[str, Hold] = {}

    def read(self, call_id: str) -> Item | None:
        with self._lock:
            return self._calls.get(call_id)

    def read_all(self, call_ids: Sequence[str]) -> list[Item]:
        return [item for one in call_ids if (item := self.read(one))]

    def called(self, number: str, execution_id: str) -> str:
        calls = self._calls.values()
        found = (
            i for i in calls if (i.call.phone_number, i.execution_id) == (number, execution_id)
        )
        return next((item.call.call_id for item in found), "")

    def known(self, call_id: str, number: str, account: str, now: datetime) -> Known:
        with self._lock:
            history = replace(
                self._numbers.get(number, History()),
                today=self._days[now.date().isoformat()],
                forgotten_at=self._forgotten.get(number, 0.0),
            )
            item, hold = self._calls.get(call_id), self._holds.get(account)
            return Known(item, number, account, history, hold=hold)

    def history(self, number: str, now: datetime) -> History:
        return self.known("", number, "", now).history

    def write(
        self,
        item: Item,
        *,
        over: Item | None,
        now: datetime,
        attempt: Mapping[str, Any] | None = None,
        give_back: Collection[Count] = (),
    ) -> Item:
        with self._lock:
            held = self._calls.get(item.call.call_id)
            if (held and held.version) != (over and over.version):
                raise ConflictError(item.call.call_id)
            number, asked_at = item.call.phone_number, item.asked_at or now
            if "number" in give_back:
                rung = self.history(number, now).rung
                self._change(
                    number, rung={c: at for c, at in rung.items() if c != item.call.call_id}
                )
            self._days[asked_at.date().isoformat()] -= "day" in give_back
            call = item.call
            if item.status != "unmapped":
                call = structs.replace(call, payload="")
            kept = structs.replace(call, unmapped="")
            entry = replace(item, call=kept, version=held.version + 1 if held else 1)
            self._calls[item.call.call_id] = entry
            return entry

    def claim(
        self,
        item: Item,
        *,
        over: Item | None,
        history: History,
        counts: Collection[Count],
        a_day: int | None,
        now: datetime,
    ) -> Item:
        with self._lock:
            call = item.call
            held = self.history(call.phone_number, now)
            full = "day" in counts and a_day is not None and held.today >= a_day
            if held.version != history.version or full:
                raise ConflictError(call.phone_number)
            entry = self.write(item, over=over, now=now)
            self._days[now.date().isoformat()] += "day" in counts
            if "number" in counts:
                rung = dict(held.rung)
                if item.ringing > 1 and call.call_id in rung:
                    rung[f"{call.call_id}.{item.ringing - 1}"] = rung[call.call_id]
                rung[call.call_id] = now.timestamp()
                self._change(call.phone_number, rung=rung)
            return entry

    def hold(self, account: str, hold: Hold, *, over: Hold | None) -> bool:
        with self._lock:
            if (held := self._holds.get(account)) != over and not (
                held and over and held.probe_at == over.probe_at
            ):
                return False
            self._holds[account] = hold
            return True

    def let_go(self, account: str) -> None:
        with self._lock:
            self._holds.pop(account, None)

    def export(self, wish: Export, now: datetime) -> None:
        pass

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
            theirs = [c for c, item in self._calls.items() if item.call.phone_number == number]
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
            call = Call(
                call_id=call_id,
                source="",
                provider="",
                event_id="",
                occurred_at=now,
                received_at=now,
            )
            self._calls[call_id] = Item(call=call, status="forgotten", version=-1)

    def _change(self, number: str, **fields: object) -> None:
        held = self._numbers.get(number, History())
        changed = {"version": held.version + 1, **fields}
        self._numbers[number] = replace(held, **changed)  # type: ignore[arg-type]
