"""Many names in the order of how often they are used, searched while one types.

The names stand in one block of bytes, the most used first. An order by letters finds those that begin with a text. For those
that hold it further in, each name's pairs of neighbouring letters are marked in 64 bits, which leaves few to look at; they are
looked at in their order, so that the search may stop when it has met what is most likely meant.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sdtui.dataset.nearness import Letters, letters_of, near, slips_allowed
from sdtui.dataset.strings import BORDER, folded
from sdtui.dataset.tag_spelling import key_of, keys_of

Starts = NDArray[np.uint32]
Pairs = NDArray[np.uint64]

# Of names that hold a text somewhere, so many are looked at: what is rarer than those is hardly meant.
_LOOKED_AT = 2_500
# Where so many hold what was typed, nobody means something like it.
FEW = 3
# What a word inside a name may follow.
_BETWEEN_WORDS = bytes.maketrans(b"()[]-/:.", b"        ")


class Reach(IntEnum):
    """How far from what was typed a name may be: its words begin with it, it holds it, it begins with something like it."""

    WORDS = 0
    INSIDE = 1
    LIKE = 2


class RankedNames:
    """Names by number, the most used first.

    Attributes:
        block: the names' keys (see `key_of`) in UTF-8, each followed by a border.
        starts: where each begins, and where the block ends.
        order: the numbers by key.
        letters: which letters each has.
        pairs: which pairs of neighbouring letters each has.
    """

    def __init__(self, block: bytes, starts: Starts, order: Starts, letters: Letters, pairs: Pairs) -> None:
        self.block, self.starts, self.order, self.letters, self.pairs = block, starts, order, letters, pairs
        # Single numbers come out of these ten times faster than out of NumPy's arrays.
        self._starts, self._order = starts.data, order.data
        self._held: tuple[tuple[bytes, int], tuple[list[int], list[int]]] = (b"", 0), ([], [])

    @classmethod
    def of(cls, names: Sequence[str]) -> RankedNames:
        """From names that hold no line end, the most used first; takes two microseconds a name."""
        keys = [key.strip() for key in folded(keys_of("\n".join(names))).split(b"\n")] if names else []
        block = b"".join(key + BORDER for key in keys)
        starts = np.zeros(len(keys) + 1, np.uint32)
        np.cumsum([len(key) + 1 for key in keys], out=starts[1:])
        order = np.array(sorted(range(len(keys)), key=keys.__getitem__), np.uint32)
        taken = np.frombuffer(block, np.uint8)
        return cls(block, starts, order, letters_of(taken, starts[:-1]), _pairs_of(taken, starts[:-1]))

    def __len__(self) -> int:
        return len(self.order)

    def number(self, tag: str) -> int | None:
        """Which name `tag` is, in whatever spelling; of several the most used."""
        key = folded(key_of(tag))
        number = next(iter(sorted(self._range(key, key + b"\0"))), None)
        return None if number is None else int(number)

    def find(self, text: str, limit: int, reach: Reach = Reach.LIKE) -> list[int]:
        """At most `limit` names for what was typed, best first.

        First those that begin with it, then those in which every typed word begins a word, then those that hold it
        somewhere, at last, if these are few, those that begin with something like it, as far as `reach` says; within each the
        most used first.
        """
        needle = folded(key_of(text))
        if not needle or limit < 1:
            return []
        found = dict.fromkeys(sorted(self._beginning(needle, limit)))
        if len(found) < limit and len(needle) > 1:
            by_words, anywhere = self._holding(needle, limit)
            found |= dict.fromkeys(by_words if reach is Reach.WORDS else (*by_words, *anywhere))
        if len(found) < min(limit, FEW) and reach is Reach.LIKE and (allowed := slips_allowed(len(needle))):
            numbers, distances = self.near(text, allowed, whole=False)
            nearest = np.argsort(distances, kind="stable")[: 2 * limit]
            found |= dict.fromkeys(numbers[nearest].tolist())
        return list(found)[:limit]

    def near(self, text: str, slips: int, *, whole: bool) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Numbers of the names at most so many slips from `text`, and how many; see `nearness.near`.

        Not `whole`: of those that begin with its first letter, which people rarely mistype, and which spares most of the work.
        """
        needle = folded(key_of(text))
        among = np.arange(len(self)) if whole else np.sort(self._range(needle[:1], needle[:1] + BORDER))
        block = np.frombuffer(self.block, np.uint8)
        return near(needle, block, self.starts, self.letters, among, slips=slips, whole=whole)

    def _range(self, low: bytes, high: bytes) -> NDArray[np.uint32]:
        """Numbers of the names from `low` up to but not `high`, by key."""
        first, last = (bisect_left(range(len(self)), key, key=self._key_in_order) for key in (low, high))
        return self.order[first:last]

    def _beginning(self, needle: bytes, limit: int) -> list[int]:
        inside = self._range(needle, needle + BORDER)
        if len(inside) > limit:
            inside = np.partition(inside, limit - 1)[:limit]
        numbers: list[int] = inside.tolist()
        return numbers

    def _holding(self, needle: bytes, limit: int) -> tuple[list[int], list[int]]:
        """Names with the typed words at the beginning of theirs, and others that hold the text; remembered for the next reach."""
        if self._held[0] == (needle, limit):
            return self._held[1]
        parts = needle.split()
        longest = max(parts, key=len)
        words = [b" " + word for word in parts]
        by_words: list[int] = []
        anywhere: list[int] = []
        for number in self._maybe_with(parts):
            name = self._name(number)
            if longest not in name:
                continue
            spaced = b" " + name.translate(_BETWEEN_WORDS)
            if all(word in spaced for word in words):
                by_words.append(number)
                if len(by_words) == limit:
                    break
            elif len(anywhere) < limit and needle in name:
                anywhere.append(number)
        self._held = (needle, limit), (by_words, anywhere)
        return by_words, anywhere

    def _maybe_with(self, words: Sequence[bytes]) -> list[int]:
        """Names that may hold these words, by their letters and pairs of letters, the most used first."""
        taken = [np.frombuffer(word, np.uint8) for word in words]
        pairs = np.bitwise_or.reduce([_pairs_of(word, _ONE)[0] for word in taken])
        letters = np.bitwise_or.reduce([letters_of(word, _ONE)[0] for word in taken])
        maybe = np.flatnonzero((self.pairs & pairs) == pairs)
        numbers: list[int] = maybe[(self.letters[maybe] & letters) == letters][:_LOOKED_AT].tolist()
        return numbers

    def _name(self, number: int) -> bytes:
        return self.block[self._starts[number] : self._starts[number + 1] - 1]

    def _key_in_order(self, rank: int) -> bytes:
        return self._name(self._order[rank])


_ONE = np.zeros(1, np.int64)


def _pairs_of(block: NDArray[np.uint8], starts: NDArray[np.integer]) -> Pairs:
    """The pairs of neighbouring letters in each of the names that begin at `starts`, as bits; some pairs share one."""
    if not len(starts):
        return np.zeros(0, np.uint64)
    first, second = block.astype(np.uint64), np.append(block[1:], np.uint8(0)).astype(np.uint64)
    bits = np.uint64(1) << (
        (first * np.uint64(31) + second * np.uint64(17) + (first * second >> np.uint64(3))) & np.uint64(63)
    )
    bits[(first == BORDER[0]) | (second == BORDER[0]) | (second == 0)] = 0
    return np.bitwise_or.reduceat(bits, starts.astype(np.int64))
