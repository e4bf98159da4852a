"""What a simulated invocation has around it: a clock, a context, and who hears what is logged."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from tests.simulation.world import World

from ringhook import dialer, keeper, receiver, telemetry
from ringhook_ops.commands import steering

MODULES: dict[str, tuple[Any, str]] = {
    "dial": (dialer, "_dialer"),
    "keep": (keeper, "_keeper"),
    "receive": (receiver, "_receiver"),
}
# What the story has of a line of the log.
_TOLD = ("reason", "outcome", "again_at", "words")


def at_the_door(
    source: str, headers: Mapping[str, str], body: str, request_id: str, secret: str = ""
) -> dict[str, Any]:
    """A webhook as API Gateway hands it over; `secret` is the end of its address, if it has one."""
    path = f"/hooks/{source}" + (f"/{secret}" if secret else "")
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", **headers},
        "requestContext": {
            "domainName": "hooks.example.com",
            "http": {"method": "POST", "path": path},
            "requestId": request_id,
            "stage": "$default",
        },
        "pathParameters": {"source": source} | ({"secret": secret} if secret else {}),
        "body": body,
        "isBase64Encoded": False,
    }


class Context:
    """What Lambda tells a function of itself."""

    def __init__(self, left: Callable[[], float]) -> None:
        self._left = left

    def get_remaining_time_in_millis(self) -> int:
        return int(self._left() * 1000)


class Clock:
    """`time` and `datetime`, as far as the handlers use them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def time(self) -> float:
        return self._world.now

    def now(self, zone: Any) -> datetime:
        return datetime.fromtimestamp(self._world.now, zone or UTC)


@contextmanager
def within(world: World) -> Iterator[None]:
    """The handlers' own clock is the world's, and what they log is its story."""

    def info(text: str, **more: Any) -> None:
        said = {name: more[name] for name in _TOLD if more.get(name)}
        if "again_at" in said:
            said["again_at"] = f"in {said['again_at'] - world.now:.1f} s"
        world.tell(f"    {text} {str(more.get('call_id', ''))[-6:]} {said or ''}")

    def exception(text: str, **_: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and "UnavailableError" not in type(error).__name__:
            world.failures.append(error)
        world.tell(f"    {text}: {error!r}")

    clock, logger = Clock(world), telemetry.logger
    with ExitStack() as stack:
        for module, name in MODULES.values():
            stack.enter_context(patch.object(module, name))
        stack.enter_context(patch.object(receiver, "datetime", clock))
        stack.enter_context(patch.object(steering, "datetime", clock))
        for name in ("info", "warning", "error"):
            stack.enter_context(patch.object(logger, name, info))
        stack.enter_context(patch.object(logger, "exception", exception))
        stack.enter_context(patch.object(logger, "set_correlation_id", lambda _: None))
        stack.enter_context(patch.object(telemetry.metrics, "add_metric", lambda **_: None))
        yield
