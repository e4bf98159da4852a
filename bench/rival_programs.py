"""What a user would pick instead, installed into .bench and run on loopback; and Ringhook itself.

Each is set up as its own guide shows: check the signature, ask the API for a call, answer.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.handlers.floor import SECRET
from bench.progress import say
from bench.stub import CALL_PATH, HOST, ROOT
from bench.webhooks import SOURCE, routes
from ringhook_ops import processes
from ringhook_ops.local.cloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

INSTALLED = ROOT / ".bench"
FILES = Path(__file__).with_name("rival_files")
NODE_RED = "4.1.15"
WEBHOOK = "2.8.0"
FASTAPI = "0.165.0"
_FASTAPI = (f"fastapi=={FASTAPI}", "uvicorn==0.54.0", "requests==2.34.2")
_START, _INSTALL = 30.0, 300.0  # seconds that starting and installing may take


class NotInstalledError(Exception):
    """One of them cannot be had on this machine; the message says why, in a line."""


@dataclass(frozen=True, slots=True)
class Rival:
    """`start(directory, api)` gives the address to post to, while it runs.

    `directory` is empty and of its own, `api` the base of the API that it asks.
    """

    name: str
    start: Callable[[Path, str], AbstractContextManager[str]]


@contextmanager
def ringhook(directory: Path, api: str) -> Iterator[str]:
    """Ringhook on the local cloud."""
    file = directory / "routes.toml"
    file.write_text(routes())
    with LocalCloud(
        routes=file,
        signing_secrets={SOURCE: SECRET.decode()},
        tokens={"default": "a-token"},
        unleashx_url=api,
        say=say,
    ) as cloud:
        yield f"{cloud.webhooks_url}/{SOURCE}"


@contextmanager
def node_red(directory: Path, api: str) -> Iterator[str]:
    """A flow of Node-RED: HTTP in, a function that checks, an HTTP request, HTTP out."""
    program = INSTALLED / "node-red" / "node_modules" / ".bin" / "node-red"
    if not program.exists():
        place = program.parents[2]
        _install("npm", "install", "--no-fund", "--prefix", place, f"node-red@{NODE_RED}")
    for name in ("flows.json", "settings.js"):
        shutil.copy(FILES / name, directory)
    command: list[str | Path] = [program, "--userDir", directory, "flows.json"]
    with _running(command, directory, api) as url:
        yield url


@contextmanager
def webhook(directory: Path, api: str, *, waits: bool) -> Iterator[str]:
    """adnanh/webhook with a script of curl; `waits`: it answers once the script has ended."""
    program = INSTALLED / "webhook" / "usr" / "bin" / "webhook"
    if not program.exists():
        _install("apt-get", "download", "webhook")
        _install("dpkg-deb", "-x", next(INSTALLED.glob("webhook_*.deb")), program.parents[2])
    if shutil.which("curl") is None:
        raise NotInstalledError("its script needs curl")
    said = subprocess.check_output([program, "-version"], text=True).strip()
    if not said.endswith(WEBHOOK):
        raise NotInstalledError(f"it is {said}")
    hook = {
        "id": SOURCE,
        "execute-command": str(FILES / "ring.sh"),
        "include-command-output-in-response": waits,
        "pass-arguments-to-command": [
            {"source": "payload", "name": "phone"},
            {"source": "payload", "name": "id"},
        ],
        "trigger-rule": {
            "match": {
                "type": "payload-hmac-sha256",
                "secret": SECRET.decode(),
                "parameter": {"source": "header", "name": "X-Signature"},
            }
        },
    }
    hooks = directory / "hooks.json"
    hooks.write_text(json.dumps([hook]))
    port = _free_port()
    command: list[str | Path] = [program, "-hooks", hooks, "-ip", HOST, "-port", str(port)]
    with _running(command, directory, api, port) as url:
        yield url


@contextmanager
def fastapi(directory: Path, api: str) -> Iterator[str]:
    """A FastAPI app whose endpoint asks the API and waits, run by uvicorn."""
    python = INSTALLED / "fastapi" / "bin" / "python"
    if not (python.parent / "uvicorn").exists():
        _install(sys.executable, "-m", "venv", python.parents[1])
        _install(python, "-m", "pip", "--quiet", "install", *_FASTAPI)
    port = _free_port()
    command: list[str | Path] = [python, "-m", "uvicorn", "--no-access-log"]
    command += ["--app-dir", FILES, "--host", HOST, "--port", str(port), "app:app"]
    with _running(command, directory, api, port) as url:
        yield url


RIVALS = (
    Rival("Ringhook on the local cloud", ringhook),
    Rival(f"Node-RED {NODE_RED}", node_red),
    Rival(f"adnanh/webhook {WEBHOOK}, answers at once", partial(webhook, waits=False)),
    Rival(f"adnanh/webhook {WEBHOOK}, waits for its script", partial(webhook, waits=True)),
    Rival(f"FastAPI {FASTAPI}", fastapi),
)


def _install(*command: str | Path) -> None:
    """Run one step of an installation in .bench. Raises NotInstalledError."""
    INSTALLED.mkdir(exist_ok=True)
    say(f"installing: {' '.join(map(str, command[:3]))} …")
    try:
        subprocess.run(
            command, cwd=INSTALLED, check=True, capture_output=True, text=True, timeout=_INSTALL
        )
    except FileNotFoundError as error:
        raise NotInstalledError(f"there is no {command[0]}") from error
    except subprocess.TimeoutExpired as error:
        raise NotInstalledError(f"{command[0]} took more than {_INSTALL:.0f} s") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise NotInstalledError(f"{command[0]} failed: {last}") from error


@contextmanager
def _running(
    command: Sequence[str | Path], directory: Path, api: str, port: int | None = None
) -> Iterator[str]:
    """The program's address, from when it listens until it is ended."""
    port = port or _free_port()
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "PORT": str(port),
        "SECRET": SECRET.decode(),
        "API_URL": api + CALL_PATH,
    }
    log = directory / "log"
    process = processes.start(command, env=env, cwd=directory, log=log)
    try:
        ends = time.monotonic() + _START
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > ends:
                raise processes.ProgramError(f"{command[0]} did not start", log)
            time.sleep(0.1)
        yield f"http://{HOST}:{port}/hooks/{SOURCE}"
    finally:
        processes.stop(process)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
