"""What decides on a tag besides its own score: what else its image has. Of a whole table at once, as `decide` does it of one image.

What does not depend on where thresholds stand is found out once, in a second for ten million scores: the likeliest rating of
each image, what is above the largest gap, which tags meet under one name, which say others as well. From then on a threshold
that moves costs a few passes over the scores that are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sdtui.tagging.rules import Rules
from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.tag_list import RATING, key, keys, rates

Mask = NDArray[np.bool_]
# Places in the table's `ids` and `scores`, or in its list of tags.
Places = NDArray[np.int64]
# Scores that are looked at in one piece: what they take stays in the processor's cache.
_PIECE = 1 << 18


class Names(NamedTuple):
    """What the tagger's tags are called.

    Attributes:
        written: by the tag's place.
        group: of each tag the number of its key; tags of one name have one number.
        numbers: by key.
    """

    written: list[str]
    group: Places
    numbers: dict[str, int]


class Together:
    """Knows one table.

    Args:
        table: as `survey.Survey`'s.
    """

    def __init__(self, table: ScoreTable) -> None:
        self._table = table
        self._known: dict[str, tuple[object, Any]] = {}

    def knows(self, rules: Rules) -> bool:
        """Whether all is found out that these rules ask."""
        asked = {"gaps": _cut_by(rules), "twins": rules.aliases, "pairs": (rules.aliases, rules.implied)}
        wanted = {"gaps": bool(rules.mcut), "twins": bool(rules.aliases), "pairs": bool(rules.implied)}
        rated = rules.ratings not in {"first", "last"} or "best_ratings" in self.__dict__
        return rated and all(
            not wanted[what] or (what in self._known and self._known[what][0] == by) for what, by in asked.items()
        )

    @cached_property
    def ratings(self) -> Mask:
        """Which tags are ratings."""
        pairs = zip(self._table.tags.names, self._table.tags.categories, strict=True)
        return np.array([rates(name, category) for name, category in pairs], np.bool_)

    @cached_property
    def best_ratings(self) -> Places:
        """Where each image's likeliest rating is."""
        table = self._table
        places = np.flatnonzero(self.ratings[table.ids])
        rows = self._rows_of(places)
        order = np.lexsort((table.ids[places], -table.scores[places].astype(np.float32), rows))
        return places[order][np.flatnonzero(np.diff(rows[order], prepend=-1))]

    def names(self, aliases: Mapping[str, str]) -> Names:
        """What the tags are called under `aliases` (as `Rules.aliases`)."""
        found: Names = self._once("names", aliases, lambda: self._find_names(aliases))
        return found

    # -- from scores to what is kept ----------------------------------------------------------------------------------

    def above_gaps(self, rules: Rules) -> Mask:
        """For each score whether it is above the largest gap of its image and category; a new array.

        Of categories that `rules.mcut` does not name it says nothing.
        """
        found: Mask = self._once("gaps", _cut_by(rules), lambda: self._find_gaps(rules))
        return found.copy()

    def drop_twins(self, mask: Mask, rules: Rules) -> None:
        """Of tags that an image has under one name leave the one with the highest score, of equal ones the first."""
        places, run = self._once("twins", rules.aliases, lambda: self._find_twins(rules))
        kept = np.flatnonzero(mask[places])
        runs = run[kept]
        mask[places[kept]] = False
        mask[places[kept[np.flatnonzero(np.diff(runs, prepend=-1))]]] = True

    def drop_implied(self, mask: Mask, rules: Rules) -> None:
        """Leave out what other tags of the image say as well."""
        if rules.implied:
            by = (rules.aliases, rules.implied)
            more, less = self._once("pairs", by, lambda: self._find_pairs(rules))
            mask[less[mask[more]]] = False

    def drop_beyond(self, mask: Mask, rules: Rules) -> None:
        """Leave each image `rules.max_tags`: those that stand first by rule, then the highest scores."""
        table, most = self._table, rules.max_tags
        kept = np.flatnonzero(mask)
        bounds = np.searchsorted(kept, table.pointers)
        counts = np.diff(bounds)
        if most is None or not len(kept):
            return
        if not rules.first:
            beyond = np.maximum(counts - most, 0)
            mask[kept[_ranges(bounds[:-1] + np.minimum(counts, most), beyond)]] = False
            return
        names = self.names(rules.aliases)
        first = np.isin(names.group, [names.numbers[name] for name in keys(rules.first) if name in names.numbers])
        leads = first[table.ids[kept]]
        leading = np.concatenate(([0], np.cumsum(leads)))
        before = np.repeat(leading[bounds[:-1]], counts)
        of_leads = np.repeat(np.diff(leading[bounds]), counts)
        rank_led = leading[:-1] - before
        rank_other = np.arange(len(kept)) - np.repeat(bounds[:-1], counts) - rank_led + of_leads
        mask[kept[np.where(leads, rank_led, rank_other) >= most]] = False

    # -- what is found out once ---------------------------------------------------------------------------------------

    def _once(self, what: str, by: object, find: Any) -> Any:
        if what not in self._known or self._known[what][0] != by:
            self._known[what] = by, find()
        return self._known[what][1]

    def _rows_of(self, places: Places) -> Places:
        return np.searchsorted(self._table.pointers, places, side="right") - 1

    def _find_names(self, aliases: Mapping[str, str]) -> Names:
        names = self._table.tags.names
        written = [aliases.get(name) or aliases.get(key(name)) or name for name in names] if aliases else list(names)
        numbers: dict[str, int] = {}
        group = np.array([numbers.setdefault(key(name), len(numbers)) for name in written], np.int64)
        return Names(written, group, numbers)

    def _find_gaps(self, rules: Rules) -> Mask:
        table = self._table
        # Ratings are cut nowhere.
        cut = {category: at for at, category in enumerate(rules.mcut, 1) if category != RATING}
        numbers = np.array([cut.get(category, 0) for category in table.tags.categories], np.int64)
        found = np.zeros(len(table.ids), np.bool_)
        for rows, start, end in self._pieces():
            numbers_here = numbers[table.ids[start:end]]
            row = np.repeat(rows, np.diff(table.pointers[rows[0] : rows[-1] + 2]))
            for at, floor in enumerate(rules.mcut.values(), 1):
                of_category = np.flatnonzero(numbers_here == at)
                if len(of_category):
                    scores = table.scores[start + of_category]
                    found[start + of_category] = _above_gap(scores, row[of_category], floor, above=rules.above)
        return found

    def _find_twins(self, rules: Rules) -> tuple[Places, Places]:
        """The scores of tags that share a name with another, those of one image and name together, the highest first."""
        table, group = self._table, self.names(rules.aliases).group
        shared = np.bincount(group)[group] > 1
        places = np.flatnonzero(shared[table.ids]) if shared.any() else np.zeros(0, np.int64)
        rows, groups = self._rows_of(places), group[table.ids[places]]
        order = np.lexsort((table.ids[places], -table.scores[places].astype(np.float32), groups, rows))
        rows, groups = rows[order], groups[order]
        begins = (np.diff(rows, prepend=-1) != 0) | (np.diff(groups, prepend=-1) != 0)
        return places[order], np.cumsum(begins)

    def _find_pairs(self, rules: Rules) -> tuple[Places, Places]:
        """Scores of one image of which the first's tag says the second's as well."""
        table, names = self._table, self.names(rules.aliases)
        says = [sorted(self._said_by(name, names, rules)) for name in map(key, names.written)]
        members: list[list[int]] = [[] for _ in names.numbers]
        for place, number in enumerate(names.group.tolist()):
            members[number].append(place)
        lesser = [[place for number in numbers for place in members[number]] for numbers in says]
        counts = np.array([len(places) for places in lesser], np.int64)
        starts = np.concatenate(([0], np.cumsum(counts)))
        flat = np.array([place for places in lesser for place in places], np.int64)
        column = np.full(len(table.tags), -1, np.int64)
        column[np.unique(flat)] = np.arange(len(np.unique(flat)))
        found = [
            _pairs_in(table, rows, (start, end), (counts, starts, flat, column)) for rows, start, end in self._pieces()
        ]
        empty = np.zeros(0, np.int64)
        more, less = (np.concatenate([empty, *(pair[at] for pair in found)]) for at in (0, 1))
        return more, less

    @staticmethod
    def _said_by(name: str, names: Names, rules: Rules) -> set[int]:
        """Numbers of the names that a tag of this name makes needless."""
        return {names.numbers[less] for less in keys(tuple(rules.implied.get(name) or ())) if less in names.numbers}

    def _pieces(self) -> Iterator[tuple[Places, int, int]]:
        """The table in pieces: the rows of each, and where its scores begin and end."""
        pointers = self._table.pointers
        last = 0
        while last < len(self._table):
            first = last
            last = max(first + 1, int(np.searchsorted(pointers, pointers[first] + _PIECE, side="right")) - 1)
            last = min(last, len(self._table))
            yield np.arange(first, last), int(pointers[first]), int(pointers[last])


def _cut_by(rules: Rules) -> object:
    return dict(rules.mcut), rules.above


def _above_gap(scores: NDArray[np.float16], rows: Places, floor: float, *, above: bool) -> Mask:
    """Whether each score is above the middle of its row's largest gap, as `threshold.mcut` has it, and above the floor."""
    # Differences and means of half floats are exact in single precision.
    high = scores.astype(np.float32)
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    lengths = np.diff(starts, append=len(rows))
    low = np.concatenate((high[1:], [np.float32(0)]))
    low[starts[1:] - 1] = 0
    gaps = high - low
    largest = np.repeat(np.maximum.reduceat(gaps, starts), lengths)
    # Of equal gaps the highest: the first of the row.
    at = np.minimum.reduceat(np.where(gaps == largest, np.arange(len(rows)), len(rows)), starts)
    cut = np.maximum((high[at] + low[at]) / 2, np.float32(floor)).astype(np.float16)
    needed = np.repeat(cut, lengths)
    return scores > needed if above else scores >= needed


def _pairs_in(
    table: ScoreTable, rows: Places, span: tuple[int, int], lesser: tuple[Places, Places, Places, Places]
) -> tuple[Places, Places]:
    """The pairs of one piece.

    Args:
        table: the scores.
        rows: of the piece.
        span: where its scores begin and end.
        lesser: how many tags each tag says as well, where they begin in the list of them, the list, and of each tag the
            column among those that any tag says, or −1.
    """
    counts, starts, flat, column = lesser
    start, end = span
    ids = table.ids[start:end].astype(np.int64)
    row = np.repeat(np.arange(len(rows)), np.diff(table.pointers[rows[0] : rows[-1] + 2]))
    where = np.full((len(rows), int(column.max(initial=-1)) + 1), -1, np.int32)
    columns = column[ids]
    is_less = np.flatnonzero(columns >= 0)
    where[row[is_less], columns[is_less]] = is_less
    more = np.flatnonzero(counts[ids])
    of = counts[ids[more]]
    said = flat[_ranges(starts[ids[more]], of)]
    less = where[np.repeat(row[more], of), column[said]]
    there = less >= 0
    return np.repeat(start + more, of)[there], start + less[there].astype(np.int64)


def _ranges(starts: Places, lengths: Places) -> Places:
    """The whole numbers from each start on, as many as its length, one range after another."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(total)
