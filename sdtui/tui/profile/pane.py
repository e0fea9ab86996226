"""The form on the screen: a row a setting, a line to type in below, and the problem at the row as one types."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from sdtui.errors import SdtuiError
from sdtui.profile.document import ProfileDocument
from sdtui.profile.problem import Problem
from sdtui.tui.literal import literal
from sdtui.tui.profile import form
from sdtui.tui.profile.form import Row
from sdtui.tui.profile.items import EditItems, PickWords
from sdtui.tui.screens.dialogs import Choose
from sdtui.tui.widgets.line_input import LineInput
from sdtui.tui.widgets.linelist import LineList

NAME_CELLS = 28


class FormPane(Vertical):
    """The settings of one document."""

    DEFAULT_CSS = """
    FormPane { width: 1fr; }
    FormPane > #typing { height: 1; display: none; background: $surface; padding: 0 1; }
    FormPane.-typing > #typing { display: block; }
    FormPane > #typing > Static { width: auto; color: $accent; text-style: bold; margin-right: 2; }
    FormPane > #typing > LineInput { width: 1fr; background: $surface; }
    """

    class Changed(Message):
        """The document was changed here."""

    class Pointed(Message):
        """Another row is under the cursor, or what is typed changed its problem."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    def __init__(self, *, ascii_only: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._ascii = ascii_only
        self._document: ProfileDocument | None = None
        self._typed: str | None = None
        self._trial: Problem | None = None
        self.rows: list[Row] = []

    def compose(self) -> ComposeResult:
        """The rows, and the line to type in."""
        yield LineList(id="fields")
        with Horizontal(id="typing"):
            yield Static("", markup=False)
            yield LineInput()

    @property
    def fields(self) -> LineList:
        """The list of rows."""
        return self.query_one("#fields", LineList)

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        cursor = self.fields.cursor
        return self.rows[cursor] if 0 <= cursor < len(self.rows) else None

    def show(self, document: ProfileDocument) -> None:
        """Show this document as it is now; the cursor stays on its setting."""
        key = self.row.key if self.row else ""
        self._document, self.rows = document, form.form_rows(document)
        at = next((i for i, row in enumerate(self.rows) if row.key == key and row.kind != "heading"), None)
        self.fields.set_rows(len(self.rows), self._draw, cursor=at, selectable=lambda i: self.rows[i].kind != "heading")
        if self.row is not None:
            self.post_message(self.Pointed(self.row))

    def go_to(self, key: str) -> bool:
        """Put the cursor on a setting, or on the first of a section; False when there is none."""
        for index, row in enumerate(self.rows):
            if row.key == key or (row.kind == "heading" and row.section == key):
                self.fields.move_to(index + (row.kind == "heading"))
                return True
        return False

    def find(self, text: str, start: int) -> bool:
        """Go to the next setting from `start` on whose name, key or help contains `text`."""
        wanted = text.lower()
        for offset in range(len(self.rows)):
            index = (start + offset) % len(self.rows)
            row = self.rows[index]
            words = f"{row.key} {row.setting.help} {' '.join(row.setting.aka)}" if row.setting else row.key
            if row.kind != "heading" and wanted in words.lower():
                self.fields.move_to(index)
                return True
        return False

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """Another setting: the typing ends, the help follows."""
        event.stop()
        self._stop_typing()
        if self.row is not None:
            self.post_message(self.Pointed(self.row))

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """A second click."""
        event.stop()
        self.edit()

    # -- editing --------------------------------------------------------------------------------------------------

    def edit(self) -> None:
        """Change the setting under the cursor in the way its type wants."""
        row, document = self.row, self._document
        if row is None or document is None or row.setting is None:
            if row is not None and row.kind == "add":
                self.add_folder()
            return
        value = document.get(row.key)
        if row.setting.type_name == "true or false":
            self.put(row.key, not value)
        elif row.setting.type_name == "one of":
            choices = [(word, word) for word in row.setting.choices]
            self.app.push_screen(Choose(row.key, choices), lambda word: self.put(row.key, word) if word else None)
        elif form.is_text_list(row.setting):
            dialog = PickWords if row.setting.choices else EditItems
            held = list(value) if isinstance(value, (list, tuple)) else []
            screen = dialog(row.key, held, row.setting.choices)
            self.app.push_screen(screen, lambda items: self.put(row.key, items) if items is not None else None)
        else:
            self._start_typing(row, form.as_typed(value))

    def turn(self, by: int) -> None:
        """The next or previous choice of the setting under the cursor."""
        row, document = self.row, self._document
        if row is not None and row.setting is not None and document is not None:
            chosen = form.next_choice(row.setting, document.get(row.key), by)
            if chosen is not None:
                self.put(row.key, chosen)

    def to_default(self) -> None:
        """Take the setting out of the file, or an unknown key out of the way."""
        row = self.row
        if row is not None and row.kind in {"setting", "stray"}:
            self.put(row.key, None)

    def add_folder(self) -> None:
        """One more folder of images, with an empty path to fill in."""
        if self._document is None:
            return
        number = self._document.rows(form.FOLDERS)
        self._attempt(lambda document: document.add_row(form.FOLDERS, path=""))
        if self.go_to(f"{form.FOLDERS}[{number}].path"):
            self.edit()

    def drop_folder(self) -> None:
        """Remove the folder that the cursor is in."""
        row = self.row
        if row is not None and row.key.startswith(f"{form.FOLDERS}["):
            key = row.key.partition("]")[0] + "]"
            self._attempt(lambda document: document.remove_row(key))

    def put(self, key: str, value: Any) -> None:
        """Set a value; None takes it out of the file."""
        self._attempt(lambda document: document.unset(key) if value is None else document.set(key, value))

    def _attempt(self, change: Any) -> None:
        if self._document is None:
            return
        try:
            change(self._document)
        except SdtuiError as error:
            self.app.notify(str(error), severity="error", markup=False)
            return
        self.show(self._document)
        self.post_message(self.Changed())

    def _start_typing(self, row: Row, text: str) -> None:
        self._typed, self._trial = text, row.problem
        self.add_class("-typing")
        self.query_one("#typing > Static", Static).update(Content(row.title))
        line = self.query_one(LineInput)
        line.value = text
        line.focus()

    def _stop_typing(self) -> None:
        if self._typed is None:
            return
        self._typed = self._trial = None
        self.remove_class("-typing")
        self.fields.redraw()
        self.fields.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Judge what is typed, at once and on a copy."""
        event.stop()
        row = self.row
        if self._typed is None or self._document is None or row is None or row.setting is None:
            return
        self._typed = event.value
        self._trial = form.trial(self._document, row.key, form.parse_typed(row.setting, event.value))
        self.fields.redraw(self.fields.cursor)
        self.post_message(self.Pointed(Row(row.kind, row.section, row.key, row.title, row.setting, self._trial)))

    def on_line_input_accepted(self, event: LineInput.Accepted) -> None:
        """Take it, wrong or not: the problem stays at the row, and the file is written only when asked."""
        event.stop()
        row = self.row
        self._stop_typing()
        if row is not None and row.setting is not None:
            self.put(row.key, form.parse_typed(row.setting, event.value))

    def on_line_input_left(self, event: LineInput.Left) -> None:
        """Leave the setting as it was."""
        event.stop()
        self._stop_typing()
        if self.row is not None:
            self.post_message(self.Pointed(self.row))

    # -- drawing --------------------------------------------------------------------------------------------------

    def _draw(self, index: int, _width: int) -> Content:
        row = self.rows[index]
        if row.kind == "heading":
            return literal(row.title, "bold $accent", ascii_only=self._ascii)
        typing = self._typed is not None and index == self.fields.cursor
        problem = self._trial if typing else row.problem
        sign, style = _sign(problem)
        name = literal(f"{row.title:<{NAME_CELLS}}", "$soft" if row.setting else style, ascii_only=self._ascii)
        line = Content.styled(f"{sign} ", style) + name + self._value(row, typing)
        if problem is not None:
            allowed = f", allowed: {problem.allowed}" if problem.allowed and row.setting else ""
            line += literal(f"{'   ' if row.setting else ''}{problem.message}{allowed}", style, ascii_only=self._ascii)
        return line

    def _value(self, row: Row, typing: bool) -> Content:
        document = self._document
        if document is None or row.setting is None:
            return Content.styled("press a" if row.kind == "add" else "", "$faint")
        if typing:
            return literal(self._typed or "", "bold $strong", ascii_only=self._ascii)
        text = form.shown_value(document, row)
        own = document.is_set(row.key)
        words = text or ("(empty)" if row.setting.type_name in {"text", "list"} else "not set")
        unit = f" {row.setting.unit}" if row.setting.unit and text else ""
        style = "$foreground" if own and text else "$faint" if not text else "$soft"
        return literal(words, f"bold {style}" if own and text else style, ascii_only=self._ascii) + Content.styled(
            unit, "$soft"
        )


def _sign(problem: Problem | None) -> tuple[str, str]:
    if problem is None:
        return " ", "$faint"
    return ("!", "$error") if problem.severity == "error" else ("?", "$warning")
