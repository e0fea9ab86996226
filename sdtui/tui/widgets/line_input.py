"""A line to type in: no blinking cursor (3 kB/s over SSH), `enter` and `escape` from the table of keys."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from sdtui.tui import keys
from sdtui.tui.literal import harmless


class LineInput(Input):
    """An Input that posts `Accepted` and `Left`, and `Input.Changed` as one types."""

    KEY_CONTEXT: ClassVar[str] = "typing"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("typing")]
    DEFAULT_CSS = """
    LineInput { height: 1; border: none; padding: 0; background: $background; color: $strong; }
    LineInput:focus { border: none; background: $surface; background-tint: transparent 0%; }
    """

    class Accepted(Message):
        """Enter was pressed."""

        def __init__(self, sender: LineInput, value: str) -> None:
            super().__init__()
            self.input = sender
            self.value = value

        @property
        def control(self) -> LineInput:
            """The line it happened in."""
            return self.input

    class Left(Message):
        """Escape was pressed."""

        def __init__(self, sender: LineInput) -> None:
            super().__init__()
            self.input = sender

        @property
        def control(self) -> LineInput:
            """The line it happened in."""
            return self.input

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(value, placeholder=placeholder, id=id, classes=classes, select_on_focus=False, compact=True)
        self.cursor_blink = False

    @property
    def _value(self) -> Text:
        """What is drawn: a caption may hold what a terminal would obey."""
        drawn = super()._value
        return Text(
            harmless(drawn.plain), style=drawn.style, spans=drawn.spans, end="", no_wrap=True, overflow="ignore"
        )

    def action_accept(self) -> None:
        """Hand over what was typed."""
        self.post_message(self.Accepted(self, self.value))

    def action_complete(self) -> None:
        """Take over what is offered; without an offer nothing happens, least of all a jump to another widget."""
        if self._suggestion and self.cursor_at_end:
            self.action_cursor_right()

    def action_leave(self) -> None:
        """Leave."""
        self.post_message(self.Left(self))
