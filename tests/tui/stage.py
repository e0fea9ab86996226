"""A bare app for one widget, and what the screen says as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from sdtui.tui.theme import FALLBACK, use_theme

PATIENCE_SECONDS = 120.0


class Stage(App[None]):
    """Shows one widget in our theme."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self._widget = widget
        self.animation_level = "none"
        use_theme(self, "sdtui")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(FALLBACK)

    def compose(self) -> ComposeResult:
        yield self._widget


def screen_text(app: App[None]) -> list[str]:
    """Every row of the screen as the compositor draws it, without trailing blanks."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in app.screen._compositor.render_strips()]


def says(app: App[None], words: str) -> bool:
    """Whether the screen shows these words in one row."""
    return any(words in row for row in screen_text(app))


def header(app: App[None], words: str) -> bool:
    """Whether the first row begins with these words; while one screen gives way to another there are no rows."""
    return "".join(screen_text(app)[:1]).startswith(words)


def told(app: App[None], words: str) -> bool:
    """Whether a toast said these words (tests show none, but the app keeps them)."""
    return any(words in notification.message for notification in app._notifications)


async def until(pilot: Pilot[None], done: Callable[[], bool]) -> None:
    """Let the app and its threads work until `done`; fails when they do not get there in two minutes."""
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, 0.005
    while True:
        await pilot.pause()
        if done():
            return
        if time.monotonic() > deadline:
            raise AssertionError("it never happened: " + " | ".join(screen_text(pilot.app)))
        await asyncio.sleep(pause)
        pause = min(0.05, 1.5 * pause)


async def settle(app: App[Any]) -> None:
    """Let the app do everything that is not a thread's or a timer's."""
    loop: Any = asyncio.get_running_loop()
    for _ in range(10_000):
        await asyncio.sleep(0)
        if loop._ready:
            continue
        # A screen is drawn by a timer.
        screen = app.screen
        layout = screen._layout_required or screen._scroll_required or screen._recompose_required
        if not (layout or screen._repaint_required or screen._dirty_widgets or screen._callbacks):
            return
        screen._on_timer_update()
