"""All of Ringhook on this machine: the sandbox API, and the stack on the local cloud."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from ringhook.routing.routes import Routes
from ringhook_ops import bundle
from ringhook_ops.deployed.deployment import UP
from ringhook_ops.local.cloud import LocalCloud
from ringhook_ops.samples import library
from ringhook_ops.sandbox import server
from ringhook_ops.sandbox.endings import Endings, Webhook
from ringhook_ops.sandbox.senders import CREDENTIAL

Say = Callable[[str], None]
Secrets = Mapping[str, str | Sequence[str]]


# Calls end within half a minute, in each way, so that whoever tries a route sees all of them.
ENDINGS = Endings(
    outcomes={"answered": 5, "no_answer": 2, "voicemail": 1, "busy": 1, "rejected": 1},
    rings=(1, 5),
    talks=(3, 20),
)


class EndedError(BaseException):
    """SIGINT or SIGTERM came; nothing on the way is to take it for a failure."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is; `/{source}` is added to `webhooks_url`."""

    webhooks_url: str
    sandbox_url: str
    aws_endpoint_url: str
    table_name: str
    queue_url: str
    dead_letter_queue_url: str


@dataclass(frozen=True, slots=True)
class Running:
    """What is up: its addresses, and the two things themselves."""

    addresses: Addresses
    cloud: LocalCloud
    sandbox: server.Sandbox


def sample_secrets(routes: Routes) -> Secrets:
    """The documented secret of each source's provider, for sources that are given none."""
    known = library.providers()
    return {
        name: library.find(connection.source.provider).secret
        for name, connection in routes.sources.items()
        if connection.source.provider in known
    }


def sample_credentials(routes: Routes) -> dict[str, str]:
    """What the sandbox takes in place of each credential that a source enriches its events with."""
    return {
        lookup.credential: CREDENTIAL
        for connection in routes.sources.values()
        for lookup in connection.lookups
    }


@contextmanager
def running(
    file: Path,
    routes: Routes,
    secrets: Secrets,
    credentials: Mapping[str, str],
    *,
    host: str,
    fresh: bool,
    say: Say,
) -> Iterator[Running]:
    """Everything up at `host`, from entering to leaving; `fresh` builds the functions anew.

    Raises ProgramError if it cannot be started. The other commands find it meanwhile (`UP`).
    """
    if fresh:
        for built in (*bundle.WORK.glob("bundle-*"), bundle.WORK / ".aws-sam"):
            shutil.rmtree(built, ignore_errors=True)
    with ExitStack() as stack:
        say("Starting the sandbox API, which rings nobody")
        api = stack.enter_context(server.Sandbox(host=host, senders=library.answers()))
        cloud = stack.enter_context(
            LocalCloud(
                routes=file,
                signing_secrets=secrets,
                tokens={"default": server.TOKEN},
                unleashx_url=api.url,
                enrich_url=api.senders_url,
                credentials=credentials,
                host=host,
                say=say,
            )
        )
        api.phones.usual = _endings(secrets, routes, cloud.webhooks_url)
        addresses = Addresses(
            webhooks_url=cloud.webhooks_url,
            sandbox_url=api.url,
            aws_endpoint_url=cloud.aws_endpoint_url,
            table_name=cloud.table_name,
            queue_url=cloud.queue_url,
            dead_letter_queue_url=cloud.dead_letter_queue_url,
        )
        stack.enter_context(_announced(addresses))
        yield Running(addresses, cloud, api)


def _endings(secrets: Secrets, routes: Routes, webhooks_url: str) -> Endings:
    """How calls end, of which an agent tells the first source that is for that."""
    told = (
        name
        for name, connection in routes.sources.items()
        if connection.source.provider == "unleashx" and name in secrets
    )
    if not (source := next(told, None)):
        return ENDINGS
    kept = secrets[source]
    secret = kept if isinstance(kept, str) else kept[0]
    webhook = Webhook(url=f"{webhooks_url}/{source}/{secret}")
    return ENDINGS.model_copy(update={"webhook": webhook})


@contextmanager
def _announced(addresses: Addresses) -> Iterator[None]:
    """Leave the addresses where the other commands look for them: those of the last one started."""
    mine = json.dumps({**asdict(addresses), "pid": os.getpid()})
    # Under another name first, so that nobody reads half of it.
    with tempfile.NamedTemporaryFile("w", dir=UP.parent, delete=False) as file:
        file.write(mine)
    Path(file.name).replace(UP)
    try:
        yield
    finally:
        if UP.exists() and UP.read_text() == mine:
            UP.unlink()


@contextmanager
def until_signal() -> Iterator[Callable[[], None]]:
    """SIGINT and SIGTERM raise EndedError, once; gives a function that waits for them.

    A second one is ignored: what the first one began to end must come to its end.
    """
    ends = (signal.SIGINT, signal.SIGTERM)

    def end(_number: int, _frame: FrameType | None) -> None:
        for one in ends:
            signal.signal(one, signal.SIG_IGN)
        raise EndedError

    before: list[tuple[signal.Signals, Any]] = [(one, signal.signal(one, end)) for one in ends]
    try:
        yield threading.Event().wait  # type: ignore[misc]  # for ever
    finally:
        for one, handler in before:
            signal.signal(one, handler)
