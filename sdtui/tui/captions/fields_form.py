"""A dialog of fields: the arrows go from one to the next, enter uses what stands in them from everywhere, escape leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sdtui.tui import keys

ResultT = TypeVar("ResultT")


class FieldsForm(ModalScreen[ResultT]):
    """What all such dialogs have; subclasses lay out entries of the class `entry` and say what enter does."""

    KEY_CONTEXT: ClassVar[str] = "form"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("form")]
    AUTO_FOCUS = "FormLine, TurnField"
    DEFAULT_CSS = """
    FieldsForm {
        align: center middle; background: $background 60%;
        & > .frame { max-width: 96%; background: $surface; padding: 1 2; }
        & .title { color: $strong; text-style: bold; height: 1; margin-bottom: 1; }
        & .hint { color: $soft; height: 1; }
    }
    """

    def ways(self, use: str) -> Static:
        """The line that says what the keys do; `use` is the word for enter."""
        press = keys.key_table_of(self).press
        named: Iterable[tuple[str, str]] = (("next", "next"), ("turn", "change"), ("accept", use), ("close", "leave"))
        return Static(Content("   ".join(f"{press(f'form.{name}')} {word}" for name, word in named)), classes="hint")

    def on_key(self, event: events.Key) -> None:
        """The arrows go from field to field, also out of a line that is typed in."""
        if event.key in {"down", "up"}:
            event.stop()
            self.action_next() if event.key == "down" else self.action_previous()

    def action_next(self) -> None:
        """The next field."""
        self.focus_next(".entry")

    def action_previous(self) -> None:
        """The field before."""
        self.focus_previous(".entry")

    def on_line_input_accepted(self) -> None:
        """Enter counts for the whole form in every field."""
        self.action_accept()

    def on_line_input_left(self) -> None:
        """Leave."""
        self.action_close()

    def action_accept(self) -> None:
        """Use what stands in the fields."""
        raise NotImplementedError

    def action_close(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)
