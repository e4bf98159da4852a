"""`[notify.NAME]` of `routes.toml`: whom to tell how calls end, where, and in which form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ringhook.reading import urls
from ringhook.reading.expressions import Template, compile_template
from ringhook.reading.tables import Check, Field, Read, Table
from ringhook.routing.route_values import ExpressionText, TemplateText

if TYPE_CHECKING:
    from collections.abc import Iterator

EventType = Literal[
    "attempt.ended",
    "call.ended",
    "call.refused",
    "call.suppressed",
    "call.cancelled",
    "call.uncertain",
    "call.unmapped",
]
# The name of the account's own bus or topic, which no [notify.NAME] may have.
ACCOUNT = "account"
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]{1,5})?")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")
# What the request itself says, or what signs it.
_OWN_HEADERS = re.compile(
    r"host|content-length|connection|transfer-encoding|webhook-.*", re.IGNORECASE
)


def _address(url: Template) -> Template:
    if not _HOST.fullmatch(urls.host_of(url)):
        message = "must begin with https:// and a host, written out: https://example.com/ringhook"
        raise ValueError(message)
    urls.check_literals(url)
    return url


def _body(value: Any) -> Any:
    """Each text in it compiled."""
    if isinstance(value, str):
        return compile_template(value)
    if isinstance(value, dict):
        return {name: _body(part) for name, part in value.items()}
    return [_body(part) for part in value] if isinstance(value, list) else value


def _header(name: str) -> str:
    if not _HEADER.fullmatch(name) or _OWN_HEADERS.fullmatch(name):
        message = f"{name!r} is no header that a notification can be given"
        raise ValueError(message)
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify(Table):
    """Whom to tell how calls end: a signed Standard Webhooks message, or what its API takes."""

    url: Annotated[TemplateText, Check(_address)] = Field(
        description="where: an https address, with {{ JMESPath }} over the body's data in its path"
        " or parameters; {credential} in its path, where the address itself is the secret"
    )
    on: tuple[EventType, ...] = Field(
        default=(), strict=False, description="which events; left out: each of them"
    )
    default: bool = Field(
        default=False, description="whether routes that do not say `notify` tell it, too"
    )
    metadata: tuple[str, ...] = Field(
        default=(), strict=False, description="which of the call's metadata it is told"
    )
    phone_number: bool = Field(default=False, description="whether it is told the phone number")
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: dict[Annotated[str, Check(_header)], TemplateText] = Field(
        default_factory=dict,
        description="headers of the request; in them {credential} is the credential",
    )
    body: Annotated[Any, Read(_body, {})] = Field(
        default=None,
        description="what is sent instead of the Standard Webhooks message: a table, list or text"
        " with {{ JMESPath }} over its data",
    )
    succeeds: ExpressionText | None = Field(
        default=None,
        description="JMESPath over the answer's `status` and `body` that must hold, where a status"
        " of 200 to 299 alone does not tell that it was taken",
    )
    credential: str = Field(
        default="", description="its key in the notify secret; left out: the name of this table"
    )

    def __post_init__(self) -> None:
        """No credential stands in the body. Raises ValueError."""
        if any(urls.CREDENTIAL in template.text for template in _templates(self.body)):
            message = "{credential} has its place in `headers` or in the path of `url`"
            raise ValueError(message)

    @property
    def is_signed(self) -> bool:
        """Whether its secret signs what it is told; else it is sent, as a credential."""
        written = [self.url, *self.headers.values()]
        return not any(urls.CREDENTIAL in template.text for template in written)

    def takes(self, event: str) -> bool:
        """Whether it is told events of this type."""
        return not self.on or event in self.on


def _templates(body: Any) -> Iterator[Template]:
    if isinstance(body, Template):
        yield body
    elif isinstance(body, dict | list):
        for part in body.values() if isinstance(body, dict) else body:
            yield from _templates(part)
