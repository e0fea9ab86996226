"""The one thread that writes captions, in the order in which they were edited, each through the dataset's journal."""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sdtui import heap
from sdtui.dataset.bulk import Proposal, propose, propose_originals
from sdtui.dataset.changes import Changes
from sdtui.dataset.conflict import Choose
from sdtui.dataset.edit import Change, ConflictError, Journal, Operation, StoppedError, Summary
from sdtui.dataset.library import Library
from sdtui.tui.captions.hand import take
from sdtui.tui.captions.task import Task
from sdtui.tui.numbers import count

if TYPE_CHECKING:
    from sdtui.dataset.disk_watch import Seen
    from sdtui.tui.captions.known import Known

# Operations that the history shows.
HISTORY = 1_000
# How often an edit of many is worked out anew because another program wrote captions meanwhile.
_TRIES = 3
# From so many captions on an edit leaves megabytes behind that nobody needs again.
_MANY = 1_000


class Edited(NamedTuple):
    """What became of an edit of several captions."""

    changed: int
    images: int
    unreadable: int  # left out


class CaptionsWriter:
    """Writes captions of `library` and keeps `known` right; methods `…_slowly` wait for all that was submitted before."""

    def __init__(self, library: Library, thread: ThreadPoolExecutor, known: Known) -> None:
        self._library = library
        self._known = known
        self._thread = thread

    def write(self, position: int, change: Change, label: str, number: int) -> Future[None]:
        """Write one caption in the background: the edit by hand of this number."""

        def write() -> None:
            try:
                Journal.open(self._library.folder).apply([change], label)
            finally:
                self._known.edited_by_hand(position, number)

        return self._thread.submit(write)

    def changed(self, position: int, number: int) -> Future[None]:
        """Another program wrote a caption: in the background, as the index may be at work for a search."""
        return self._thread.submit(self._known.edited_by_hand, position, number)

    def look_at_disk_slowly(self) -> Seen:
        """What other programs changed since this was asked last; `known` knows it by now. Ours is all written before."""

        def look() -> Seen:
            seen = self._known.watch.look()
            if seen.captions:
                self._known.changed(seen.captions)
            return seen

        return self._thread.submit(look).result()

    def edit_many_slowly(
        self, positions: Sequence[int], edit: Callable[[str], str], label: str, task: Task | None = None
    ) -> Edited:
        """Make one edit of several captions, as one operation.

        Raises:
            SdtuiError: nothing was written; `edit` refused, `task` was called off, or the disk did not take it.
        """

        def work(reading: Iterable[int]) -> Proposal:
            return propose(self._library, reading, edit, label, samples=0)

        return self.make_slowly(positions, work, task or Task(label))

    def make_slowly(self, positions: Sequence[int], work: Callable[[Iterable[int]], Proposal], task: Task) -> Edited:
        """Make what `work` proposes for these captions as one operation. Raises as the edits."""
        return self._thread.submit(self._make, lambda: work(task.reading(positions)), positions, task).result()

    def restore_slowly(self, positions: Sequence[int], label: str, task: Task) -> Edited:
        """Put back what these captions were before the first recorded edit, as one operation. Raises as the edits."""

        def work(reading: Iterable[int]) -> Proposal:
            originals = Journal.open(self._library.folder).originals()
            return propose_originals(self._library, reading, originals, label, samples=0)

        return self.make_slowly(positions, work, task)

    def step_slowly(self, *, back: bool, choose: Choose | None = None, task: Task | None = None) -> Operation | None:
        """Undo or redo; the operation, or None when there is none. Raises ConflictError, StoppedError."""
        return self._thread.submit(self._step, back, choose, task or Task("")).result()

    def go_to_slowly(self, number: int, choose: Choose | None, task: Task) -> Operation | None:
        """Undo or redo until the operation of this number is the newest in force (0: none); the last one that was stepped over.

        Raises:
            ConflictError: captions were changed by another program; what was stepped over before stays so.
            StoppedError: `task` was called off, as above.
        """

        def work() -> Operation | None:
            operation = None
            while (applied := Journal.open(self._library.folder).applied) != number:
                try:
                    step = self._step(applied > number, choose, task)
                except StoppedError as error:
                    raise StoppedError("called off; steps that were complete before stay") from error
                if step is None:
                    break
                operation = step
            return operation

        return self._thread.submit(work).result()

    def recover_slowly(self, *, finish: bool) -> str:
        """Finish the edit that a killed process left half done, or take it back; what was done, in words. Raises SdtuiError."""

        def work() -> str:
            done = Journal.recover(self._library.folder, finish=finish)
            if done is None:
                return ""
            self._known.look_again(range(len(self._library)), lambda at: take(self._library, at))
            left = f", {count(len(done.conflicts), 'file')} left as they are" if done.conflicts else ""
            return f"{'finished' if finish else 'taken back'}: {done.label}{left}"

        return self._thread.submit(work).result()

    def history_slowly(self) -> list[Summary]:
        """The recorded operations, newest first. Raises SdtuiError."""
        return self._thread.submit(lambda: Journal.look(self._library.folder).history(HISTORY)).result()

    def operation_slowly(self, number: int) -> Operation:
        """One of them with all its files. Raises SdtuiError."""
        return self._thread.submit(lambda: Journal.look(self._library.folder).operation(number)).result()

    def flush(self, seconds: float) -> bool:
        """Wait until what was edited is written; False if that takes longer, as on a network drive that hangs."""
        try:
            self._thread.submit(lambda: None).result(timeout=seconds)
        except TimeoutError:
            return False
        return True

    def positions_of(self, paths: Iterable[Path]) -> list[int]:
        """Positions whose caption files are among `paths`."""
        return self._library.positions_of(paths)

    def _step(self, back: bool, choose: Choose | None, task: Task) -> Operation | None:
        journal = Journal.open(self._library.folder)
        operation = (journal.undo if back else journal.redo)(choose, task.writing)
        if operation is None:
            return None
        task.written()
        positions = self.positions_of(change.path for change in operation.changes)
        self._note_edited(positions, operation.changes, back=back)
        # Of its files one is asked for from here on, to go there.
        operation = operation._replace(changes=Changes(self._library.folder, itertools.islice(operation.changes, 1)))
        self._look_again(positions)
        return operation

    def _make(self, work: Callable[[], Proposal], positions: Sequence[int], task: Task) -> Edited:
        """Work an edit out and write it; anew where another program wrote in between, as it is to hold for what is there."""
        for tries in range(1, _TRIES + 1):
            proposal = work()
            _tidy(len(proposal.changes))
            touched = self.positions_of(change.path for change in proposal.changes)
            try:
                Journal.open(self._library.folder).apply(proposal.changes, proposal.label, progress=task.writing)
                break
            except ConflictError:
                if tries == _TRIES:
                    raise
        unreadable = len(proposal.unreadable)
        self._note_edited(touched, proposal.changes)
        del proposal
        task.written()
        self._look_again(touched)
        return Edited(len(set(touched).intersection(positions)), len(positions), unreadable)

    def _note_edited(self, positions: Sequence[int], changes: Iterable[Change], *, back: bool = False) -> None:
        """The captions of these images went from one side of `changes` to the other."""
        # The images by caption, not the other way round: the bytes of all captions are never in memory together.
        owners = defaultdict[str, list[int]](list)
        for at in positions:
            owners[os.path.abspath(self._library.caption_path(at))].append(at)
        for path, before, after in changes:
            for at in owners.get(os.fspath(path), ()):
                self._known.edited.wrote(at, *((after, before) if back else (before, after)))

    def _look_again(self, positions: Sequence[int]) -> None:
        """The captions of these images were written: read them."""
        _tidy(len(positions))
        self._known.look_again(positions, lambda at: take(self._library, at))
        _tidy(len(positions))


def _tidy(captions: int) -> None:
    if captions >= _MANY:
        heap.give_back()
