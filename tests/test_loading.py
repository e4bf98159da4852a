"""What the functions load when they start."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
from ringhook.routing.routes_file import load
load('''
countries = ["US"]
[sources.shop]
provider = "shopify"
[[routes]]
name = "one"
source = "shop"
call = { agent_id = 1, phone_number = "{{ phone }}" }
''')
print([name for name in sys.modules if name.startswith("ringhook.senders.providers.")])
"""


def test_a_source_loads_its_own_provider_and_no_other_so_that_a_start_grows_with_no_catalogue() -> (
    None
):
    ran = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "['ringhook.senders.providers.shopify']"
