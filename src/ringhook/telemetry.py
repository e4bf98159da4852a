"""The story in CloudWatch: JSON logs with one correlation id, and metrics in embedded format."""

from __future__ import annotations

import warnings

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

# Service name (the stack's) and namespace come from POWERTOOLS_* variables; the level from the
# function's LoggingConfig alone, which Powertools reads by itself.
# A message that is only put off has nothing to count, which Powertools would warn of.
warnings.filterwarnings("ignore", message="No application metrics to publish")
logger = Logger()
metrics = Metrics()


def count(name: str, number: int = 1) -> None:
    """Add to one of the counters that the alarms watch."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
