"""What thresholds come to over a whole dataset, fast enough for a slider: 100 000 images × 120 scores in milliseconds.

Half floats of at least 0 are ordered as the whole numbers with the same bits, which compare ten times as fast. Nearly all
tags share one threshold, so all scores are compared with that first, and only the scores of the others, whose places are
remembered while they stay the same tags, are looked at again.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sdtui.tagging.decide import CountTokens, decide
from sdtui.tagging.rules import Rules
from sdtui.tagging.score_table import Ids, ScoreTable
from sdtui.tagging.tag_list import keys
from sdtui.tagging.together import Mask, Together

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

    A limit of tokens takes the caption itself: of rules that have one it counts all but that, and `counting` does the rest.

    Args:
        table: as `ScoreTable.arranged` for the images that count.
    """

    def __init__(self, table: ScoreTable) -> None:
        self.table = table
        self._together = Together(table)
        self._bits: Bits = np.ascontiguousarray(table.scores).view(np.uint16)
        self._filled = np.flatnonzero(np.diff(table.pointers))
        # Images without scores have no digest; those in which nothing reached the floor have one.
        self._images = int(np.count_nonzero(table.digests.any(axis=1)))
        self._categories = sorted(set(table.tags.categories))
        numbers = {category: number for number, category in enumerate(self._categories)}
        self._category_of = np.array([numbers[category] for category in table.tags.categories], np.uint8)
        self._others = _Others(np.zeros(0, np.int64), np.zeros(0, np.int64), self._bits[:0], table.ids[:0])
        # What was asked last, without and with the most tags that an image may have.
        self._unlimited: deque[tuple[Rules, Mask]] = deque(maxlen=2)
        self._limited: deque[tuple[Rules, Mask]] = deque(maxlen=2)

    def knows(self, rules: Rules) -> bool:
        """Whether these rules are answered at once; others may take a second, once."""
        return self._together.knows(rules)

    def totals(self, rules: Rules) -> Totals:
        """How many tags are kept in all, and how many of the images with scores are left without any."""
        mask = self._without_limit(rules)
        starts = self.table.pointers[:-1][self._filled]
        if not len(starts):
            return Totals(self._images, 0, self._images)
        empty = self._images - int(np.count_nonzero(np.logical_or.reduceat(mask, starts)))
        if rules.max_tags is None:
            return Totals(self._images, int(np.count_nonzero(mask)), empty)
        counts = np.add.reduceat(mask.view(np.uint8), starts, dtype=np.uint32)
        return Totals(self._images, int(np.minimum(counts, rules.max_tags).sum()), empty)

    def kept(self, rules: Rules) -> Mask:
        """For each score of the table whether its tag is kept; not to be written to, as the last two are remembered."""
        if rules.max_tags is None:
            return self._without_limit(rules)
        return _remembered(self._limited, rules, self._with_limit)

    def _with_limit(self, rules: Rules) -> Mask:
        mask = self._without_limit(rules).copy()
        self._together.drop_beyond(mask, rules)
        return mask

    def _without_limit(self, rules: Rules) -> Mask:
        return _remembered(self._unlimited, rules, self._find)

    def _find(self, rules: Rules) -> Mask:
        """In the order of `decide`."""
        needed = self._needed(rules)
        if rules.mcut:
            mask = self._together.above_gaps(rules)
            others = self._with_other(np.flatnonzero(~self._cut(rules)))
        else:
            common = int(np.bincount(needed).argmax()) if len(needed) else 0
            mask = self._bits >= common
            others = self._with_other(np.flatnonzero(needed != common))
        mask[others.places] = others.bits >= needed[others.ids]
        if rules.ratings in {"first", "last"}:
            best = self._together.best_ratings
            mask[best[~self._banned(rules)[self.table.ids[best]]]] = True
        self._together.drop_twins(mask, rules)
        self._together.drop_implied(mask, rules)
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
        by_category = [rules.categories.get(category, rules.threshold) for category in self._categories]
        values = np.array(by_category)[self._category_of] if len(self.table.tags) else np.zeros(0)
        for place, value in self._own(rules):
            values[place] = value
        bits: Bits = np.minimum(values, 2.0).astype(np.float16).view(np.uint16) + np.uint16(rules.above)
        bits[self._banned(rules)] = _NEVER
        if rules.ratings != "keep":
            bits[self._together.ratings] = _NEVER
        return bits

    def _own(self, rules: Rules) -> list[tuple[int, float]]:
        """Tags with thresholds of their own."""
        places = ((self.table.tags.place(name), value) for name, value in rules.tags.items())
        return [(place, value) for place, value in places if place is not None]

    def _cut(self, rules: Rules) -> Mask:
        """The tags whose threshold is the largest gap's."""
        cut = np.array([category in rules.mcut for category in self._categories], np.bool_)[self._category_of]
        cut[[place for place, _ in self._own(rules)]] = False
        if rules.ratings != "keep":
            cut &= ~self._together.ratings
        found: Mask = cut & ~self._banned(rules)
        return found

    def _banned(self, rules: Rules) -> Mask:
        """The tags that never come, by their own name or by their new one."""
        found = np.zeros(len(self.table.tags), np.bool_)
        if rules.ban:
            found[[place for name in rules.ban if (place := self.table.tags.place(name)) is not None]] = True
            names = self._together.names(rules.aliases)
            found |= np.isin(
                names.group, [names.numbers[name] for name in keys(tuple(rules.ban)) if name in names.numbers]
            )
        return found

    def changes(self, before: Rules, after: Rules) -> Counter[str]:
        """Of each tag that comes or goes in some image: in how many more (or, below 0, fewer) it is kept afterwards."""
        if before.aliases != after.aliases:
            was, now = self.counts(before), self.counts(after)
            return Counter({name: now[name] - was[name] for name in now | was if now[name] != was[name]})
        old, new = self.kept(before), self.kept(after)
        places = np.flatnonzero(old != new)
        ids = self.table.ids[places]
        size = len(self.table.tags)
        shift = np.bincount(ids[new[places]], minlength=size) - np.bincount(ids[old[places]], minlength=size)
        return self._by_name(shift, after)

    def counts(self, rules: Rules) -> Counter[str]:
        """In how many images each tag is kept, under its new name; ten times as slow as `totals`."""
        return self._by_name(np.bincount(self.table.ids[self.kept(rules)], minlength=len(self.table.tags)), rules)

    def _by_name(self, numbers: NDArray[np.int64], rules: Rules) -> Counter[str]:
        written = self._together.names(rules.aliases).written
        found: Counter[str] = Counter()
        for at in np.flatnonzero(numbers).tolist():
            found[written[at]] += int(numbers[at])
        return Counter({name: number for name, number in found.items() if number})

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


class Counted(NamedTuple):
    """What rules came to over the first `images` of a table: the totals, and in how many each tag is kept, by its new name."""

    images: int
    totals: Totals
    counts: Counter[str]


def counting(
    table: ScoreTable, rules: Rules, count_tokens: CountTokens | None = None, every: int = 100
) -> Iterator[Counted]:
    """What any rules come to, image by image, told after `every` so many and at the end.

    Args:
        table: as `Survey`'s.
        rules: how to decide.
        count_tokens: as in `decide`.
        every: images between two answers, which share their counts.
    """
    counts: Counter[str] = Counter()
    images = empty = 0
    has_scores: Mask = np.any(table.digests, axis=1)
    for row, scored in enumerate(has_scores.tolist()):
        kept = decide(table.scored(row), rules, count_tokens).kept if scored else ()
        counts.update(tag.name for tag in kept)
        images += scored
        empty += scored and not kept
        if not (row + 1) % every:
            yield Counted(row + 1, Totals(images, counts.total(), empty), counts)
    yield Counted(len(table), Totals(images, counts.total(), empty), counts)


def _remembered(asked: deque[tuple[Rules, Mask]], rules: Rules, find: Callable[[Rules], Mask]) -> Mask:
    for known, mask in asked:
        if known == rules:
            return mask
    mask = find(rules)
    asked.append((rules, mask))
    return mask


class _Others(NamedTuple):
    """The scores of tags with other thresholds than most: which tags, and where the scores are, their bits, their tags."""

    tags: NDArray[np.int64]
    places: NDArray[np.int64]
    bits: Bits
    ids: Ids
