"""Keys that come while the images are still being listed: each does what it is for, or nothing at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from sdtui.dataset.library import Library
from sdtui.tui import key_order
from sdtui.tui.screens.captions import CaptionsScreen
from sdtui.tui.widgets.search_line import SearchLine
from tests.tui.captions.desk import SIZE, app_on, dataset, ready, screen_of, written
from tests.tui.stage import until

CAPTIONS: dict[str, bytes | None] = {"bridge": b"city, bridge\n", "canal": b"city, canal\n"}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return dataset(tmp_path / "images", CAPTIONS)


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The images are listed once this is set."""
    go_on, scan = threading.Event(), Library.scan

    def late(folder: Path) -> Library:
        go_on.wait()
        return scan(folder)

    monkeypatch.setattr(Library, "scan", late)
    yield go_on
    go_on.set()


async def typed(pilot: Pilot[None], *keys: str) -> None:
    """Without waiting for the effect of each, as a hand or a pasted line does."""
    for key in keys:
        pilot.app.simulate_key(key)
    await pilot.pause(0.1)


async def test_they_wait_and_a_search_stays_a_search(images: Path, listing: threading.Event) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await typed(pilot, "slash", *"canal")
        assert screen_of(app).model is None
        listing.set()
        await until(pilot, lambda: screen_of(app).query_one(SearchLine).value == "canal")
        await until(pilot, lambda: screen_of(app).images.count == 1)
    assert written(images)["canal.txt"] == b"city, canal\n"


async def test_nobody_remembers_keys_for_long(
    images: Path, listing: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_order, "OPENING_SECONDS", 0.2)
    monkeypatch.setattr(key_order, "BURST_SECONDS", 60.0)
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await typed(pilot, "slash", "d")
        await pilot.pause(0.5)
        listing.set()
        await ready(pilot)
        await typed(pilot, "d", "d", "m")
        assert screen_of(app).marks == 0
        assert not screen_of(app).query_one(SearchLine).is_open
    assert written(images)["bridge.txt"] == b"city, bridge\n"


async def test_escape_forgets_what_waits(images: Path, listing: threading.Event) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await typed(pilot, "m", "escape")
        listing.set()
        await ready(pilot)
        await pilot.pause(key_order.BURST_SECONDS)
        assert screen_of(app).marks == 0
        await pilot.press("m")
        await until(pilot, lambda: screen_of(app).marks == 1)


async def test_what_is_bound_everywhere_does_not_wait(images: Path, listing: threading.Event) -> None:
    app = app_on(images)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: isinstance(app.screen, CaptionsScreen))
        await pilot.pause(0.2)
        await typed(pilot, "1")
        await until(pilot, lambda: not isinstance(app.screen, CaptionsScreen))
        assert not listing.is_set()
        listing.set()  # the program ends when its threads have
