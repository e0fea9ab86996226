"""What the captions screen works on: the dataset, the caption in hand, and edits that go through its journal in order.

Everything that may take time (listing, reading all captions, searching, writing) is done by methods named `…_slowly`, for
a thread; the rest is at most one small file. Edits are taken in at once and written by one thread in the order they were
made, each with the bytes it expects on disk, so that nothing another program wrote is ever replaced.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sdtui.dataset.bulk import propose
from sdtui.dataset.caption import CaptionError, CaptionFile, tag_words
from sdtui.dataset.edit import Change, Journal, Operation
from sdtui.dataset.library import Library, Stat
from sdtui.dataset.names import printable
from sdtui.errors import SdtuiError
from sdtui.tui.captions.tag_ranks import TagRanks

if TYPE_CHECKING:
    from sdtui.dataset.query import Searcher

FLUSH_SECONDS = 2.0
# The selection that marks on the screen are.
MARKED = 1
# What is known of an image's caption, one byte each; an empty one is as good as none.
CAPTIONED, UNTAGGED, UNREADABLE = range(3)
_KNOWN = (CAPTIONED, UNTAGGED, UNTAGGED, UNREADABLE)  # by the index's `state`


@dataclass
class InHand:
    """The image under the cursor and its caption as the user sees it."""

    position: int
    caption: CaptionFile | None  # None: it cannot be read, and `problem` says why
    problem: str
    seen: Stat | None  # the file's state when it was read or written by us

    @property
    def text(self) -> str:
        """The caption's text, empty where there is none."""
        return self.caption.text if self.caption else ""


class Edited(NamedTuple):
    """What became of an edit of several captions."""

    changed: int
    images: int
    unreadable: int  # left out


class CaptionsModel:
    """One dataset on the captions screen.

    Attributes:
        library: the images.
        view: positions that are listed, rising; all of them unless a search narrows it.
        index: what all captions say, once loaded.
        marked: positions the user marked, kept in the dataset's marks as selection 1; changed by `mark`.
        ranks: in how many captions of the view each tag stands; None until counted.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self.view: Sequence[int] = range(len(library))
        self.ranks: TagRanks | None = None
        self.matches: Sequence[int] = ()
        # Imported late: NumPy is not among what the first frame waits for.
        from sdtui.dataset.index import Index
        from sdtui.dataset.marks import Marks
        from sdtui.dataset.query import Searcher

        self.index = Index(library)
        self._marks = Marks(library.folder)
        self._searcher = Searcher(self.index, self._marks, _count_tokens)
        places = self.find_slowly(self._marks.selected(MARKED))
        self.marked = set(places.values())
        self._known = bytearray(CAPTIONED if library.has_caption(at) else UNTAGGED for at in range(len(library)))
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="captions")
        self._reading = threading.Lock()

    @classmethod
    def open_slowly(cls, folder: Path) -> CaptionsModel:
        """List the images of `folder`; raises DatasetError."""
        return cls(Library.scan(folder))

    @property
    def folder(self) -> Path:
        """The dataset's folder."""
        return self.library.folder

    @property
    def untagged(self) -> int:
        """How many images have no caption, or (once all were read) a blank one."""
        return self._known.count(UNTAGGED)

    @property
    def unreadable(self) -> int:
        """How many captions cannot be read, as far as they were."""
        return self._known.count(UNREADABLE)

    def is_untagged(self, position: int) -> bool:
        """Whether the image has no caption, as far as is known."""
        return self._known[position] == UNTAGGED

    def is_unreadable(self, position: int) -> bool:
        """Whether the image's caption file cannot be read, as far as is known."""
        return self._known[position] == UNREADABLE

    def next_untagged(self, row: int) -> int | None:
        """The first row after `row`, going round, whose image has no caption, or none that can be read."""
        return self._next_row(row, 1, lambda position: self._known[position] != CAPTIONED)

    def next_match(self, row: int, step: int) -> int | None:
        """The next row in the direction of `step` whose image the last search found, going round."""
        found = set(self.matches)
        return self._next_row(row, step, found.__contains__)

    def row_of(self, position: int) -> int | None:
        """Where an image is listed, None when the view leaves it out."""
        row = bisect_left(self.view, position)
        return row if row < len(self.view) and self.view[row] == position else None

    def take(self, position: int) -> InHand:
        """Read one image's caption from disk."""
        seen = self.library.stat_of(position)
        try:
            caption = self.library.read_caption(position)
        except CaptionError as error:
            # Without the path, whose name stands in the line above.
            return InHand(position, None, " ".join([f"{error.message}.", error.remedy]).strip(), seen)
        if caption.raw is None and not os.path.lexists(image := self.library[position].path):
            return InHand(position, None, f"{printable(image)} is no longer there", seen)
        return InHand(position, caption, "", seen)

    def read_again(self, hand: InHand) -> InHand:
        """The caption as it is on disk now, after another program or a failed write; counts and marks follow."""
        fresh = self.take(hand.position)
        self.library.changed([hand.position])
        # The index may be at work for a search, for which no key press waits.
        self._writer.submit(self.index.changed, [hand.position])
        self._count(hand.text, fresh.text)
        self._note(hand.position, fresh.text if fresh.caption else None)
        return fresh

    def mark(self, positions: Iterable[int], done: Callable[[Exception | None], None], *, on: bool) -> None:
        """Mark or unmark at once, and write that in the background; `done` hears, in another thread, how that went."""
        touched = set(positions)
        self.marked = self.marked | touched if on else self.marked - touched
        names = (self.library[at].relative for at in touched)
        future = self._writer.submit(self._marks.mark, names, MARKED, on=on)
        future.add_done_callback(lambda finished: done(_failure(finished)))

    def changed_on_disk(self, hand: InHand) -> bool:
        """Whether another program wrote the caption since it was read; only meaningful when nothing is being written."""
        return self.library.stat_of(hand.position) != hand.seen

    def edit(self, hand: InHand, text: str, label: str, done: Callable[[InHand, Exception | None], None]) -> InHand:
        """Take in a new text at once and write it in the background.

        `done` hears, in another thread, how that went with what this returns.
        """
        if hand.caption is None or text == hand.caption.text:
            return hand
        new = hand.caption.replaced(text)
        after = new.to_bytes()
        self._count(hand.text, text)
        self._note(hand.position, text)
        # From here on the file is expected to hold `after`, so a second edit can follow before the first is written.
        taken = InHand(hand.position, CaptionFile.parse(new.path, after), "", hand.seen)
        change = Change(hand.caption.path, hand.caption.raw, after)
        future = self._writer.submit(self._write_slowly, hand, change, label)
        future.add_done_callback(lambda finished: done(taken, _failure(finished)))
        return taken

    def edit_marked_slowly(self, edit: Callable[[str], str], label: str) -> Edited:
        """Make one edit of all marked captions, as one operation, after all pending writes.

        Raises:
            SdtuiError: nothing was written; `edit` refused, a file was changed meanwhile, or the disk did not take it.
        """
        return self._writer.submit(self._edit_many, sorted(self.marked), edit, label).result()

    def step_slowly(self, *, back: bool) -> Operation | None:
        """Undo or redo after all pending writes; the operation, or None when there is none. Raises ConflictError."""
        return self._writer.submit(self._step, back).result()

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until what was edited is written; False if that takes longer, as on a network drive that hangs."""
        try:
            self._writer.submit(lambda: None).result(timeout=seconds)
        except TimeoutError:
            return False
        return True

    def close(self, *, wait: bool = True) -> None:
        """Let the thread go once what is pending is written; the process does not end before that, whether one waits or not."""
        self._writer.shutdown(wait=wait)

    def load_slowly(self) -> Iterator[int]:
        """Read all captions; yields how many are known. Afterwards blank ones count as untagged."""
        with self._reading:
            if not self.index.ready:
                yield from self.index.load()
                self._searcher.warm()
        self._known[:] = bytes(_KNOWN[state] for state in self.index.columns.state.tolist())

    def keep_slowly(self) -> None:
        """Write down for the next time what was read; raises SdtuiError when the disk does not take it."""
        self.index.keep()

    def count_slowly(self) -> TagRanks:
        """Count the tags of the view."""
        view = self.view
        return TagRanks(self._loaded().index.tag_counts(None if isinstance(view, range) else view))

    def search_slowly(self, query: str, stopped: Callable[[], bool] = lambda: False) -> list[int]:
        """Positions of the images that match; raises UserError for a query that cannot be understood, or is not saved."""
        from sdtui.dataset.query import parse

        parsed = parse(self._marks.query(query))
        found: list[int] = self._loaded().find(parsed, stopped).tolist()
        return found

    def _loaded(self) -> Searcher:
        """The index once it can be asked; waits for the thread that loads it, if one does."""
        for _ in self.load_slowly() if not self.index.ready else ():
            pass
        return self._searcher

    def show(self, positions: Sequence[int] | None) -> None:
        """Narrow the view to `positions` (rising), or show everything."""
        self.view = range(len(self.library)) if positions is None else positions
        self.ranks = None

    def find_slowly(self, relatives: Iterable[str]) -> dict[str, int]:
        """Position by path relative to the dataset, for those that are still there."""
        wanted = set(relatives)
        if not wanted:
            return {}
        return {relative: at for at, relative in enumerate(self.library.relatives()) if relative in wanted}

    def positions_of(self, paths: Iterable[Path]) -> list[int]:
        """Positions whose caption files are among `paths`."""
        wanted = set(paths)
        return [at for at in range(len(self.library)) if self.library.caption_path(at) in wanted]

    def _write_slowly(self, hand: InHand, change: Change, label: str) -> None:
        Journal.open(self.folder).apply([change], label)
        self.index.changed([hand.position])

    def _step(self, back: bool) -> Operation | None:
        journal = Journal.open(self.folder)
        operation = journal.undo() if back else journal.redo()
        if operation is not None:
            self._look_again([change.path for change in operation.changes])
        return operation

    def _edit_many(self, positions: Sequence[int], edit: Callable[[str], str], label: str) -> Edited:
        proposal = propose(self.library, positions, edit, label, samples=0)
        written = {change.path for change in proposal.changes}
        changed = sum(self.library.caption_path(at) in written for at in positions)
        Journal.open(self.folder).apply(proposal.changes, label)
        self._look_again(written)
        return Edited(changed, len(positions), len(proposal.unreadable))

    def _look_again(self, paths: Iterable[Path]) -> None:
        """These caption files were written: read them, of whichever images they are."""
        touched = self.positions_of(paths)
        self.index.changed(touched)
        for at in touched:
            if self.index.ready:
                self._known[at] = _KNOWN[self.index.columns.state[at]]
            else:
                hand = self.take(at)
                self._note(at, hand.text if hand.caption and hand.caption.raw is not None else None)

    def _note(self, position: int, text: str | None) -> None:
        """Take note of a caption's text; None where none can be read."""
        if text is None:
            self._known[position] = UNREADABLE if self.library.has_caption(position) else UNTAGGED
        else:
            self._known[position] = CAPTIONED if text.strip() else UNTAGGED

    def _count(self, old: str, new: str) -> None:
        """Keep the counts right without counting everything again."""
        if self.ranks is not None:
            self.ranks.change(set(tag_words(old)), set(tag_words(new)))

    def _next_row(self, row: int, step: int, wanted: Callable[[int], bool]) -> int | None:
        count = len(self.view)
        rows = ((row + step * offset) % count for offset in range(1, count + 1))
        return next((at for at in rows if wanted(self.view[at])), None)


def _count_tokens(text: str) -> int:
    from sdtui.models import tokens

    return tokens.count(text)


def _failure(finished: Future[Any]) -> Exception | None:
    error = finished.exception()
    if error is None or isinstance(error, Exception):
        return error
    return SdtuiError(str(error))
