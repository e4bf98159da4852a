"""The API that rings phones, and the one that knows a lead's number; as bad as they may be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.simulation.facts import Asked
from tests.simulation.world import World


@dataclass
class Api:
    """The API. `mood` says how it takes the next request for a call; `lists` how it lists."""

    world: World
    mood: Callable[[str], str]
    lists: Callable[[], str]
    tokens: set[str]
    asked: list[Asked] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    leads: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def ask(
        self, method: str, url: str, token: str, body: str | None, timeout: float
    ) -> tuple[int, bytes, str | None] | str:
        """An answer; or `unsent` or `cut`."""
        self.world.step(0.05)
        self.requests.append(self.world.now)
        if method == "GET":
            answer = self._list(url, token)
        else:
            answer = self._call(json.loads(body or "{}"), token, timeout)
        self.world.step(0.05)
        return answer

    def lead(self, address: str) -> tuple[int, bytes, str | None] | str:
        """What another API knows of a lead; or why there is no answer."""
        self.world.step(0.05)
        key = f"lead-{urlsplit(address).path.rpartition('/')[2]}"
        mood = self.lists()
        self.world.tell(f"    the lead {key} is asked for: {mood}")
        if mood == "cut":
            return "cut"
        if mood == "500":
            return 500, b"", None
        return 200, json.dumps({"properties": {"phone": self.leads[key]}}).encode(), None

    def _call(
        self, body: dict[str, Any], token: str, timeout: float
    ) -> tuple[int, bytes, str | None] | str:
        mood = self.mood(body["phone_number"])
        if token not in self.tokens:
            mood = "token"
        random = self.world.random
        told = mood in _TOLD
        rang = mood in ("well", "late") or (not told and random.random() < 0.5)
        metadata = body["metadata"]
        self.asked.append(
            Asked(
                self.world.now,
                body["phone_number"],
                metadata["key"],
                metadata["version"],
                mood,
                rang,
                told,
                final=mood == "never",
            )
        )
        self.world.tell(
            f"API is asked for {metadata['key']} {metadata['version']}: {mood}"
            f"{', and a phone rings' if rang else ''}"
        )
        number = len(self.rows) + 7001
        if rang:
            lag = 0.5 if told or random.random() < 0.6 else random.choice([5.0, 30.0])
            self.rows.append((self.world.now + lag, self._row(number, body)))
        if mood == "slow":
            self.world.sleep(timeout + 0.1)
            return "cut"
        if mood == "late":
            self.world.sleep(timeout * random.random())
        return self._answer(mood, number)

    def _row(self, number: int, body: dict[str, Any]) -> dict[str, Any]:
        made = datetime.fromtimestamp(self.world.now, UTC)
        return {
            "ID": number,
            "AGENT_ID": body["agent_id"],
            "CALLING_NUMBER": body["phone_number"].removeprefix("+"),
            "STATUS": "Completed",
            "TOTAL_DURATION": 42,
            "INPUT_DATA": json.dumps(body["metadata"]),
            "CREATED_AT": f"{made:%Y-%m-%d %H:%M:%S}",
        }

    def _answer(self, mood: str, number: int) -> tuple[int, bytes, str | None] | str:
        if mood in ("unsent", "cut"):
            return mood
        if mood in ("well", "late"):
            said = {"execution_id": f"exec-{number}", "call_status": "initiated"}
            return 200, json.dumps({"success": True, "data": said}).encode(), None
        status, text, wait = _ANSWERS[mood]
        if text.startswith("<"):
            return status, text.encode(), wait
        return status, json.dumps({"error": True, "message": text}).encode(), wait

    def _list(self, url: str, token: str) -> tuple[int, bytes, str | None] | str:
        mood = self.lists()
        if token not in self.tokens:
            return 401, b'{"error": true, "message": "Invalid Auth Key or Session Expired"}', None
        if mood == "cut":
            return "cut"
        if mood == "500":
            return 500, b"<html>", None
        asked = parse_qs(urlsplit(url).query)
        wanted = re.sub(r"\D", "", asked.get("calling_number", [""])[0])
        found = [
            row
            for at, row in self.rows
            if at <= self.world.now
            and wanted in row["CALLING_NUMBER"]
            and (mood == "loose" or asked.get("input_data", [""])[0] in row["INPUT_DATA"])
        ]
        return 200, json.dumps({"datalist": found[::-1]}).encode(), None


# The moods after which it is told whether a phone rang; after any other it may have.
_TOLD = {"well", "late", "429", "503", "unsent", "token", "busy", "credit", "never", "wall"}
_ANSWERS: dict[str, tuple[int, str, str | None]] = {
    "429": (429, "rate limit exceeded", "20"),
    "503": (503, "<html>unavailable", None),
    "500": (500, "something went wrong", None),
    "502": (502, "<html>bad gateway", None),
    "rubbish": (200, "<html>welcome", None),
    "token": (401, "Invalid Auth Key or Session Expired", None),
    "busy": (400, "concurrency limit reached", None),
    "credit": (402, "insufficient balance", None),
    "never": (400, "Validation error: phone_number cannot be called", None),
    "wall": (403, "<html>denied", None),
}
TROUBLES = ("429", "503", "500", "502", "rubbish", "cut", "slow", "late", "unsent", "busy", "wall")
