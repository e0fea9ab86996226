"""The one thread that reads a folder of pictures while it is on the screen: what is there, what is being drawn, how it ended."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sdtui.runs import control, registry
from sdtui.runs.events import EventReader
from sdtui.runs.layout import RunFolder
from sdtui.tui.follower import Follower

LEAST_SECONDS = 0.4
# A process that was killed changes no file: look at its lock this often.
LOOK_SECONDS = 2.0
_NUMBERED = re.compile(r"(\d{5,})-(\d+)\.png")
_SHEET = re.compile(r"grid-\d+\.png")


@dataclass(frozen=True)
class Shot:
    """One picture.

    Attributes:
        number: its place in the order of drawing, from 1; 0 for a sheet.
        seed: as its name says.
    """

    path: Path
    number: int
    seed: int


@dataclass(frozen=True)
class Contents:
    """A folder at one moment.

    Attributes:
        shots: pictures by number, then the sheets.
        state: as `registry.RunInfo`; "" for pictures that no job of ours has drawn.
        done, total: pictures of the job; 0 before it told.
        step, steps: of the picture being drawn.
        columns, rows: what the places of a sheet are called; empty without one.
    """

    folder: Path
    shots: tuple[Shot, ...] = ()
    state: str = ""
    reason: str = ""
    done: int = 0
    total: int = 0
    step: int = 0
    steps: int = 0
    columns: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()

    @property
    def live(self) -> bool:
        """Whether a process draws."""
        return self.state in registry.LIVE

    @property
    def unfinished(self) -> bool:
        """Whether it can be gone on with."""
        return self.state in {"stopped", "failed", "killed"}

    def place(self, number: int) -> str:
        """What a sheet calls the place of the picture `number`; "" without a sheet."""
        if not self.columns or not number:
            return ""
        row, column = divmod((number - 1) % (len(self.columns) * len(self.rows)), len(self.columns))
        return "  ".join(word for word in (self.columns[column], self.rows[row]) if word)


class FolderReader(Follower[Contents]):
    """Follows one folder and keeps what is in it now.

    Args:
        folder: where the pictures are.
        tell: as a follower's.
    """

    def __init__(self, folder: Path, tell: Callable[[FolderReader], None]) -> None:
        super().__init__(f"samples {folder.name}", tell)
        self.folder = folder
        self._unwanted = threading.Event()

    def stop_drawing(self) -> None:
        """Have the process end after the step it is at: at once, or as soon as it listens."""
        self._unwanted.set()

    def follow(self) -> None:
        """Read, hand over, sleep until something changes."""
        run = RunFolder(self.folder)
        before: Contents | None = None
        told = Contents(self.folder)
        asked = False
        with (
            closing(EventReader(run.events_file)) as events,
            self.watch((run.events_file, run.run_json), LEAST_SECONDS) as watch,
        ):
            while not self.ending:
                told = read(told, run, events)
                if told != before:
                    before = told
                    self.hand_over(told)
                if self._unwanted.is_set() and told.state == "running" and not asked:
                    asked = True
                    control.send(run, "stop")
                # Pictures of others may come without an event.
                watch.wait(LOOK_SECONDS)


def read(before: Contents, run: RunFolder, events: EventReader) -> Contents:
    """What is there now, after what was told before."""
    # The state first: whoever sees the end has also seen the last picture.
    info = registry.inspect(run) if run.run_json.exists() else None
    now = before
    for event in events.news():
        now = _told(now, event)
    state, reason = (info.state, info.reason) if info is not None else ("", "")
    return replace(now, state=state, reason=reason, shots=_shots(run.path))


def _told(now: Contents, event: dict[str, Any]) -> Contents:
    kind = event["kind"]
    try:
        if kind == "run":
            return Contents(now.folder)
        if kind == "sheets":
            return replace(now, columns=_words(event["columns"]), rows=_words(event["rows"]))
        if kind == "sampling":
            return replace(now, step=int(event["step"]), steps=int(event["steps"]))
        if kind == "progress":
            return replace(now, done=int(event["done"]), total=int(event["total"]), step=0)
    except (LookupError, TypeError, ValueError):
        pass  # a log may have been written by anyone; the picture itself is shown in any case
    return now


def _words(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not values:
        raise TypeError
    return tuple(map(str, values))


def _shots(folder: Path) -> tuple[Shot, ...]:
    """All pictures; those that no number begins come last, by name."""
    numbered: list[Shot] = []
    others: list[Shot] = []
    try:
        names: Sequence[str] = os.listdir(folder)
    except OSError:
        return ()
    for name in sorted(names):
        found = _NUMBERED.fullmatch(name)
        if found:
            numbered.append(Shot(folder / name, int(found[1]), int(found[2])))
        elif _SHEET.fullmatch(name) or (name.lower().endswith((".png", ".jpg", ".webp")) and name[0] != "."):
            others.append(Shot(folder / name, 0, 0))
    return (*sorted(numbered, key=lambda shot: shot.number), *others)
