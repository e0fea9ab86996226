"""A screen that follows one run: which one, its neighbours in the folder of runs, and the thread that reads it."""

from __future__ import annotations

from pathlib import Path

from textual.message import Message

from sdtui.runs.layout import RunFolder
from sdtui.runs.registry import RunInfo, list_runs
from sdtui.tui import workspace
from sdtui.tui.monitor.reader import RunReader
from sdtui.tui.monitor.snapshot import Snapshot
from sdtui.tui.numbers import age, grouped
from sdtui.tui.screens.base import SdtuiScreen
from sdtui.tui.screens.dialogs import Choose


class RunScreen(SdtuiScreen):
    """Holds the reader and its newest snapshot; subclasses draw in `run_opened`, `run_moved_on` and `no_run`."""

    class Fresh(Message):
        """The reading thread has something new."""

        def __init__(self, reader: RunReader) -> None:
            super().__init__()
            self.reader = reader

    class Listed(Message):
        """Runs, and which way to go from the present one (0: open one unasked; None: ask which)."""

        def __init__(self, runs: list[RunInfo], step: int | None) -> None:
            super().__init__()
            self.runs = runs
            self.step = step

    def __init__(self) -> None:
        super().__init__()
        self._reader: RunReader | None = None
        self._snapshot: Snapshot | None = None
        # Whether the user said which run to show, in this session or on the command line.
        self._chosen = False
        self._left: Path | None = None

    def run_opened(self, run: RunFolder) -> None:
        """Another run is open; nothing is known of it yet."""

    def run_moved_on(self, snapshot: Snapshot, before: Snapshot | None) -> None:
        """Draw the newest snapshot of the run."""

    def no_run(self) -> None:
        """There is none to show."""

    def place(self) -> str:
        """The run's name."""
        return self._reader.run_folder.name if self._reader else "no run yet"

    def copyable(self) -> str:
        """The run's folder."""
        return str(self._reader.run_folder.path) if self._reader else ""

    def meant_for(self, screen: str) -> Path | None:
        """Pictures are drawn from the run that is watched."""
        return self._reader.run_folder.path if screen == "samples" and self._reader else None

    def open_target(self, target: Path) -> None:
        """Show the run in this folder, and stay with it."""
        self._chosen = True
        self._show_run(target)

    def _show_run(self, target: Path) -> None:
        if self._reader and self._reader.run_folder.path == target and self._reader.is_alive():
            return
        self._close_reader()
        self._snapshot = None
        self._reader = RunReader(RunFolder(target), self._tell)
        self._reader.start()
        self.run_opened(self._reader.run_folder)

    def open_unasked(self, left: Path | None = None) -> None:
        """Unless the user chose one: show what runs now, else what is shown, else the run in `left`, else the newest."""
        self._left = left or self._left
        if not self._chosen:
            self._list_runs(0)

    def on_unmount(self) -> None:
        """Let go of the run's files; the run itself does not notice."""
        self._close_reader()

    def on_screen_resume(self) -> None:
        """A run may have been started since this screen was last in front."""
        if self.is_mounted:
            self.open_unasked()

    def on_run_screen_fresh(self, event: Fresh) -> None:
        """Take the newest snapshot over from the thread."""
        if event.reader is not self._reader:
            return
        if event.reader.problem is not None:
            self.sdtui.report(event.reader.problem)
            return
        snapshot = event.reader.take()
        if snapshot is not None:
            before, self._snapshot = self._snapshot, snapshot
            self.run_moved_on(snapshot, before)

    def on_run_screen_listed(self, event: Listed) -> None:
        """Go to the newest, the neighbour, or ask which."""
        paths = [info.run.path for info in event.runs]
        if event.step is None:
            self._ask_which(event.runs)
        elif event.step == 0:
            self._show_unasked(event.runs)
        elif not paths:
            self.no_run()
        elif self._reader is None or self._reader.run_folder.path not in paths:
            self.open_target(paths[0])
        else:
            at = paths.index(self._reader.run_folder.path) + event.step
            if 0 <= at < len(paths):
                self.open_target(paths[at])
            else:
                self.say("this is the oldest run" if event.step > 0 else "this is the newest run")
        self.update_chrome()

    def _show_unasked(self, runs: list[RunInfo]) -> None:
        shown = self._reader.run_folder.path if self._reader else None
        live = [info.run.path for info in runs if info.live]
        if self._chosen or shown in live:
            return
        if live:
            self._show_run(live[0])
        elif shown is None and self._left is not None and self._left.is_dir():
            self._show_run(self._left)
        elif shown is None and runs:
            self._show_run(runs[0].run.path)
        elif shown is None:
            self.no_run()

    def action_older_run(self) -> None:
        """The next older run."""
        self._list_runs(1)

    def action_newer_run(self) -> None:
        """The next newer run."""
        self._list_runs(-1)

    def action_runs(self) -> None:
        """Choose from a list."""
        self._list_runs(None)

    def _tell(self, reader: RunReader) -> None:
        """In the reader's thread."""
        self.post_message(self.Fresh(reader))

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def _list_runs(self, step: int | None) -> None:
        folder, shown = self.sdtui.workspace, self._reader

        def look() -> None:
            if step != 0 and shown is not None:
                # A run opened from elsewhere has its own neighbours.
                self.post_message(self.Listed(list_runs(shown.run_folder.path.parent), step))
                return
            profiles = [workspace.quick_row(path) for path in workspace.profile_files(folder)]
            self.post_message(self.Listed(workspace.all_runs(workspace.runs_folders(folder, profiles))[0], step))

        group = "monitor-unasked" if step == 0 else "monitor-runs"
        self.run_worker(look, thread=True, group=group, exclusive=True, exit_on_error=False)

    def _ask_which(self, runs: list[RunInfo]) -> None:
        if not runs:
            self.say("there are no runs yet")
            return

        def chosen(path: str | None) -> None:
            if path:
                self.open_target(Path(path))
                self.update_chrome()

        now = str(self._reader.run_folder.path) if self._reader is not None else ""
        self.app.push_screen(Choose("Which run?", _choices(runs), now=now, ends=True), chosen)


def _choices(runs: list[RunInfo]) -> list[tuple[str, str]]:
    """(path, words) for each run, in columns."""
    totals = [grouped(info.steps_total) if info.steps_total else "?" for info in runs]
    names, digits = max(len(info.run.name) for info in runs), max(map(len, totals))
    lines: list[tuple[str, str]] = []
    for info, total in zip(runs, totals, strict=True):
        share = f"{info.step / info.steps_total:.0%}" if info.steps_total else ""
        words = f"{info.run.name:<{names}}  {info.state:<10}  {share:>4} of {total:>{digits}}  {age(info.created)}"
        lines.append((str(info.run.path), words))
    return lines
