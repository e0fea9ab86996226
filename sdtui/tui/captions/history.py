"""The recorded edits of a dataset in a dialog: when, what, how many files, which are undone; and what each changed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from sdtui.dataset.bulk import Sample
from sdtui.dataset.edit import Operation, Summary
from sdtui.errors import SdtuiError
from sdtui.tui import keys
from sdtui.tui.captions.preview import sample_lines
from sdtui.tui.glyphs import glyphs_of
from sdtui.tui.literal import clean, literal, shorten
from sdtui.tui.numbers import count
from sdtui.tui.screens.dialogs import Confirm, Dialog
from sdtui.tui.widgets.linelist import LineList

# Rest on a row before its files are read, in seconds.
_DELAY = 0.1
_WHEN, _FILES = 17, 13
# In rows narrower than the first the day stands alone, in so many cells as the second.
_ROOMY, _DAY = 60, 6


class Wanted(NamedTuple):
    """What is to be done: go to where the operation of this number is the newest in force (0: none), or `restore`."""

    number: int
    restore: bool = False


class History(Dialog[Wanted]):
    """Dismisses with where to go, or with None.

    Args:
        rows: the operations, newest first.
        load: reads one of them with its files; called in a thread.
        ascii_only: as the terminal wants it.
    """

    KEY_CONTEXT: ClassVar[str] = "history"
    HINTS = (("history.go_to", "go there"), ("history.restore", "originals"), ("history.close", "leave"))
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("history")]
    DEFAULT_CSS = """
    History > .frame { width: 110; max-width: 96%; height: 90%; max-height: 90%; }
    History LineList { height: 2fr; min-height: 2; max-height: 100%; }
    History .changes { height: 3fr; margin-top: 1; }
    """

    def __init__(self, rows: Sequence[Summary], load: Callable[[int], Operation], *, ascii_only: bool) -> None:
        super().__init__("History of edits")
        self._rows = list(rows)
        self._load = load
        self._ascii_only = ascii_only
        self._now = next((at for at, row in enumerate(self._rows) if row.applied), len(self._rows))

    def content(self) -> ComposeResult:
        """The operations, and what the one under the cursor changed."""
        yield LineList()
        yield Static("", classes="changes", markup=False)

    def on_mount(self) -> None:
        """The newest edit in force under the cursor."""
        self.query_one(LineList).set_rows(len(self._rows) + 1, self._row, cursor=self._now)

    def on_line_list_moved(self) -> None:
        """What it changed, once the cursor rests."""
        self.set_timer(_DELAY, self._look)

    def on_line_list_chosen(self) -> None:
        """A second click."""
        self.action_go_to()

    def action_go_to(self) -> None:
        """Undo what is newer, or do again what is older."""
        at = self._cursor
        self.dismiss(Wanted(self._rows[at].number if at < len(self._rows) else 0) if at != self._now else None)

    def action_restore(self) -> None:
        """All captions as they were before the first recorded edit, if the user means it."""

        def answer(yes: str | None) -> None:
            if yes:
                self.dismiss(Wanted(0, restore=True))

        question = (
            "Put all captions back as they were before all edits?\nWhat other programs changed since goes, too.\n"
        )
        self.app.push_screen(Confirm(f"{question}It is one edit, which undo takes back.", yes="put back"), answer)

    @property
    def _cursor(self) -> int:
        return self.query_one(LineList).cursor

    def _row(self, index: int, width: int) -> Content:
        marks = glyphs_of(self)
        now = f"  {marks.dot} now" if index == self._now else ""
        # In a small window the day is enough, and what was done the more needed.
        head, form = (_WHEN + _FILES, "%Y-%m-%d %H:%M") if width >= _ROOMY else (_DAY, "%m-%d")
        if index == len(self._rows):
            return Content.assemble((f"{'':{head}}before the first recorded edit", "$soft"), (now, "$accent"))
        row = self._rows[index]
        when = time.strftime(form, time.localtime(row.time))
        files = count(row.files, "file") if width >= _ROOMY else ""
        undone = "" if row.applied else "  undone"
        label = shorten(
            clean(row.label, ascii_only=self._ascii_only),
            max(0, width - head - len(undone + now)),
            marks.ellipsis,
        )
        return Content.assemble(
            (f"{f'{when:<{_WHEN}}{files}':<{head}}" if files else f"{when:<{head}}", "$soft"),
            (label, "$foreground" if row.applied else "$soft"),
            (undone, "$warning"),
            (now, "$accent"),
        )

    def _look(self) -> None:
        at = self._cursor
        if at >= len(self._rows):
            self._show("enter undoes all of them")
            return
        number = self._rows[at].number

        def read() -> None:
            worker = get_current_worker()
            try:
                found: Operation | str = self._load(number)
            except SdtuiError as error:
                found = str(error)
            if not worker.is_cancelled:
                self.app.call_from_thread(self._show, found)

        self.run_worker(read, thread=True, group="operation", exclusive=True, exit_on_error=False)

    def _show(self, found: Operation | str) -> None:
        if not self.is_attached:
            return
        place = self.query_one(".changes", Static)
        if isinstance(found, str):
            place.update(literal(found, "$soft"))
            return
        width, height, lines = place.size.width, place.size.height, list[Content]()
        for change in itertools.islice(found.changes, height):
            sample = Sample(change.path, _text(change.before), _text(change.after))
            lines += sample_lines(sample, width, glyphs_of(self), ascii_only=self._ascii_only)
        place.update(Content("\n").join(lines[:height]))


def _text(raw: bytes | None) -> str:
    return "" if raw is None else raw.decode("utf-8-sig", "replace").rstrip("\r\n")
