"""What all captions of a dataset say, ready to be asked: tags and the images that have them, texts, counts, sizes.

`Index.load` fills it, in a thread of its own: from the file that the last session kept (see `index_file`), and from the
captions that are new or were written since, which their size, time and inode tell. From then on `changed` keeps it right
caption by caption. `dataset.query` asks it.
"""

from __future__ import annotations

import threading
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from sdtui.dataset import index_file, sidecar
from sdtui.dataset.caption import tag_parts
from sdtui.dataset.caption_read import CaptionRead, image_stamp, read_text, size_of, stamp_now, stamps_now
from sdtui.dataset.columns import CAPTIONED, EMPTY, MISSING, UNREADABLE, Columns, Integers
from sdtui.dataset.index_file import Stored
from sdtui.dataset.library import Library
from sdtui.dataset.postings import Mask, Postings
from sdtui.dataset.strings import Strings
from sdtui.dataset.texts import BLOCK, Texts

# Whole blocks of texts at a time: about 10 ms each, after which the one who loads may stop.
_CHUNK = 8 * BLOCK
# Below this an index is read from the captions faster than one looks, and the folder stays without one.
KEPT_FROM = 2_000
# What stands between two commas with nothing but blanks in it.
_NO_TAG = 0xFFFF_FFFF
# So many parts of captions are remembered while they are read: at most 10 MB, and hardly any set has more that recur.
_PARTS = 1 << 16


class Index:
    """All captions of `library`, once `load` has run to its end.

    Attributes:
        library: the images.
        ready: whether everything is loaded; until then there is nothing to ask.
        columns: what is known of each image.
        words: the tags by number; some may stand in no caption any more.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self.ready = False
        # Held while tags are asked or captions taken in, each a matter of milliseconds.
        self.lock = threading.RLock()
        self._home = sidecar.home(library.folder)
        self._missed: set[int] = set()
        self._kept = True
        self._sized = np.zeros(len(library), np.bool_)
        self._start_anew()

    def _start_anew(self) -> None:
        count = len(self.library)
        self._start(Columns.blank(count), Texts(count), Postings(count), [])

    def _start(self, columns: Columns, texts: Texts, postings: Postings, words: list[str]) -> None:
        self.columns, self.texts, self.postings, self.words = columns, texts, postings, words
        self.vocabulary = Strings(words)
        self._numbers = _Numbers(zip(words, range(len(words)), strict=True))

    # -- loading and keeping ------------------------------------------------------------------------------------------

    def load(self) -> Iterator[int]:
        """Read what is to be read; yields how many captions are known so far, and stops where it is no longer asked."""
        with self.lock:
            self._missed.clear()
        stored = index_file.read(self._home)
        if stored is None or not self._take_over(stored):
            self._start_anew()
        yield from self._read_stale()
        with self.lock:
            if self.postings.crowded:
                self.postings.merge()
            self.ready = True
            # Before anyone else may ask: what was written meanwhile counts as read.
            self.changed(sorted(self._missed))

    def keep(self) -> bool:
        """Write the index for the next session if it is large enough for that to help, and differs from what is there.

        Raises:
            SdtuiError: the disk does not take it; the next session then reads the captions again.
        """
        with self.lock:
            if self._kept or not self.ready or len(self.library) < KEPT_FROM:
                return False
            self.postings.merge()
            starts = self.postings.starts
            used = np.flatnonzero(np.diff(starts))
            stored = Stored(
                names=index_file.joined_names(self.library.relatives()),
                words=[self.words[tag] for tag in used.tolist()],
                starts=np.append(starts[used], starts[-1]),
                lists=self.postings.lists,
                columns=self.columns,
                blocks=self.texts.blocks,
            )
            index_file.write(self._home, stored)
            self._kept = True
        return True

    def changed(self, positions: Iterable[int]) -> None:
        """These images' captions were written, created or deleted: look at them again."""
        rows = sorted(set(positions))
        for first in range(0, len(rows), _CHUNK):
            chunk = rows[first : first + _CHUNK]
            with self.lock:
                self.library.changed(chunk)
                if self.ready:
                    self._read(chunk, _Parts(self._numbers))
                    if self.postings.heavy:
                        self.postings.merge()
                else:
                    self._missed.update(chunk)
        with self.lock:
            if self.postings.crowded:
                self.postings.merge()

    def _take_over(self, stored: Stored) -> bool:
        """Begin with what the file holds of the images that are here; False when it holds none of them."""
        relatives = self.library.relatives()
        count = len(relatives)
        if stored.names == index_file.joined_names(relatives):
            postings = Postings(count, stored.starts, stored.lists)
            self._start(stored.columns, Texts(count, stored.blocks), postings, stored.words)
            return True
        rows = {name: row for row, name in enumerate(stored.relatives)}
        where = np.fromiter((rows.get(name, -1) for name in relatives), np.int64, count)
        there = np.flatnonzero(where >= 0)
        position = np.full(len(rows), -1, np.int64)
        position[where[there]] = there
        postings = Postings(len(rows), stored.starts, stored.lists).renumbered(position, count)
        self._start(stored.columns.rearranged(where), _rearranged(stored, where), postings, stored.words)
        self._kept = False
        return len(there) > 0

    def _read_stale(self) -> Iterator[int]:
        """Read the captions that are not what was read before, some at a time; yields how many are known."""
        stale = self._stale()
        done = len(self.library) - len(stale)
        yield done
        parts = _Parts(self._numbers)
        for first in range(0, len(stale), _CHUNK):
            chunk = stale[first : first + _CHUNK].tolist()
            with self.lock:
                self._read(chunk, parts)
                if self.postings.full:
                    self.postings.merge()
            yield done + first + len(chunk)

    def _stale(self) -> Integers:
        """Positions whose caption is not what was read, or may not be: a write in the same instant leaves no trace."""
        columns, count = self.columns, len(self.library)
        if not columns.sure.any():
            return np.arange(count, dtype=np.int64)
        now = np.array(stamps_now(self.library), np.int64).reshape(count, 3)
        then = np.stack((columns.caption_size, columns.caption_mtime, columns.caption_inode), axis=1)
        return np.flatnonzero(~(columns.sure & (now == then).all(axis=1)))

    # -- reading captions ---------------------------------------------------------------------------------------------

    def _read(self, rows: list[int], parts: _Parts) -> None:
        """Read these captions from disk, and put what they say in place of what was known."""
        captions = [read_text(path) for path in self.library.caption_files(rows)]
        at = np.array(rows, np.uint32)
        which, tags = self._tags_of(captions, parts)
        twice = self.postings.replace(at, at[which], tags)
        self.texts.put({row: caption.text for row, caption in zip(rows, captions, strict=True)})
        self._note(at, captions)
        self.columns.tags[at] = np.bincount(which, minlength=len(rows))
        self.columns.twice[at] = False
        self.columns.twice[twice] = True
        self._kept = False

    def _tags_of(self, captions: list[CaptionRead], parts: _Parts) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """The tags by number, new ones among them, and the place in `captions` of the one that each stands in."""
        numbers, lengths = array("I"), []
        for caption in captions:
            split = tag_parts(caption.text) if caption.text else []
            lengths.append(len(split))
            numbers.extend(map(parts.__getitem__, split))
        for word in self._numbers.fresh:
            self.words.append(word)
            self.vocabulary.add(word)
        self._numbers.fresh.clear()
        tags = np.array(numbers, np.uint32)
        there = tags != _NO_TAG
        return np.repeat(np.arange(len(captions)), lengths)[there], tags[there]

    def _note(self, rows: NDArray[np.uint32], captions: list[CaptionRead]) -> None:
        columns = self.columns
        stamps = np.array([caption.stamp for caption in captions], np.int64)
        columns.caption_size[rows], columns.caption_mtime[rows], columns.caption_inode[rows] = stamps.T
        columns.sure[rows] = [caption.sure for caption in captions]
        columns.state[rows] = [_state(caption) for caption in captions]
        columns.chars[rows] = [len(caption.text or "") for caption in captions]
        columns.tokens[rows] = -1

    # -- what it is asked ---------------------------------------------------------------------------------------------

    def text(self, position: int) -> str | None:
        """The caption's text; None without one that can be read."""
        with self.lock:
            return self.texts.get(position)

    def tag_counts(self, positions: Iterable[int] | None = None) -> Counter[str]:
        """In how many captions (of these images, or of all) each tag stands; one that a caption repeats counts once."""
        with self.lock:
            within = None if positions is None else self.mask(positions)
            counts = self.postings.counts(len(self.words), within)
            some = np.flatnonzero(counts).tolist()
            return Counter({self.words[tag]: count for tag, count in zip(some, counts[some].tolist(), strict=True)})

    def captions_with(self, tag: str) -> int | None:
        """In how many captions a tag stands, written exactly so; None while captions are taken in.

        A hundredth of a millisecond, as it is asked for each tag on the screen; nobody who looks waits for one who writes.
        """
        if not self.lock.acquire(blocking=False):
            return None
        try:
            number = self._numbers.get(tag)
            return 0 if number is None else self.postings.count(number)
        finally:
            self.lock.release()

    def differing(self, positions: Iterable[int]) -> list[int]:
        """Which of these images' caption files are other ones than were read, by size, time or inode; asks the disk."""
        columns = self.columns
        known = (columns.caption_size, columns.caption_mtime, columns.caption_inode)
        return [at for at in positions if stamp_now(self.library, at) != tuple(column[at] for column in known)]

    def mask(self, positions: Iterable[int]) -> Mask:
        """One truth value an image: whether it is among these."""
        mask = np.zeros(len(self.library), np.bool_)
        mask[np.fromiter(positions, np.int64)] = True
        return mask

    def count_tokens(
        self, count: Callable[[str], int], within: Mask, stopped: Callable[[], bool] = lambda: False
    ) -> NDArray[np.int32]:
        """CLIP tokens of each caption, at least of those `within`; counted where that was not done yet.

        Args:
            count: tokens of one text. The index knows no tokenizer; all callers must give the same.
            within: which captions are wanted.
            stopped: asked now and then; once it says so, the rest is left uncounted (−1).
        """
        column = self.columns.tokens
        for position, text in self.texts.some(np.flatnonzero(within & (column < 0)).tolist()):
            if position % BLOCK == 0 and stopped():
                break
            number = count(text) if text else 0
            with self.lock:
                # It may have been edited in between.
                if self.texts.get(position) == text:
                    column[position] = number
                    self._kept = False
        return column

    def read_sizes(self, within: Mask, stopped: Callable[[], bool] = lambda: False) -> None:
        """Fill in width and height at least of the images `within`, from their headers, where the file is another."""
        columns = self.columns
        for position in np.flatnonzero(within & ~self._sized).tolist():
            if position % BLOCK == 0 and stopped():
                break
            size, changed_at = image_stamp(path := self.library[position].path)
            if (columns.image_size[position], columns.image_mtime[position]) != (size, changed_at):
                columns.width[position], columns.height[position] = size_of(path)
                columns.image_size[position], columns.image_mtime[position] = size, changed_at
                self._kept = False
            self._sized[position] = True


class _Numbers(dict[str, int]):
    """The number of each tag; one not seen before gets the next."""

    def __init__(self, known: Iterable[tuple[str, int]]) -> None:
        super().__init__(known)
        self.fresh: list[str] = []

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        self.fresh.append(word)
        return number


class _Parts(dict[str, int]):
    """The number of the tag in each part of a caption, `_NO_TAG` where there is none; as parts recur, most are stripped once."""

    def __init__(self, numbers: _Numbers) -> None:
        super().__init__()
        self._numbers = numbers

    def __missing__(self, part: str) -> int:
        word = part.strip()
        number = self._numbers[word] if word else _NO_TAG
        if len(self) < _PARTS:
            self[part] = number
        return number


def _state(caption: CaptionRead) -> int:
    if caption.text is None:
        return UNREADABLE if caption.there else MISSING
    return EMPTY if not caption.text or caption.text.isspace() else CAPTIONED


def _rearranged(stored: Stored, where: Integers) -> Texts:
    """The stored texts in the order of the rows that `where` names."""
    old, new = Texts(len(stored.columns.state), stored.blocks), Texts(len(where))
    for first in range(0, len(where), BLOCK):
        rows = where[first : first + BLOCK].tolist()
        new.put({first + at: old.get(row) if row >= 0 else None for at, row in enumerate(rows)})
    return new
