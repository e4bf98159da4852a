"""What a function does while Lambda starts it, when it has the whole processor for itself."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ringhook.clients import tls
from ringhook.errors import RinghookError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def start(make: Callable[[], object], environ: Mapping[str, str] = os.environ) -> None:
    """In Lambda, make what the handler needs, and read the authorities for TLS; elsewhere nothing.

    What is wrong is no error yet: the first request says it, as each request would.
    """
    if not environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        return
    with suppress(RinghookError, ValueError):
        make()
    if not environ.get("AWS_ENDPOINT_URL", "").startswith("http:"):
        tls.context()
