"""The services of AWS, asked without the SDK: signed JSON over one kept connection for each.

The SDK takes ten times longer to load than all that is used of it here. What it does for these
services is done: retries, time-outs, credentials that change while the function runs.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import select
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ringhook.clients import tls
from ringhook.clients.signing import Credentials, signed
from ringhook.errors import ServiceError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Senders wait five seconds: a service that does not answer in four does not answer.
PATIENCE = 4.0
ATTEMPTS = 4
_CONNECT_TIMEOUT = 1.0
_READ_TIMEOUT = 2.5
# No attempt is worth beginning with less time than this.
_TOO_LITTLE = 0.05
_FIRST_WAIT = 0.1
# Whoever closes an unused connection does so after more than this.
_KEPT_FOR = 20.0
# A page of DynamoDB's is a megabyte of values, and more as JSON; a hundred items may be sixteen.
_LARGEST_ANSWER = 40_000_000
# What botocore, too, asks again after (its "standard" retries).
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_PASSING = frozenset({429, 500, 502, 503, 504})
# Where a partition's services are; its regions begin so. Else: amazonaws.com.
_DOMAINS = {
    "cn-": "amazonaws.com.cn",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
}


class Service:
    """One service of AWS, as the environment says: region, credentials, and perhaps an address.

    For one thread. `clock` gives epoch seconds, `jitter` 0 to 1.
    """

    name: str
    """In addresses and in signatures."""
    target: str = ""
    version: str = ""
    """Of the JSON protocol."""

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Connect to nothing yet."""
        self._environ = environ
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._kept: http.client.HTTPConnection | None = None
        self._used_at = 0.0

    def __del__(self) -> None:
        """End the connection with whoever kept it."""
        if self._kept:
            self._kept.close()

    def ask(self, action: str, what: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for this action, again while that may help. Raises ServiceError.

        After an answer that was lost the same is asked twice: so let it do the same twice.
        """
        path, headers = self._addressed(action)
        body = json.dumps(what).encode()
        deadline = self._clock() + PATIENCE
        attempt = 1
        while True:
            try:
                return self._once(action, path, headers, body, deadline)
            except ServiceError as error:
                wait = self._jitter() * _FIRST_WAIT * 4 ** (attempt - 1)
                left = deadline - self._clock() - wait
                if not error.passing or attempt == ATTEMPTS or left < _TOO_LITTLE:
                    raise
            self._sleep(wait)
            attempt += 1

    def _addressed(self, action: str) -> tuple[str, dict[str, str]]:
        """Path and headers that name an action."""
        return "/", {
            "content-type": f"application/x-amz-json-{self.version}",
            "x-amz-target": f"{self.target}.{action}",
        }

    def _once(
        self, action: str, path: str, headers: Mapping[str, str], body: bytes, deadline: float
    ) -> dict[str, Any]:
        region = self._environ.get("AWS_REGION") or self._environ.get("AWS_DEFAULT_REGION", "")
        base = self._environ.get("AWS_ENDPOINT_URL") or address(self.name, region)
        url = base.rstrip("/") + path
        now = datetime.fromtimestamp(self._clock(), UTC)
        proved = signed(self._credentials(), (region, self.name), url, headers, body, now)
        try:
            status, kind, data = self._exchange(url, proved, body, deadline)
        except (OSError, http.client.HTTPException) as error:
            name = type(error).__name__
            raise ServiceError(self.name, action, name, passing=True) from error
        try:
            answer = json.loads(data)
        except ValueError:
            answer = None
        if status == 200 and isinstance(answer, dict):
            return answer
        # Of what it says of an error, the kinds alone are told: the text may quote the request.
        told = answer if isinstance(answer, dict) else {}
        code = str(told.get("__type") or kind or f"HTTP {status}")
        code = code.rpartition("#")[2].partition(":")[0][:100]
        reasons = tuple(str(one.get("Code")) for one in told.get("CancellationReasons") or ())
        passing = status in _PASSING or code in _THROTTLED or status == 200
        raise ServiceError(self.name, action, code, passing=passing, reasons=reasons)

    def _credentials(self) -> Credentials:
        """Those of this moment: Lambda may change them while the function lives."""
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        key, secret, token = (self._environ.get(name, "") for name in names)
        if not key or not secret:
            message = "there are no credentials for AWS in the environment"
            raise UnavailableError(message)
        return Credentials(key, secret, token)

    def _exchange(
        self, url: str, headers: Mapping[str, str], body: bytes, deadline: float
    ) -> tuple[int, str, bytes]:
        """Send once, and once more where a kept connection turns out to be closed.

        Gives status, kind of error where a header says it, and body. Raises OSError and
        HTTPException.
        """
        kept = self._reusable()
        if kept:
            with suppress(ConnectionError):  # among them: closed before it answered anything
                return self._send(kept, url, headers, body, deadline)
        parts = urlsplit(url)
        timeout = self._time_left(deadline, _CONNECT_TIMEOUT)
        fresh = (
            http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=timeout, context=tls.context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        )
        return self._send(fresh, url, headers, body, deadline)

    def _send(
        self,
        connection: http.client.HTTPConnection,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: float,
    ) -> tuple[int, str, bytes]:
        """Ask on this connection, and keep it if it can be used again."""
        self._kept = None
        whole = False
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(self._time_left(deadline, _READ_TIMEOUT))
            connection.request("POST", urlsplit(url).path, body, dict(headers))
            answer = connection.getresponse()
            data = answer.read(_LARGEST_ANSWER)
            whole = answer.isclosed() and not answer.will_close
        finally:
            if whole:
                self._kept, self._used_at = connection, self._clock()
            else:
                connection.close()
        return answer.status, answer.getheader("x-amzn-errortype", ""), data

    def _reusable(self) -> http.client.HTTPConnection | None:
        """The kept connection, if it is young and nobody has closed it."""
        kept = self._kept
        if kept is None:
            return None
        idle = self._clock() - self._used_at
        # What can be read from it before anything is asked is its end.
        if 0 <= idle < _KEPT_FOR and not select.select([kept.sock], [], [], 0)[0]:
            return kept
        kept.close()
        self._kept = None
        return None

    def _time_left(self, deadline: float, most: float) -> float:
        return max(_TOO_LITTLE, min(most, deadline - self._clock()))


class Sqs(Service):
    """The queues. A message that is sent twice is dialled once: see the ledger."""

    name = "sqs"
    target = "AmazonSQS"
    version = "1.0"

    def send_message(self, **what: Any) -> dict[str, Any]:
        """Put a message into a queue: `QueueUrl`, `MessageBody`, `DelaySeconds`."""
        return self.ask("SendMessage", what)

    def send_message_batch(self, **what: Any) -> dict[str, Any]:
        """Put up to ten into it: `QueueUrl`, `Entries`; the answer's `Failed` are not in it."""
        return self.ask("SendMessageBatch", what)

    def change_message_visibility(self, **what: Any) -> dict[str, Any]:
        """Show a message again: `QueueUrl`, `ReceiptHandle`, `VisibilityTimeout`."""
        return self.ask("ChangeMessageVisibility", what)


class SecretsManager(Service):
    """The secrets."""

    name = "secretsmanager"
    target = "secretsmanager"
    version = "1.1"

    def get_secret_value(self, **what: Any) -> dict[str, Any]:
        """Read a secret: `SecretId`; the answer has its `SecretString`."""
        return self.ask("GetSecretValue", what)


class DynamoDb(Service):
    """The ledger's table, with values as DynamoDB writes them.

    A change that is asked for twice, since its first answer was lost, finds its condition broken by
    itself; a transaction is known by its token.
    """

    name = "dynamodb"
    target = "DynamoDB_20120810"
    version = "1.0"

    def batch_get_item(self, **what: Any) -> dict[str, Any]:
        """Read items: `RequestItems`; the answer has `Responses` and `UnprocessedKeys`."""
        return self.ask("BatchGetItem", what)

    def update_item(self, **what: Any) -> dict[str, Any]:
        """Change an item: `TableName`, `Key`, `UpdateExpression`, `ConditionExpression`, …."""
        return self.ask("UpdateItem", what)

    def put_item(self, **what: Any) -> dict[str, Any]:
        """Put an item in place of another: `TableName`, `Item`."""
        return self.ask("PutItem", what)

    def delete_item(self, **what: Any) -> dict[str, Any]:
        """Delete an item: `TableName`, `Key`."""
        return self.ask("DeleteItem", what)

    def transact_write_items(self, **what: Any) -> dict[str, Any]:
        """Make several changes or none: `TransactItems`, `ClientRequestToken`."""
        return self.ask("TransactWriteItems", what)

    def query(self, **what: Any) -> dict[str, Any]:
        """A page of an index: `Items`, and `LastEvaluatedKey` where there are more."""
        return self.ask("Query", what)


class Scheduler(Service):
    """One-time schedules."""

    name = "scheduler"

    def create_schedule(self, *, Name: str, **what: Any) -> dict[str, Any]:  # noqa: N803 - as AWS calls it
        """Make a schedule; ServiceError's code is ConflictException where there is one."""
        return self.ask(Name, what)

    def _addressed(self, action: str) -> tuple[str, dict[str, str]]:
        return f"/schedules/{action}", {"content-type": "application/json"}


def client(service: str) -> Any:
    """A client of this service, typed by whoever takes it."""
    return {one.name: one for one in (DynamoDb, Scheduler, SecretsManager, Sqs)}[service]()


def failures() -> tuple[type[Exception], ...]:
    """What a client of AWS raises: one of these here, and one of the SDK, where it is loaded."""
    sdk = sys.modules.get("botocore.exceptions")
    return (UnavailableError, *((sdk.BotoCoreError, sdk.ClientError) if sdk else ()))


def code_of(error: Exception) -> str:
    """AWS's own word for a failure, or the error's name where nothing was answered."""
    if isinstance(error, ServiceError):
        return error.code
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code") or type(error).__name__)


def reasons_of(error: Exception) -> set[str]:
    """Why a transaction was not made, without those of its parts that are not why."""
    if isinstance(error, ServiceError):
        return set(error.reasons) - {"None"}
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return {str(one.get("Code")) for one in response.get("CancellationReasons") or ()} - {"None"}


def address(service: str, region: str) -> str:
    """Where a service is. Raises UnavailableError without a region."""
    if not region:
        message = "there is no AWS_REGION in the environment"
        raise UnavailableError(message)
    domain = next((d for start, d in _DOMAINS.items() if region.startswith(start)), "amazonaws.com")
    return f"https://{service}.{region}.{domain}"
