"""Sample webhooks: what each provider sends, in its exact shape, made fresh when it is used.

A provider's samples stand in `samples/{provider}/`: one body a sample, as it is sent (the file is
called like the sample, with `-` for `/`; its ending says the format: `.query` is what a sender
that pushes with GET writes into the address), and `sample.toml`:

    samples = ["orders/create", …]  # their names, topics mostly; the first is the default
    source = "shop"                 # the source they are sent to (left out: the provider's name)
    secret = "…"                    # the documented secret that they are signed with
    times = ["2026-07-14T…", …]     # texts in bodies and headers that are times: the first is now
    zone = "Asia/Kolkata"           # whose clock those are by that name no zone (left out: UTC)
    ids = ["5872634019273", …]      # texts in bodies and headers that are ids: never twice the same
    query = "…"                     # what follows the ? in the address, if anything
    [headers]                       # beside the signature; {sample} is the sample's name
    [settings]                      # of the source, where the provider needs any
    [[answers]]                     # what its API says when it is asked for the rest (`senders`)

The secret itself may stand in a body, a header or the query, where a sender proves itself so.

Signatures are not kept: `signing` makes them from the provider's own schemes.
"""

from __future__ import annotations

import functools
import json
import random
import re
import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).parent / "senders"
_DAY_FIRST = "%d %m %Y %H:%M:%S"


class SampleError(ValueError):
    """There is no such sample, or no such field in it; the text says which there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One webhook as its provider sends it, before it is signed; header names are lower-case."""

    provider: str
    name: str
    source: str
    method: str
    secret: str
    settings: dict[str, Any]
    query: str
    headers: dict[str, str]
    body: bytes
    times: tuple[str, ...]
    zone: tzinfo
    ids: tuple[str, ...]

    @property
    def file_name(self) -> str:
        """The name as part of a file's: `orders-create`."""
        return file_name(self.name)

    def fresh(self, now: datetime, secret: str, chance: random.Random) -> Sample:
        """Make it happen now, with ids of its own and this secret: the same text, the same swap."""
        read = {text: _read_time(text, self.zone) for text in self.times}
        first = read[self.times[0]] if self.times else now
        swaps = {
            text: _write_time(now + (time - first), text, self.zone) for text, time in read.items()
        }
        # Some senders write the date and the time of day into fields of their own.
        swaps |= {
            part: new
            for text, time in swaps.items()
            for part, new in zip(text.split(" "), time.split(" "), strict=True)
            if text.count(" ") == 1
        }
        swaps |= {text: _another(text, chance) for text in self.ids} | {self.secret: secret}
        # As forms write them.
        swaps |= {quote_plus(old): quote_plus(new) for old, new in swaps.items()}
        # Whole texts only: 251 is not part of 2514. Some write Z after what is not UTC.
        pattern = "|".join(re.escape(text) for text in sorted(swaps, key=len, reverse=True))
        places = re.compile(rf"(?<![0-9A-Za-z])(?:{pattern})(?![0-9A-Ya-z]|Z[0-9A-Za-z])")

        def freshen(text: str) -> str:
            return places.sub(lambda found: swaps[found[0]], text)

        return replace(
            self,
            secret=secret,
            query=freshen(self.query),
            headers={name: freshen(value) for name, value in self.headers.items()},
            body=freshen(self.body.decode()).encode(),
        )

    def with_field(self, path: str, value: str) -> Sample:
        """Change one field of a JSON body (`shipping_address.phone`, `0.objectId`) or of a form.

        `value` is JSON where it can be read as JSON, else text. Raises SampleError.
        """
        kind = self.headers.get("content-type", "")
        if self.method == "GET":
            return replace(self, query=_with_pair(self.query, path, value))
        if "x-www-form-urlencoded" in kind:
            return replace(self, body=_with_pair(self.body.decode(), path, value).encode())
        if "json" not in kind and not self.body.startswith(b"{"):
            message = f"--set changes JSON bodies and forms; {self.provider} sends {kind}"
            raise SampleError(message)
        document = json.loads(self.body)
        _put(document, path, _json_or_text(value))
        return replace(self, body=_compact(document))


def providers() -> list[str]:
    """The providers that have samples, in alphabetical order."""
    return list(_all())


def names(provider: str) -> list[str]:
    """The names of a provider's samples, the default first. Raises SampleError."""
    return list(_about(provider)["samples"])


def find(provider: str, name: str | None = None) -> Sample:
    """A provider's sample, as it stands in its file. Raises SampleError saying which there are."""
    about = _about(provider)
    known = about["samples"]
    name = name or known[0]
    if name not in known:
        message = f"{provider} has no sample {name!r}; it has {', '.join(known)}"
        raise SampleError(message)
    file = body_file(provider, name)
    raw = file.read_bytes()
    query = about.get("query", "")
    pushes = file.suffix == ".query"
    if pushes:
        query, raw = "&".join([query] * bool(query) + [raw.decode().strip()]), b""
    return Sample(
        provider=provider,
        name=name,
        source=about.get("source", provider),
        method="GET" if pushes else "POST",
        secret=about["secret"],
        settings=about.get("settings", {}),
        query=query,
        headers={key: text.replace("{sample}", name) for key, text in about["headers"].items()},
        body=_compact(json.loads(raw)) if file.suffix == ".json" else raw.rstrip(b"\n"),
        times=tuple(about.get("times", ())),
        zone=ZoneInfo(about.get("zone", "UTC")),
        ids=tuple(about.get("ids", ())),
    )


def answers() -> list[dict[str, Any]]:
    """What the providers' own APIs say of the people in their samples."""
    return [one for provider in providers() for one in _about(provider).get("answers", ())]


def body_file(provider: str, name: str) -> Path:
    """The file that holds a sample's body."""
    wanted = file_name(name)
    return next(file for file in (FOLDER / provider).iterdir() if file.stem == wanted)


def file_name(name: str) -> str:
    """A sample's name as part of a file's."""
    return name.replace("/", "-")


@functools.cache
def _all() -> tuple[str, ...]:
    return tuple(sorted(file.parent.name for file in FOLDER.glob("*/sample.toml")))


@functools.cache
def _about(provider: str) -> dict[str, Any]:
    file = FOLDER / provider / "sample.toml"
    if provider not in _all():
        message = f"there is no sample of {provider!r}; there are {', '.join(_all())}"
        raise SampleError(message)
    return tomllib.loads(file.read_text())


def _with_pair(form: str, name: str, value: str) -> str:
    """A form in which this field says this; a text in JSON's quotes is meant without them."""
    meant = _json_or_text(value)
    value = meant if isinstance(meant, str) else value
    fields = parse_qsl(form, keep_blank_values=True)
    return urlencode([*(field for field in fields if field[0] != name), (name, value)])


def _read_time(text: str, zone: tzinfo) -> datetime:
    if text.isdecimal():
        return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC)
    if _is_day_first(text):
        return datetime.strptime(text, _DAY_FIRST).replace(tzinfo=zone)
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=zone)


def _is_day_first(text: str) -> bool:
    return text[2:3] == " "


def _write_time(time: datetime, like: str, zone: tzinfo) -> str:
    """Write a time as another one is written: seconds, milliseconds, or ISO 8601 in its zone."""
    if like.isdecimal():
        return str(round((time.timestamp() * 1000) if len(like) == 13 else time.timestamp()))
    if _is_day_first(like):
        return time.astimezone(zone).strftime(_DAY_FIRST)
    named = datetime.fromisoformat(like).tzinfo
    exact = "milliseconds" if "." in like else "seconds"
    time = time.astimezone(named or zone)
    if not named:
        time = time.replace(tzinfo=None)
    text = time.isoformat("T" if "T" in like else " ", timespec=exact)
    return text.replace("+00:00", "Z") if like.endswith("Z") else text


def _another(text: str, chance: random.Random) -> str:
    """An id of the same form: other digits, none of them 0, which a number may not begin with."""
    return re.sub("[0-9]", lambda _: str(chance.randint(1, 9)), text)


def _compact(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _put(document: Any, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    place = document
    try:
        for part in parents:
            place = place[int(part) if isinstance(place, list) else part]
        place[int(last) if isinstance(place, list) else last] = value
    except (KeyError, IndexError, ValueError, TypeError) as error:
        message = f"--set {path}: the sample has no such field"
        raise SampleError(message) from error
