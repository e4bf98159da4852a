"""The senders that Ringhook knows, and a page for each, made from the data that serves it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import MISSING, fields
from datetime import UTC
from pathlib import Path

from ringhook.senders import providers
from ringhook.senders.providers import Provider, Source
from ringhook_ops.catalogue import guides, recipes
from ringhook_ops.samples import library, webhooks
from ringhook_ops.samples.library import Sample
from ringhook_ops.toml_text import table

# More topics than a reader looks through are left to the sender's own list.
_TOPICS = 40


def page(name: str) -> str:
    """The page of a provider, in Markdown. Raises KeyError if there is none."""
    return "\n".join(_lines(name)) + "\n"


def index() -> str:
    """The page that lists them all, in Markdown."""
    rows = [_row(providers.find(name).title, name) for name in providers.names()]
    served = [_row(sender, name) for sender, name in sorted(providers.SERVED_BY.items())]
    head = ["| sender | provider | ready routes |", "| --- | --- | --- |"]
    return "\n".join(["# Senders", "", *head, *rows, *served]) + "\n"


def write(folder: Path) -> None:
    """Write every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(index())
    for name in providers.names():
        (folder / f"{name}.md").write_text(page(name))


def _row(sender: str, name: str) -> str:
    ready = ", ".join(f"`{one.name}`" for one in recipes.of(name))
    return f"| [{sender}]({name}.md) | `{name}` | {ready} |"


def _lines(name: str) -> Iterator[str]:
    provider = providers.find(name)
    module = importlib.import_module(f"ringhook.senders.providers.{name.replace('-', '_')}")
    sample, guide = library.find(name), guides.find(name)
    yield from (f"# {provider.title}", "", inspect.cleandoc(module.__doc__ or ""), "")
    yield from ("## Connect it", "", *_settings(sample, provider), "")
    yield from (f"{number}. {step}" for number, step in enumerate(guide.steps, 1))
    if guide.script:
        yield from ("", "```javascript", guide.script.rstrip("\n"), "```")
    if guide.steps_unconfirmed:
        yield from ("", "Not confirmed: the names in these settings; the sender may use others.")
    yield ""
    yield (
        "The address is the stack's output `WebhooksUrl` and the source's name,"
        f" `{sample.source}`, at its end."
    )
    yield from ("", f"Secret: {guide.secret} It is kept for the source by:", "")
    yield from ("```console", f"$ ringhook secret set {sample.source} --stack NAME", "```", "")
    yield from _recipes(name)
    yield from _tries(name)
    yield from ("## How it proves itself", "")
    schemes = webhooks.provider_of(sample, None, sample.source).schemes
    # Bare, <timestamp> would be taken for HTML.
    yield from ("- " + scheme.description.replace("<", "\\<") for scheme in schemes)
    yield ""
    if len(schemes) > 1:
        yield from ("The first of them that a webhook carries decides.", "")
    if provider.tenant:
        yield from ("`tenant` pins a source to one account: those of another are refused.", "")
    if provider.zone is not UTC:
        zone = f"`{provider.zone}`, unless the source says another `time_zone`"
        yield from (f"Times that name no zone are read as of {zone}.", "")
    if provider.topics:
        shown = ", ".join(f"`{topic}`" for topic in provider.topics[:_TOPICS])
        more = f", and {len(provider.topics) - _TOPICS} more" * (len(provider.topics) > _TOPICS)
        yield from ("## Topics", "", shown + more, "")
    yield from _shapes(provider)
    yield from _left_out(provider)
    yield from _never(provider)
    yield from _answers(provider, guide)
    yield from ("", "A webhook that is refused: `ringhook verify FILE --provider " + name + "`.")


def _answers(provider: Provider, guide: guides.Guide) -> Iterator[str]:
    yield from ("## Answers", "")
    yield (
        "202 once the calls are queued, 200 when there is nothing to do,"
        f" {provider.unmapped_status} for an event that lacks what its call needs,"
        " 401 for one that is not genuine, 503 when it must be sent again."
    )
    if isinstance(provider.accepted, int):
        yield f"Success is answered with {provider.accepted}, and so is an event without a call."
    elif provider.accepted:
        yield f"Success is answered with {provider.accepted.status} and the body that it demands."
    if guide.waits:
        yield f"It waits {guide.waits}."
    if guide.again:
        yield f"It sends again: {guide.again}."
    if guide.unconfirmed:
        yield f"Not confirmed: {guide.unconfirmed}."


def _settings(sample: Sample, provider: Provider) -> Iterator[str]:
    settings = {"provider": sample.provider, **sample.settings}
    yield from ("```toml", table(f"sources.{sample.source}", settings), "```")
    usual = {field.name for field in fields(Source)}
    if own := [field for field in fields(provider.settings) if field.name not in usual]:
        yield from ("", "| setting | meaning |", "| --- | --- |")
        for field in sorted(own, key=lambda field: field.name):
            needed = " (required)" if field.default is MISSING else ""
            yield f"| `{field.name}` | {field.metadata['description']}{needed} |"


def _recipes(name: str) -> Iterator[str]:
    if not recipes.of(name):
        return
    yield from ("## Ready routes", "", "| recipe | what for |", "| --- | --- |")
    yield from (f"| `{one.name}` | {one.title} |" for one in recipes.of(name))
    yield from ("", "```console", f"$ ringhook init {name} --recipe NAME --agent ID", "```", "")


def _tries(name: str) -> Iterator[str]:
    yield from ("## Try it", "", "Made new each time, and signed as the sender signs:", "")
    yield from (
        "```console",
        *(f"$ ringhook send {name} {one} --url WEBHOOKS_URL" for one in library.names(name)),
        "```",
        "",
    )
    if lines := guides.curl(name):
        yield (
            "By hand, in a checkout, it is the same event each time, with an invented number; most"
            " say that they are of July 2026, which is too late to ring:"
        )
        yield from ("", "```sh", "SECRET=… WEBHOOKS_URL=https://…/hooks", *lines, "```", "")


def _shapes(provider: Provider) -> Iterator[str]:
    if not provider.shapes:
        return
    yield (
        "Nobody signs the topic: it stands in a header, and whoever has captured a webhook could"
        " write another. So one signed body makes at most one call of a route, whatever its topic;"
        " and a topic is believed only where the body is of it. Any other body under it has no"
        " effect and is kept as `unmapped`. A topic that is not in this table neither cancels nor"
        " keeps anybody from being rung: for that, name a route whose `when` looks at the body."
    )
    yield from ("", "| topic | what its body is known by |", "| --- | --- |")
    for topic, shape in provider.shapes.items():
        yield f"| `{topic}` | `` {shape.replace('|', chr(92) + '|')} `` |"
    yield ""


def _left_out(provider: Provider) -> Iterator[str]:
    if not provider.enrich_hosts:
        return
    hosts = ", ".join(f"`{host}`" for host in provider.enrich_hosts)
    how = "[routes.toml](../routes.md#what-the-sender-leaves-out)"
    yield from ("## What its events leave out", "")
    yield f"`enrich` of the source fetches it from {hosts}; {how} says how."
    yield ""
    for name, ways in provider.enrichments.items():
        places = ", then ".join(f"`{w.into}` from `{w.url.partition('?')[0]}`" for w in ways)
        yield f'- `enrich = "{name}"`: {places}.'
    if provider.enrichments:
        yield ""


def _never(provider: Provider) -> Iterator[str]:
    if provider.never or provider.never_when:
        yield from ("## What never rings anybody", "", "| event | because |", "| --- | --- |")
        yield from (f"| `{topic}` | {why} |" for topic, why in provider.never.items())
        for expression, why in provider.never_when.items():
            # JMESPath has backticks of its own.
            yield "| `` " + expression.replace("|", "\\|") + f" `` | {why} |"
        yield ""
    for topic, (asks, _) in provider.privacy.items():
        done = {
            "forget": "what is kept of the number is deleted; without one, `ringhook forget`",
            "export": "what is kept of the number is set aside; `ringhook export` prints it",
        }
        yield f"- `{topic}`: {done[asks]}."
    if provider.privacy:
        yield ""
