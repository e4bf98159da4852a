"""What the sandbox is told to do, read by pydantic: strictly, and with no field that it lacks."""

from __future__ import annotations

import json
import re
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
ANY = "*"
DAY = 86_400.0


def is_e164(value: object) -> bool:
    """Whether the value has the form of an E.164 number with its +."""
    return isinstance(value, str) and E164.fullmatch(value) is not None


def _number_or_any(text: str) -> str:
    if text != ANY and not is_e164(text):
        message = 'must be E.164, such as "+14155550123", or "*"'
        raise ValueError(message)
    return text


def _span(span: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= span[0] <= span[1] <= DAY:
        message = "must be two numbers of seconds, the smaller first, up to a day's"
        raise ValueError(message)
    return span


# A number, or "*" for every number that has no order of its own.
PhoneNumber = Annotated[str, AfterValidator(_number_or_any)]
# From so many seconds to so many, of which one is drawn.
Span = Annotated[tuple[float, float], AfterValidator(_span)]


class Order(BaseModel):
    """An order as it is written for PUT."""

    model_config = ConfigDict(strict=True, extra="forbid")

    @classmethod
    def read(cls, body: object) -> Self:
        """Read one from parsed JSON; a ValueError names the fields that are wrong."""
        try:
            return cls.model_validate_json(json.dumps(body if isinstance(body, dict) else {}))
        except ValidationError as error:
            raise ValueError("; ".join(_problems(error))) from None


def _problems(error: ValidationError) -> list[str]:
    """Each as its field, and what is wrong with it."""
    return [
        f"{'.'.join(str(step) for step in one['loc'] if step != '[key]')}: "
        + (
            "there is no such field"
            if one["type"] == "extra_forbidden"
            else one["msg"].removeprefix("Value error, ")
        )
        for one in error.errors(include_url=False)
    ]
