"""What other programs do to a dataset that is open, noticed within seconds: captions written, images come and gone.

Whoever makes, deletes or replaces a file (as editors, `git` and `sdtui caption` do) leaves a trace in its folder's time, so
of a set at rest only the folders are looked at. What writes into a file as it lies there leaves none: for that, a few
captions are compared at each look, all of them in turn.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sdtui.dataset.caption_read import STEP_NS
from sdtui.dataset.image import is_image_name
from sdtui.dataset.index import Index

# A look takes a few milliseconds of a set at rest, however large it is.
_FOLDERS = 2_000
_CAPTIONS = 1_000
# Where much is being written a look takes longer; so many times that long nothing is looked at.
_REST = 10
# Times of folders that are none.
_GONE, _TOO_RECENT = -1, -2


@dataclass
class Seen:
    """What a look found.

    Attributes:
        captions: positions whose caption file is another than the index has read, rising; `Index.changed` reads them.
        images: whether images came or went, which only a new `Library` knows.
    """

    captions: list[int] = field(default_factory=list)
    images: bool = False

    def __bool__(self) -> bool:
        return bool(self.captions) or self.images


class DiskWatch:
    """Looks at the dataset of `index` from time to time; made before the index is loaded, it misses nothing."""

    def __init__(self, index: Index) -> None:
        """Take note of the folders as they are."""
        self._index = index
        folders = index.library.folders[0]
        # Those that hold images, by the library's numbers, and then those around them.
        self._folders = [*folders, *sorted({part for folder in folders for part in _around(folder)} - {*folders})]
        self._known = frozenset(self._folders)
        self._times = [self._time_of(number) for number in range(len(self._folders))]
        # What is not as the library has it, by folder: told once.
        self._odd: dict[int, frozenset[str]] = {}
        self._next_folder = self._next_caption = 0
        self._rested = 0.0

    def look(self) -> Seen:
        """What changed since the last look. Meant to be called each second or so, in a thread: it asks the disk."""
        begun = time.monotonic()
        seen = Seen()
        if not self._index.ready or begun < self._rested:
            return seen
        found: set[int] = set()
        for number in self._changed_folders():
            seen.images = self._look_through(number, found) or seen.images
        found.update(self._index.differing(self._some_captions()))
        seen.captions = sorted(found)
        self._rested = begun + (1 + _REST) * (time.monotonic() - begun)
        return seen

    def _changed_folders(self) -> Iterator[int]:
        """Folders that may hold something new since they were looked through."""
        count = len(self._folders)
        for number in _in_turn(self._next_folder, count, _FOLDERS):
            now = self._time_of(number)
            if now != self._times[number] or now == _TOO_RECENT:
                self._times[number] = now
                yield number
        self._next_folder = (self._next_folder + _FOLDERS) % count if count else 0

    def _time_of(self, number: int) -> int:
        """When something last came or went in a folder, in ns."""
        try:
            last = os.stat(self._path(number)).st_mtime_ns
        except OSError:
            return _GONE
        # What is done in the same instant as this leaves no other time.
        return last if time.time_ns() - last > STEP_NS else _TOO_RECENT

    def _some_captions(self) -> range:
        count = len(self._index.library)
        first = self._next_caption
        self._next_caption = 0 if first + _CAPTIONS >= count else first + _CAPTIONS
        return range(first, min(first + _CAPTIONS, count))

    def _look_through(self, number: int, found: set[int]) -> bool:
        """Add to `found` the captions of a folder that are not as they were; returns whether more images came or went."""
        library = self._index.library
        # Images stand folder by folder.
        numbers = np.frombuffer(library.folders[1], np.uint32)
        first, end = np.searchsorted(numbers, [number, number + 1]).tolist()
        there, folders = self._listed(number)
        captioned = [at for at in range(first, end) if library.has_caption(at)]
        found.update(self._index.differing(captioned))
        bare = set(range(first, end)).difference(captioned)
        found.update(at for at in bare if any(name in there for name in library.caption_names(at)))
        images = {name for name in there if is_image_name(name)}
        odd = images.symmetric_difference(library.names[first:end])
        odd.update(filter(self._holds_images, folders - self._known))
        told = self._odd.get(number, frozenset())
        self._odd[number] = frozenset(odd)
        return not odd <= told

    def _listed(self, number: int) -> tuple[set[str], set[str]]:
        """The files in a folder by name, and the folders in it by path; hidden ones apart."""
        files, folders = set(), set()
        try:
            with os.scandir(self._path(number)) as entries:
                for entry in entries:
                    if entry.name[0] == ".":
                        continue
                    if entry.is_dir():
                        folders.add(os.path.join(self._folders[number], entry.name))
                    else:
                        files.add(entry.name)
        except OSError:
            pass  # gone, or not ours to read any more: then nothing is in it
        return files, folders

    def _holds_images(self, folder: str) -> bool:
        """Whether a folder that was not there, or empty, has images that a new library would list."""
        try:
            names = os.listdir(self._index.library.folder / folder)
        except OSError:
            return False
        return self._index.library.recursive and any(is_image_name(name) and name[0] != "." for name in names)

    def _path(self, number: int) -> Path:
        return self._index.library.folder / self._folders[number]


def _around(folder: str) -> Iterator[str]:
    """The folders that a path in the dataset goes through, the dataset's own among them."""
    while folder:
        folder = os.path.dirname(folder)
        yield folder


def _in_turn(first: int, count: int, most: int) -> Iterator[int]:
    """At most `most` numbers below `count`, from `first` on and round."""
    return itertools.islice(itertools.chain(range(first, count), range(first)), min(most, count))
