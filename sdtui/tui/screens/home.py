"""Home: the profiles, runs and datasets of the workspace."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from sdtui.tui import keys
from sdtui.tui.screens.base import SdtuiScreen
from sdtui.tui.widgets.linelist import LineList


class HomeScreen(SdtuiScreen):
    """What there is, and what it is doing."""

    NAME = "home"
    KEY_CONTEXT = "home"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("home")]

    def body(self) -> ComposeResult:
        """One list."""
        yield LineList(classes="main")
