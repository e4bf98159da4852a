"""`routes.toml` as a whole: for who checks it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from ringhook.reading.tables import Check, Field, Pattern, Table
from ringhook.routing.notify import Notify
from ringhook.routing.route_values import NAME, HoursName, HoursTable, known_country
from ringhook.routing.routes import Route
from ringhook.senders.providers import known_zone


def _countries(countries: frozenset[str]) -> frozenset[str]:
    return frozenset(map(known_country, sorted(countries)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Table):
    """Days on which nobody of a country, or of a part of it, is rung."""

    country: Annotated[str, Check(known_country)] = Field(
        description="country (ISO 3166, two letters)"
    )
    part: str | None = Field(
        default=None,
        pattern="^[A-Z0-9]{1,3}$",
        description="its state or province, as ISO 3166-2 has it after the country",
    )
    first: date = Field(alias="from", description="the first day, by the clock there")
    last: date = Field(alias="until", description="the last day")
    reason: str = Field(min_length=1, description="why, for who asks about a call")

    def __post_init__(self) -> None:
        """The end comes after the beginning. Raises ValueError."""
        if self.last < self.first:
            message = f"until {self.last} is before from {self.first}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Table):
    """Which webhooks ring whom."""

    countries: Annotated[frozenset[str], Check(_countries)] = Field(
        strict=False,
        min_length=1,
        description="countries (ISO 3166) this deployment may ring at all",
    )
    max_calls_per_day: int | None = Field(
        default=None,
        ge=0,
        description="at most so many calls a day, over all numbers; 0 lets nobody be rung",
    )
    time_zone: Annotated[str, Check(known_zone)] = Field(
        default="UTC",
        min_length=1,
        description="whose day max_calls_per_day counts: a name of the IANA, such as Asia/Kolkata",
    )
    require_consent: bool = Field(
        default=False, description="whether every route that rings must have policy.consent"
    )
    closures: tuple[Closed, ...] = Field(
        default=(), strict=False, description="days on which nobody of a country is rung"
    )
    calling_hours: dict[HoursName, HoursTable] = Field(
        default_factory=dict, description="named tables of hours, for policy.calling_hours"
    )
    sources: dict[Annotated[str, Pattern(f"^{NAME}$")], dict[str, Any]] = Field(
        min_length=1, description="who sends webhooks, by the name in /hooks/{name}"
    )
    notify: dict[Annotated[str, Pattern(f"^{NAME}$")], Notify] = Field(
        default_factory=dict, description="whom to tell how calls end, for routes to name"
    )
    routes: tuple[Route, ...] = Field(strict=False, description="what becomes a call")
