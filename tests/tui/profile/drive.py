"""The Profile screen in a test: opened on a profile, looked at, and driven."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from sdtui.tui.app import SdtuiApp
from sdtui.tui.profile.pane import FormPane
from sdtui.tui.screens.profile import ProfileScreen
from tests.tui.stage import screen_text, until

SIZE = (120, 36)
# The scroll bar's ends.
BAR = str.maketrans("▁▂▃▄▅▆▇█", "        ")


def app_on(profile: Path) -> SdtuiApp:
    return SdtuiApp(profile.parent, start="profile", target=profile)


def screen_of(app: SdtuiApp) -> ProfileScreen:
    screen = app._screen_stacks["profile"][0]
    assert isinstance(screen, ProfileScreen)
    return screen


def text_of(app: SdtuiApp) -> str:
    document = screen_of(app).document
    assert document is not None
    return document.text


def says(app: SdtuiApp, words: str) -> bool:
    return words in "\n".join(screen_text(app))


def row(app: SdtuiApp, name: str) -> str:
    """The form's row of a setting (the first with this name), between its neighbours."""
    rows = [line.split("│")[1].translate(BAR) for line in screen_text(app) if "│" in line]
    return next((" ".join(line.split()) for line in rows if f" {name} " in line), "")


async def opened(pilot: Pilot[None], app: SdtuiApp, words: str = "rank") -> None:
    await until(pilot, lambda: says(app, words))


async def go_to(pilot: Pilot[None], app: SdtuiApp, key: str) -> None:
    """Put the cursor on a setting."""
    assert screen_of(app).query_one(FormPane).go_to(key)
    await pilot.pause()


async def search(pilot: Pilot[None], app: SdtuiApp, words: str) -> None:
    await pilot.press("slash", *words, "enter")
    await until(pilot, lambda: app.screen is screen_of(app))


async def type_over(pilot: Pilot[None], text: str) -> None:
    """Empty the line that is open and type."""
    await pilot.press("end", "ctrl+u", *text)


def on_disk(path: Path) -> str:
    """What the file says now; empty when it is gone."""
    return path.read_text() if path.exists() else ""


def rewritten(path: Path, change: Callable[[str], str]) -> None:
    """What another program does to the file."""
    path.write_text(change(path.read_text()))
