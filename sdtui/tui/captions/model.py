"""What the captions screen works on: the dataset, the caption in hand, and edits that go through its journal in order.

Everything that may take time (listing, reading all captions, searching, writing) is done by methods named `…_slowly`, for
a thread; the rest is at most one small file. Edits are taken in at once and written by one thread in the order they were
made, each with the bytes it expects on disk, so that nothing another program wrote is ever replaced.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from sdtui import heap
from sdtui.dataset.caption import CaptionFile, tag_words
from sdtui.dataset.edit import Change, Operation
from sdtui.dataset.library import Library
from sdtui.tui.captions.hand import InHand, take
from sdtui.tui.captions.image_marks import MARKED, ImageMarks, failure, positions_of
from sdtui.tui.captions.states import BROKEN, TWICE, UNTAGGED
from sdtui.tui.captions.tag_ranks import TagRanks
from sdtui.tui.widgets.offers import ROWS

if TYPE_CHECKING:
    from sdtui.dataset.complete import Offer
    from sdtui.tui.captions.known import Counted

FLUSH_SECONDS = 2.0


class CaptionsModel:
    """One dataset on the captions screen.

    Attributes:
        library: the images.
        marks: selections, stars and saved queries.
        known: what is known of all captions.
        writer: writes captions, for edits of many.
        view: positions that are listed, rising; all of them unless a search narrows it.
        matches: what the last search found.
        ranks: in how many captions of the view each tag stands; None until counted.
    """

    def __init__(self, library: Library) -> None:
        # Imported late: NumPy is not among what the first frame waits for.
        from sdtui.tui.captions.known import Known
        from sdtui.tui.captions.writer import CaptionsWriter

        self.library = library
        self.view: Sequence[int] = range(len(library))
        self.ranks: TagRanks | None = None
        self.matches: Sequence[int] = ()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="captions")
        self.marks = ImageMarks(library, self._thread.submit)
        self.known = Known(library, self.marks.store)
        self.writer = CaptionsWriter(library, self._thread, self.known)

    @classmethod
    def open_slowly(cls, folder: Path) -> CaptionsModel:
        """List the images of `folder`; raises DatasetError."""
        heap.keep_small()
        return cls(Library.scan(folder))

    @property
    def folder(self) -> Path:
        """The dataset's folder."""
        return self.library.folder

    @property
    def marked(self) -> set[int]:
        """Positions the user marked: selection 1."""
        return self.marks.selections[MARKED]

    # -- the caption in hand ------------------------------------------------------------------------------------------

    def take(self, position: int) -> InHand:
        """Read one image's caption from disk."""
        return take(self.library, position)

    def read_again(self, hand: InHand, known: Callable[[], object] = lambda: None) -> InHand:
        """The caption as it is on disk now, after another program or a failed write; counts and marks follow.

        `known` is called in another thread once the index has read it, too. What was counted from the index meanwhile may
        hold the change already, so that it stands in the counts twice: who shows them counts again then.
        """
        fresh = self.take(hand.position)
        self.library.changed([hand.position])
        number = self._count(hand.text, fresh.text)
        self.writer.changed(hand.position, number).add_done_callback(lambda _: known())
        self.known.note(hand.position, fresh.text if fresh.caption else None)
        if fresh.caption:
            self.known.edited.found(hand.position, fresh.caption.raw)
        return fresh

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
        number = self._count(hand.text, text)
        self.known.note(hand.position, text)
        self.known.edited.wrote(hand.position, hand.caption.raw, after)
        # From here on the file is expected to hold `after`, so a second edit can follow before the first is written.
        taken = InHand(hand.position, CaptionFile.parse(new.path, after), "", hand.seen)
        future = self.writer.write(hand.position, Change(hand.caption.path, hand.caption.raw, after), label, number)
        future.add_done_callback(lambda finished: done(taken, failure(finished)))
        return taken

    def _count(self, old: str, new: str) -> int:
        """Keep the counts right without counting everything again, and offer what is new; the edit's number."""
        edit = self.known.by_hand.add(frozenset(tag_words(old)), frozenset(tag_words(new)))
        self.known.completer.recent.update(dict.fromkeys(edit.come))
        if self.ranks is not None:
            self.ranks.change(edit.gone, edit.come)
        return edit.number

    def step_slowly(self, *, back: bool) -> Operation | None:
        """Undo or redo after all pending writes; the operation, or None when there is none. Raises ConflictError."""
        return self.writer.step_slowly(back=back)

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until what was edited is written; False if that takes longer, as on a network drive that hangs."""
        return self.writer.flush(seconds)

    def close(self, *, wait: bool = True) -> None:
        """Let the thread go once what is pending is written; the process does not end before that, whether one waits or not."""
        self._thread.shutdown(wait=wait)

    # -- all captions -------------------------------------------------------------------------------------------------

    def load_slowly(self) -> Iterator[int]:
        """Read all captions; yields how many are known. Afterwards blank ones count as untagged."""
        yield from self.known.load_slowly()

    def keep_slowly(self) -> None:
        """Write down for the next time what was read; raises SdtuiError when the disk does not take it."""
        self.known.index.keep()

    def count_slowly(self) -> Counted:
        """Count the tags of the view."""
        return self.known.count_slowly(self.view)

    def take_counts(self, counted: Counted) -> None:
        """The tags of the view were counted; what was edited by hand meanwhile is added."""
        self.ranks = counted.ranks
        for edit in self.known.by_hand.later_than(counted.edits):
            self.ranks.change(edit.gone, edit.come)
            self.known.completer.recent.update(dict.fromkeys(edit.come))

    def search_slowly(self, query: str, stopped: Callable[[], bool] = lambda: False) -> list[int]:
        """Positions of the images that match; raises UserError for a query that cannot be understood, or is not saved."""
        self.marks.settle()
        return self.known.search_slowly(self.marks.store.query(query), stopped)

    def find_slowly(self, relatives: Iterable[str]) -> dict[str, int]:
        """Position by path relative to the dataset, for those that are still there."""
        return positions_of(self.library, relatives)

    def offers(self, typed: str, there: Collection[str]) -> Sequence[Offer]:
        """Tags for what is typed so far, but those that are there; what a `TagInput` offers."""
        return self.known.completer.offers(typed, ROWS, without=there)

    def offers_in_text(self, typed: str, there: Collection[str]) -> Sequence[Offer]:
        """The same in the text of a caption, which may be prose: only tags whose words begin with what is typed."""
        from sdtui.dataset.ranked_names import Reach

        return self.known.completer.offers(typed, ROWS, without=there, reach=Reach.WORDS)

    # -- the view -----------------------------------------------------------------------------------------------------

    def show(self, positions: Sequence[int] | None) -> None:
        """Narrow the view to `positions` (rising), or show everything."""
        self.view = range(len(self.library)) if positions is None else positions
        self.ranks = None

    def row_of(self, position: int) -> int | None:
        """Where an image is listed, None when the view leaves it out."""
        row = bisect_left(self.view, position)
        return row if row < len(self.view) and self.view[row] == position else None

    def row_near(self, position: int) -> int:
        """The row of an image, or of the next one that the view has, or of its last."""
        return max(0, min(bisect_left(self.view, position), len(self.view) - 1))

    def next_untagged(self, row: int) -> int | None:
        """The first row after `row`, going round, whose image has no caption, or none that can be read."""
        return self.known.next_in(self.view, row, UNTAGGED, BROKEN)

    def next_problem(self, row: int) -> int | None:
        """The same, and also where a tag stands twice."""
        return self.known.next_in(self.view, row, UNTAGGED, BROKEN, TWICE)

    def next_match(self, row: int, step: int) -> int | None:
        """The next row in the direction of `step` whose image the last search found, going round."""
        return self.known.next_of(self.view, row, self.matches, step)
