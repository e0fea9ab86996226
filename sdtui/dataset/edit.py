"""Edits to files as operations: applied whole or not at all, undone and redone without limit, safe against kill -9.

What is durable when: the operation's record, with both versions of every file, is on disk (fsync) before the first file
changes. Each file is replaced by a rename, so at any instant it is the old one or the new one. If the process dies in
between, the next `Journal.open` finishes the operation; who would rather ask first looks at `Journal.unfinished` and
calls `Journal.recover`. When `apply` returns, the files themselves survive a power
failure as well: few are synced one by one, many are prepared and synced together (see `switch`).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sdtui.dataset.changes import Change, Changes, Side
from sdtui.dataset.conflict import Choose, Conflict, ConflictError, settle
from sdtui.dataset.expected import ABSENT, ChangedError, Expected, bytes_of, holds, stamp_if_held
from sdtui.dataset.journal import Operation, State, Store, Summary
from sdtui.dataset.switch import Progress, switch_all, unheard
from sdtui.errors import SdtuiError
from sdtui.files import sync_all, sync_folder, temporary_start, write_atomic, write_failure

__all__ = [
    "Change",
    "ConflictError",
    "Journal",
    "Operation",
    "Progress",
    "Recovered",
    "StoppedError",
    "Summary",
    "Unfinished",
]

# Above this, one sync of the whole file system costs less than a sync per file.
_SYNC_EACH = 16


class StoppedError(SdtuiError):
    """The user called an edit off; raised by what hears of its progress, and nothing of the edit stays."""


class Unfinished(NamedTuple):
    """An operation that a killed process left unfinished: `written` of its `files` are what it was to make them.

    `verb` says whether it was an edit, an undo or a redo.
    """

    label: str
    verb: str
    files: int
    written: int


@dataclass(frozen=True)
class Recovered:
    """An operation that a killed process had left unfinished, and that was finished or taken back.

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

    @classmethod
    def look(cls, folder: Path) -> Journal:
        """The journal of `folder` to read in: what a killed process left unfinished stays so."""
        return cls(Store(folder))

    @classmethod
    def unfinished(cls, folder: Path) -> Unfinished | None:
        """What a killed process left half done in `folder`; None also while the process that does it lives.

        Raises:
            SdtuiError: the journal is damaged or from a newer sdtui.
        """
        journal = cls(Store(folder))
        if not journal._unfinished(journal._store.read_state()) or not journal._store.is_free():
            return None
        # Asked again: whoever was at it may have come to the end in between.
        if not journal._unfinished(state := journal._store.read_state()):
            return None
        number, target, _after = _cut_short(state)
        operation = journal._store.load(number)
        written = sum(holds(change.path, change.side(target)) for change in operation.changes)
        verb = "edit" if state.under_way is None else "undo" if target == _BEFORE else "redo"
        return Unfinished(operation.label, verb, len(operation.changes), written)

    @classmethod
    def recover(cls, folder: Path, *, finish: bool) -> Recovered | None:
        """Finish what a killed process left half done in `folder`, or take it back; None when there was nothing.

        Raises:
            SdtuiError: the journal is damaged, another process holds it, or the disk does not take it.
        """
        journal = cls(Store(folder))
        if journal._unfinished(journal._store.read_state()):
            with journal._store.locked():
                journal._recover(finish=finish)
        return journal.recovered

    @property
    def home(self) -> Path:
        """The folder the journal lives in."""
        return self._store.home

    def apply(
        self, changes: Iterable[Change], label: str, choose: Choose | None = None, progress: Progress = unheard
    ) -> Operation | None:
        """Write every change, and record it; None: nothing to do.

        Of changes that are not packed, those whose two sides are equal are left out. A file that is not what `before` says is left to `choose`; `progress` hears of many files how far they are.

        Raises:
            StoppedError: `progress` raised it; the files already written were put back.
            ConflictError: there are such files, and nobody chose; nothing was written.
            SdtuiError: a write failed (disk full, no permission); the files already written were put back.
            UserError: a file is not in the dataset.
        """
        wanted = self._packed(changes)
        if not len(wanted):
            return None
        with self._store.locked():
            state = self._recover()
            wanted, seen = self._agreed(wanted, "after", f"cannot {label}", choose)
            if not len(wanted):
                return None
            for number in range(state.last, state.applied, -1):
                self._store.forget(number)
            if state.last > state.applied:
                state.last = state.applied
                self._store.write_state(state, sync=False)
            operation = Operation(state.last + 1, label, time.time(), wanted)
            self._store.record(operation)
            self._carry_out(operation, "after", lambda: self._store.forget(operation.number), progress, seen)
            self._conclude(State(operation.number, operation.number))
        return operation

    def undo(self, choose: Choose | None = None, progress: Progress = unheard) -> Operation | None:
        """Put back what the newest operation in force changed; None when there is none.

        A file that someone else changed since is left to `choose`; what it held then is what `redo` brings back.

        Raises:
            ConflictError: there are such files, and nobody chose; nothing was written.
        """
        return self._step(-1, choose, progress)

    def redo(self, choose: Choose | None = None, progress: Progress = unheard) -> Operation | None:
        """Do again what was undone last; None when there is nothing. Arguments and what it raises as for `undo`."""
        return self._step(+1, choose, progress)

    @property
    def applied(self) -> int:
        """The number of the newest operation in force; 0 when none is."""
        return self._store.read_state().applied

    def operation(self, number: int) -> Operation:
        """A recorded operation with all its files; raises SdtuiError when its record is missing or damaged."""
        return self._store.load(number)

    def history(self, limit: int = 20) -> list[Summary]:
        """The newest operations, newest first; those with `applied` false can be redone."""
        state = self._store.read_state()
        numbers = range(state.last, max(0, state.last - limit), -1)
        return [self._store.summary(number, applied=number <= state.applied) for number in numbers]

    def originals(self) -> dict[Path, bytes | None]:
        """Every file that an edit in force has touched, with its bytes before the first of them.

        Also those of which another program's bytes were left or merged when an edit was undone or made again.

        Raises:
            SdtuiError: a recorded edit is damaged.
        """
        return self._originals(self._store.read_state().applied)

    def _step(self, direction: int, choose: Choose | None, progress: Progress) -> Operation | None:
        if not self._store.home.exists():
            return None
        with self._store.locked():
            state = self._recover()
            number = state.applied if direction < 0 else state.applied + 1
            if not 1 <= number <= state.last:
                return None
            operation = self._store.load(number)
            target: Side = "before" if direction < 0 else "after"
            verb = "undo" if direction < 0 else "redo"
            changes, seen = self._agreed(operation.changes, target, f"cannot {verb} {operation.label!r}", choose)
            if changes is not operation.changes:
                self._keep_originals(operation, changes)
                operation = operation._replace(changes=changes)
                self._store.record(operation)
            self._store.write_state(State(state.applied, state.last, target), sync=True)
            self._carry_out(operation, target, lambda: self._store.write_state(state, sync=False), progress, seen)
            self._conclude(State(state.applied + direction, state.last))
        return operation

    def _conclude(self, state: State) -> None:
        """Note that the files are written. On a full disk the next open notes it, which finds them as they are to be."""
        with contextlib.suppress(SdtuiError):
            self._store.write_state(state, sync=False)

    def _originals(self, last: int) -> dict[Path, bytes | None]:
        first: dict[Path, bytes | None] = {}
        for number in range(0 if self._store.has(0) else 1, last + 1):
            for change in self._store.load(number).changes:
                first.setdefault(change.path, change.before)
        return first

    def _keep_originals(self, operation: Operation, changes: Iterable[Change]) -> None:
        """Record 0 gets the originals that only this operation knows, and no longer will with these changes."""
        before = {change.path: change.before for change in changes}
        earlier = self._originals(operation.number - 1)
        lost = [
            Change(path, then, None)
            for path, then, _after in operation.changes
            if path not in earlier and (path not in before or before[path] != then)
        ]
        if lost:
            kept = self._store.load(0).changes if self._store.has(0) else ()
            originals = Changes(self._store.root, itertools.chain(kept, lost))
            self._store.record(Operation(0, "originals", time.time(), originals))

    def _carry_out(
        self, operation: Operation, target: Side, withdraw: Callable[[], None], progress: Progress, seen: Expected
    ) -> None:
        """Bring all files to `target`; on failure or interruption put them back and withdraw the operation."""
        source = _other(target)
        try:
            self._write(operation.changes, target, progress, seen)
        except (SdtuiError, KeyboardInterrupt) as error:
            # If this fails as well the record stays, and the next open finishes the operation.
            for change in operation.changes:
                if holds(change.path, change.side(target)):
                    _put(change.path, change.side(source), sync=False)
            sync_all(self._store.root)
            withdraw()
            if isinstance(error, ChangedError):
                what = operation.label if target == _AFTER else f"undo {operation.label!r}"
                self._agreed(operation.changes, target, f"cannot {what}", None)
            raise

    def _write(
        self, changes: Changes, target: Side, progress: Progress = unheard, seen: Expected | None = None
    ) -> None:
        files = ((change.path, change.side(target)) for change in changes)
        if len(changes) > _SYNC_EACH:
            switch_all(files, len(changes), self._store.root, progress, seen)
            return
        for at, (path, data) in enumerate(files):
            if seen is not None:
                seen.check(os.fspath(path), seen.stamps[at])
            _put(path, data, sync=True)

    def _unfinished(self, state: State) -> bool:
        return state.under_way is not None or self._store.has(state.last + 1)

    def _recover(self, *, finish: bool = True) -> State:
        """Finish what a killed process left, or take it back; the caller holds the lock."""
        state = self._store.read_state()
        if not self._unfinished(state):
            return state
        number, target, after = _cut_short(state)
        if not finish:
            target, after = _other(target), State(state.applied, state.last)
        operation = self._store.load(number)
        source = _other(target)
        unwritten, conflicts = Changes(self._store.root), []
        for change in operation.changes:
            there = bytes_of(change.path)
            if there == change.side(target):
                continue
            # Nobody has asked for this now, and the journal may have come with the dataset: it must not reach out of it.
            if there == change.side(source) and self._store.reaches(change.path):
                unwritten.put(change)
            else:
                conflicts.append(change.path)
        self._write(unwritten, target)
        _sweep(operation.changes)
        self._store.write_state(after, sync=True)
        if not finish and state.under_way is None:
            self._store.forget(number)
        self.recovered = Recovered(operation.label, len(unwritten), tuple(conflicts))
        return after

    def _packed(self, changes: Iterable[Change]) -> Changes:
        if isinstance(changes, Changes) and changes.root == os.fspath(self._store.root):
            return changes
        return Changes(self._store.root, (change for change in changes if change.before != change.after))

    def _agreed(self, changes: Changes, target: Side, what: str, choose: Choose | None) -> tuple[Changes, Expected]:
        """The changes, with those of files that are not as expected as `choose` wants them; and what they look like now."""
        source = _other(target)
        conflicts: list[Conflict] = []
        stamps = array("q")
        for change in changes:
            stamp = stamp_if_held(change.path, change.side(source))
            stamps.append(ABSENT if stamp is None else stamp)
            if stamp is None:
                there = bytes_of(change.path)
                conflicts.append(Conflict(change.path, change.side(source), change.side(target), there))
        if not conflicts:
            return changes, Expected(lambda: (os.fspath(change.path) for change in changes), stamps)
        settled = settle(conflicts, target, choose or (lambda _: None), what)
        odd = {conflict.path for conflict in conflicts}
        as_expected = (change for change in changes if change.path not in odd)
        # Looked at again, as what was chosen may have taken its time.
        return self._agreed(Changes(self._store.root, itertools.chain(as_expected, settled)), target, what, None)


_BEFORE: Side = "before"
_AFTER: Side = "after"


def _other(side: Side) -> Side:
    return _BEFORE if side == _AFTER else _AFTER


def _cut_short(state: State) -> tuple[int, Side, State]:
    """The operation under way, the side its files were going to, and where the journal stands once they are there."""
    if state.under_way is None:
        return state.last + 1, _AFTER, State(state.last + 1, state.last + 1)
    if state.under_way == "before":
        return state.applied, _BEFORE, State(state.applied - 1, state.last)
    return state.applied + 1, _AFTER, State(state.applied + 1, state.last)


def _sweep(changes: Iterable[Change]) -> None:
    """Delete the half-written neighbours that a killed process left beside the files it was replacing."""
    starts: defaultdict[str, set[str]] = defaultdict(set)
    for change in changes:
        folder, name = os.path.split(change.path)
        starts[folder].add(temporary_start(name))
    for folder, wanted in starts.items():
        for left in Path(folder).glob(".*.tmp"):
            if left.name[:-4].rpartition(".")[0] + "." in wanted:
                left.unlink(missing_ok=True)


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
