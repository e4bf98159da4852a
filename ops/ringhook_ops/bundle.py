"""What is uploaded to Lambda: how it is trimmed, and the copy that runs on this machine.

`python -m ringhook_ops.bundle .aws-sam/build` trims what `sam build` made; `make build` does both.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from ringhook_ops import processes

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".ringhook"  # what local runs leave behind and use again

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"

# Those of the 400 services described in botocore and boto3 that the functions use.
SERVICES = {"dynamodb", "scheduler", "secretsmanager", "sqs", "sts"}
# Names of places and carriers, 20 MB, which phonenumbers loads in two modules that are not used.
UNUSED = ("phonenumbers/geodata", "phonenumbers/carrierdata")


def trim(build: Path) -> None:
    """Remove from each function in `build` what no handler loads."""
    for function in _functions(build):
        for unused in UNUSED:
            shutil.rmtree(function / unused, ignore_errors=True)
        for package in ("botocore", "boto3"):
            for service in (function / package / "data").iterdir():
                if service.is_dir() and service.name not in SERVICES:
                    shutil.rmtree(service)
        for cache in list(function.rglob("__pycache__")):
            shutil.rmtree(cache)  # left in src/ by whatever Python ran there last


def place_local_bundle(destination: Path, routes: Path, say: Callable[[str], None]) -> None:
    """Make `destination` a trimmed `sam build` for this machine's Python, with this routes file.

    It is built once for each state of the sources; after that it takes a moment, for the files are
    linked, not copied.
    """
    WORK.mkdir(exist_ok=True)
    with (WORK / "bundle.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two local clouds may start at once
        bundle = WORK / f"bundle-{_digest()}"
        if not bundle.exists():
            say(f"Building the functions for {RUNTIME} on {ARCHITECTURE} (half a minute, once)")
            _build(bundle)
        shutil.copytree(bundle, destination, copy_function=os.link)
    for function in _functions(destination):
        (function / "routes.toml").unlink()  # it is a link: not to be written into
        shutil.copyfile(routes, function / "routes.toml")


def size(build: Path) -> float:
    """Megabytes (10⁶ bytes) of the files of one function in `build`."""
    function = next(_functions(build))
    return sum(path.stat().st_size for path in function.rglob("*") if path.is_file()) / 1e6


def _functions(build: Path) -> Iterator[Path]:
    return (path for path in build.iterdir() if path.is_dir())


def _digest() -> str:
    """A name for all that a local bundle is made of, but the routes file, which is replaced."""
    sources = [ROOT / "template.yaml", Path(__file__)]
    sources += (
        path
        for path in sorted((ROOT / "src").rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.name != "routes.toml"
    )
    digest = hashlib.sha256(f"{RUNTIME} {ARCHITECTURE}".encode())
    for source in sources:
        digest.update(str(source.relative_to(ROOT)).encode())
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _build(bundle: Path) -> None:
    command: list[str | Path] = [
        *(Path(sys.executable).with_name("sam"), "build", "--cached"),
        *("--template-file", ROOT / "template.yaml"),
        *("--parameter-overrides", f"Runtime={RUNTIME}", f"Architecture={ARCHITECTURE}"),
    ]
    # `sam build` looks for the runtime's Python on PATH: this one's directory comes first. And it
    # writes to .aws-sam under the current directory: not to the one that `sam deploy` reads.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    env = os.environ | {"PATH": path, "SAM_CLI_TELEMETRY": "0"}
    processes.run(command, env=env, cwd=WORK, log=WORK / "build.log")
    build = WORK / ".aws-sam" / "build"
    trim(build)
    for old in WORK.glob("bundle-*"):
        shutil.rmtree(old)
    build.rename(bundle)


if __name__ == "__main__":
    build = Path(sys.argv[1])
    before = size(build)
    trim(build)
    print(f"Trimmed each function from {before:.0f} MB to {size(build):.0f} MB")
