"""What one test changes in Textual for the whole process is as before for the next, and no key waits for the clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual import _border
from textual import app as textual_app
from textual import pilot as textual_pilot
from textual._context import active_app
from textual.scrollbar import ScrollBar

from sdtui.tui import key_order
from tests.tui.stage import settle


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


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pilot goes on when the app has done all it can, instead of when the process seems idle by the clock.

    That took 40 ms and more for each key, and told nothing where other programs had the processor.
    """

    async def settled(*_seconds: float) -> None:
        await settle(active_app.get())

    monkeypatch.setattr(textual_app, "wait_for_idle", settled)
    monkeypatch.setattr(textual_pilot, "wait_for_idle", settled)


@pytest.fixture(autouse=True)
def keys_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys typed ahead wait for the app however slow the machine is."""
    monkeypatch.setattr(key_order, "PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr(key_order, "OPENING_SECONDS", 60.0)
