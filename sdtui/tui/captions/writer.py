"""The one thread that writes captions, in the order in which they were edited, each through the dataset's journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from sdtui.dataset.bulk import propose
from sdtui.dataset.edit import Change, Journal, Operation
from sdtui.dataset.library import Library
from sdtui.tui.captions.hand import take
from sdtui.tui.captions.known import Known


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

    def write(self, position: int, change: Change, label: str) -> Future[None]:
        """Write one caption in the background."""

        def write() -> None:
            Journal.open(self._library.folder).apply([change], label)
            self._known.index.changed([position])

        return self._thread.submit(write)

    def changed(self, position: int) -> None:
        """Another program wrote a caption: in the background, as the index may be at work for a search."""
        self._thread.submit(self._known.index.changed, [position])

    def edit_many_slowly(self, positions: Sequence[int], edit: Callable[[str], str], label: str) -> Edited:
        """Make one edit of several captions, as one operation.

        Raises:
            SdtuiError: nothing was written; `edit` refused, a file was changed meanwhile, or the disk did not take it.
        """
        return self._thread.submit(self._edit_many, positions, edit, label).result()

    def step_slowly(self, *, back: bool) -> Operation | None:
        """Undo or redo; the operation, or None when there is none. Raises ConflictError."""
        return self._thread.submit(self._step, back).result()

    def flush(self, seconds: float) -> bool:
        """Wait until what was edited is written; False if that takes longer, as on a network drive that hangs."""
        try:
            self._thread.submit(lambda: None).result(timeout=seconds)
        except TimeoutError:
            return False
        return True

    def positions_of(self, paths: Iterable[Path]) -> list[int]:
        """Positions whose caption files are among `paths`."""
        wanted = set(paths)
        return [at for at in range(len(self._library)) if self._library.caption_path(at) in wanted]

    def _step(self, back: bool) -> Operation | None:
        journal = Journal.open(self._library.folder)
        operation = journal.undo() if back else journal.redo()
        if operation is not None:
            self._look_again([change.path for change in operation.changes])
        return operation

    def _edit_many(self, positions: Sequence[int], edit: Callable[[str], str], label: str) -> Edited:
        proposal = propose(self._library, positions, edit, label, samples=0)
        written = {change.path for change in proposal.changes}
        changed = sum(self._library.caption_path(at) in written for at in positions)
        Journal.open(self._library.folder).apply(proposal.changes, label)
        self._look_again(written)
        return Edited(changed, len(positions), len(proposal.unreadable))

    def _look_again(self, paths: Iterable[Path]) -> None:
        """These caption files were written: read them, of whichever images they are."""
        self._known.look_again(self.positions_of(paths), lambda at: take(self._library, at))
