"""A payload in a form that a message and an item can carry: gzip in base64."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any


def pack(payload: Any) -> str:
    """Pack any JSON."""
    return base64.b64encode(gzip.compress(json.dumps(payload).encode(), mtime=0)).decode()


def unpack(packed: str) -> Any:
    """The payload that `pack` packed."""
    return json.loads(gzip.decompress(base64.b64decode(packed)))
