"""The API whose phones ring and end in each way, and its agents, who tell of it or do not.

Its list is as the API's pages show it: whole numbers for ids, times without a zone, words in mixed
case, and it lags. Nothing of Ringhook.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.simulation.endings.facts import Ring
from tests.simulation.world import World

MINUTE, HOUR = 60.0, 3600.0
# By ending: how the list says it, how an agent says it, and for how long such a call lasts.
WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[float, float]]] = {
    "answered": (("COMPLETED", "completed", "Call-Ended"), ("user-ended", "agent-ended"), (8, 300)),
    "voicemail": (("VOICEMAIL", "machine_end_beep"), ("voicemail-hangup",), (5, 40)),
    "no_answer": (("NO_ANSWER", "no-answer", "Unanswered"), ("no-answer",), (0, 0)),
    "busy": (("BUSY", "busy", "user_busy"), ("busy",), (0, 0)),
    "rejected": (("REJECTED", "Call_Rejected"), ("user_declined",), (0, 0)),
    "failed": (("FAILED", "invalid_destination"), ("dial_failed",), (0, 0)),
    "": (("gone_fishing", "completed"), ("gone_fishing",), (0, 0)),
}
_ODDS = ["answered"] * 6 + ["voicemail"] * 3 + ["no_answer"] * 6 + ["busy"] * 3
_ODDS += ["rejected", "rejected", "failed", ""]


class Phones:
    """The API. `troubled` says whether it may misbehave now; `post` sends an agent's webhook.

    `lost`: the share of webhooks that are never sent; None: as it is drawn.
    """

    def __init__(
        self,
        world: World,
        troubled: Callable[[], bool],
        post: Callable[[Ring, dict[str, Any], str], None],
        lost: float | None = None,
    ) -> None:
        random = world.random
        self._world, self._troubled, self._post = world, troubled, post
        self.rings: list[Ring] = []
        self.requests: list[float] = []
        self.looks = 0
        self._rows: list[tuple[Ring, dict[str, Any], dict[str, Any], float]] = []
        # How this API is: whether it shows metadata, whose clock it has, how much is lost.
        self._shows = random.random() < 0.4
        self._zone = random.choice([0.0, 5.5 * HOUR])
        drawn = random.choice([0.1, 0.35, 1.0])
        self._lost = drawn if lost is None else lost
        self._lag = random.choice([0.5, 20, 400])

    def ask(
        self, method: str, url: str, body: str | None, timeout: float
    ) -> tuple[int, bytes, None] | str:
        """An answer, or `cut`."""
        self._world.step(0.05)
        self.requests.append(self._world.now)
        answer = self._list(url) if method == "GET" else self._call(json.loads(body or "{}"))
        self._world.step(0.05)
        return answer

    def _call(self, body: dict[str, Any]) -> tuple[int, bytes, None] | str:
        world, random = self._world, self._world.random
        if self._troubled() and random.random() < 0.2:
            return 429, b"{}", None
        heard = not (self._troubled() and random.random() < 0.15)
        ring = Ring(
            world.now, body["metadata"]["key"], body["phone_number"], body["agent_id"], heard
        )
        number = len(self.rings) + 7001
        self.rings.append(ring)
        self._plan(ring, number, body["metadata"])
        world.tell(f"a phone rings for {ring.key}: {ring.ending or 'nobody will know'}")
        if not heard:
            return "cut"
        said = {"execution_id": f"exec-{number}", "call_status": "initiated"}
        return 200, json.dumps({"success": True, "data": said}).encode(), None

    def _plan(self, ring: Ring, number: int, metadata: dict[str, Any]) -> None:
        """How it ends, when the list has that, and what its agent tells."""
        random = self._world.random
        ring.ending = random.choice(_ODDS)
        listed, told, (least, most) = WORDS[ring.ending]
        seconds = round(random.uniform(least, most), random.choice([0, 1]))
        ring.ended = ring.at + random.uniform(2, 40) + seconds
        lag = random.uniform(0, self._lag)
        never = random.random() < 0.04
        if ring.ending and not never:
            ring.listed = ring.ended + lag
        if ring.ending == "answered":
            ring.opt_out = random.random() < 0.08
            ring.callback = random.random() < 0.1 and ring.ended + random.uniform(1, 6) * HOUR
        local = datetime.fromtimestamp(ring.at + self._zone, UTC)
        row = {
            "ID": number,
            "AGENT_ID": ring.agent,
            "CALLING_NUMBER": ring.number.removeprefix("+"),
            "STATUS": "completed" if random.random() < 0.5 else "initiated",
            "CALL_STATUS": random.choice(["initiated", "ringing", "in-progress"]),
            "TOTAL_DURATION": 0,
            "CREATED_AT": f"{local:%Y-%m-%d %H:%M:%S}",
        }
        over: dict[str, Any] = {"STATUS": "Completed", "CALL_STATUS": random.choice(listed)}
        if random.random() < 0.5:
            over |= {"TOTAL_DURATION": seconds}
        else:
            over |= {"TOTAL_DURATION": None, "total_duration": f"{int(seconds // 60)}m"}
            over["total_duration"] += f" {int(seconds % 60)}s"
        self._rows.append((ring, {**row, "GIVEN": json.dumps(metadata)}, over, ring.at + 0.5))
        self._agents(ring, seconds, random.choice(told), metadata)

    def _agents(self, ring: Ring, seconds: float, word: str, metadata: dict[str, Any]) -> None:
        """The agent's webhook: on time, late, twice or never."""
        random = self._world.random
        body: dict[str, Any] = {
            "session_id": f"s-{len(self.rings)}",
            "duration": seconds,
            "call_status": word,
            "metadata": metadata,
            "analysis": {"opt_out": "yes" if ring.opt_out else "no"},
        }
        if ring.callback:
            back = datetime.fromtimestamp(ring.callback, UTC)
            body["analysis"]["call_back"] = back.isoformat()
        if random.random() < 0.6:
            body["agent_id"] = str(ring.agent)
        if random.random() < self._lost:
            # What nobody hears of is not said.
            ring.opt_out, ring.callback = False, 0.0
            return
        if ring.listed and random.random() < 0.1:
            # An agent that takes one call for another: nothing beside the mark says which it was.
            body["call_status"] = random.choice(["no-answer", "busy", "user-ended"])
            body["duration"] = random.choice([0, 30])
            body.pop("agent_id", None)
            body["analysis"] = {}
            ring.opt_out, ring.callback = False, 0.0
        for _ in range(random.choice([1, 1, 2])):
            late = random.choice([0.2, 3, 60, 900])
            self._world.at(ring.ended + late, lambda: self._post(ring, body, "secret"))
        if random.random() < 0.1:
            liar = random.choice(["answered", "busy", "no-answer"])
            lie = {**body, "call_status": liar, "analysis": {"opt_out": "yes"}}
            self._world.at(ring.ended, lambda: self._post(ring, lie, "guessed"))

    def _list(self, url: str) -> tuple[int, bytes, None] | str:
        random, now = self._world.random, self._world.now
        self.looks += 1
        if self._troubled() and random.random() < 0.3:
            return "cut" if random.random() < 0.5 else (500, b"<html>", None)
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        first = (int(asked["page"]) - 1) * int(asked["limit"])
        rows = []
        for ring, row, over, at in reversed(self._rows):
            if at > now or str(ring.agent) != asked["agent_id"]:
                continue
            if asked.get("calling_number", "") not in row["CALLING_NUMBER"]:
                continue
            if asked.get("input_data", "") not in row["GIVEN"]:
                continue
            # A word that nobody knows is listed at the end of the call, too.
            done = now >= ring.listed > 0 or (not ring.ending and now > ring.ended)
            shown = row | (over if done else {})
            given = shown.pop("GIVEN")
            rows.append(shown | ({"INPUT_DATA": given} if self._shows else {}))
        page = rows[first : first + int(asked["limit"])]
        return 200, json.dumps({"datalist": page}).encode(), None
