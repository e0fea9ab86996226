"""What one test changes in Textual for the whole process (`--ascii` does) is as before for the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual import _border
from textual.scrollbar import ScrollBar


@pytest.fixture(autouse=True)
def borders() -> Iterator[None]:
    """Put borders and scroll bars back."""
    chars, places, renderer = dict(_border.BORDER_CHARS), dict(_border.BORDER_LOCATIONS), ScrollBar.renderer
    yield
    if ScrollBar.renderer is not renderer:
        _border.BORDER_CHARS.update(chars)
        _border.BORDER_LOCATIONS.update(places)
        ScrollBar.renderer = renderer
        _border.get_box.cache_clear()
