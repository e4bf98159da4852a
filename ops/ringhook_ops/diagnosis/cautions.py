"""What a routes file may say, and its owner should think about: warnings, each with its cure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache

from ringhook.deciding.calling_hours import ANY, consent_at, holidays_known_until, longest_closure
from ringhook.deciding.zones import Place
from ringhook.errors import Problem
from ringhook.routing.routes import Route, Routes
from ringhook.routing.toml_lines import problem_at

# So long before the holidays' data ends, its end is told.
_IN_TIME = timedelta(days=365)
_NOT_YET = "is read and checked, and not acted on in this version: nobody is told"


def cautions(routes: Routes, text: str, today: date) -> list[Problem]:
    """The warnings about a file that can be used, in the file's order."""
    found: list[Problem] = []
    for index, route in enumerate(routes.routes):
        if route.action == "call":
            found += [
                problem_at(text, ("routes", index, *place), message)
                for place, message in _of(route, routes, today)
            ]
    if routes.notify:
        found.append(problem_at(text, ("notify",), _NOT_YET))
    if ends := holidays_end(today):
        found.append(Problem(0, "", ends))
    return sorted(found, key=lambda problem: problem.line)


def holidays_end(today: date) -> str:
    """That the data of public holidays ends within a year; "" while it does not."""
    until = holidays_known_until()
    if until - today > _IN_TIME:
        return ""
    return (
        f"public holidays are known until {until} only: from then on a holiday is called on like"
        " any other day; upgrade Ringhook"
    )


def _of(route: Route, routes: Routes, today: date) -> Iterator[tuple[tuple[str, ...], str]]:
    policy = route.policy
    if "purpose" not in routes.stated[route.name]:
        yield ("policy", "purpose"), _NO_PURPOSE
    if policy.calling_hours == ANY:
        yield (
            ("policy", "calling_hours"),
            "'any' rings at night and asks no law: write 'default', or hours like '09:00-20:00'",
        )
    if not policy.max_calls:
        yield ("policy", "max_calls"), "'none' rings a number without end: write '3/24h'"
    asked = list(_asking(routes.countries)) if policy.purpose == "marketing" else []
    if policy.consent is None and asked:
        more = f" and {len(asked) - 3} more countries" if len(asked) > 3 else ""
        message = f"is missing, and the law asks for it: {'; '.join(asked[:3])}{more}"
        yield ("policy", "consent"), message
    closed = _longest(routes.countries, policy.purpose, policy.calling_hours, today)
    if policy.at is None and policy.expires_after < closed:
        message = (
            "is shorter than the longest time in the coming year when nobody may be rung"
            f" ({closed / _DAY:.1f} days): what comes then is never rung; write"
            f" '{-(-closed // _DAY)}d'"
        )
        yield ("policy", "expires_after"), message


# A year, day by day and state by state, takes a second: once for all routes that are alike.
_longest = lru_cache(maxsize=64)(longest_closure)
_DAY = timedelta(days=1)
_NO_PURPOSE = (
    "is not said, so the hours and caps of marketing hold: write 'marketing', or 'service' if it is"
    " about the person's own order, booking or enquiry, or 'collection'"
)


def _asking(countries: Iterable[str]) -> Iterator[str]:
    for country in sorted(countries):
        rule = consent_at((Place("UTC", country),), "marketing")
        if rule:
            yield f"{rule.text} ({rule.cite})" + (
                ", and without it the call is suppressed" if rule.must else ""
            )
