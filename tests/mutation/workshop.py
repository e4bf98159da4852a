"""A copy of the tree in which one thing at a time is broken, and the tests are run that concern it.

Each run is a fork of a process that has the libraries loaded, and nothing of Ringhook's.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.mutation.changes import ROOT, Change

# What the tests load before anything of ours: the same for every run.
LIBRARIES = (
    "boto3",
    "moto",
    "hypothesis.stateful",
    "pydantic",
    "phonenumbers",
    "tomlkit",
    "pytest",
)
# A change that makes a loop endless is seen by so many times the time that the tests take.
PATIENCE = 5.0


@dataclass(slots=True)
class Workshop:
    """The copy, and how long the tests take there while nothing is broken."""

    place: Path
    _seconds: dict[tuple[str, ...], float] = field(default_factory=dict)
    _second: int = 1_000_000_000

    @classmethod
    def within(cls, folder: Path) -> Workshop:
        """A copy of what the repository holds, as it is in the working tree."""
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        for library in LIBRARIES:
            importlib.import_module(library)
        return cls(folder)

    def first_failure(self, change: Change) -> str:
        """The first test that fails with this change; "" if none does.

        Raises RuntimeError if one fails without it.
        """
        limit = 10 + PATIENCE * self._without(change.tests)
        with self._made(change):
            return self._run(change.tests, limit)

    def _without(self, tests: tuple[str, ...]) -> float:
        if tests not in self._seconds:
            began = time.monotonic()
            if failed := self._run(tests, 3600):
                message = f"fails while nothing is broken: {failed}"
                raise RuntimeError(message)
            self._seconds[tests] = time.monotonic() - began
        return self._seconds[tests]

    @contextmanager
    def _made(self, change: Change) -> Iterator[None]:
        path = self.place / "src" / "ringhook" / change.file
        before = path.read_text()
        try:
            self._put(path, before.replace(change.old, change.new))
            yield
        finally:
            self._put(path, before)

    def _put(self, path: Path, text: str) -> None:
        path.write_text(text)
        # A compiled module is known by its source's second: each of ours is another one.
        self._second += 1
        os.utime(path, (self._second, self._second))

    def _run(self, tests: Sequence[str], limit: float) -> str:
        context = multiprocessing.get_context("fork")
        told, tells = context.Pipe(duplex=False)
        files = [f"tests/{name}.py" for name in tests]
        run = context.Process(target=_run, args=(self.place, files, tells))
        run.start()
        tells.close()
        failed = "it does not end" if not told.poll(limit) else _received(told)
        run.kill()
        run.join()
        return failed


def _received(told: Any) -> str:
    try:
        return str(told.recv())
    except EOFError:
        return "the tests cannot be run"


class _Told:
    """Remembers the first failure of a run."""

    failed = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid.removeprefix("tests/")

    def pytest_collectreport(self, report: Any) -> None:
        self.pytest_runtest_logreport(report)


def _run(place: Path, tests: Sequence[str], tells: Any) -> None:
    import pytest

    os.chdir(place)
    ours = [str(place / "src"), str(place / "ops"), str(place)]
    sys.path[:] = [*ours, *(one for one in sys.path if not one.startswith(str(ROOT / "src")))]
    os.environ["PYTHONPATH"] = os.pathsep.join(ours)
    sys.dont_write_bytecode = False
    sys.pycache_prefix = None
    for name in [one for one in sys.modules if one.partition(".")[0] == "tests"]:
        del sys.modules[name]
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    seen = _Told()
    # The libraries are loaded already, and their own assertions are not ours to explain.
    options = [
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    code = pytest.main([*options, *tests], plugins=[seen])
    tells.send(seen.failed or ("" if code == 0 else f"exit code {code}"))
    tells.close()
    os._exit(0)
