"""Which images have which tag: lists of images by tag in two flat arrays, four bytes a use.

Lists are made at once for the whole dataset. Captions that change afterwards are kept beside them as pairs of image and tag,
and their images' places in the lists no longer count, until there are so many that the lists are made again.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Numbers = NDArray[np.uint32]

Keys = NDArray[np.int64]

# Pairs beside the lists; looking through so many takes a tenth of a millisecond.
_BESIDE = 50_000
# So many at least may wait while more come.
_WAITING = 1_000_000
# From so many tags on, one pass over all lists is faster than taking them one by one.
_MANY = 500

# Places in the lists that are worked on together, as many as the processor's cache holds with what is worked out of them: of
# 30 million all at once would take twice the time, and 250 MB.
_PLACES = 1 << 18


class Postings:
    """Images by tag, both numbers from 0."""

    def __init__(self, images: int, starts: NDArray[np.int64] | None = None, lists: Numbers | None = None) -> None:
        """`lists[starts[tag] : starts[tag + 1]]` are the images of a tag, each once; empty by default."""
        self._count = images
        self.starts = np.zeros(1, np.int64) if starts is None else starts
        self.lists = np.zeros(0, np.uint32) if lists is None else lists
        # The images whose places in the lists do not count, and the pairs that stand for them, as tag × images + image.
        self._beside = np.zeros(images, np.bool_)
        self._parts: list[Keys] = []
        self.waiting = 0

    def replace(self, images: Numbers, pair_images: Numbers, pair_tags: Numbers) -> Keys:
        """From now on these images have exactly the tags that the pairs name; returns the images of pairs named twice."""
        if self._beside[images].any():
            gone = np.zeros(self._count, np.bool_)
            gone[images] = True
            pairs = self._pairs()
            self._parts = [pairs[~gone[pairs % self._count]]]
        new = pair_tags.astype(np.int64) * self._count + pair_images
        new.sort()
        # A tag that one caption repeats counts once.
        fresh = np.diff(new, prepend=-1) > 0
        self._parts.append(new[fresh])
        self._beside[images] = True
        self.waiting = sum(map(len, self._parts))
        return new[~fresh] % self._count

    def _pairs(self) -> Keys:
        """All pairs beside the lists."""
        if len(self._parts) != 1:
            self._parts = [np.concatenate([np.zeros(0, np.int64), *self._parts])]
        return self._parts[0]

    @property
    def crowded(self) -> bool:
        """Whether so many pairs stand beside the lists that it is time to `merge`."""
        return self.waiting > _BESIDE

    @property
    def full(self) -> bool:
        """Whether it is that also while more come: when as many wait as are listed, so that most are merged once or twice."""
        return self.waiting > max(_WAITING, len(self.lists))

    @property
    def heavy(self) -> bool:
        """Whether the pairs, eight bytes each and twice that while they are merged, take up as much as the lists."""
        return self.waiting > max(_WAITING // 2, len(self.lists) // 4)

    def merge(self) -> None:
        """Make the lists again from themselves and the pairs beside them; a third of a second for three million."""
        if not self._beside.any():
            return
        pairs = self._pairs()
        self._parts, self.waiting = [], 0
        pairs.sort()
        tags = max(len(self.starts) - 1, int(pairs[-1]) // self._count + 1 if len(pairs) else 0)
        waiting = np.searchsorted(pairs, np.arange(tags + 1) * self._count)
        listed = _up_to(tags, self.starts)
        starts = _up_to(tags, self._places_before(~self._beside)) + waiting
        self._move(len(pairs))
        for low, high in _ranges(listed + waiting):
            self._merge_some(low, high, listed + len(pairs), starts, pairs[waiting[low] : waiting[high]])
        self._cut(int(starts[-1]))
        self.starts = starts
        self._beside[:] = False

    def _merge_some(
        self, low: int, high: int, listed: NDArray[np.int64], starts: NDArray[np.int64], pairs: Keys
    ) -> None:
        """Put the lists of some tags, which begin at `listed`, and the pairs of these tags to where they belong."""
        old = self.lists[listed[low] : listed[high]]
        keys = np.repeat(np.arange(low, high) * self._count, np.diff(listed[low : high + 1])) + old
        keys = np.concatenate((keys[~self._beside[old]], pairs))
        # Two runs that rise: merged, not sorted.
        keys.sort(kind="stable")
        self.lists[starts[low] : starts[high]] = keys % self._count

    def _move(self, room: int) -> None:
        """Have the lists begin `room` places further on: what is merged from the front on reaches none that is still to be read.

        In place, as lists of 100 000 captions are 11 MiB; in other memory where somebody else has them too.
        """
        count = len(self.lists)
        try:
            self.lists.resize(count + room)
        except ValueError:
            self.lists = np.concatenate((self.lists, np.zeros(room, np.uint32)))
        self.lists[room:] = self.lists[:count]

    def _cut(self, places: int) -> None:
        try:
            self.lists.resize(places)
        except ValueError:
            self.lists = self.lists[:places].copy()

    def renumbered(self, position: NDArray[np.int64], images: int) -> Postings:
        """The same for other numbers of images: `position[old]` is the new one, −1 where the image is no more."""
        self.merge()
        lists = position[self.lists]
        before = np.concatenate(([0], np.cumsum(lists >= 0)))
        return Postings(images, before[self.starts], lists[lists >= 0].astype(np.uint32))

    def having(self, tags: NDArray[np.integer]) -> Mask:
        """Which images have at least one of `tags`."""
        mask = np.zeros(self._count, np.bool_)
        listed = tags[tags < len(self.starts) - 1]
        if len(listed) > _MANY:
            wanted = np.zeros(len(self.starts) - 1, np.bool_)
            wanted[listed] = True
            mask[self.lists[np.repeat(wanted, np.diff(self.starts))]] = True
        else:
            for tag in listed.tolist():
                mask[self.lists[self.starts[tag] : self.starts[tag + 1]]] = True
        if self._beside.any():
            mask &= ~self._beside
            pair_tags, images = np.divmod(self._pairs(), self._count)
            mask[images[np.isin(pair_tags, tags)]] = True
        return mask

    def counts(self, tags: int, within: Mask | None = None) -> NDArray[np.int64]:
        """How many images of `within` (all by default) have each of the tags 0 to `tags` − 1."""
        counts = np.zeros(tags, np.int64)
        if within is None and not self._beside.any():
            counts[: len(self.starts) - 1] = np.diff(self.starts)
            return counts
        inside = np.ones(self._count, np.bool_) if within is None else within
        counts[: len(self.starts) - 1] = np.diff(self._places_before(inside & ~self._beside))
        pair_tags, images = np.divmod(self._pairs(), max(1, self._count))
        return counts + np.bincount(pair_tags[inside[images]], minlength=tags)

    def _places_before(self, images: Mask) -> NDArray[np.int64]:
        """How many places before each list name one of `images`, and how many in all; some places at a time."""
        before = np.zeros(len(self.starts), np.int64)
        total = 0
        for first in range(0, len(self.lists), _PLACES):
            places = np.cumsum(images[self.lists[first : first + _PLACES]], dtype=np.int64)
            low, high = np.searchsorted(self.starts, [first + 1, first + len(places) + 1])
            before[low:high] = total + places[self.starts[low:high] - first - 1]
            total += int(places[-1])
        return before

    def count(self, tag: int) -> int:
        """How many images have one tag."""
        listed = self.lists[self.starts[tag] : self.starts[tag + 1]] if tag < len(self.starts) - 1 else self.lists[:0]
        if not self._beside.any():
            return len(listed)
        pairs = self._pairs()
        of_tag = (pairs >= tag * self._count) & (pairs < (tag + 1) * self._count)
        return int((~self._beside[listed]).sum()) + int(of_tag.sum())


def _up_to(tags: int, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the lists of so many tags start, and the last one ends; those of which there is none are empty."""
    return np.append(starts, np.full(tags + 1 - len(starts), starts[-1]))


def _ranges(starts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Tags from one up to another that have about `_PLACES` places together."""
    low, last = 0, len(starts) - 1
    while low < last:
        high = max(low + 1, int(np.searchsorted(starts, starts[low] + _PLACES, side="right")) - 1)
        yield low, high
        low = high
