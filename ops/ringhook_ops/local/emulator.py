"""The emulator of AWS: ministack from .venv-cloud, on a free port of this machine."""

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import boto3
import urllib3

from ringhook_ops import bundle, processes
from ringhook_ops.processes import ProgramError

LOOPBACK = "127.0.0.1"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
START_TIMEOUT = 30.0  # seconds; ministack takes one or two


class Emulator:
    """An AWS account of its own at `url`, from `start` to `stop`; its state is in `directory`.

    Args:
        directory: an empty directory, which the caller removes.
        host: the address of this machine to listen at.
        policies: whether IAM policies are enforced, as on AWS.
        python_path: where the functions that it runs find their packages.
    """

    def __init__(
        self,
        directory: Path,
        *,
        host: str = LOOPBACK,
        policies: bool = False,
        python_path: Path | None = None,
    ) -> None:
        self.url = f"http://{host}:{_free_port(host)}"
        self._directory = directory
        self._host = host
        self._policies = policies
        self._python_path = python_path
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, and wait until it answers. Raises ProgramError."""
        log = self._directory / "ministack.log"
        temporary = self._directory / "tmp"
        temporary.mkdir()
        # Not this process's environment: functions inherit the emulator's.
        env = CREDENTIALS | {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(temporary),
            "LANG": "C.UTF-8",
            "TMPDIR": str(temporary),
            "BIND_HOST": self._host,
            "MINISTACK_HOST": self._host,  # in the addresses of queues
            "GATEWAY_PORT": self.url.rpartition(":")[2],
            "AUTH": str(self._policies).lower(),
            "STATE_DIR": str(self._directory / "state"),
            "S3_DATA_DIR": str(self._directory / "s3"),
            "AWS_DEFAULT_REGION": REGION,
            "PYTHONPATH": str(self._python_path or ""),
        }
        python = bundle.ROOT / ".venv-cloud" / "bin" / "python"
        # -I: PYTHONPATH is for the functions, and not for the emulator.
        self.process = processes.start(
            [python, "-I", "-m", "ministack"], env=env, cwd=self._directory, log=log
        )
        deadline = time.monotonic() + START_TIMEOUT
        while not _answers(f"{self.url}/_ministack/health"):
            if self.process.poll() is not None:
                raise ProgramError("The local cloud ended while starting", log)
            if time.monotonic() > deadline:
                raise ProgramError(f"The local cloud was not up after {START_TIMEOUT:.0f} s", log)
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        """End it, and the functions that it runs."""
        if self.process:
            processes.stop(self.process)

    def client(self, service: str) -> Any:
        """A boto3 client of it, with all rights."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # any service
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, retries=False, timeout=1.0).status == 200
    except urllib3.exceptions.HTTPError:
        return False
