"""The pages about senders are made from the data that serves them, and are current."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringhook import providers
from ringhook_ops import catalogue

PAGES = Path(__file__).parent.parent / "docs" / "providers"


@pytest.mark.parametrize("name", providers.names())
def test_every_provider_has_a_current_page(name: str) -> None:
    assert (PAGES / f"{name}.md").read_text() == catalogue.page(name), "ringhook providers --write"


def test_the_list_of_senders_is_current_and_has_no_page_too_many() -> None:
    assert (PAGES / "README.md").read_text() == catalogue.index()
    assert {path.stem for path in PAGES.glob("*.md")} == {"README", *providers.names()}
