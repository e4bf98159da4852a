"""What is uploaded to Lambda: what is taken from it and added to it, and the one that runs here.

`python -m ringhook_ops.bundle .aws-sam/build arm64` finishes what `sam build` made; `make build`
does both.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from ringhook_ops import processes

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".ringhook"  # what local runs leave behind and use again

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"

FUNCTIONS = ("ReceiverFunction", "DialerFunction", "KeeperFunction")
# Those of the 400 services described in botocore and boto3 that the functions use.
SERVICES = {"dynamodb", "scheduler", "secretsmanager", "sqs", "sts"}
# What no function loads, as patterns under a function's directory.
UNUSED = (
    # Names of places and carriers, time zones by number and short codes: 22 MB.
    "phonenumbers/geodata",
    "phonenumbers/carrierdata",
    "phonenumbers/tzdata",
    "phonenumbers/shortdata/region_*.py",
    # Of Powertools, the logger and the metrics are used, and what reads JMESPath for them.
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/middleware_factory",
    "aws_lambda_powertools/utilities/[!_j]*",
    # What compiled PyNaCl: the compiled module needs `_cffi_backend` alone.
    "cffi",
    "pycparser",
    "pycparser-*.dist-info",
    "dateutil/zoneinfo/*.tar.gz",  # the zones are those of tzdata
    "botocore/data/*/*/examples-1.json*",
    "botocore/data/*/*/waiters-2.json*",
    # Of each dist-info, METADATA tells scanners what ships, and the licence must come along.
    "*.dist-info/RECORD",
    "*.dist-info/WHEEL",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/entry_points.txt",
    "*.dist-info/sboms",
    "*.dist-info/top_level.txt",
    "*.data",  # scripts
    "requirements.*",
    "**/*.pyi",
    "**/py.typed",
    "**/__pycache__",  # left in src/ by whatever Python ran there last
)
# What one provider's signatures alone need.
NEEDED_BY = {
    "gohighlevel": ("nacl", "pynacl-*.dist-info", "_cffi_backend.*", "cffi-*.dist-info"),
}


def finish(function: Path, python: str | Path) -> None:
    """Remove from what `sam build` made of a function what it never loads, and compile the rest.

    Lambda's code directory is read-only, so without bytecode in it every cold start compiles all
    that it imports: 1.4 s of processor time for the receiver, 0.5 s with it. The sources go, which
    nothing reads then. `python` is the interpreter of the runtime, whose bytecode no other version
    reads.
    """
    _remove(function, UNUSED)
    for package in ("botocore", "boto3"):
        for service in (function / package / "data").iterdir():
            if service.is_dir() and service.name not in SERVICES:
                shutil.rmtree(service)
    # Beside its source (-b), which goes, and without docstrings and assertions (-o 2). Tracebacks
    # name files as they are called on Lambda.
    command = [python, "-m", "compileall", "-q", "-j0", "-b", "-o", "2"]
    command += ["--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(function), "-p", "/var/task", str(function)]
    subprocess.run(command, check=True)
    _remove(function, ["**/*.py"])


def drop_unneeded(function: Path) -> None:
    """Remove what no provider that the function's routes.toml names has a use for."""
    sources = tomllib.loads((function / "routes.toml").read_text()).get("sources", {})
    named = {source.get("provider") for source in sources.values()}
    for provider, patterns in NEEDED_BY.items():
        if provider not in named:
            _remove(function, patterns)


def _remove(function: Path, patterns: Iterable[str]) -> None:
    for pattern in patterns:
        for path in list(function.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def place_local_bundle(destination: Path, routes: Path, say: Callable[[str], None]) -> None:
    """Put a build for this machine's Python, with this routes file, into `destination`.

    It is in two parts: `build` is what `sam deploy` takes, with the project's own code only, and
    `dependencies` is the rest, for both functions. That is built once for each state of the
    requirements and the template; after that this takes a moment.
    """
    WORK.mkdir(exist_ok=True)
    with (WORK / "bundle.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two local clouds may start at once
        bundle = WORK / f"bundle-{_digest()}"
        if not bundle.exists():
            say(f"Building the functions for {RUNTIME} on {ARCHITECTURE} (half a minute, once)")
            _build(bundle)
        shutil.copytree(bundle, destination, copy_function=os.link, dirs_exist_ok=True)
    for name in FUNCTIONS:
        function = destination / "build" / name
        shutil.copytree(ROOT / "src", function, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(routes, function / "routes.toml")


def _digest() -> str:
    """A name for all that a local bundle is made of."""
    digest = hashlib.sha256(f"{RUNTIME} {ARCHITECTURE}".encode())
    for source in (ROOT / "template.yaml", ROOT / "src" / "requirements.txt", Path(__file__)):
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _build(bundle: Path) -> None:
    """Make `bundle`: build/template.yaml and dependencies/."""
    command: list[str | Path] = [
        *(Path(sys.executable).with_name("sam"), "build"),
        *("--template-file", ROOT / "template.yaml"),
        *("--parameter-overrides", f"Runtime={RUNTIME}", f"Architecture={ARCHITECTURE}"),
    ]
    # `sam build` looks for the runtime's Python on PATH: this one's directory comes first. And it
    # writes to .aws-sam under the current directory: not to the one that `sam deploy` reads.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    env = os.environ | {"PATH": path, "SAM_CLI_TELEMETRY": "0"}
    processes.run(command, env=env, cwd=WORK, log=WORK / "build.log")
    built = WORK / ".aws-sam" / "build"
    function = built / FUNCTIONS[0]  # the others are copies of it
    shutil.rmtree(function / "ringhook")
    finish(function, sys.executable)
    for old in WORK.glob("bundle-*"):
        shutil.rmtree(old)
    unfinished = WORK / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "build").mkdir(parents=True)
    function.rename(unfinished / "dependencies")
    (built / "template.yaml").rename(unfinished / "build" / "template.yaml")
    unfinished.rename(bundle)


def _size(function: Path) -> float:
    """Megabytes (10⁶ bytes) of all its files."""
    return sum(path.stat().st_size for path in function.rglob("*") if path.is_file()) / 1e6


def _main(build: Path, architecture: str) -> None:
    built = tomllib.loads(build.with_name("build.toml").read_text())
    (definition,) = built["function_build_definitions"].values()
    made_for = definition["architecture"]
    if made_for != architecture:
        sys.exit(
            f"sam build made it for {made_for}, and its packages were chosen for {architecture}. "
            f"Say `make build ARCHITECTURE={made_for}`, or `Architecture={architecture}` in the "
            "parameter_overrides of samconfig.toml."
        )
    python = shutil.which(definition["runtime"])
    if python is None:
        sys.exit(f"{definition['runtime']} is not on PATH, though sam build found it there")
    for name in FUNCTIONS:
        before = _size(build / name)
        drop_unneeded(build / name)
        finish(build / name, python)
        print(f"{name}: {before:.0f} MB, now {_size(build / name):.0f} MB with bytecode")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])
