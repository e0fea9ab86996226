"""Three small modal questions: confirm, ask for a line, choose from a list. Each is one frame over the dimmed screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key as KeyEvent
from textual.screen import ModalScreen
from textual.widgets import Static

from sdtui.tui import keys
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import clean, fit, literal, shorten
from sdtui.tui.widgets.line_input import LineInput
from sdtui.tui.widgets.linelist import LineList
from sdtui.tui.widgets.tag_input import Offering, TagInput

Result = TypeVar("Result")
# Of a list of choices: the least width of its frame, and what of it is beside the words (a letter, too).
FRAME_CELLS, BESIDE_CELLS = 64, 10


class Dialog(ModalScreen[Result], Generic[Result]):
    """A frame with a title; subclasses fill `content()` and say in HINTS which actions (ids of keys) the last line names."""

    KEY_CONTEXT: ClassVar[str] = "dialog"
    HINTS: ClassVar[Sequence[tuple[str, str]]] = (("dialog.accept", "choose"), ("dialog.close", "leave"))
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("dialog")]
    DEFAULT_CSS = """
    Dialog {
        align: center middle; background: $background 60%;
        & > .frame { width: 64; max-width: 92%; height: auto; max-height: 92%; background: $surface; padding: 1 2; }
        & .title { color: $strong; text-style: bold; height: auto; margin-bottom: 1; }
        & .detail { height: auto; margin-bottom: 1; }
        & .hint { color: $soft; height: 1; margin-top: 1; }
        & LineList { height: auto; max-height: 20; background: $surface; }
        & LineInput { background: $background; }
    }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """Title, content, hint."""
        press = keys.key_table_of(self).press
        hints = [f"{' '.join(map(press, names.split()))} {word}" for names, word in self.HINTS]
        with Vertical(classes="frame"):
            yield Static(literal(self._title, lines=True), classes="title")
            yield from self.content()
            yield Static(Content("   ".join(hints)), classes="hint")

    def content(self) -> ComposeResult:
        """What stands between title and hint."""
        yield from ()

    def action_accept(self) -> None:
        """Choose what is highlighted."""

    def action_close(self) -> None:
        """Close without doing anything."""
        self.dismiss(None)


class Ask(Dialog[str]):
    """One line of text; dismisses with it, or with None.

    Args:
        title: the question.
        value: what stands in the line at first.
        placeholder: what stands there while it is empty.
        offering: gives the tags that are offered, and what is typed takes the place of `value`; None: no tag is asked for.
    """

    HINTS = (("typing.accept", "accept"), ("typing.leave", "leave"))

    def __init__(self, title: str, value: str = "", *, placeholder: str = "", offering: Offering | None = None) -> None:
        super().__init__(title)
        self._offering = offering
        self._value = value
        self._placeholder = placeholder

    def content(self) -> ComposeResult:
        """The line."""
        if self._offering is None:
            yield LineInput(self._value, placeholder=clean(self._placeholder))
            return
        line = TagInput(self._value, placeholder=clean(self._placeholder))
        line.offering = self._offering
        yield line

    def on_mount(self) -> None:
        """A tag that stands in the line is only the likeliest."""
        if self._offering is not None:
            self.query_one(LineInput).select_all()

    def on_line_input_accepted(self, event: LineInput.Accepted) -> None:
        """Hand it over."""
        self.dismiss(event.value)

    def on_line_input_left(self) -> None:
        """Leave."""
        self.dismiss(None)


class Choose(Dialog[str]):
    """A list of (value, text) pairs; dismisses with the value, or with None. A choice's own key picks it at once.

    Args:
        title: the question; may have several lines.
        choices: value, text, and optionally the letter that picks it.
        detail: what one has to see to choose, between question and choices.
        now: the value that counts now; the cursor starts there.
        ends: whether what does not fit is cut in the middle, as for long names with words behind them.
    """

    def __init__(
        self,
        title: str,
        choices: Sequence[tuple[str, str] | tuple[str, str, str]],
        detail: Content | None = None,
        *,
        now: str = "",
        ends: bool = False,
    ) -> None:
        super().__init__(title)
        self._now = now
        self._cut = shorten if ends else fit
        self._detail = detail
        self._choices = [(choice[0], choice[1], choice[2] if len(choice) > 2 else "") for choice in choices]

    def content(self) -> ComposeResult:
        """What is to be seen, and the list."""
        if self._detail is not None:
            yield Static(self._detail, classes="detail")
        yield LineList()

    def on_mount(self) -> None:
        """Fill the list, in a frame as wide as the longest choice wants, if there is room."""
        longest = max((Content(clean(text)).cell_length for _value, text, _letter in self._choices), default=0)
        self.query_one(".frame").styles.width = max(FRAME_CELLS, longest + BESIDE_CELLS)
        values = [value for value, _text, _letter in self._choices]
        at = values.index(self._now) if self._now in values else 0
        self.query_one(LineList).set_rows(len(self._choices), self._row, cursor=at)

    def on_key(self, event: KeyEvent) -> None:
        """A choice's own letter."""
        for value, _text, letter in self._choices:
            if letter and event.character == letter:
                event.stop()
                event.prevent_default()
                self.dismiss(value)
                return

    def on_line_list_chosen(self) -> None:
        """A second click."""
        self.action_accept()

    def action_accept(self) -> None:
        """The highlighted one."""
        self.dismiss(self._choices[self.query_one(LineList).cursor][0])

    def _row(self, index: int, width: int) -> Content:
        _value, text, letter = self._choices[index]
        # The column of letters is there only if a choice has one.
        own = f"{letter or ' '}  " if any(each[2] for each in self._choices) else ""
        words = self._cut(clean(text), width - len(own), glyphs_of(self).ellipsis)
        return Content.assemble((own, "bold $accent"), Content(words))


class Confirm(Choose):
    """Yes or no; dismisses with "yes" or None. `no` is highlighted first."""

    def __init__(self, title: str, *, yes: str, no: str = "leave it") -> None:
        super().__init__(title, [("", no, "n"), ("yes", yes, "y")])

    def action_accept(self) -> None:
        """Only the yes is an answer."""
        self.dismiss("yes" if self.query_one(LineList).cursor == 1 else None)
