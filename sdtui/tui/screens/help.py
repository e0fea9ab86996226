"""`?`: every key that counts for what has the focus, from the one table."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sdtui.tui import keys
from sdtui.tui.widgets.linelist import LineList

KEY_COLUMN = 18
FRAME = 96  # cells, or as many per cent of a narrow window
AROUND = 6  # padding of the frame, scroll bar and a blank before it


class HelpScreen(ModalScreen[None]):
    """The keys of these contexts, grouped, each with its sentence."""

    KEY_CONTEXT: ClassVar[str] = "dialog"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("dialog")]
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle; background: $background 60%;
        & > .frame { width: 96; max-width: 96%; height: auto; max-height: 92%; background: $surface; padding: 1 2; }
        & LineList { height: auto; max-height: 100%; background: $surface; }
        & .hint { color: $soft; height: 1; margin-top: 1; dock: bottom; }
    }
    """

    def __init__(self, table: keys.KeyTable, contexts: list[str]) -> None:
        super().__init__()
        self._table, self._contexts = table, contexts

    def compose(self) -> ComposeResult:
        """A list one can scroll."""
        with Vertical(classes="frame"):
            yield LineList(pointer=False)
            close = self._table.press("dialog.close")
            yield Static(
                Content(f"{close} close   every key can be changed in [keys] of your settings"), classes="hint"
            )

    def on_resize(self) -> None:
        """Fill it for the width there is."""
        width = min(FRAME, self.size.width * FRAME // 100) - AROUND
        lines = help_lines(self._table, self._contexts, width)
        self.query_one(LineList).set_rows(len(lines), lambda index, _width: lines[index])

    def action_accept(self) -> None:
        """Nothing to choose: close."""
        self.dismiss(None)

    def action_close(self) -> None:
        """Close."""
        self.dismiss(None)


def help_lines(table: keys.KeyTable, contexts: list[str], width: int) -> list[Content]:
    """The keys of the contexts under their headings; a sentence longer than the rest of `width` goes on below itself."""
    lines: list[Content] = []
    for context in contexts:
        rows = table.rows(context)
        if rows:
            lines += [Content("")] if lines else []
            lines.append(Content.styled(keys.CONTEXTS.get(context, context), "bold $accent"))
        for row in rows:
            pressed = keys.all_shown(row.keys)
            for part in Content.styled(row.help, "$foreground").wrap(max(8, width - KEY_COLUMN)):
                lines.append(Content.styled(f"{pressed:<{KEY_COLUMN}}", "$strong") + part)
                pressed = ""
    return lines
