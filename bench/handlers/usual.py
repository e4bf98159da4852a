"""The usual handler: one file, everything at its top, as the libraries' own guides show it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from typing import TYPE_CHECKING, Any

import boto3
import phonenumbers
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
sqs = boto3.client("sqs")
secrets = boto3.client("secretsmanager")
SECRET = json.loads(
    secrets.get_secret_value(SecretId=os.environ["RINGHOOK_SIGNING_SECRETS"])["SecretString"]
)["hooks"]


class Lead(BaseModel):
    """What a webhook holds."""

    id: str
    type: str
    phone: str
    country: str = "US"


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Check the signature, read the lead, queue its call, answer."""
    body = event["body"].encode()
    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, event["headers"]["x-signature"]):
        return {"statusCode": 401}
    try:
        lead = Lead.model_validate_json(body)
        number = phonenumbers.parse(lead.phone, lead.country)
    except (ValidationError, phonenumbers.NumberParseException):
        logger.exception("unreadable")
        return {"statusCode": 422}
    if not phonenumbers.is_valid_number(number):
        return {"statusCode": 422}
    call = {
        "agent_id": 1,
        "phone_number": phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        "metadata": {"lead": lead.id},
    }
    sqs.send_message(QueueUrl=os.environ["RINGHOOK_QUEUE_URL"], MessageBody=json.dumps(call))
    metrics.add_metric(name="Queued", unit=MetricUnit.Count, value=1)
    logger.info("queued", extra={"lead": lead.id})
    return {"statusCode": 202, "body": json.dumps({"queued": lead.id})}
