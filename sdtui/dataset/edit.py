"""Edits to files as operations: applied whole or not at all, undone and redone without limit, safe against kill -9.

What is durable when: the operation's record, with both versions of every file, is on disk (fsync) before the first file
changes. Each file is replaced by a rename, so at any instant it is the old one or the new one. If the process dies in
between, the next `Journal.open` finishes the operation. When `apply` returns, the files themselves survive a power
failure as well: few are synced one by one, many are prepared and synced together (see `switch`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sdtui.dataset.journal import Change, Operation, Side, State, Store, Summary
from sdtui.dataset.names import printable
from sdtui.dataset.switch import switch_all
from sdtui.errors import SdtuiError, UserError
from sdtui.files import sync_all, sync_folder, temporary_start, write_atomic, write_failure

__all__ = ["Change", "ConflictError", "Journal", "Operation", "Recovered", "Summary"]

# Above this, one sync of the whole file system costs less than a sync per file.
_SYNC_EACH = 16
_SHOWN = 3


class ConflictError(SdtuiError):
    """Files changed on disk since the edit was made; `paths` names them all and nothing was written."""

    def __init__(self, paths: Sequence[Path], what: str) -> None:
        names = ", ".join(printable(path) for path in paths[:_SHOWN])
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        super().__init__(
            f"{what}: changed on disk by another program since: {names}{more}",
            remedy="Nothing was overwritten. Look at the files, then make the edit again",
        )
        self.paths = tuple(paths)


@dataclass(frozen=True)
class Recovered:
    """An operation that a killed process had left unfinished and `Journal.open` finished.

    `conflicts` are files that had been changed by another program meanwhile, or lie behind a link that leads out of the
    dataset; they were left as they are.
    """

    label: str
    written: int
    conflicts: tuple[Path, ...]


class Journal:
    """Undo and redo for the files of one dataset folder, shared by every sdtui that works on it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.recovered: Recovered | None = None

    @classmethod
    def open(cls, folder: Path) -> Journal:
        """The journal of `folder`; writes nothing unless an unfinished operation has to be finished.

        Raises:
            SdtuiError: the journal is damaged, from a newer sdtui, or another process holds it.
        """
        journal = cls(Store(folder))
        if journal._unfinished(journal._store.read_state()):
            with journal._store.locked():
                journal._recover()
        return journal

    @property
    def home(self) -> Path:
        """The folder the journal lives in."""
        return self._store.home

    def apply(self, changes: Iterable[Change], label: str) -> Operation | None:
        """Write every change, and record it; changes whose two sides are equal are left out. None: nothing to do.

        Raises:
            ConflictError: a file is not what `before` says; nothing was written.
            SdtuiError: a write failed (disk full, no permission); the files already written were put back.
        """
        wanted = [change for change in changes if change.before != change.after]
        if not wanted:
            return None
        self._insist_inside(wanted)
        with self._store.locked():
            state = self._recover()
            self._insist(wanted, "before", f"cannot {label}")
            for number in range(state.last, state.applied, -1):
                self._store.forget(number)
            if state.last > state.applied:
                state.last = state.applied
                self._store.write_state(state, sync=False)
            operation = self._store.record(state.last + 1, label, wanted)
            self._carry_out(operation, "after", lambda: self._store.forget(operation.number))
            self._store.write_state(State(operation.number, operation.number), sync=False)
        return operation

    def undo(self) -> Operation | None:
        """Put back what the newest operation in force changed; None when there is none.

        Raises:
            ConflictError: a file was changed since by someone else; nothing was written.
        """
        return self._step(-1)

    def redo(self) -> Operation | None:
        """Do again what was undone last; None when there is nothing. Raises as `undo`."""
        return self._step(+1)

    def history(self, limit: int = 20) -> list[Summary]:
        """The newest operations, newest first; those with `applied` false can be redone."""
        state = self._store.read_state()
        numbers = range(state.last, max(0, state.last - limit), -1)
        return [self._store.summary(number, applied=number <= state.applied) for number in numbers]

    def originals(self) -> dict[Path, bytes | None]:
        """Every file that an edit in force has touched, with its bytes before the first of them.

        Raises:
            SdtuiError: a recorded edit is damaged.
        """
        first: dict[Path, bytes | None] = {}
        for number in range(1, self._store.read_state().applied + 1):
            for change in self._store.load(number).changes:
                first.setdefault(change.path, change.before)
        return first

    def _step(self, direction: int) -> Operation | None:
        if not self._store.home.exists():
            return None
        with self._store.locked():
            state = self._recover()
            number = state.applied if direction < 0 else state.applied + 1
            if not 1 <= number <= state.last:
                return None
            operation = self._store.load(number)
            source, target = _sides(direction)
            verb = "undo" if direction < 0 else "redo"
            self._insist(operation.changes, source, f"cannot {verb} {operation.label!r}")
            self._store.write_state(State(state.applied, state.last, target), sync=True)
            self._carry_out(operation, target, lambda: self._store.write_state(state, sync=False))
            self._store.write_state(State(state.applied + direction, state.last), sync=False)
        return operation

    def _carry_out(self, operation: Operation, target: Side, withdraw: Callable[[], None]) -> None:
        """Bring all files to `target`; on failure or interruption put them back and withdraw the operation."""
        source: Side = "before" if target == "after" else "after"
        try:
            self._write([(change.path, change.side(target)) for change in operation.changes])
        except (SdtuiError, KeyboardInterrupt):
            # If this fails as well the record stays, and the next open finishes the operation.
            for change in operation.changes:
                if _holds(change.path, change.side(target)):
                    _put(change.path, change.side(source), sync=False)
            sync_all(self._store.root)
            withdraw()
            raise

    def _write(self, files: Sequence[tuple[Path, bytes | None]]) -> None:
        if len(files) > _SYNC_EACH:
            switch_all(files, self._store.root)
            return
        for path, data in files:
            _put(path, data, sync=True)

    def _unfinished(self, state: State) -> bool:
        return state.under_way is not None or self._store.has(state.last + 1)

    def _recover(self) -> State:
        """Finish what a killed process left; the caller holds the lock."""
        state = self._store.read_state()
        if not self._unfinished(state):
            return state
        if state.under_way is None:
            number, target, after = state.last + 1, _AFTER, State(state.last + 1, state.last + 1)
        elif state.under_way == "before":
            number, target, after = state.applied, _BEFORE, State(state.applied - 1, state.last)
        else:
            number, target, after = state.applied + 1, _AFTER, State(state.applied + 1, state.last)
        operation = self._store.load(number)
        source: Side = "before" if target == "after" else "after"
        files, conflicts = [], []
        for change in operation.changes:
            there = _bytes_of(change.path)
            if there == change.side(target):
                continue
            # Nobody has asked for this now, and the journal may have come with the dataset: it must not reach out of it.
            if there == change.side(source) and self._store.reaches(change.path):
                files.append((change.path, change.side(target)))
            else:
                conflicts.append(change.path)
        self._write(files)
        _sweep(operation.changes)
        self._store.write_state(after, sync=True)
        self.recovered = Recovered(operation.label, len(files), tuple(conflicts))
        return after

    def _insist(self, changes: Iterable[Change], side: Side, what: str) -> None:
        conflicts = [change.path for change in changes if not _holds(change.path, change.side(side))]
        if conflicts:
            raise ConflictError(conflicts, what)

    def _insist_inside(self, changes: Iterable[Change]) -> None:
        inside: dict[str, bool] = {}
        for change in changes:
            folder, name = os.path.split(change.path)
            if folder not in inside:
                inside[folder] = Path(os.path.abspath(folder)).is_relative_to(self._store.root)
            if not inside[folder] or name in {os.curdir, os.pardir}:
                raise UserError(f"not inside the dataset {printable(self._store.root)}", where=printable(change.path))


_BEFORE: Side = "before"
_AFTER: Side = "after"


def _sides(direction: int) -> tuple[Side, Side]:
    return (_AFTER, _BEFORE) if direction < 0 else (_BEFORE, _AFTER)


def _sweep(changes: Iterable[Change]) -> None:
    """Delete the half-written neighbours that a killed process left beside the files it was replacing."""
    starts = {(change.path.parent, temporary_start(change.path.name)) for change in changes}
    for folder in {folder for folder, _ in starts}:
        for left in folder.glob(".*.tmp"):
            if (folder, left.name[:-4].rpartition(".")[0] + ".") in starts:
                left.unlink(missing_ok=True)


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SdtuiError(f"cannot read: {error.strerror}", where=printable(path)) from error


def _holds(path: Path, expected: bytes | None) -> bool:
    """Whether the file has exactly these bytes, or with None is not there; a third of the cost of `_bytes_of`."""
    if expected is None:
        return _bytes_of(path) is None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return os.fstat(handle).st_size == len(expected) and os.read(handle, len(expected) + 1) == expected
        finally:
            os.close(handle)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise SdtuiError(f"cannot read: {error.strerror}", where=printable(path)) from error


def _put(path: Path, data: bytes | None, *, sync: bool) -> None:
    if data is not None:
        write_atomic(path, data, sync=sync)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise write_failure(path, error) from error
    if sync:
        sync_folder(path.parent)
