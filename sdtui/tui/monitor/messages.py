"""The run's messages as a list: each wrapped to the panel, the newest in view until someone scrolls back."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from sdtui.runs.figures import Message
from sdtui.tui.literal import literal
from sdtui.tui.monitor.words import message_line
from sdtui.tui.widgets.linelist import LineList

# Cells before the words: the time of day and a gap; lines that go on are indented by as much.
CLOCK_CELLS = 9


class MessagePanel(LineList):
    """Messages with their time of day; a long one takes as many rows as it needs, for its remedy stands at its end."""

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._ascii = ascii_only
        self._messages: tuple[Message, ...] = ()
        self._rows: list[Content] = []
        self._wrapped_to = 0

    def show(self, messages: Sequence[Message]) -> None:
        """Show these; stays at the end if the end was in view."""
        if tuple(messages) != self._messages:
            self._messages = tuple(messages)
            self._wrap()

    def on_resize(self) -> None:
        """Wrap for the new width."""
        super().on_resize()
        if self.scrollable_content_region.width != self._wrapped_to:
            self._wrap()

    def _wrap(self) -> None:
        following = self.cursor >= self.count - 1
        self._wrapped_to = self.scrollable_content_region.width
        # Two cells are the cursor's.
        room = max(8, self._wrapped_to - CLOCK_CELLS - 2)
        self._rows = [row for message in self._messages for row in self._rows_of(message, room)]
        self.set_rows(len(self._rows), lambda index, _width: self._rows[index])
        if following:
            # The list knows its new length only after a refresh.
            self.call_after_refresh(self.move_to, len(self._rows) - 1)

    def _rows_of(self, message: Message, room: int) -> list[Content]:
        clock, text, colour = message_line(message)
        lines = literal(text, colour, ascii_only=self._ascii).wrap(room)
        heads = [Content.styled(f"{clock} ", "$soft"), *[Content(" " * CLOCK_CELLS)] * (len(lines) - 1)]
        return [head + line for head, line in zip(heads, lines, strict=True)]
