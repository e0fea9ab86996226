"""The edit journal on disk: one file per operation with every file's bytes before and after, and where we stand.

Layout (in `<dataset>/.sdtui/edits/`, or in the user's data folder when the dataset cannot be written):
`lock` (flock, held while files change), `000007.jsonl.gz` (a header line, then one line per file), `state.json`
(how many operations are applied, how many exist, and an undo or redo that is under way). An operation file numbered one
above the last in `state.json` is an edit under way. `000000.jsonl.gz` holds bytes before the first edit that no other
operation file has any more, as another program's bytes were left or merged in an undo.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sdtui.dataset import sidecar
from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError
from sdtui.files import open_atomic, write_atomic

SCHEMA = 1

Side = Literal["before", "after"]


class Change(NamedTuple):
    """One file of an operation: its bytes before and after; None where the file does not exist."""

    path: Path
    before: bytes | None
    after: bytes | None

    def side(self, side: Side) -> bytes | None:
        """The bytes on one side of the operation."""
        return self.before if side == "before" else self.after


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
    changes: tuple[Change, ...]


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
        changes = operation.changes
        header = {"schema": SCHEMA, "label": operation.label, "time": operation.time, "files": len(changes)}
        # Level 1: 50 000 captions are 36 MB plain, 9 MB so, and the disk is the slower part.
        with (
            open_atomic(self._file(operation.number)) as stream,
            gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1, mtime=0) as packed,
        ):
            packed.write(json.dumps(header).encode() + b"\n")
            names = self._names(change.path for change in changes)
            for name, change in zip(names, changes, strict=True):
                line = [name, _text(change.before), _text(change.after)]
                packed.write(json.dumps(line).encode() + b"\n")

    def load(self, number: int) -> Operation:
        """A recorded operation with all its files.

        Raises:
            SdtuiError: its file is missing or damaged, or names a file outside the dataset, as the journal of a dataset
                that somebody else packed could.
        """
        path = self._file(number)
        with _reading(path, "a recorded edit"), gzip.open(path, "rb") as packed:
            header = json.loads(packed.readline())
            lines = map(json.loads, packed)
            changes = tuple(Change(self._inside(name), _bytes(before), _bytes(after)) for name, before, after in lines)
            return Operation(number, str(header["label"]), float(header["time"]), changes)

    def summary(self, number: int, *, applied: bool) -> Summary:
        """An operation's header; its files are not read. Raises SdtuiError when it is missing or damaged."""
        path = self._file(number)
        with _reading(path, "a recorded edit"), gzip.open(path, "rb") as packed:
            header = json.loads(packed.readline())
            return Summary(number, str(header["label"]), float(header["time"]), int(header["files"]), applied)

    def forget(self, number: int) -> None:
        """Delete an operation's record."""
        self._file(number).unlink(missing_ok=True)

    def reaches(self, path: Path) -> bool:
        """Whether the file at `path` lies in the dataset when all links are followed."""
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root))

    def _names(self, paths: Iterable[Path]) -> Iterator[str]:
        """Paths relative to the dataset; each folder's is worked out once."""
        known: dict[str, str] = {}
        for path in paths:
            folder, name = os.path.split(path)
            if folder not in known:
                relative = os.path.relpath(folder, self.root)
                known[folder] = "" if relative == os.curdir else relative
            yield os.path.join(known[folder], name)

    def _inside(self, name: str) -> Path:
        # As texts: an undo of many files would spend a fifth of its time on paths that know their parts.
        path = os.path.normpath(os.path.join(self.root, name))
        if "\0" in name or not path.startswith(os.path.join(self.root, "")):
            raise ValueError(f"it names a file outside the dataset: {printable(name)}")
        return Path(path)

    def _file(self, number: int) -> Path:
        return self.home / f"{number:06}.jsonl.gz"


@contextlib.contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    """Whatever a damaged or foreign file at `path` can bring about, as one message."""
    try:
        yield
    except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise SdtuiError(f"cannot read {what}: {error}", where=printable(path)) from error


def _state(raw: dict[str, Any]) -> State:
    applied, last, under_way = raw["applied"], raw["last"], raw["under_way"]
    if not (isinstance(applied, int) and isinstance(last, int) and 0 <= applied <= last):
        raise ValueError(f"{applied!r} of {last!r} edits applied")
    if under_way not in {None, "before", "after"}:
        raise ValueError(f"under way to {under_way!r}")
    return State(applied, last, under_way)


def _text(raw: bytes | None) -> str | None:
    """Any bytes as a JSON string and back: what is not UTF-8 travels as lone surrogates."""
    return None if raw is None else raw.decode("utf-8", "surrogateescape")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")
