"""What is known of all captions on the screen: which lack a text or have something wrong, what a query finds, tag counts.

Before the index is loaded only the names of the files are known; from then on it is kept right edit by edit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sdtui import heap
from sdtui.dataset.caption import tag_words
from sdtui.dataset.columns import CAPTIONED, EMPTY, MISSING, UNREADABLE
from sdtui.dataset.complete import OWN, Completer, OwnTags
from sdtui.dataset.disk_watch import DiskWatch
from sdtui.dataset.index import Index
from sdtui.dataset.library import Library
from sdtui.dataset.marks import Marks
from sdtui.dataset.postings import Mask
from sdtui.dataset.query import Searcher, parse
from sdtui.tagging.lookup import ScoreLookup
from sdtui.tui.captions.edited import EditedCaptions
from sdtui.tui.captions.hand import InHand
from sdtui.tui.captions.hand_edits import HandEdits
from sdtui.tui.captions.states import BROKEN, FINE, TWICE, UNTAGGED
from sdtui.tui.captions.tag_ranks import TagRanks

_BY_STATE = {CAPTIONED: FINE, MISSING: UNTAGGED, EMPTY: UNTAGGED, UNREADABLE: BROKEN}

# By whether there is a caption file.
_BY_FILE = bytes([UNTAGGED, FINE]).ljust(256)


class Counted(NamedTuple):
    """How often each tag stands, with the edits by hand up to this number."""

    ranks: TagRanks
    edits: int


class Known:
    """The index of one dataset and what the screen needs of it at once.

    Attributes:
        index: what all captions say, once loaded.
        watch: notices what other programs write.
        edited: captions that this session made others than they were.
        by_hand: edits of single captions, and up to which the index has read them.
        completer: offers tags: the dataset's own once they are counted, those of the user's lists once these are read.
    """

    def __init__(self, library: Library, marks: Marks) -> None:
        self.index = Index(library)
        # Before anything is read, so that nothing is missed that is written meanwhile.
        self.watch = DiskWatch(self.index)
        self.edited = EditedCaptions(len(library))
        self.by_hand = HandEdits()
        self.completer = Completer()
        self._library = library
        self._searcher = Searcher(self.index, marks, _count_tokens, ScoreLookup(library))
        self._state = bytearray(library.captioned().translate(_BY_FILE))
        self._reading = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether all captions are read."""
        return self.index.ready

    # -- one image ----------------------------------------------------------------------------------------------------

    def state(self, position: int) -> int:
        """One of `states`, as far as is known."""
        return self._state[position]

    def note(self, position: int, text: str | None) -> None:
        """Take note of a caption's text; None where none can be read."""
        if text is None:
            self._state[position] = BROKEN if self._library.has_caption(position) else UNTAGGED
        elif not text.strip():
            self._state[position] = UNTAGGED
        else:
            words = tag_words(text)
            self._state[position] = TWICE if len(set(words)) < len(words) else FINE

    def look_again(self, positions: Iterable[int], read: Callable[[int], InHand]) -> None:
        """These captions were written: read them again."""
        touched = list(positions)
        self.changed(touched)
        for at in () if self.index.ready else touched:
            hand = read(at)
            self.note(at, hand.text if hand.caption and hand.caption.raw is not None else None)

    def changed(self, positions: Sequence[int]) -> None:
        """These captions are others on the disk than were read, whoever wrote them: once all are known, they are again."""
        self.index.changed(positions)
        if self.index.ready:
            for at, state in zip(positions, self._of_index(np.array(positions, np.int64)), strict=True):
                self._state[at] = state

    def edited_by_hand(self, position: int, number: int) -> None:
        """A caption is on the disk as the edit of this number left it, or could not be written: the index reads it."""
        with self.index.lock:
            self.index.changed([position])
            self.by_hand.indexed = number

    # -- all images ---------------------------------------------------------------------------------------------------

    def count(self, state: int) -> int:
        """How many images are in this state, as far as is known."""
        return self._state.count(state)

    def next_in(self, view: Sequence[int], row: int, *states: int) -> int | None:
        """The first row of `view` after `row`, going round, whose image is in one of these states, as far as is known."""
        return _next_row(view, row, np.isin(np.frombuffer(bytes(self._state), np.uint8), states), 1)

    def next_of(self, view: Sequence[int], row: int, positions: Sequence[int], step: int) -> int | None:
        """The next row of `view` in the direction of `step`, going round, whose image is among `positions`."""
        return _next_row(view, row, self.index.mask(positions), step)

    def load_slowly(self) -> Iterator[int]:
        """Read all captions; yields how many are known. Afterwards blank ones count as untagged."""
        with self._reading:
            if not self.index.ready:
                yield from self.index.load()
                self._searcher.warm()
        self._state[:] = self._of_index(np.arange(len(self._library)))
        heap.give_back()

    def search_slowly(self, query: str, stopped: Callable[[], bool]) -> list[int]:
        """Positions of the images that match; raises UserError for a query that cannot be understood."""
        parsed = parse(query)
        found: list[int] = self._loaded().find(parsed, stopped).tolist()
        return found

    def count_slowly(self, view: Sequence[int]) -> Counted:
        """Count the tags of the images in `view`."""
        self._loaded()
        with self.index.lock:
            edits = self.by_hand.indexed
            counts = self.index.tag_counts(None if isinstance(view, range) else view)
        ranks = TagRanks(counts)
        if isinstance(view, range):
            self.completer.own = OwnTags(ranks[at] for at in range(min(OWN, len(ranks))))
            self.completer.recent.clear()
        return Counted(ranks, edits)

    def _loaded(self) -> Searcher:
        """The index once it can be asked; waits for the thread that loads it, if one does."""
        for _ in self.load_slowly() if not self.index.ready else ():
            pass
        return self._searcher

    def _of_index(self, positions: NDArray[np.int64]) -> bytes:
        columns = self.index.columns
        states = np.array([_BY_STATE[state] for state in range(len(_BY_STATE))], np.uint8)[columns.state[positions]]
        return np.where((states == FINE) & columns.twice[positions], TWICE, states).astype(np.uint8).tobytes()


def _next_row(view: Sequence[int], row: int, wanted: Mask, step: int) -> int | None:
    """The next row of `view` in the direction of `step` whose image is wanted, going round; None where none is."""
    inside = wanted if isinstance(view, range) else wanted[np.asarray(view, np.int64)]
    rows = np.flatnonzero(inside)
    if not len(rows):
        return None
    at = np.searchsorted(rows, row, side="right") if step > 0 else np.searchsorted(rows, row, side="left") - 1
    return int(rows[at % len(rows)])


def _count_tokens(text: str) -> int:
    from sdtui.models import tokens

    return tokens.count(text)
