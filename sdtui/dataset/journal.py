"""The edit journal on disk: one file per operation with every file's bytes before and after, and where we stand.

Layout (in `<dataset>/.sdtui/edits/`, or in the user's data folder when the dataset cannot be written):
`lock` (flock, held while files change), `000007.jsonl.gz` (a header line, then the lines of `Changes`), `state.json`
(how many operations are applied, how many exist, and an undo or redo that is under way). An operation file numbered one
above the last in `state.json` is an edit under way. `000000.jsonl.gz` holds bytes before the first edit that no other
operation file has any more, as another program's bytes were left or merged in an undo.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from sdtui.dataset import sidecar
from sdtui.dataset.changes import Changes, Side
from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError
from sdtui.files import open_atomic, write_atomic

SCHEMA = 1


class Summary(NamedTuple):
    """An operation without its files: number, label, Unix time in seconds, how many files, whether it is in force."""

    number: int
    label: str
    time: float
    files: int
    applied: bool


class Operation(NamedTuple):
    """A recorded edit."""

    number: int
    label: str
    time: float
    changes: Changes


@dataclass
class State:
    """`applied` operations are in force, `last` exist; `under_way` names the side an undo or redo is going to."""

    applied: int = 0
    last: int = 0
    under_way: Side | None = None


class Store:
    """The journal's files for one dataset folder. Nothing is created before the first operation."""

    def __init__(self, folder: Path) -> None:
        self.root = Path(os.path.abspath(folder))
        self.home = sidecar.home(self.root, "edits")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the dataset's edit lock; raises SdtuiError when another process keeps it for more than five seconds."""
        busy = SdtuiError(
            "another sdtui is changing captions in this folder",
            where=printable(self.root),
            remedy="Wait until it is done and try again; nothing was changed",
        )
        with sidecar.locked(self.home, "the edit journal", busy):
            yield

    def is_free(self) -> bool:
        """Whether no process holds the lock at this moment; False also where that cannot be found out."""
        return sidecar.is_free(self.home)

    def read_state(self) -> State:
        """Where the journal stands; a missing file is an empty journal.

        Raises:
            SdtuiError: the file is damaged or from a newer sdtui.
        """
        path = self.home / "state.json"
        if not path.exists():
            return State()
        with _reading(path, "the edit journal"):
            raw = json.loads(path.read_bytes())
            if raw.get("schema") != SCHEMA:
                raise SdtuiError(
                    f"the edit journal has schema {raw.get('schema')}, this sdtui knows {SCHEMA}",
                    where=printable(path),
                    remedy="Use the newer sdtui that wrote it",
                )
            state = _state(raw)
        # Undone operations are deleted before state.json says so; what is gone can no longer be redone.
        while state.last > state.applied and not self._file(state.last).exists():
            state.last -= 1
        return state

    def write_state(self, state: State, *, sync: bool) -> None:
        """Replace state.json."""
        write_atomic(self.home / "state.json", json.dumps({"schema": SCHEMA, **asdict(state)}), sync=sync)

    def has(self, number: int) -> bool:
        """Whether an operation of this number is recorded."""
        return self._file(number).exists()

    def record(self, operation: Operation) -> None:
        """Write an operation's file; once this returns it survives a power failure."""
        files = len(operation.changes)
        header = {"schema": SCHEMA, "label": operation.label, "time": operation.time, "files": files}
        with open_atomic(self._file(operation.number)) as stream:
            stream.write(gzip.compress(json.dumps(header).encode() + b"\n", mtime=0))
            operation.changes.write(stream)

    def load(self, number: int) -> Operation:
        """A recorded operation with all its files.

        Raises:
            SdtuiError: its file is missing or damaged, or names a file outside the dataset, as the journal of a dataset
                that somebody else packed could.
        """
        path = self._file(number)
        with _reading(path, "a recorded edit"):
            raw = path.read_bytes()
            header = _header(io.BytesIO(raw))
            changes = Changes.recorded(self.root, raw, head=1)
            return Operation(number, str(header["label"]), float(header["time"]), changes)

    def summary(self, number: int, *, applied: bool) -> Summary:
        """An operation's header; its files are not read. Raises SdtuiError when it is missing or damaged."""
        path = self._file(number)
        with _reading(path, "a recorded edit"), open(path, "rb") as stream:
            header = _header(stream)
            return Summary(number, str(header["label"]), float(header["time"]), int(header["files"]), applied)

    def forget(self, number: int) -> None:
        """Delete an operation's record."""
        self._file(number).unlink(missing_ok=True)

    def reaches(self, path: Path) -> bool:
        """Whether the file at `path` lies in the dataset when all links are followed."""
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root))

    def _file(self, number: int) -> Path:
        return self.home / f"{number:06}.jsonl.gz"


@contextlib.contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    """Whatever a damaged or foreign file at `path` can bring about, as one message."""
    try:
        yield
    except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise SdtuiError(f"cannot read {what}: {error}", where=printable(path)) from error


def _header(record: BinaryIO) -> dict[str, Any]:
    """The first line of an operation's file."""
    with gzip.GzipFile(fileobj=record) as lines:
        header: dict[str, Any] = json.loads(lines.readline())
        return header


def _state(raw: dict[str, Any]) -> State:
    applied, last, under_way = raw["applied"], raw["last"], raw["under_way"]
    if not (isinstance(applied, int) and isinstance(last, int) and 0 <= applied <= last):
        raise ValueError(f"{applied!r} of {last!r} edits applied")
    if under_way not in {None, "before", "after"}:
        raise ValueError(f"under way to {under_way!r}")
    return State(applied, last, under_way)
