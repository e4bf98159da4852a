"""What every connection with TLS shares."""

from __future__ import annotations

import functools
import ssl


@functools.cache
def context() -> ssl.SSLContext:
    """The authorities that this machine trusts: read once, for it takes 17 ms of processor time."""
    return ssl.create_default_context()
