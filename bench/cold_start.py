"""What the functions' imports cost, as a ratio to a bare interpreter that can hash and read JSON.

    .venv/bin/python bench/cold_start.py

Each row is a fresh interpreter with compiled bytecode, measured in user CPU by the operating
system; the least of several runs, taken in turns so that a slow moment slows all rows alike.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

SRC = Path(__file__).parent.parent / "src"
RUNS = 9
ROWS = {
    "floor: json, hmac, base64": "import json, hmac, hashlib, base64",
    "urllib3": "import urllib3",
    "pydantic, one model": "import pydantic\nclass A(pydantic.BaseModel):\n    a: int",
    "Powertools logger and metrics": "from aws_lambda_powertools import Logger, Metrics",
    "jmespath": "import jmespath",
    "phonenumbers": "import phonenumbers",
    "boto3": "import boto3",
    "boto3, clients of the receiver": "import boto3\n"
    "for s in ('secretsmanager', 'sqs'): boto3.client(s, region_name='us-east-1')",
    "the receiver": "import ringhook.receiver",
    "the receiver with its routes": "import ringhook.receiver as r\n"
    "r.routes_file.load(r.ROUTES.read_text())",
    "the dialer": "import ringhook.dialer",
}


def cpu_seconds(code: str) -> float:
    """User and system CPU seconds of one fresh interpreter that runs this code."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SRC),
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_METRICS_NAMESPACE": "Ringhook",
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print the table."""
    for code in ROWS.values():
        cpu_seconds(code)  # compiles what is not compiled yet
    least = dict.fromkeys(ROWS, float("inf"))
    for _ in range(RUNS):
        for name, code in ROWS.items():
            least[name] = min(least[name], cpu_seconds(code))
    floor = least["floor: json, hmac, base64"]
    table = Table("imported", "CPU ms", "ratio to the floor")
    for name, seconds in least.items():
        table.add_row(name, f"{seconds * 1000:.0f}", f"{seconds / floor:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
