"""Which images have which tag: lists of images by tag in two flat arrays, four bytes a use.

Lists are made at once for the whole dataset. Captions that change afterwards are kept beside them as pairs of image and tag,
and their images' places in the lists no longer count, until there are so many that the lists are made again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Numbers = NDArray[np.uint32]

# Pairs beside the lists; looking through so many takes a tenth of a millisecond.
_BESIDE = 50_000
# From so many tags on, one pass over all lists is faster than taking them one by one.
_MANY = 500

# As many as the processor's cache holds with what is worked out of them: of 30 million uses all at once would take twice the
# time, and 250 MB.
_PLACES = 1 << 18


class Postings:
    """Images by tag, both numbers from 0."""

    def __init__(self, images: int, starts: NDArray[np.int64] | None = None, lists: Numbers | None = None) -> None:
        """`lists[starts[tag] : starts[tag + 1]]` are the images of a tag, each once; empty by default."""
        self._count = images
        self.starts = np.zeros(1, np.int64) if starts is None else starts
        self.lists = np.zeros(0, np.uint32) if lists is None else lists
        # The images whose places in the lists do not count, and the pairs (images, tags) that stand for them.
        self._beside = np.zeros(images, np.bool_)
        self._parts: list[tuple[Numbers, Numbers]] = []
        self.waiting = 0

    def replace(self, images: Numbers, pair_images: Numbers, pair_tags: Numbers) -> None:
        """From now on these images have exactly the tags that the pairs name."""
        if self._beside[images].any():
            olds, tags = self._pairs()
            others = ~np.isin(olds, images)
            self._parts = [(olds[others], tags[others])]
        self._parts.append((pair_images, pair_tags))
        self._beside[images] = True
        self.waiting = sum(len(part[0]) for part in self._parts)

    def _pairs(self) -> tuple[Numbers, Numbers]:
        """All pairs beside the lists: images and tags."""
        if len(self._parts) != 1:
            nothing = np.zeros(0, np.uint32)
            parts = self._parts or [(nothing, nothing)]
            self._parts = [(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))]
        return self._parts[0]

    @property
    def crowded(self) -> bool:
        """Whether so many pairs stand beside the lists that it is time to `merge`."""
        return self.waiting > _BESIDE

    def merge(self) -> None:
        """Make the lists again from themselves and the pairs beside them; a third of a second for three million."""
        if not self._beside.any():
            return
        images, pair_tags = self._pairs()
        # In place where it can be: each such array of a hundred thousand captions has 24 MB.
        keys = np.repeat(np.arange(len(self.starts) - 1, dtype=np.int64), np.diff(self.starts))
        keys *= self._count
        keys += self.lists
        keys = keys[~self._beside[self.lists]]
        keys = np.concatenate((keys, pair_tags.astype(np.int64) * self._count + images))
        keys.sort()
        if len(keys):
            keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))]
        last = int(keys[-1]) // self._count + 1 if len(keys) else 0
        self.starts = np.searchsorted(keys, np.arange(last + 1, dtype=np.int64) * self._count)
        keys %= max(1, self._count)
        self.lists = keys.astype(np.uint32)
        self._beside[:] = False
        self._parts, self.waiting = [], 0

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
            images, pair_tags = self._pairs()
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
        return counts + np.bincount(self._distinct_tags(inside), minlength=tags)

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
        images, tags = self._pairs()
        return int((~self._beside[listed]).sum()) + len(np.unique(images[tags == tag]))

    def _distinct_tags(self, inside: Mask) -> Numbers:
        """The tags of the pairs whose image is inside, a tag that one caption repeats once."""
        images, tags = self._pairs()
        chosen = inside[images]
        pairs = np.unique(tags[chosen].astype(np.int64) * self._count + images[chosen])
        return (pairs // max(1, self._count)).astype(np.uint32)
