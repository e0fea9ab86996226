"""Home: the profiles, runs and datasets of the workspace, what is the matter with each, and the keys that start things."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from sdtui.errors import SdtuiError, UserError
from sdtui.runs.registry import RunInfo
from sdtui.tui import home_rows, keys
from sdtui.tui.board import Board
from sdtui.tui.daemon import while_wanted
from sdtui.tui.home_rows import Item, Line
from sdtui.tui.key import Key
from sdtui.tui.screens.base import SdtuiScreen
from sdtui.tui.trash import Trash
from sdtui.tui.widgets.line_input import LineInput
from sdtui.tui.widgets.linelist import LineList
from sdtui.tui.widgets.search_line import SearchLine
from sdtui.tui.workspace import DatasetRow, ProfileRow

DETAILS_WIDTH = 39


class HomeScreen(SdtuiScreen):
    """What there is, and what it is doing."""

    NAME = "home"
    KEY_CONTEXT = "home"
    SIDE = "details"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("home")]
    DEFAULT_CSS = """
    HomeScreen {
        & LineList { width: 1fr; margin: 1 1 1 0; }
        & VerticalScroll { width: 44; margin: 1 0; padding: 0 2; border-left: solid $faint; scrollbar-size: 1 1; }
        &.-wide VerticalScroll { width: 80; }
        &.-narrow LineList { margin: 0; }
        & #details { width: 100%; height: auto; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()
        self._lines: list[Line] = []
        self._wanted = ""
        self._launching: set[Path] = set()
        self._checking: set[Path] = set()

    def hints(self) -> list[Key]:
        """As everywhere, but with nothing behind this screen the way back is the way out."""
        way_out = "close" if self.query_one(SearchLine).is_open else "quit"
        return [replace(row, label=way_out) if row.id == "everywhere.back" else row for row in super().hints()]

    def body(self) -> ComposeResult:
        """The list, and what is known about the line under the cursor."""
        yield SearchLine()
        with Horizontal():
            yield LineList(classes="main")
            with VerticalScroll(classes="side", can_focus=False):
                yield Static("", id="details", markup=False)

    def facts(self) -> Content:
        """How much runs and waits."""
        live, queued = len(self.board.live), sum(info.state == "queued" for info in self.board.runs)
        parts = [f"{live} running"] if live else []
        parts += [f"{queued} queued"] if queued else []
        return Content.styled(f" {self.sdtui.glyphs.dot} ".join(parts), "$soft")

    def recall(self, state: dict[str, Any]) -> None:
        """Go to the line the cursor was on."""
        self._wanted = str(state.get("at", ""))
        self.show_board(self.sdtui.board)

    def remember(self) -> dict[str, Any]:
        """The line under the cursor."""
        item = self._item()
        return {"at": str(home_rows.path_of(item)) if item else self._wanted}

    def meant_for(self, screen: str) -> Path | None:
        """What is under the cursor, if `screen` shows such things; to Profile also the only profile there is.

        An ended run is what one wants to watch only while none is going; `enter` opens it in any case.
        """
        item = self._item()
        if screen == "samples":
            return item.run.path if isinstance(item, RunInfo) else None
        ended = isinstance(item, RunInfo) and not item.live and self.board.live
        if item is not None and _screen_of(item) == screen and not ended:
            return home_rows.path_of(item)
        only = self.board.profiles if screen == "profile" and len(self.board.profiles) == 1 else ()
        return only[0].path if only else None

    def copyable(self) -> str:
        """The path under the cursor."""
        item = self._item()
        return str(home_rows.path_of(item)) if item else ""

    def farewell(self) -> str:
        """Which launches came to nothing because the app ended first."""
        names = ", ".join(sorted(path.name for path in self._checking))
        return f"{names} was still being checked: not started" if names else ""

    def show_board(self, board: Board) -> None:
        """Show what the board's thread found; only lines that changed are drawn."""
        if not self.is_mounted:
            return
        old, self.board = self._lines, board
        nothing = board.complete and not (board.profiles or board.runs)
        press, marks = self.sdtui.keys.press, self.sdtui.glyphs
        lines = home_rows.empty_lines(press) if nothing else home_rows.lines_of(board, self._filter(), press, marks)
        self._lines = lines
        rows = self.query_one(LineList)
        if [_place(line) for line in old] == [_place(line) for line in self._lines]:
            for index, (before, after) in enumerate(zip(old, self._lines, strict=True)):
                if before != after:
                    rows.redraw(index)
        else:
            rows.set_rows(len(self._lines), self._row, cursor=self._cursor_for(old), selectable=self._selectable)
        self._show_details()
        self.update_chrome()

    def on_line_list_moved(self) -> None:
        """Another line: its details."""
        self._show_details()

    def on_line_list_chosen(self) -> None:
        """A second click opens."""
        self.action_open()

    # -- keys ---------------------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Open what is under the cursor on its screen."""
        item = self._item()
        if item is not None:
            self.sdtui.open(_screen_of(item), home_rows.path_of(item))

    def action_new(self) -> None:
        """Choose a template, name the file, open it."""
        from sdtui.profile.templates import KINDS, describe
        from sdtui.tui.screens.dialogs import Ask, Choose

        def named(kind: str, answer: str | None) -> None:
            if answer:
                self._write_profile(kind, answer)

        def chosen(kind: str | None) -> None:
            if kind:
                self.app.push_screen(Ask("Name of the new profile", f"{kind}.toml"), lambda name: named(kind, name))

        width = max(map(len, KINDS))
        kinds = [(kind, f"{kind:<{width}}  {describe(kind)}") for kind in KINDS]
        self.app.push_screen(Choose("A new profile: what shall it train?", kinds), chosen)

    def action_launch(self) -> None:
        """Start a run of the profile under the cursor and watch it."""
        item = self._item()
        if not isinstance(item, ProfileRow):
            self.say("the cursor is not on a profile", "warning")
            return
        if item.path in self._launching:
            self.say(f"{item.path.name} is being started already")
            return
        self._launching.add(item.path)
        self._checking.add(item.path)
        self.say(f"checking {item.path.name} and its images")
        self.run_worker(self._launch(item.path), group="launch", exit_on_error=False)

    def action_resume(self) -> None:
        """Go on with the run under the cursor."""
        item = self._item()
        if not isinstance(item, RunInfo):
            self.say("the cursor is not on a run", "warning")
        elif item.run.path not in self._launching:
            self._launching.add(item.run.path)
            self.run_worker(lambda: self._resume(item), thread=True, group="launch", exit_on_error=False)

    def action_delete(self) -> None:
        """Move the profile or ended run under the cursor to the trash."""
        item = self._item()
        if isinstance(item, DatasetRow):
            self.say("datasets are never deleted from here", "warning")
        elif isinstance(item, RunInfo) and item.steerable:
            self.say("this run is going; stop it first", "warning")
        elif item is not None:
            self._trash(home_rows.path_of(item))

    def action_undo(self) -> None:
        """Bring back what was deleted last."""
        try:
            entry = Trash().restore(self.sdtui.workspace)
        except SdtuiError as error:
            self.sdtui.report(error)
            return
        if entry is None:
            self.say("nothing of this workspace is in the trash")
            return
        self._wanted = entry.original
        self.say(f"{Path(entry.original).name} is back")
        self.sdtui.look_again()

    def action_editor(self) -> None:
        """Edit the profile under the cursor in $EDITOR."""
        from sdtui.tui.editor import edit_file

        item = self._item()
        if not isinstance(item, ProfileRow):
            self.say("the cursor is not on a profile", "warning")
            return
        try:
            edit_file(self.app, item.path)
        except SdtuiError as error:
            self.sdtui.report(error)
        self.sdtui.look_again()

    async def action_search(self) -> None:
        """Filter the lines."""
        await self.query_one(SearchLine).open()
        self.update_chrome()

    def go_back(self) -> bool:
        """Close the filter if it is open."""
        if self.query_one(SearchLine).is_open:
            self._end_filter()
            return True
        return super().go_back()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        if event.input.id == "search":
            self.show_board(self.board)

    def on_line_input_accepted(self, event: LineInput.Accepted) -> None:
        """Keep the filter and go to the list."""
        if event.value:
            self.query_one(LineList).focus()
        else:
            self._end_filter()

    def on_line_input_left(self) -> None:
        """No filter."""
        self._end_filter()

    # -- doing it -----------------------------------------------------------------------------------------------------

    async def _launch(self, path: Path) -> None:
        """Look in a thread that the app does not wait for at its end, and start the run in one that it does wait for."""
        from sdtui.tui import launching

        try:
            ready = await while_wanted(lambda go_on: launching.prepare(path, go_on))
            self._checking.discard(path)
            run = await asyncio.to_thread(launching.start, ready)
        finally:
            self._checking.discard(path)
            self._launching.discard(path)
        self._go_to_run(run.path)

    def _resume(self, item: RunInfo) -> None:
        from sdtui.runs import launch

        try:
            launch.resume(item.run)
        finally:
            self._launching.discard(item.run.path)
        self.app.call_from_thread(self._go_to_run, item.run.path)

    def _go_to_run(self, path: Path) -> None:
        self.sdtui.look_again()
        self.sdtui.show_started(path)

    def _write_profile(self, kind: str, answer: str) -> None:
        from sdtui.files import write_atomic
        from sdtui.profile.templates import new_profile

        workspace = self.sdtui.workspace
        path = workspace / (answer if answer.endswith(".toml") else f"{answer}.toml")
        try:
            if path.parent not in {workspace, workspace / "profiles"} or path.name.startswith("."):
                raise UserError(
                    "profiles lie in the workspace or in its profiles/; nothing was written", where=str(path)
                )
            if os.path.lexists(path):
                raise UserError("there is such a file already; nothing was written", where=str(path))
            write_atomic(path, new_profile(kind))
        except SdtuiError as error:
            self.sdtui.report(error)
            return
        self._wanted = str(path)
        self.sdtui.look_again()
        self.sdtui.open("profile", path)

    def _trash(self, path: Path) -> None:
        try:
            Trash().put(path, self.sdtui.workspace)
        except SdtuiError as error:
            self.sdtui.report(error)
        else:
            self.say(f"{path.name} moved to the trash; {self.sdtui.keys.press('home.undo')} undoes")
        self.sdtui.look_again()

    # -- the list -----------------------------------------------------------------------------------------------------

    def _item(self) -> Item | None:
        at = self.query_one(LineList).cursor
        return self._lines[at].item if 0 <= at < len(self._lines) else None

    def _row(self, index: int, width: int) -> Content:
        return home_rows.draw(self._lines[index], width, self.sdtui.glyphs, self.sdtui.settings.ascii)

    def _selectable(self, index: int) -> bool:
        return self._lines[index].item is not None

    def _filter(self) -> str:
        return self.query_one(SearchLine).value

    def _end_filter(self) -> None:
        self.query_one(SearchLine).close()
        self.query_one(LineList).focus()
        self.show_board(self.board)

    def _cursor_for(self, old: list[Line]) -> int | None:
        """Where the line the cursor was on (or was to be on) is now, else the place it had."""
        at = self.query_one(LineList).cursor
        item = old[at].item if 0 <= at < len(old) else None
        wanted = self._wanted or (str(home_rows.path_of(item)) if item else "")
        places = [str(home_rows.path_of(line.item)) if line.item else "" for line in self._lines]
        if wanted and wanted in places:
            self._wanted = ""
            return places.index(wanted)
        return None

    def _show_details(self) -> None:
        item = self._item()
        panel = self.query_one("#details", Static)
        width = panel.content_size.width or DETAILS_WIDTH
        panel.update(home_rows.details(item, width, self.sdtui.keys.press, self.sdtui.settings.ascii))


def _screen_of(item: Item) -> str:
    """The screen that shows such an item."""
    return "monitor" if isinstance(item, RunInfo) else "profile" if isinstance(item, ProfileRow) else "captions"


def _place(line: Line) -> str:
    """What makes a line the same line as before."""
    return str(home_rows.path_of(line.item)) if line.item else line.text
