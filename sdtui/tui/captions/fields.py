"""The fields of a form: a line to type in, and one that is turned from value to value with left and right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from sdtui.dataset.operations import Parameter
from sdtui.tui import keys
from sdtui.tui.captions.operation_form import OFF, ON, TURNED, shown_default
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import fit, literal
from sdtui.tui.widgets.tag_input import TagInput


class FormLine(TagInput):
    """A line of a form; where nothing is offered, tab goes on to the next field."""

    def action_complete(self) -> None:
        """Take over what is offered, or go on."""
        if self.offers_any:
            super().action_complete()
        else:
            self.screen.focus_next(".entry")


class TurnField(Widget, can_focus=True):
    """One of a few values.

    Attributes:
        at: which of them.
    """

    KEY_CONTEXT: ClassVar[str] = "form"
    # The other keys of a form are the form's own.
    BINDINGS: ClassVar[list[BindingType]] = [
        binding for binding in keys.bindings("form") if binding.action in {"turn", "turn_back"}
    ]
    DEFAULT_CSS = """
    TurnField { height: 1; width: 1fr; }
    TurnField:focus { background: $cursor-line; }
    """

    class Turned(Message):
        """Another value."""

    def __init__(self, values: Sequence[str], value: str, words: str = "") -> None:
        super().__init__(classes="entry")
        self._values = list(values)
        self.at = self._values.index(value) if value in self._values else 0
        self._words = words

    @property
    def value(self) -> str:
        """The value."""
        return self._values[self.at]

    @property
    def _meaning(self) -> str:
        """What the value means, where the words say that of single ones ("title: a capital for each word; file: …")."""
        said = dict(part.strip().partition(": ")[::2] for part in self._words.split(";"))
        return said.get(self.value, "") if said.keys() & set(self._values) else self._words

    def render(self) -> Content:
        """The value between brackets that say it can be turned, and what it means."""
        marks = glyphs_of(self)
        left, right = "<>" if self.has_focus else "  "
        value = Content.assemble((f"{left} ", "$accent"), literal(self.value, "$strong"), (f" {right}", "$accent"))
        room = self.size.width - value.cell_length - 3
        return Content.assemble(value, "   ", (fit(self._meaning, max(0, room), marks.ellipsis).rstrip(), "$soft"))

    def action_turn(self) -> None:
        """The next value."""
        self._turn(1)

    def action_turn_back(self) -> None:
        """The value before."""
        self._turn(-1)

    def on_click(self) -> None:
        """A click turns, too."""
        self._turn(1)

    def _turn(self, by: int) -> None:
        self.at = (self.at + by) % len(self._values)
        self.refresh()
        self.post_message(self.Turned())


class FormRow(Horizontal):
    """A field and its name."""

    DEFAULT_CSS = """
    FormRow { height: 1; }
    FormRow > .name { width: 14; color: $soft; }
    FormRow > FormLine { width: 1fr; background: $background; }
    """

    def __init__(self, label: str, entry: FormLine | TurnField) -> None:
        super().__init__()
        self._label = label
        self.entry = entry

    def compose(self) -> ComposeResult:
        """Name and field."""
        yield Static(Content(self._label), classes="name", markup=False)
        yield self.entry


def entry_for(field: Parameter, value: str | None) -> FormLine | TurnField:
    """The field for a parameter with what was in it the last time, or else its default; empty, it says what belongs there."""
    shown = shown_default(field) if value is None else value
    if field.kind in TURNED:
        return TurnField((OFF, ON) if field.kind == "switch" else field.choices, shown, field.help)
    return FormLine(shown, placeholder=field.help, classes="entry")
