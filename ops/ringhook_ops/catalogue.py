"""The senders that Ringhook knows, and a page for each, made from the data that serves it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

from ringhook import providers
from ringhook.providers import Source
from ringhook_ops import samples

# More topics than a reader looks through are left to the sender's own list.
_TOPICS = 40


def page(name: str) -> str:
    """The page of a provider, in Markdown. Raises KeyError if there is none."""
    return "\n".join(_lines(name)) + "\n"


def index() -> str:
    """The page that lists them all, in Markdown."""
    rows = [f"| [{providers.find(n).title}]({n}.md) | `{n}` |" for n in providers.names()]
    served = [f"| {sender} | `{name}` |" for sender, name in sorted(providers.SERVED_BY.items())]
    head = ["| sender | provider |", "| --- | --- |"]
    return "\n".join(["# Senders", "", *head, *rows, *served]) + "\n"


def write(folder: Path) -> None:
    """Write every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(index())
    for name in providers.names():
        (folder / f"{name}.md").write_text(page(name))


def _lines(name: str) -> Iterator[str]:
    provider = providers.find(name)
    module = importlib.import_module(f"ringhook.providers.{name.replace('-', '_')}")
    sample = samples.find(name)
    yield from (f"# {provider.title}", "", inspect.cleandoc(module.__doc__ or ""), "")
    yield from ("## Connect it", "", "```toml", f"[sources.{sample.source}]")
    yield from (f'provider = "{name}"', "```", "")
    if own := set(provider.settings.model_fields) - set(Source.model_fields):
        yield from ("| setting | meaning |", "| --- | --- |")
        for field in sorted(own):
            about = provider.settings.model_fields[field]
            needed = " (required)" if about.is_required() else ""
            yield f"| `{field}` | {about.description or ''}{needed} |"
        yield ""
    yield (
        f"Its secret is the key `{sample.source}` of the signing-secrets secret:"
        f" `ringhook secret set {sample.source} --stack NAME`. The address to give to the sender is"
        f" the output `WebhooksUrl` and `/{sample.source}`."
    )
    yield from (
        "",
        "Ready routes: `ringhook recipes " + name + "`. To try it, signed as the sender signs:",
        "",
        "```console",
        *(f"$ ringhook send {name} {one} --url WEBHOOKS_URL" for one in samples.names(name)),
        "```",
        "",
    )
    if provider.topics:
        shown = ", ".join(f"`{topic}`" for topic in provider.topics[:_TOPICS])
        more = f", and {len(provider.topics) - _TOPICS} more" * (len(provider.topics) > _TOPICS)
        yield from ("## Topics", "", shown + more, "")
    if provider.never or provider.never_when:
        yield from ("## What never rings anybody", "", "| event | because |", "| --- | --- |")
        yield from (f"| `{topic}` | {why} |" for topic, why in provider.never.items())
        for expression, why in provider.never_when.items():
            yield "| `" + expression.replace("|", "\\|") + f"` | {why} |"
        yield ""
    yield from ("## Answers", "")
    yield (
        "202 once the calls are queued, 200 when there is nothing to do,"
        f" {provider.unmapped_status} for an event that lacks what its call needs,"
        " 401 for one that is not genuine, 503 when it must be sent again."
    )
    if provider.accepted:
        yield f"Success is answered with {provider.accepted.status} and the body that it demands."
