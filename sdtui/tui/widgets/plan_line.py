"""A sentence that may be longer than its line: wrapped over the rows there are, with an ellipsis where those are not enough."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from sdtui.tui.glyphs import glyphs_of


class PlanLine(Widget):
    """Shows what `show` was given last."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._content = Content("")

    def show(self, content: Content) -> None:
        """Show this; draws only when it differs."""
        if content != self._content:
            self._content = content
            self.refresh()

    def render(self) -> Content:
        """As much of it as there is room for."""
        width, height = self.content_size
        lines = self._content.wrap(width) if width else []
        if len(lines) > height:
            ellipsis = glyphs_of(self).ellipsis
            last = lines[height - 1].truncate(width - len(ellipsis)).rstrip()
            lines = [*lines[: height - 1], last + Content.styled(ellipsis, "$soft")]
        return Content("\n").join(lines)
