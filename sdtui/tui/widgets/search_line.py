"""The search of a list: a line that appears when asked for and says how many rows it leaves."""

from __future__ import annotations

from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from sdtui.tui.widgets.line_input import LineInput


class SearchLine(Horizontal):
    """`/ text        187 of 1 240`, hidden until `open`."""

    DEFAULT_CSS = """
    SearchLine { height: 1; padding: 0 1; display: none; background: $surface; }
    SearchLine.-open { display: block; }
    SearchLine > #slash { width: 2; color: $accent; }
    SearchLine > LineInput { width: 1fr; background: $surface; }
    SearchLine > #found { width: auto; color: $soft; }
    """

    def __init__(self, line: LineInput | None = None) -> None:
        """`line` is what is typed into; it must have the id `search`."""
        super().__init__()
        self.line = line or LineInput(id="search")
        self._found = Static("", id="found", markup=False)

    @property
    def value(self) -> str:
        """What is searched for; empty while the line is closed."""
        return self.line.value if self.is_open else ""

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-open")

    async def open(self, *, typing: bool = True) -> None:
        """Show it and, if `typing`, type. The line is made when first wanted, so that no screen's first frame waits for it."""
        if not self.children:
            await self.mount(Static("/", id="slash", markup=False), self.line, self._found)
        self.add_class("-open")
        if typing:
            self.screen.set_focus(self.line)

    def close(self) -> None:
        """Hide it and forget what was typed."""
        self.remove_class("-open")
        with self.line.prevent(LineInput.Changed):
            self.line.value = ""
        self._found.update(Content(""))

    def say(self, words: str) -> None:
        """How much was found."""
        self._found.update(Content(f"  {words}"))
