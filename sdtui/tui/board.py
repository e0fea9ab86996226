"""The board: one thread that knows what the workspace holds and what runs, and tells the app when that changed.

It sleeps in `runs.watch` until a file changes; nothing is drawn, and nothing is read again, while nothing happens. What
takes long, reading every image's header, is left to the looker.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sdtui.runs.registry import RunInfo
from sdtui.tui import workspace
from sdtui.tui.looker import Looker
from sdtui.tui.workspace import DatasetRow, ProfileRow

# A killed trainer changes no file; its lock is looked at this often while something runs.
LIVE_LOOK_SECONDS = 5.0
LEAST_SECONDS = 1.0


@dataclass(frozen=True)
class Board:
    """What Home lists, as of one moment.

    Attributes:
        complete: profiles were checked and datasets counted.
        trouble: why some runs cannot be listed; empty when all can.
    """

    profiles: tuple[ProfileRow, ...] = ()
    runs: tuple[RunInfo, ...] = ()
    datasets: tuple[DatasetRow, ...] = ()
    complete: bool = False
    trouble: str = ""

    @property
    def live(self) -> tuple[RunInfo, ...]:
        """The runs that are going."""
        return tuple(info for info in self.runs if info.live)


class BoardReader:
    """Reads the workspace again and again in a thread of its own.

    Args:
        folder: the workspace.
        deliver: gets each new board, in the reading thread.
        thoroughly: whether profiles are to be checked and datasets counted now, which can take a while.
    """

    def __init__(
        self, folder: Path, deliver: Callable[[Board], None], thoroughly: Callable[[], bool] = lambda: True
    ) -> None:
        self.folder = folder
        self._deliver = deliver
        self._thoroughly = thoroughly
        self._board = Board()
        self._checked: dict[Path, tuple[float, ProfileRow]] = {}
        self._looker = Looker(lambda: thoroughly() and not self._closed.is_set(), self.look_again)
        self._counted: dict[Path, tuple[int, DatasetRow]] = {}
        self._closed = threading.Event()
        self._again = threading.Event()
        self._nudge: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Read, deliver, sleep until something changed; returns after `close`."""
        from sdtui.runs.watch import Watch

        while not self._closed.is_set():
            self._again.clear()
            self.read(complete=False)
            if self._thoroughly():
                self._looker.look_at(self.read(complete=True).profiles)
            with Watch(self._watched(), least_seconds=LEAST_SECONDS) as watch:
                self._nudge = watch.close
                # What came while it was reading, before anything watched or could be woken, is asked about once more.
                before = self._board
                late = self.read(complete=False) != before and not self._board.live
                if not (late or self._closed.is_set() or self._again.is_set()):
                    watch.wait(LIVE_LOOK_SECONDS if self._board.live else None)

    def look_again(self) -> None:
        """Something was done that may show at once: do not wait for the file system to say so."""
        self._again.set()
        self._nudge()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._nudge()

    def read(self, *, complete: bool) -> Board:
        """Read the workspace now; deliver the board if it differs from the last one.

        Args:
            complete: also check profiles and count datasets that changed since they last were.
        """
        rows = [self._profile(path, complete) for path in workspace.profile_files(self.folder)]
        folders = list(dict.fromkeys(folder for row in rows for folder in row.folders))
        runs, trouble = workspace.all_runs(workspace.runs_folders(self.folder, rows))
        board = Board(
            tuple(rows),
            tuple(runs),
            tuple(self._dataset(folder, complete) for folder in folders),
            complete or self._board.complete,
            trouble,
        )
        if board != self._board:
            self._board = board
            self._deliver(board)
        return board

    def _profile(self, path: Path, complete: bool) -> ProfileRow:
        row = workspace.quick_row(path)
        if (looked := self._looker.last(row)) is not None:
            return looked
        known = self._checked.get(path)
        if known is not None and known[0] == row.changed:
            return known[1]
        if complete and row.errors < 0:
            row = workspace.checked_row(row)
            self._checked[path] = (row.changed, row)
        return row

    def _dataset(self, folder: Path, complete: bool) -> DatasetRow:
        try:
            changed = os.stat(folder).st_mtime_ns
        except OSError:
            changed = 0
        known = self._counted.get(folder)
        if known is not None and (known[0] == changed or not complete):
            return known[1]
        if not complete:
            return DatasetRow(folder)
        row = workspace.dataset_row(folder)
        self._counted[folder] = (changed, row)
        return row

    def _watched(self) -> list[Path]:
        """Files whose change matters; a folder stands for the names in it."""
        board = self._board
        files = [self.folder, self.folder / "profiles", self.folder / workspace.RUNS]
        files += [row.path for row in board.profiles]
        files += [row.runs for row in board.profiles if row.runs is not None]
        files += [row.path for row in board.datasets]
        for info in board.runs:
            files.append(info.run.run_json)
            if info.live:
                files.append(info.run.events_file)
        # The folder a file lies in must exist to be watched; looking once a second covers those that do not yet.
        return [path for path in dict.fromkeys(files) if path.parent.is_dir()]
