"""`.ringhookrc`: the settings of this checkout, as lines of KEY=value (`samplerc` has them all)."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path

FILE = Path(".ringhookrc")


class RcError(ValueError):
    """A line that cannot be read; the text names it."""


def read(file: Path) -> dict[str, str]:
    """The settings in a file. Raises RcError, and OSError if there is no such file."""
    settings: dict[str, str] = {}
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, found, value = text.partition("=")
        if not found or not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            message = f"{file}:{number}: write KEY=value, or # before a comment"
            raise RcError(message)
        settings[name] = value.strip()
    return settings


def apply(environ: MutableMapping[str, str], file: Path = FILE) -> None:
    """Put the settings of a file, if it is there, under those that the environment has already.

    One that is left empty there is as good as not set.
    """
    if file.exists():
        for name, value in read(file).items():
            if value:
                environ.setdefault(name, value)
