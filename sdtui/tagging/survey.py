"""What thresholds come to over a whole dataset, fast enough for a slider: 100 000 images × 120 scores in milliseconds.

Half floats of at least 0 are ordered as the whole numbers with the same bits, which compare ten times as fast. Nearly all
tags share one threshold, so all scores are compared with that first, and only the scores of the others, whose places are
remembered while they stay the same tags, are looked at again.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sdtui.tagging.decide import CountTokens, decide
from sdtui.tagging.rules import Rules
from sdtui.tagging.score_table import Ids, ScoreTable
from sdtui.tagging.tag_list import rates

Mask = NDArray[np.bool_]
Bits = NDArray[np.uint16]
# More bits than any score has: never kept.
_NEVER = 0xFFFF


@dataclass(frozen=True)
class Totals:
    """What rules come to: images that have scores, tags kept of all of them, images left without a tag."""

    images: int
    kept: int
    empty: int


class Survey:
    """Asks one table about many thresholds.

    Here count thresholds, bans, ratings (kept or not) and the most tags an image may have. Of rules that are `by_image` (MCut,
    aliases, implications, tokens, the likeliest rating) it knows nothing: `counted` does, at half a millisecond an image.

    Args:
        table: as `ScoreTable.arranged` for the images that count.
    """

    def __init__(self, table: ScoreTable) -> None:
        self.table = table
        self._bits: Bits = np.ascontiguousarray(table.scores).view(np.uint16)
        self._lengths = np.diff(table.pointers)
        self._filled = np.flatnonzero(self._lengths)
        # Images without scores have no digest; those in which nothing reached the floor have one.
        self._images = int(np.count_nonzero(table.digests.any(axis=1)))
        self._categories = sorted(set(table.tags.categories))
        numbers = {category: number for number, category in enumerate(self._categories)}
        self._category_of = np.array([numbers[category] for category in table.tags.categories], np.uint8)
        pairs = zip(table.tags.names, table.tags.categories, strict=True)
        self._ratings = np.array([rates(name, category) for name, category in pairs], np.bool_)
        self._others = _Others(np.zeros(0, np.int64), np.zeros(0, np.int64), self._bits[:0], table.ids[:0])
        self._asked: deque[tuple[Rules, Mask]] = deque(maxlen=2)

    def totals(self, rules: Rules) -> Totals:
        """How many tags are kept in all, and how many of the images with scores are left without any."""
        mask = self.kept(rules)
        starts = self.table.pointers[:-1][self._filled]
        if not len(starts):
            return Totals(self._images, 0, self._images)
        empty = self._images - int(np.count_nonzero(np.logical_or.reduceat(mask, starts)))
        if rules.max_tags is None:
            return Totals(self._images, int(np.count_nonzero(mask)), empty)
        counts = np.add.reduceat(mask.view(np.uint8), starts, dtype=np.uint32)
        return Totals(self._images, int(np.minimum(counts, rules.max_tags).sum()), empty)

    def kept(self, rules: Rules) -> Mask:
        """For each score of the table whether it is enough; not to be written to, as the last two are remembered."""
        for asked, mask in self._asked:
            if asked == rules:
                return mask
        needed = self._needed(rules)
        common = int(np.bincount(needed).argmax()) if len(needed) else 0
        mask = self._bits >= common
        others = self._with_other(np.flatnonzero(needed != common))
        mask[others.places] = others.bits >= needed[others.ids]
        self._asked.append((rules, mask))
        return mask

    def _with_other(self, tags: NDArray[np.int64]) -> _Others:
        """The scores of these tags, looked for only where they are not the same as the last time."""
        if not np.array_equal(tags, self._others.tags):
            special = np.zeros(len(self.table.tags), np.bool_)
            special[tags] = True
            places = np.flatnonzero(special[self.table.ids])
            self._others = _Others(tags, places, self._bits[places], self.table.ids[places])
        return self._others

    def _needed(self, rules: Rules) -> Bits:
        """The least bits of a score that keep each tag."""
        tags = self.table.tags
        by_category = [rules.categories.get(category, rules.threshold) for category in self._categories]
        values = np.array(by_category)[self._category_of] if len(tags) else np.zeros(0)
        for name, value in rules.tags.items():
            if (place := tags.place(name)) is not None:
                values[place] = value
        bits: Bits = np.minimum(values, 2.0).astype(np.float16).view(np.uint16) + np.uint16(rules.above)
        bits[[place for name in rules.ban if (place := tags.place(name)) is not None]] = _NEVER
        if rules.ratings != "keep":
            bits[self._ratings] = _NEVER
        return bits

    def changes(self, before: Rules, after: Rules) -> Counter[str]:
        """Of each tag that comes or goes in some image: in how many more (or, below 0, fewer) it is kept afterwards."""
        was, now = self.kept(before), self.kept(after)
        places = np.flatnonzero(was != now)
        ids = self.table.ids[places]
        size = len(self.table.tags)
        shift = np.bincount(ids[now[places]], minlength=size) - np.bincount(ids[was[places]], minlength=size)
        return Counter({self.table.tags.names[at]: int(shift[at]) for at in np.flatnonzero(shift).tolist()})

    def counts(self, rules: Rules) -> Counter[str]:
        """In how many images each tag is kept; ten times as slow as `totals`."""
        found = np.bincount(self.table.ids[self.kept(rules)], minlength=len(self.table.tags))
        return Counter({self.table.tags.names[at]: int(found[at]) for at in np.flatnonzero(found).tolist()})

    def histogram(self, tag: str, bins: int = 20) -> NDArray[np.int64]:
        """How many images give the tag a score in each of `bins` equal parts of 0 to 1; the last part holds 1."""
        place = self.table.tags.place(tag)
        found = self.table.scores[self.table.ids == place] if place is not None else self.table.scores[:0]
        counts, _ = np.histogram(found.astype(np.float32), bins=bins, range=(0.0, 1.0))
        return counts.astype(np.int64)

    def score_of(self, tag: str) -> NDArray[np.float32]:
        """The tag's score in each image; 0 below the floor, NaN where the image was not scored."""
        scores = np.where(self.table.digests.any(axis=1), np.float32(0), np.float32(np.nan)).astype(np.float32)
        place = self.table.tags.place(tag)
        if place is not None:
            entries = np.flatnonzero(self.table.ids == place)
            rows = np.searchsorted(self.table.pointers, entries, side="right") - 1
            scores[rows] = self.table.scores[entries]
        return scores


def counted(
    table: ScoreTable,
    rules: Rules,
    count_tokens: CountTokens | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> tuple[Totals, Counter[str]]:
    """What any rules come to, image by image: the totals, and in how many images each tag is kept, under its new name.

    Args:
        table: as `Survey`'s.
        rules: how to decide.
        count_tokens: as in `decide`.
        told: hears how many rows are done.
    """
    counts: Counter[str] = Counter()
    images = empty = 0
    has_scores: Mask = np.any(table.digests, axis=1)
    for row, scored in enumerate(has_scores.tolist()):
        kept = decide(table.scored(row), rules, count_tokens).kept if scored else ()
        counts.update(tag.name for tag in kept)
        images += scored
        empty += scored and not kept
        told(row + 1)
    return Totals(images, counts.total(), empty), counts


class _Others(NamedTuple):
    """The scores of tags with other thresholds than most: which tags, and where the scores are, their bits, their tags."""

    tags: NDArray[np.int64]
    places: NDArray[np.int64]
    bits: Bits
    ids: Ids
