"""Other programs, started in process groups of their own so that nothing of them is left behind."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

GRACE = 5.0  # seconds between asking a group to end and ending it
TAIL = 30  # lines of a log that explain a failure


class ProgramError(RuntimeError):
    """A program failed; the message ends with the last lines of what it said."""

    def __init__(self, what: str, log: Path) -> None:
        lines = log.read_text(errors="replace").rstrip().splitlines()
        super().__init__("\n".join([f"{what}:", *lines[-TAIL:]]))


def start(
    command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, log: Path
) -> subprocess.Popen[bytes]:
    """Start `command`, writing what it says to `log`; Ctrl-C in the terminal does not reach it."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End `process` and all that it started."""
    for end in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, end)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)


def run(command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
    """Run `command` to its end.

    Raises:
        ProgramError: if it fails.
    """
    process = start(command, env=env, cwd=cwd, log=log)
    try:
        status = process.wait()
    finally:
        stop(process)
    if status:
        raise ProgramError(f"`{' '.join(map(str, command[:2]))}` ended with status {status}", log)
