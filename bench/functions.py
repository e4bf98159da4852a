"""The functions and what they are compared with, each run in a process anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bench.progress import say
from ringhook_ops import bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HANDLERS = Path(__file__).parent / "handlers"
_PACKAGES = Path(sysconfig.get_paths()["purelib"])
# The interpreter itself: a virtual environment's would read the environment's own start-up files.
_PYTHON = Path(sys.executable).resolve()
FUNCTIONS = ("receiver", "dialer", "keeper")


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run: seconds of processor time, of the whole process and of the warm part.

    `each` is the seconds of the clock that each event took.
    """

    whole: float
    warm: float
    each: list[float]
    answers: list[Any]
    asked: list[list[str]]


@dataclass(frozen=True, slots=True)
class Code:
    """Where the functions lie, with their routes: as built, or as they stand in the tree."""

    directory: Path
    built: bool

    def with_routes(self, routes: str) -> Code:
        """The same functions with other routes, beside these."""
        return place(self.directory.parent, routes, built=self.built)

    def path(self, module: str) -> list[Path]:
        """Where a module is looked for."""
        package, _, name = module.rpartition(".")
        if package != "ringhook":
            return [_PACKAGES]
        if self.built:
            function = self.directory / "build" / f"{name.capitalize()}Function"
            return [function, self.directory / "dependencies"]
        return [self.directory, _PACKAGES]

    def run(
        self,
        module: str,
        events: Sequence[Any],
        environment: Mapping[str, str],
        *,
        warm_up: int = 0,
    ) -> Ran:
        """Hand events to `module.handler` in a process anew."""
        path = os.pathsep.join(map(str, [*self.path(module), bundle.ROOT]))
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
            with tempfile.TemporaryFile() as log:
                given.write(json.dumps(events).encode())
                given.seek(0)
                process = subprocess.Popen(
                    [_PYTHON, "-s", HANDLERS / "run.py", module, str(warm_up)],
                    stdin=given,
                    stdout=result,
                    stderr=log,
                    env={**environment, "PYTHONPATH": path},
                )
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                if process.returncode:
                    message = f"{module} ended with status {process.returncode}: {_end(log)}"
                    raise RuntimeError(message)
            result.seek(0)
            said = json.load(result)
        return Ran(
            whole=usage.ru_utime + usage.ru_stime,
            warm=said["seconds"] / max(1, len(events) - warm_up),
            each=said["each"],
            answers=said["answers"],
            asked=said["asked"],
        )


def place(within: Path, routes: str, *, built: bool) -> Code:
    """Put the functions with these routes into a new directory."""
    directory = Path(tempfile.mkdtemp(dir=within))
    file = directory / "given-routes.toml"
    file.write_text(routes)
    if built:
        bundle.place_local_bundle(directory, file, say)
    else:
        (directory / "ringhook").symlink_to(bundle.ROOT / "src" / "ringhook")
        file.rename(directory / "routes.toml")
    return Code(directory, built)


def _end(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-2000:]
