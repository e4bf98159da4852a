"""The phones that the sandbox rings: how each call truly went, what the list and the agent say."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from ringhook_ops.sandbox.answers import integer_of, iso, time_of
from ringhook_ops.sandbox.endings import Ending, Endings, Listing, Said, draw, lie
from ringhook_ops.sandbox.orders import ANY
from ringhook_ops.sandbox.posting import Post

PAGE_SIZE = 10
# The endings of calls that were connected to something.
_SESSIONS = ("answered", "voicemail")


@dataclass
class Ring:
    """One call. `ending` None: it never ends."""

    id: int
    execution_id: str
    agent_id: int
    phone_number: str
    metadata: Mapping[str, Any]
    placed_at: datetime
    ending: Ending | None
    posts: list[Post] = field(default_factory=list)


class Phones:
    """Rings as it is told, the latest order first, and else as `usual` (None: no call ends)."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.listing = Listing()
        self.usual: Endings | None = None
        self._now = now
        self._told: list[Endings] = []
        self._rings: list[Ring] = []
        self._random = Random()  # noqa: S311  (no secret)

    def __len__(self) -> int:
        """How many calls were placed."""
        return len(self._rings)

    def tell(self, order: Endings) -> None:
        """End calls like this from now on."""
        self._told.insert(0, order)

    def told(self) -> list[Endings]:
        """What it was told and still does."""
        return list(self._told)

    def clear(self) -> None:
        """Forget calls and orders."""
        self._told.clear()
        self._rings.clear()
        self.listing = Listing()

    def place(self, agent_id: int, phone_number: str, metadata: Mapping[str, Any]) -> Ring:
        """Ring a phone; the webhooks to come are the caller's to post."""
        now, order = self._now(), self._order(phone_number)
        ring = Ring(
            id=len(self._rings) + 1,
            execution_id=str(uuid.uuid4()),
            agent_id=agent_id,
            phone_number=phone_number,
            metadata=metadata,
            placed_at=now,
            ending=draw(order, self.listing, now, self._random) if order else None,
        )
        if order:
            ring.posts = self._webhooks(ring, order)
        self._rings.append(ring)
        return ring

    def record(self) -> list[dict[str, Any]]:
        """What truly happened so far, oldest first; of a call that goes on, no ending."""
        return [self._truth(ring) for ring in self._rings]

    def rows(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """A page of the list of executions, newest first. Raises RefusalError."""
        agent_id = integer_of(query, "agent_id", 0)
        first = time_of(query, "fromdate", "0001-01-02", self.listing.zone)
        last = time_of(query, "todate", "9999-12-30", self.listing.zone)
        limit = integer_of(query, "limit", PAGE_SIZE)
        skipped = (integer_of(query, "page", 1) - 1) * limit
        oldest = self._now() - timedelta(seconds=self.listing.new_after)
        found = [
            row
            for ring in reversed(self._rings)
            if agent_id in (0, ring.agent_id)
            and query.get("calling_number", "") in ring.phone_number
            and query.get("input_data", "").lower() in _text(ring.metadata).lower()
            and first <= ring.placed_at <= last
            and ring.placed_at <= oldest
            and _has_status(row := self._row(ring), query.get("status", ""))
        ]
        return found[skipped : skipped + limit]

    def _order(self, phone_number: str) -> Endings | None:
        for wanted in (phone_number, ANY):
            for order in self._told:
                if order.phone_number == wanted:
                    if order.times is not None:
                        order.times -= 1
                        if not order.times:
                            self._told.remove(order)
                    return order
        return self.usual

    def _row(self, ring: Ring) -> dict[str, Any]:
        row = {
            "ID": ring.id,
            "AGENT_ID": ring.agent_id,
            "CALLING_NUMBER": ring.phone_number,
            "STATUS": "initiated",
            "CALL_STATUS": "INITIATED",
            "TOTAL_DURATION": 0,
            "CREATED_AT": f"{ring.placed_at.astimezone(self.listing.zone):%Y-%m-%d %H:%M:%S}",
        }
        if self.listing.shows_input_data:
            row["INPUT_DATA"] = _text(ring.metadata)
        end = ring.ending
        if end and end.listed_at and end.listed_at <= self._now():
            minutes, seconds = divmod(end.duration_seconds, 60)
            session = end.outcome in _SESSIONS
            row |= {
                "STATUS": end.said.status,
                "CALL_STATUS": end.said.call_status,
                "TOTAL_DURATION": end.duration_seconds,
                "total_duration": f"{minutes:.0f}m {seconds:.0f}s",
                "FILE_PATH": _recording(ring) if session else "",
                "DISPOSITION": "Interested" if end.outcome == "answered" else "",
            }
        return row

    def _truth(self, ring: Ring) -> dict[str, Any]:
        end = ring.ending if ring.ending and ring.ending.ended_at <= self._now() else None
        return {
            "id": ring.id,
            "execution_id": ring.execution_id,
            "agent_id": ring.agent_id,
            "phone_number": ring.phone_number,
            "metadata": ring.metadata,
            "placed_at": iso(ring.placed_at),
            "outcome": end and end.outcome,
            "ended_by": end and end.said.ended_by,
            "failure": end and end.said.failure,
            "duration_seconds": end and end.duration_seconds,
            "ended_at": end and iso(end.ended_at),
            "listed_at": iso(end.listed_at) if end and end.listed_at else None,
            "opt_out": end and end.opt_out,
            "callback_at": iso(end.callback_at) if end and end.callback_at else None,
            "webhooks": [
                {
                    "due_at": iso(post.due_at),
                    "genuine": post.genuine,
                    "sent_at": iso(post.sent_at) if post.sent_at else None,
                    "status": post.status,
                }
                for post in ring.posts
            ],
        }

    def _webhooks(self, ring: Ring, order: Endings) -> list[Post]:
        """What the agent posts of this call, and who pretends to be it."""
        end, webhook, chance = ring.ending, order.webhook, self._random.random
        if end is None or webhook is None:
            return []
        posts = []
        silent = end.outcome not in _SESSIONS and not webhook.unanswered
        if not silent and chance() >= webhook.never:
            late = self._random.uniform(*webhook.late_by) if chance() < webhook.late else 0.0
            due_at = end.ended_at + timedelta(seconds=late)
            body = _body(ring, end, end.said)
            posts += [
                Post(due_at, webhook.url, webhook.headers, body, genuine=True)
                for _ in range(2 if chance() < webhook.twice else 1)
            ]
        if chance() < webhook.forged:
            body = _body(ring, end, lie(end.outcome, self._random))
            body |= {"duration": 30, "analysis": {"opt_out": True, "callback_at": None}}
            address = webhook.url[:-4] + "none"
            posts.append(Post(end.ended_at, address, {}, body, genuine=False))
        return posts


def _body(ring: Ring, end: Ending, said: Said) -> dict[str, Any]:
    """What an agent posts, as a setting of this name does elsewhere (docs.millis.ai, Webhooks)."""
    return {
        "session_id": ring.execution_id,
        "agent_id": str(ring.agent_id),
        "call_id": f"c-{ring.id}",
        "ts": end.ended_at.timestamp(),
        "duration": end.duration_seconds,
        "chat": json.dumps([{"role": "assistant", "content": "Hello"}]),
        "recording": {"recording_url": _recording(ring)},
        "metadata": ring.metadata,
        "cost_breakdown": [],
        "call_status": said.posted,
        "analysis": {
            "opt_out": end.opt_out,
            "callback_at": iso(end.callback_at) if end.callback_at else None,
        },
    }


def _recording(ring: Ring) -> str:
    return f"https://recordings.example.com/{ring.execution_id}.mp3"


def _text(metadata: Mapping[str, Any]) -> str:
    return json.dumps(metadata, ensure_ascii=False)


def _has_status(row: Mapping[str, Any], wanted: str) -> bool:
    """Whether a row is of a status, which the API looks for in two places."""
    words = {str(row[name]).lower() for name in ("STATUS", "CALL_STATUS")}
    return not wanted or wanted.lower() in words
