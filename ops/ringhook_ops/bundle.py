"""The functions as `sam build` makes them for Lambda, for this machine's Python and processor."""

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from ringhook import building
from ringhook.building import ARCHITECTURE, RUNTIME
from ringhook_ops import processes

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".ringhook"  # what local runs leave behind and use again

FUNCTIONS = ("ReceiverFunction", "DialerFunction", "KeeperFunction")


def place_local_bundle(destination: Path, routes: Path, say: Callable[[str], None]) -> None:
    """Put a build for this machine's Python, with this routes file, into `destination`.

    It is in two parts: `build` is what `sam deploy` takes, with the project's own code only, and
    `dependencies` is the rest, for all functions. That is built once for each state of the
    requirements and the template; after that this takes a moment. Raises BuildError for routes that
    are wrong.
    """
    WORK.mkdir(exist_ok=True)
    with (WORK / "bundle.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two local clouds may start at once
        # Routes may need a package that others do not.
        bundle = WORK / "-".join(["bundle", _digest(), *sorted(building.needed(routes))])
        if not bundle.exists():
            say(f"Building the functions for {RUNTIME} on {ARCHITECTURE} (half a minute, once)")
            _build(bundle, routes)
        shutil.copytree(bundle, destination, copy_function=os.link, dirs_exist_ok=True)
    first, *others = (destination / "build" / name for name in FUNCTIONS)
    building.place(first, routes)
    building.finish(first)
    for function in others:
        shutil.copytree(first, function, copy_function=os.link)


def _digest() -> str:
    """A name for all that a local bundle is made of."""
    digest = hashlib.sha256(f"{RUNTIME} {ARCHITECTURE}".encode())
    src = ROOT / "src"
    for source in (
        *(ROOT / "template.yaml", src / "requirements.txt", src / "Makefile"),
        *(Path(building.__file__), Path(__file__)),
    ):
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _build(bundle: Path, routes: Path) -> None:
    """Make `bundle`: build/template.yaml and dependencies/."""
    command: list[str | Path] = [
        *(Path(sys.executable).with_name("sam"), "build"),
        *("--template-file", ROOT / "template.yaml"),
        *("--parameter-overrides", f"Runtime={RUNTIME}", f"Architecture={ARCHITECTURE}"),
    ]
    # The build looks for the runtime's Python on PATH: this one's directory comes first. And SAM
    # writes to .aws-sam under the current directory: not to the one that `sam deploy` reads.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    env = os.environ | {
        "PATH": path,
        "SAM_CLI_TELEMETRY": "0",
        "RINGHOOK_RUNTIME": RUNTIME,
        "RINGHOOK_ARCHITECTURE": ARCHITECTURE,
        "RINGHOOK_ROUTES": str(routes.resolve()),
    }
    processes.run(command, env=env, cwd=WORK, log=WORK / "build.log")
    built = WORK / ".aws-sam" / "build"
    function = built / FUNCTIONS[0]  # the others are copies of it
    shutil.rmtree(function / "ringhook")
    for file in function.glob("routes.*"):
        file.unlink()
    for old in set(WORK.glob("bundle-*")) - set(WORK.glob(f"bundle-{_digest()}*")):
        shutil.rmtree(old)
    unfinished = WORK / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "build").mkdir(parents=True)
    function.rename(unfinished / "dependencies")
    (built / "template.yaml").rename(unfinished / "build" / "template.yaml")
    unfinished.rename(bundle)
