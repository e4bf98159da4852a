"""Where a key stands in a TOML file: the standard library's parser keeps no positions."""

from __future__ import annotations

import re

from ringhook.errors import Problem


def problem_at(text: str, place: tuple[str | int, ...], message: str) -> Problem:
    """A problem with the value of this key."""
    return Problem(line_of(text, place), _dotted(place), message)


def _dotted(place: tuple[str | int, ...]) -> str:
    """`routes[0].policy.gap`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text


_STRING_OR_COMMENT = re.compile(
    r'''"""(?:\\[\s\S]|[^\\])*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#.*'''
)
_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)


def line_of(text: str, place: tuple[str | int, ...]) -> int:
    """The line (from 1) where this key stands, or else the nearest table around it; 0 if none.

    The standard library's parser keeps no positions; this reads just the headers and keys.
    """
    best, best_length = 0, 0
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str | int, ...], int] = {}
    # Lines of a text of several are neither headers nor keys, whatever they look like.
    bare = _STRING_OR_COMMENT.sub(lambda m: "\n" * m[0].count("\n") or m[0], text)
    for number, line in enumerate(bare.split("\n"), start=1):
        if header := _HEADER.match(line):
            table = _resolve(_keys(header[2]), counts, new=header[1] == "[[")
            path = table
        elif key := _KEY.match(line):
            path = table + tuple(_keys(key[1]))
        else:
            continue
        # A dotted key or header that goes further down is where the table on its way begins.
        path = path[: len(place)]
        if path == place[: len(path)] and len(path) > best_length:
            best, best_length = number, len(path)
    return best


def _keys(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", dotted)]


def _resolve(
    names: list[str], counts: dict[tuple[str | int, ...], int], *, new: bool
) -> tuple[str | int, ...]:
    """A header's path with the index of each array of tables that it goes through."""
    path: tuple[str | int, ...] = ()
    for position, name in enumerate(names):
        path += (name,)
        if new and position == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (counts[path],)
    return path
