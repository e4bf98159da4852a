"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def facts() -> dict[str, str]:
    """The machine, its Python and the time, each in words."""
    return {
        "processor": f"{os.cpu_count()} cores of {_processor()}",
        "system": f"{platform.system()} {platform.release()}, {_memory()}",
        "Python": platform.python_version(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "busy": f"load average {load()} at the start",
    }


def load() -> str:
    """How many processes wanted a core in the last minute, the bench's own among them."""
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{total / 2**30:.0f} GiB of memory"
