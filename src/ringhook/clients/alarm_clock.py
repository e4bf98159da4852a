"""What must wait past what a queue keeps back: a schedule for each time of a call."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringhook.clients.services import code_of, failures

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_scheduler.type_defs import CreateScheduleInputTypeDef

    from ringhook.clients.services import Scheduler


class AlarmClock:
    """EventBridge Scheduler: a one-time schedule for each time of a call sends to the queue.

    What cannot be delivered goes to the dead letters, and the sweep finds the call.
    """

    def __init__(
        self,
        client: EventBridgeSchedulerClient | Scheduler,
        group: str,
        role: str,
        queue: str,
        dead_letters: str = "",
    ) -> None:
        """Keep schedules in this group; they send to the queue (its ARN) with this role."""
        self._client = client
        self._group = group
        self._role = role
        self._queue = queue
        self._dead_letters = dead_letters

    def set(self, call_id: str, body: str, at: float) -> None:
        """Send this body at `at` (epoch seconds, to the second)."""
        moment = datetime.fromtimestamp(math.ceil(at), UTC)
        schedule: CreateScheduleInputTypeDef = {
            "Name": f"{call_id}-{math.ceil(at)}",
            "GroupName": self._group,
            "ScheduleExpression": f"at({moment:%Y-%m-%dT%H:%M:%S})",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {"Arn": self._queue, "RoleArn": self._role, "Input": body},
        }
        if self._dead_letters:
            schedule["Target"]["DeadLetterConfig"] = {"Arn": self._dead_letters}
        try:
            self._client.create_schedule(**schedule)
        except failures() as error:
            # One that is there already says the same.
            if code_of(error) != "ConflictException":
                raise
