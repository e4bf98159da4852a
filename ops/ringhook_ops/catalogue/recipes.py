"""Ready routes, and how one is written into a routes file without touching what stands there.

A recipe is `recipes/{provider}/{name}.toml`: a first line that says what it is for, comments, its
source, and its routes. `$source`, `$agent`, `$country` and `$opening` in it are filled in: the
last is what the agent says first, in the words of the country (openings.toml).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from ringhook.errors import RoutesError
from ringhook.routing import routes_file
from ringhook.routing.routes import Routes
from ringhook.senders.request import SOURCE_NAME
from ringhook_ops.samples import library

FOLDER = Path(__file__).parent / "recipes"
AGENT = 1042  # anybody's: to be changed
COMPANY = "YOUR COMPANY"  # in an opening: to be changed
# Where the people are rung of senders that serve one country: they write its numbers without +.
HOMES = {
    "cashfree": "IN",
    "clickpost": "IN",
    "exotel": "IN",
    "indiamart": "IN",
    "interakt": "IN",
    "justdial": "IN",
    "leadsquared": "IN",
    "payu": "IN",
    "phonepe": "IN",
    "razorpay": "IN",
    "salla": "SA",
    "shiprocket": "IN",
}
_SAID = tomllib.loads((Path(__file__).parent / "openings.toml").read_text())
_HEAD = """\
# Which webhooks ring whom. `ringhook check` tells what is wrong with it, `ringhook map` what it
# would do with a request.

countries = [{countries}] # where this deployment may ring at all
"""


class RecipeError(ValueError):
    """A recipe cannot be written, and why; nothing was."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A ready route for a provider; `text` is its file's."""

    provider: str
    name: str
    text: str

    @property
    def title(self) -> str:
        """What it is for, in a line."""
        return self.text.partition("\n")[0].removeprefix("# ")

    def command(self, source: str) -> str:
        """How to see what it makes of its provider's sample."""
        prefix = "# Try it: "
        line = next(line for line in self.text.splitlines() if line.startswith(prefix))
        return Template(line.removeprefix(prefix)).substitute(source=source)

    def filled(self, *, source: str, agent: int, country: str) -> str:
        """The text for this source, agent, and country of numbers that name none."""
        openings = _SAID["openings"]
        about = _SAID["about"].get(self.name, "")
        opening = Template(openings.get(country, openings["else"])).substitute(about=about)
        text = Template(self.text).substitute(
            source=source, agent=agent, country=country, opening=opening
        )
        notes = _SAID["notes"].get(country, {})
        return re.sub(
            r'^purpose = "(\w+)".*\n',
            lambda line: line[0] + (f"# {notes[line[1]]}\n" if line[1] in notes else ""),
            text,
            flags=re.MULTILINE,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """A recipe in a routes file: the whole new text, the new routes, and where the first stands."""

    text: str
    source: str
    routes: tuple[str, ...]
    agent_line: int
    missing_countries: tuple[str, ...]


def providers() -> list[str]:
    """The providers that have recipes, in alphabetical order."""
    return sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


def of(provider: str) -> list[Recipe]:
    """A provider's recipes, in alphabetical order."""
    return [
        Recipe(provider, file.stem, file.read_text())
        for file in sorted((FOLDER / provider).glob("*.toml"))
    ]


def find(provider: str, name: str | None) -> Recipe:
    """A provider's recipe; without a name, the one for its first sample.

    Raises RecipeError saying which there are.
    """
    known = of(provider)
    if name is None and known:
        sample = f" {library.names(provider)[0]} "
        return next((one for one in known if sample in one.command("any")), known[0])
    for recipe in known:
        if recipe.name == name:
            return recipe
    there = ", ".join(one.name for one in known)
    raise RecipeError(
        f"{provider} has no recipe {name!r}; it has {there}" if there else f"{provider} has none"
    )


def add(
    text: str | None,
    recipe: Recipe,
    *,
    source: str | None = None,
    agent: int = AGENT,
    countries: Sequence[str] = (),
) -> Addition:
    """Put a recipe at the end of a routes file (None: into a new one), which it leaves as it is.

    `countries` are those that a new file may ring in, the first of them that of numbers which name
    none; left out, the sender's own country, or the file's first. Raises RecipeError if the outcome
    would not be a valid routes file, or if the file has such a source or route already and means
    something else by it.
    """
    before = _load(text, "is not valid as it is") if text is not None else None
    name = source or _source(before, recipe.provider)
    if not SOURCE_NAME.fullmatch(name):
        raise RecipeError(f"{name!r} is no name of a source: small letters, digits and hyphens")
    known = sorted(before.countries) if before else []
    home = [HOMES[recipe.provider]] if recipe.provider in HOMES else []
    wanted = list(countries) or home
    country = (*wanted, *known, "US")[0]
    filled = recipe.filled(source=name, agent=agent, country=country)
    added = tomllib.loads(filled)
    if before and name in before.sources:
        filled = _without_source(filled, name)
        _agree(text or "", name, added["sources"][name])
    for route in added["routes"]:
        if before and before.named(route["name"]):
            raise RecipeError(f"a route {route['name']!r} is there already: nothing was changed")
    head = text if text is not None else _head(wanted or ["US"])
    whole = head.rstrip("\n") + "\n\n" + filled
    _load(whole, "would not be valid")
    return Addition(
        text=whole,
        source=name,
        routes=tuple(route["name"] for route in added["routes"]),
        agent_line=_line_of(whole, f"agent_id = {agent}", after=head),
        missing_countries=tuple(code for code in wanted if before and code not in known),
    )


def _source(before: Routes | None, provider: str) -> str:
    """The source of this provider that the file has, or a name that it has not."""
    sources = before.sources if before else {}
    for name, connection in sources.items():
        if connection.source.provider == provider:
            return name
    usual = library.find(provider).source
    return provider if usual in sources else usual


def _agree(text: str, name: str, wanted: dict[str, Any]) -> None:
    """Raise RecipeError unless the file's source can stand for the recipe's."""
    there = tomllib.loads(text)["sources"][name]
    if there.get("provider") != wanted["provider"]:
        raise RecipeError(f"source {name!r} is of provider {there.get('provider')!r}: --source")
    if "enrich" in wanted and "enrich" not in there:
        raise RecipeError(
            f"source {name!r} fetches nothing, and this recipe needs what events leave out:"
            f" write enrich = {wanted['enrich']!r} into it first"
        )


def _without_source(filled: str, name: str) -> str:
    """The recipe without the table of its source, which ends at an empty line."""
    before, _, rest = filled.partition(f"[sources.{name}]\n")
    return before.rstrip("\n") + "\n" + rest.partition("\n\n")[2]


def _head(countries: Sequence[str]) -> str:
    return _HEAD.format(countries=", ".join(f'"{code}"' for code in countries))


def _line_of(text: str, part: str, *, after: str) -> int:
    return text[: text.index(part, len(after.rstrip("\n")))].count("\n") + 1


def _load(text: str, but: str) -> Routes:
    try:
        return routes_file.load(text)
    except RoutesError as error:
        said = "; ".join(map(str, error.problems))
        raise RecipeError(f"the file {but}: {said}") from error
