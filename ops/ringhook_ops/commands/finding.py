"""Which senders there are for a name or a wish, and which of their events bring a phone number."""

from __future__ import annotations

import difflib
import importlib
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.markdown import Markdown
from rich.table import Table

from ringhook.senders import providers
from ringhook_ops.catalogue import pages, recipes
from ringhook_ops.catalogue.recipes import Recipe
from ringhook_ops.options import JsonOption
from ringhook_ops.samples import library
from ringhook_ops.terminal import fail, out, print_json

WANTS: dict[str, str] = tomllib.loads((Path(pages.__file__).parent / "wants.toml").read_text())
# Of a wish as people write it, they tell nothing.
_EMPTY = re.compile(r"an?|and|at|by|for|from|i|in|is|it|my|of|on|or|the|to|was|when|who|with")
_ENDINGS = ("ing", "ed", "es", "s")


@dataclass(frozen=True, slots=True)
class Found:
    """A ready route: on which events of its sender it rings, and where the number is from.

    `number`: `sent` with the event, `fetched` from the sender's API, or your `own` in the route;
    `none` of a sender that asks for no calls and has no ready route.
    """

    sender: str
    provider: str
    recipe: str
    title: str
    events: tuple[str, ...]
    number: Literal["sent", "fetched", "own", "none"]
    phone_number: str

    def as_json(self) -> dict[str, Any]:
        """The row as `ringhook providers --json` prints it."""
        return {
            "sender": self.sender,
            "provider": self.provider,
            "recipe": self.recipe,
            "title": self.title,
            "events": list(self.events),
            "number": self.number,
            "phone_number": self.phone_number,
        }


@cache
def every() -> tuple[Found, ...]:
    """Every ready route of every sender, and those of whoever serves another name."""
    rows = [
        _found(providers.find(n).title, one) for n in providers.names() for one in recipes.of(n)
    ]
    rows += [
        Found(providers.find(n).title, n, "", "", (), "none", "")
        for n in providers.names()
        if providers.find(n).ending
    ]
    for sender, name in sorted(providers.SERVED_BY.items()):
        rows += [_found(sender, one) for one in recipes.of(name)]
    return tuple(rows)


def search(wish: str) -> list[Found]:
    """The ready routes for all of these words; first those whose sender's own text has most."""
    words = _words(wish)
    rows: list[tuple[int, Found]] = []
    for row in every() if words else ():
        own, other = _words(about(row)), _words(_purpose(row))
        hits = [_has(own, word) for word in words]
        if all(hit or _has(other, word) for hit, word in zip(hits, words, strict=True)):
            rows.append((sum(hits), row))
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def near(wish: str) -> list[str]:
    """Names and wishes that are written like this one."""
    known = {word for row in every() for word in _words(f"{row.sender} {row.provider}", stem=False)}
    known |= {word for text in WANTS.values() for word in text.split()}
    words = _words(wish, stem=False)
    return list(dict.fromkeys(n for w in words for n in difflib.get_close_matches(w, known)))


def senders(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="A sender's name, or what is wanted: failed payment. Else all."),
    ] = None,
    *,
    as_json: JsonOption = False,
    write: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write every page into this folder.")
    ] = None,
) -> None:
    """Find senders by name or by what is wanted of them, or show the page of one.

    Example: `ringhook providers missed call`
    """
    wish = " ".join(words or ())
    if write:
        pages.write(write)
    elif wish in providers.names() and not as_json:
        out.print(Markdown(pages.page(wish)))
    else:
        _print(search(wish) if wish else every(), wish, as_json=as_json)


def _print(rows: Sequence[Found], wish: str, *, as_json: bool) -> None:
    if as_json:
        print_json([row.as_json() for row in rows])
        return
    if not rows:
        alike = ", ".join(near(wish))
        hint = f"did you mean {alike}?" if alike else "`ringhook providers` lists them"
        fail(f"no sender is known for {wish!r}: {hint}")
    table = Table(box=None, header_style="bold")
    for name in ("sender", "provider", "ready route", "on", "the number is"):
        # A name that is cut short cannot be typed.
        table.add_column(name, overflow="fold", no_wrap=name == "provider")
    said = {
        "sent": "in the event",
        "fetched": "fetched from it",
        "own": "yours: it sends none",
        "none": "of a call that was made",
    }
    for row in rows:
        events = ", ".join(row.events) or "each event"
        table.add_row(row.sender, row.provider, row.recipe, events, said[row.number])
    out.print(table)


def _found(sender: str, recipe: Recipe) -> Found:
    source = library.find(recipe.provider).source
    document = tomllib.loads(recipe.filled(source=source, agent=1, country="US"))
    (route,) = document["routes"]
    number = str(route["call"]["phone_number"])
    fetched = "enrich" in document["sources"][source]
    return Found(
        sender=sender,
        provider=recipe.provider,
        recipe=recipe.name,
        title=recipe.title,
        events=tuple(route.get("on", ())),
        number="own" if "{{" not in number else "fetched" if fetched else "sent",
        phone_number=number,
    )


def about(row: Found) -> str:
    """What is said of the sender itself: its names, its line, its events."""
    module = importlib.import_module(f"ringhook.senders.providers.{row.provider.replace('-', '_')}")
    line = (module.__doc__ or "").partition("\n")[0]
    return " ".join((row.sender, row.provider, line, *row.events))


def _purpose(row: Found) -> str:
    return " ".join((row.recipe, row.title, WANTS.get(row.recipe, "")))


def _words(text: str, *, stem: bool = True) -> list[str]:
    words = [word for word in re.findall(r"[a-z0-9]+", text.lower()) if not _EMPTY.fullmatch(word)]
    return [*map(_stem, words)] if stem else words


def _stem(word: str) -> str:
    """The word without its ending, where something is left of it."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def _has(words: Sequence[str], wanted: str) -> bool:
    """Whether one of the words is it, or begins with it."""
    return any(word == wanted or (len(wanted) > 3 and word.startswith(wanted)) for word in words)
