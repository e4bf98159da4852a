"""Logs and metrics: as Powertools for AWS Lambda writes them, one invocation apart from another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.builders import Lambda

from ringhook import telemetry
from ringhook.telemetry import Logger, count, invocation, logger, metrics

# What the same invocation makes Powertools write.
POWERTOOLS = """
import sys
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from tests.builders import Lambda
logger, metrics = Logger(), Metrics()

@logger.inject_lambda_context(correlation_id_path="requestContext.requestId", clear_state=True)
@metrics.log_metrics
def handler(event, context):
    logger.info("webhook.answered", source="é", status=202, answer={"calls": []})
    metrics.add_metric(name="CallQueued", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="CallQueued", unit=MetricUnit.Count, value=2)
    metrics.add_metric(name="ApiLatency", unit="Milliseconds", value=1.5)
    try:
        raise ValueError("what is wrong")
    except ValueError:
        logger.exception("message.failed", message_id="1")
    logger.set_correlation_id("another")
    logger.warning("last")
    return {}

handler({"requestContext": {"requestId": "request-1"}}, Lambda())
handler({}, Lambda())
"""


@invocation
def handler(_event: Any, _context: Any) -> dict[str, Any]:
    logger.info("webhook.answered", source="é", status=202, answer={"calls": []})
    count("CallQueued")
    count("CallQueued", 2)
    metrics.add_metric(name="ApiLatency", unit="Milliseconds", value=1.5)
    try:
        raise ValueError("what is wrong")  # noqa: TRY301 - to be told of
    except ValueError:
        logger.exception("message.failed", message_id="1")
    logger.set_correlation_id("another")
    logger.warning("last")
    return {}


@pytest.fixture(autouse=True)
def _just_started(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(telemetry, "logger", logger)
    monkeypatch.setattr(logger, "_has_started", False)
    metrics.clear_metrics()  # of what other tests counted
    yield
    metrics.clear_metrics()


def of_each_run(text: str) -> list[dict[str, Any]]:
    """Lines without what differs from run to run."""
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        for name in ("timestamp", "location", "exception", "stack_trace"):
            line.pop(name, None)
        line.get("_aws", {}).pop("Timestamp", None)
    return lines


def test_lines_and_metrics_are_those_that_powertools_writes(logs: Callable[[], str]) -> None:
    handler({"requestContext": {"requestId": "request-1"}}, Lambda())
    handler({}, Lambda())

    theirs = subprocess.run(
        [sys.executable, "-c", POWERTOOLS], capture_output=True, text=True, check=True
    )
    assert of_each_run(logs()) == of_each_run(theirs.stdout)


def test_a_line_says_where_and_when_it_was_written(logs: Callable[[], str]) -> None:
    handler({}, Lambda())
    first, failed, *_ = (json.loads(line) for line in logs().splitlines())
    assert first["location"].startswith("handler:")
    assert len(first["timestamp"]) == len("2026-11-25 07:35:08,952+0000")
    assert "what is wrong" in failed["exception"]
    assert __file__ in failed["exception"]


def test_the_trace_of_an_invocation_is_in_its_lines(
    logs: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
    Logger().info("hello")
    assert json.loads(logs())["xray_trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"


@pytest.mark.parametrize(
    ("level", "written"),
    [("", ["i", "w", "e"]), ("DEBUG", ["i", "w", "e"]), ("WARNING", ["w", "e"]), ("ERROR", ["e"])],
)
def test_the_functions_own_setting_says_what_is_written(
    logs: Callable[[], str], monkeypatch: pytest.MonkeyPatch, level: str, written: list[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", level)
    one = Logger()
    one.info("i")
    one.warning("w")
    one.error("e")
    assert [json.loads(line)["message"] for line in logs().splitlines()] == written


def test_what_was_counted_before_a_failure_is_written(logs: Callable[[], str]) -> None:
    @invocation
    def fails(_event: Any, _context: Any) -> dict[str, Any]:
        count("WebhookReceived")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fails({}, Lambda())
    assert json.loads(logs())["WebhookReceived"] == [1.0]
    handler({}, Lambda())
    assert "WebhookReceived" not in logs().splitlines()[-1]


def test_nothing_counted_is_nothing_written(logs: Callable[[], str]) -> None:
    metrics.flush()
    assert not logs()
