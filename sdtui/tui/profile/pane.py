"""The form on the screen: a row a setting, a line to type in below, and the problem at the row as one types."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from sdtui.errors import SdtuiError
from sdtui.profile.document import ProfileDocument
from sdtui.profile.problem import Problem
from sdtui.tui import keys
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import clean, fit, literal, shorten
from sdtui.tui.profile import form
from sdtui.tui.profile.form import Row
from sdtui.tui.profile.items import EditItems, PickWords
from sdtui.tui.screens.dialogs import Choose
from sdtui.tui.widgets.line_input import LineInput
from sdtui.tui.widgets.linelist import LineList

NAME_CELLS = 27
MIN_VALUE_CELLS = 16
BESIDE = "  "
NOT_USED = "not used"


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
        self._typed_key = ""
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
        self._document, self.rows = document, form.form_rows(document, keys.key_table_of(self).press)
        at = next((i for i, row in enumerate(self.rows) if row.key == key and row.kind != "heading"), None)
        self.fields.set_rows(len(self.rows), self._draw, cursor=at, selectable=lambda i: self.rows[i].kind != "heading")
        if self.row is not None and self._typed is None:
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
        # Told late of the move that led here, the line that was opened meanwhile must stay.
        if self.row is None or self.row.key != self._typed_key:
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
                self.add_to_list()
            return
        value = document.get(row.key)
        if row.setting.type_name == "true or false":
            self.put(row.key, not value)
        elif row.setting.type_name == "one of":
            choices = [(word, word) for word in row.setting.choices]
            choose = Choose(row.key, choices, now=str(value))
            self.app.push_screen(choose, lambda word: self.put(row.key, word) if word else None)
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

    def add_to_list(self) -> None:
        """One more word where the cursor is among words, else one more folder of images; to be filled in."""
        if self._document is None:
            return
        base = (form.list_of(self.row.key) if self.row else "") or form.FOLDERS
        number, first = self._document.rows(base), form.LISTS[base][1]
        self._attempt(lambda document: document.add_row(base, **{first: ""}))
        if self.go_to(f"{base}[{number}].{first}"):
            self.edit()

    def drop_from_list(self) -> None:
        """Remove the folder or word that the cursor is in; the cursor stays in the list."""
        row, document = self.row, self._document
        if row is None or document is None or row.kind == "add" or "[" not in row.key:
            return
        base, key = form.list_of(row.key), row.key.partition("]")[0] + "]"
        if base:
            self._attempt(lambda document: document.remove_row(key))
            last = document.rows(base) - 1
            self.go_to(f"{base}[{last}].{form.LISTS[base][1]}" if last >= 0 else base)

    def put(self, key: str, value: Any) -> None:
        """Set a value; None takes it out of the file."""
        self._attempt(lambda document: document.unset(key) if value is None else document.set(key, value))

    def _attempt(self, change: Any) -> None:
        if self._document is None:
            return
        try:
            change(self._document)
        except SdtuiError as error:
            self.app.notify(clean(str(error), ascii_only=self._ascii, lines=True), severity="error", markup=False)
            return
        self.show(self._document)
        self.post_message(self.Changed())

    def _start_typing(self, row: Row, text: str) -> None:
        self._typed, self._typed_key, self._trial = text, row.key, row.problem
        self.add_class("-typing")
        self.query_one("#typing > Static", Static).update(Content(row.title))
        line = self.query_one(LineInput)
        line.value = text
        if row.setting is not None and form.is_number(row.setting):
            # Behind 0.0, a 5 would make 0.05: what is typed takes the number's place, unless an arrow is pressed first.
            line.select_all()
        else:
            line.cursor_position = len(text)
        line.focus()

    def _stop_typing(self) -> None:
        if self._typed is None:
            return
        self._typed, self._typed_key, self._trial = None, "", None
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

    def _draw(self, index: int, width: int) -> Content:
        row, document = self.rows[index], self._document
        if row.kind == "heading":
            return literal(row.title, "bold $accent", ascii_only=self._ascii)
        typed = self._typed if index == self.fields.cursor else None
        if typed is not None:
            row = replace(row, problem=self._trial, more=())
        sign, style = _sign(row.problem)
        said = form.said_at_row(row, form.named_folder(document, row) if document and row.problem else "")
        of_name = "$faint" if row.steps_back else "$soft" if row.setting else style
        name = literal(f"{row.title:<{NAME_CELLS}}", of_name, ascii_only=self._ascii)
        room = width - NAME_CELLS - len(sign) - 1
        # A long value gives way to what is wrong with it, down to a few cells.
        kept = max(MIN_VALUE_CELLS, room - len(said) - len(BESIDE)) if said else room
        line = Content.styled(f"{sign} ", style) + name + self._value(row, typed, kept)
        if said:
            beside = Content(BESIDE if row.setting else "") + literal(said, style, ascii_only=self._ascii)
            line += self._cut(beside, width - line.cell_length)
        return line

    def _value(self, row: Row, typed: str | None, room: int) -> Content:
        """The value in at most `room` cells: what the file says stands out, defaults step back."""
        document, setting = self._document, row.setting
        if document is None or setting is None:
            add = f"press {keys.key_table_of(self).press('profile.add_folder')}"
            return Content.styled(add if row.kind == "add" else "", "$faint")
        if typed is not None:
            return self._cut(literal(typed, "bold $strong", ascii_only=self._ascii), room)
        if row.steps_back:
            return Content.styled(NOT_USED, "$faint")
        text = form.shown_value(document, row)
        words = text or ("(empty)" if setting.type_name in {"text", "list"} else "not set")
        unit = form.unit_of(setting, document.get(row.key)) if text else ""
        unit = f" {unit}" if unit else ""
        style = "$faint" if not text else "bold $foreground" if document.is_set(row.key) else "$soft"
        room -= len(unit)
        ellipsis = glyphs_of(self).ellipsis
        shown = clean(words, ascii_only=self._ascii)
        # The end of a path says as much as its beginning.
        shown = shorten(shown, room, ellipsis) if setting.path else fit(shown, room, ellipsis).rstrip()
        return Content.styled(shown, style) + Content.styled(unit, "$soft")

    def _cut(self, content: Content, room: int) -> Content:
        if content.cell_length <= room:
            return content
        ellipsis = glyphs_of(self).ellipsis
        return content.truncate(max(0, room - len(ellipsis))) + Content.styled(ellipsis, "$soft")


def _sign(problem: Problem | None) -> tuple[str, str]:
    if problem is None:
        return " ", "$faint"
    return ("!", "$error") if problem.severity == "error" else ("?", "$warning")
