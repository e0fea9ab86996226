"""The saved queries of a dataset in a dialog: how many images each finds, to look for one again, save, rename, delete."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.worker import get_current_worker

from sdtui.errors import SdtuiError
from sdtui.tui import keys
from sdtui.tui.captions.image_marks import Done
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.querying import problem_of
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import clean, fit
from sdtui.tui.numbers import grouped
from sdtui.tui.screens.dialogs import Ask, Confirm, Dialog
from sdtui.tui.widgets.linelist import LineList

NAME, COUNT = 20, 9


class SavedQueries(Dialog[str]):
    """Dismisses with the query to look for, or with None.

    Args:
        model: the dataset.
        query: what is looked for now, which may be saved; may be empty.
        done: hears how writing went, in another thread.
    """

    KEY_CONTEXT: ClassVar[str] = "saved"
    HINTS = (
        ("saved.recall", "look for it"),
        ("saved.save", "save this one"),
        ("saved.rename", "rename"),
        ("saved.forget", "delete"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("saved")]
    DEFAULT_CSS = "SavedQueries > .frame { width: 90; }"

    def __init__(self, model: CaptionsModel, query: str, done: Done) -> None:
        super().__init__("Saved queries")
        self._marks = model.marks
        self._model = model
        self._query = query
        self._done = done
        self._names: list[str] = []
        # How many images each query finds; None where it cannot be told.
        self._found: dict[str, int | None] = {}

    def content(self) -> ComposeResult:
        """One row a query."""
        yield LineList()

    def on_mount(self) -> None:
        """Fill the list, then count."""
        self._fill("")

    def on_line_list_chosen(self) -> None:
        """A second click."""
        self.action_recall()

    def action_recall(self) -> None:
        """Look for the highlighted one."""
        if (name := self._chosen) is not None:
            self.dismiss(self._marks.queries[name])

    def action_save(self) -> None:
        """Save what is looked for now."""
        if not self._query or problem_of(self._query) is not None or self._query.startswith("@"):
            self.notify("nothing is looked for now that could be saved", markup=False)
            return

        def named(answer: str | None) -> None:
            if name := (answer or "").strip():
                self._marks.save_query(name, self._query, self._done)
                self._fill(name)

        self.app.push_screen(Ask(f"Save {self._query} as", placeholder="name"), named)

    def action_rename(self) -> None:
        """Give the highlighted one another name."""
        if (old := self._chosen) is None:
            return

        def named(answer: str | None) -> None:
            name = (answer or "").strip()
            if name in self._marks.queries and name != old:
                self.notify("another query has that name", severity="warning", markup=False)
            elif name and name != old:
                self._marks.rename_query(old, name, self._done)
                self._fill(name)

        self.app.push_screen(Ask(f"Another name for {old}", old), named)

    def action_forget(self) -> None:
        """Delete the highlighted one, if the user means it."""
        if (name := self._chosen) is None:
            return

        def answer(said: str | None) -> None:
            if said:
                self._marks.forget_query(name, self._done)
                self._fill("")

        self.app.push_screen(Confirm(f"Delete the saved query {name}?", yes="delete it"), answer)

    @property
    def _chosen(self) -> str | None:
        return self._names[self.query_one(LineList).cursor] if self._names else None

    def _fill(self, chosen: str) -> None:
        self._names = sorted(self._marks.queries)
        rows = self.query_one(LineList)
        if self._names:
            at = self._names.index(chosen) if chosen in self._names else max(0, rows.cursor)
            rows.set_rows(len(self._names), self._row, cursor=at)
            self.run_worker(self._count, thread=True, group="count", exclusive=True, exit_on_error=False)
        else:
            nothing = Content.styled("none yet", "$soft")
            rows.set_rows(1, lambda _index, _width: nothing, selectable=lambda _index: False)

    def _count(self) -> None:
        """In a thread: how many images each finds."""
        worker = get_current_worker()
        for name, query in sorted(self._marks.queries.items()):
            if worker.is_cancelled:
                return
            try:
                found: int | None = len(self._model.search_slowly(query, lambda: worker.is_cancelled))
            except SdtuiError:
                found = None
            if not worker.is_cancelled:
                self.app.call_from_thread(self._counted, name, found)

    def _counted(self, name: str, found: int | None) -> None:
        self._found[name] = found
        self.query_one(LineList).redraw()

    def _row(self, index: int, width: int) -> Content:
        name = self._names[index]
        ascii_only, marks = glyphs_of(self).rule == "-", glyphs_of(self)
        found = self._found.get(name, -1)
        number = "-" if found is None else "" if found < 0 else grouped(found)
        query = clean(self._marks.queries[name], ascii_only=ascii_only)
        return Content.assemble(
            (fit(clean(name, ascii_only=ascii_only), NAME, marks.ellipsis), "$strong"),
            (f"{number:>{COUNT}}  ", "$soft"),
            (fit(query, max(0, width - NAME - COUNT - 2), marks.ellipsis), "$foreground"),
        )
