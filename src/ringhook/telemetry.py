"""The story in CloudWatch: JSON logs with one correlation id, and metrics in embedded format.

Lines and metrics have the form that Powertools for AWS Lambda gives them, so that whatever reads
its logs reads these; the tests hold both together. Powertools itself takes three times as long to
load as a bare Python with `json` and `hmac`.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAMESPACE = "Ringhook"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Context(Protocol):
    """What the functions ask of Lambda's context."""

    function_name: str
    memory_limit_in_mb: int
    invoked_function_arn: str
    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """How long the invocation may still take."""
        ...


class Logger:
    """Writes one line of JSON for each thing that is told; `message` names it."""

    def __init__(self) -> None:
        """Know nothing of any invocation yet."""
        self._about: dict[str, Any] = {}
        self._has_started = False

    def begin(self, context: Context, correlation_id: str | None) -> None:
        """From here on, tell of this invocation."""
        self._about = {
            "cold_start": not self._has_started,
            "function_name": context.function_name,
            "function_memory_size": context.memory_limit_in_mb,
            "function_arn": context.invoked_function_arn,
            "function_request_id": context.aws_request_id,
        }
        self._has_started = True
        if correlation_id:
            self._about["correlation_id"] = correlation_id

    def set_correlation_id(self, correlation_id: str) -> None:
        """From here on, tell of what this request asked for."""
        self._about["correlation_id"] = correlation_id

    def info(self, message: str, **more: Any) -> None:
        """What happened as it should."""
        self._write("INFO", message, more)

    def warning(self, message: str, **more: Any) -> None:
        """What may need somebody."""
        self._write("WARNING", message, more)

    def error(self, message: str, **more: Any) -> None:
        """What needs somebody."""
        self._write("ERROR", message, more)

    def exception(self, message: str, **more: Any) -> None:
        """The error that is being handled, with where it comes from."""
        error = sys.exc_info()[1]
        if error is not None:
            more |= {
                "exception": "".join(traceback.format_exception(error)).rstrip("\n"),
                "exception_name": type(error).__name__,
            }
        self._write("ERROR", message, more)

    def _write(self, level: str, message: str, more: Mapping[str, Any]) -> None:
        # Lambda's own setting, from the function's LoggingConfig.
        least = os.environ.get("AWS_LAMBDA_LOG_LEVEL") or "INFO"
        if least in _LEVELS and _LEVELS.index(level) < _LEVELS.index(least):
            return
        now = time.time()
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
        told_by = sys._getframe(2)  # noqa: SLF001 - as the standard library's logging does
        line = {
            "level": level,
            "location": f"{told_by.f_code.co_name}:{told_by.f_lineno}",
            "message": message,
            "timestamp": f"{moment},{int(now % 1 * 1000):03}+0000",
            "service": _service(),
            **self._about,
            **more,
        }
        # The trace of an invocation: Root=1-…;Parent=…;Sampled=1.
        trace = os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0]
        if trace:
            line["xray_trace_id"] = trace.removeprefix("Root=")
        print(_json(line))  # noqa: T201 - this is how Lambda takes a line


class Metrics:
    """Counts and measures of one invocation, written at its end."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._values: dict[tuple[str, str], list[float]] = {}

    def add_metric(self, *, name: str, unit: str, value: float) -> None:
        """One more value, in a unit that CloudWatch knows."""
        self._values.setdefault((name, unit), []).append(float(value))

    def clear_metrics(self) -> None:
        """Forget what was counted."""
        self._values.clear()

    def flush(self) -> None:
        """Write what was counted, if anything was, and forget it."""
        if not self._values:
            return
        metrics = [{"Name": name, "Unit": unit} for name, unit in self._values]
        service = _service()
        about = {"Namespace": _namespace(), "Dimensions": [["service"]], "Metrics": metrics}
        line = {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [about]},
            "service": service,
            **{name: values for (name, _), values in self._values.items()},
        }
        self._values.clear()
        print(_json(line))  # noqa: T201 - this is how CloudWatch takes a metric


logger = Logger()
metrics = Metrics()


def count(name: str, number: int = 1) -> None:
    """Add to one of the counters that the alarms watch."""
    metrics.add_metric(name=name, unit="Count", value=number)


def invocation(
    handler: Callable[[Mapping[str, Any], Context], dict[str, Any]],
) -> Callable[[Mapping[str, Any], Context], dict[str, Any]]:
    """Tell of each of a handler's invocations: its lines are its own, its metrics are written."""

    @functools.wraps(handler)
    def invoke(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        logger.begin(context, (event.get("requestContext") or {}).get("requestId"))
        try:
            answer: dict[str, Any] = handler(event, context)
        finally:
            metrics.flush()
        return answer

    return invoke


def _service() -> str:
    return os.environ.get("POWERTOOLS_SERVICE_NAME") or "service_undefined"


def _namespace() -> str:
    return os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or _NAMESPACE


def _json(line: Mapping[str, Any]) -> str:
    return json.dumps(line, default=str, separators=(",", ":"), ensure_ascii=False)
