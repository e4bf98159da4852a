"""What `sam build` does: a function's directory, checked, complete, compiled and small.

    python -m ringhook.building ReceiverFunction DIRECTORY

`src/Makefile` runs this in a copy of `src/`, with the Python of the functions. It stops, with what
is wrong and the cure, before anything that could not run can be deployed. It is not in the bundle.
"""

from __future__ import annotations

import compileall
import fcntl
import importlib
import os
import platform
import py_compile
import shutil
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from ringhook.errors import RoutesError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SOURCE = Path(__file__).parents[1]  # src/, or SAM's copy of it
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}

# What no function loads, as patterns under a function's directory.
UNUSED = (
    # Who builds has checked routes.toml.
    "ringhook/building.py",
    "ringhook/reading/checked.py",
    "ringhook/routing/routes_file.py",
    "ringhook/routing/toml_lines.py",
    "ringhook/routing/whole_file.py",
    # Names of places and carriers, time zones by number, short codes: 22 MB.
    "phonenumbers/geodata",
    "phonenumbers/carrierdata",
    "phonenumbers/tzdata",
    "phonenumbers/asyoutypeformatter.py",
    "phonenumbers/phonenumbermatcher.py",
    "phonenumbers/shortnumberinfo.py",
    "phonenumbers/shortdata",
    # What compiled PyNaCl: the compiled module needs `_cffi_backend` alone.
    "cffi",
    "pycparser",
    "pycparser-*.dist-info",
    # Of each dist-info, METADATA tells scanners what ships, and the licence must come along.
    "*.dist-info/RECORD",
    "*.dist-info/WHEEL",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/entry_points.txt",
    "*.dist-info/sboms",
    "*.dist-info/top_level.txt",
    "bin",  # scripts
    "*.data",  # the same
    "**/*.pyi",
    "**/py.typed",
    "**/__pycache__",  # left in src/ by whatever Python ran there last
)
# What one provider's signatures alone need.
NEEDED_BY = {
    "gohighlevel": ("nacl", "pynacl-*.dist-info", "_cffi_backend.*", "cffi-*.dist-info"),
}


class BuildError(Exception):
    """The build stops; the text says why, and what to do."""


def build(function: str, directory: Path, environ: Mapping[str, str]) -> None:
    """Fill one function's directory. Raises BuildError."""
    definitions = directory.parents[1] / "build.toml"
    template = _template(function, definitions)
    runtime = _agreed("Runtime", environ.get("RINGHOOK_RUNTIME"), template.get("runtime"))
    if runtime not in {None, RUNTIME}:
        message = f"the functions are for {runtime}, and this is {RUNTIME}"
        raise BuildError(message)
    architecture = _agreed(
        "Architecture", environ.get("RINGHOOK_ARCHITECTURE"), template.get("architecture")
    )
    routes = Path(environ.get("RINGHOOK_ROUTES") or SOURCE / "routes.toml")
    if not routes.is_absolute():
        message = f"RINGHOOK_ROUTES is {routes}: give the whole path, as SAM builds elsewhere"
        raise BuildError(message)
    if not definitions.exists():
        _fill(directory, architecture or ARCHITECTURE, routes)
        return
    # All functions have the same in them: the first that comes makes it, and the others copy.
    made = definitions.with_name("ringhook-built")
    with definitions.with_name("ringhook-building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = f"{definitions.stat().st_mtime_ns}"  # SAM writes it anew for each build
        before = made.read_text().split("\n") if made.exists() else [""]
        if before[0] == stamp:
            shutil.copytree(before[1], directory, dirs_exist_ok=True)
            return
        _fill(directory, architecture or ARCHITECTURE, routes)
        made.write_text(f"{stamp}\n{directory}")


def _fill(directory: Path, architecture: str, routes: Path) -> None:
    install(directory, architecture)
    with tempfile.TemporaryDirectory() as tools:
        # What checks is for this machine, and what ships for the functions' processor: of that, the
        # check loads only what is not compiled.
        if _has_checks():
            sys.path.append(str(directory))
        else:
            _pip(SOURCE / "checks.txt", Path(tools), [])
            sys.path[1:1] = [tools, str(directory)]
        importlib.invalidate_caches()
        place(directory, routes)
    drop_unneeded(directory)
    finish(directory)


def _template(function: str, definitions: Path) -> dict[str, str]:
    """What SAM has read of the template for a function; nothing in a container."""
    if not definitions.exists():
        return {}
    found = tomllib.loads(definitions.read_text()).get("function_build_definitions", {})
    return next((one for one in found.values() if function in one["functions"]), {})


def _agreed(name: str, given: str | None, template: str | None) -> str | None:
    if given and template and given != template:
        message = (
            f"RINGHOOK_{name.upper()} is {given}, and the template's {name} is {template}. Leave"
            f" the variable away, or build and deploy with --parameter-overrides {name}={given}"
        )
        raise BuildError(message)
    return template or given


def install(directory: Path, architecture: str) -> None:
    """Put every package of requirements.txt into a directory, by its hash, for this processor."""
    machine = _MACHINES[architecture]
    tags = [f"manylinux_2_17_{machine}", f"manylinux2014_{machine}"]
    wheels = [word for tag in tags for word in ("--platform", tag)]
    wheels += ["--implementation", "cp", "--python-version", RUNTIME.removeprefix("python")]
    _pip(SOURCE / "requirements.txt", directory, wheels)


def _pip(requirements: Path, directory: Path, more: list[str]) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    command += ["--no-deps", "--no-compile", "--only-binary", ":all:", "--require-hashes", *more]
    command += ["--requirement", str(requirements), "--target", str(directory)]
    ran = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 - its own command
    if ran.returncode:
        message = f"{requirements.name} cannot be installed:\n{ran.stderr.strip()}"
        raise BuildError(message)


def _has_checks() -> bool:
    """Whether this Python has, at their versions, the packages that routes.toml is checked with."""
    pinned = [
        line.split()[0].split("==")
        for line in (SOURCE / "checks.txt").read_text().splitlines()
        if "==" in line
    ]
    try:
        return all(version(name) == number for name, number in pinned)
    except PackageNotFoundError:
        return False


def place(function: Path, routes: Path) -> None:
    """Put the project's own code into a function's directory, with this routes file, checked.

    Raises BuildError with all that is wrong in it.
    """
    # Loaded here, for it needs packages that are installed by now.
    from ringhook.routing import compiled  # noqa: PLC0415

    text = _checked(routes)
    shutil.copytree(
        SOURCE / "ringhook",
        function / "ringhook",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    (function / "routes.toml").write_bytes(routes.read_bytes())
    (function / compiled.NAME).write_text(text)


def _checked(routes: Path) -> str:
    """The compiled form of a routes file."""
    from ringhook.routing import compiled, routes_file  # noqa: PLC0415 - the same

    try:
        written = routes.read_bytes().decode()
    except (OSError, UnicodeError) as error:
        message = f"the routes file cannot be read: {error}"
        raise BuildError(message) from error
    try:
        return compiled.write(routes_file.load(written), written)
    except RoutesError as error:
        name = "src/routes.toml" if routes == SOURCE / "routes.toml" else routes
        wrong = (f"{name}:{one.line}: {one.where}: {one.message}" for one in error.problems)
        raise BuildError("\n".join(wrong)) from error


def finish(function: Path) -> None:
    """Remove from a function what it never loads, and compile the rest.

    Lambda's code directory is read-only, so without bytecode in it every cold start compiles all
    that it imports: 1.4 s of processor time for the receiver, 0.5 s with it. The sources go, which
    nothing reads then.
    """
    _remove(function, UNUSED)
    # It would load all of phonenumbers, of which each part is imported by name.
    if (whole := function / "phonenumbers" / "__init__.py").exists():
        whole.write_text("")
    compile_all(function)


def compile_all(directory: Path) -> None:
    """Replace all sources in a directory by bytecode, which no other version of Python reads.

    Without docstrings and assertions; tracebacks name files as they are called on Lambda.
    """
    compileall.compile_dir(
        directory,
        quiet=1,
        legacy=True,
        optimize=2,
        stripdir=str(directory),
        prependdir="/var/task",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        workers=0,
    )
    _remove(directory, ["**/*.py"])


def needed(routes: Path) -> set[str]:
    """The providers of NEEDED_BY that a routes file names."""
    sources = tomllib.loads(routes.read_text()).get("sources", {})
    return {source.get("provider") for source in sources.values()} & NEEDED_BY.keys()


def drop_unneeded(function: Path) -> None:
    """Remove what no provider that the function's routes.toml names has a use for."""
    for provider in NEEDED_BY.keys() - needed(function / "routes.toml"):
        _remove(function, NEEDED_BY[provider])


def _remove(function: Path, patterns: Iterable[str]) -> None:
    for pattern in patterns:
        for path in list(function.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


if __name__ == "__main__":
    try:
        build(sys.argv[1], Path(sys.argv[2]), dict(os.environ))
    except BuildError as error:
        sys.exit(str(error))
