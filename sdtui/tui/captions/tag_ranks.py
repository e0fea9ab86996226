"""How often each tag stands in the captions, kept in order while captions are edited.

A dataset captioned in sentences has hundreds of thousands of different tags; sorting them again takes a fifth of a second,
which a thread may, but a key press may not.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, get_args

Order = Literal["count", "name", "length"]
ORDERS: tuple[Order, ...] = get_args(Order)


class TagRanks:
    """Tags with their counts, most frequent first, those of the same count by name."""

    def __init__(self, counts: Counter[str]) -> None:
        """Takes as long as sorting does: for a thread."""
        self._counts = counts
        self._order = sorted((-count, tag) for tag, count in counts.items() if count > 0)

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, rank: int) -> tuple[str, int]:
        """The tag of this rank and its count."""
        count, tag = self._order[rank]
        return tag, -count

    @property
    def most(self) -> int:
        """The count of the most frequent tag; 0 without any."""
        return -self._order[0][0] if self._order else 0

    def count(self, tag: str) -> int:
        """In how many captions a tag stands."""
        return self._counts.get(tag, 0)

    def rank_of(self, tag: str) -> int:
        """Where a tag stands, or the next one would if there is none."""
        return bisect_left(self._order, (-self.count(tag), tag))

    def arranged(self, order: Order, containing: str) -> list[str]:
        """The tags that contain a text (case ignored), most frequent, first by name, or longest first: for a thread."""
        part = containing.casefold()
        tags = [tag for _count, tag in list(self._order) if part in tag.casefold()]
        if order == "name":
            tags.sort(key=str.casefold)
        elif order == "length":
            tags.sort(key=len, reverse=True)
        return tags

    def tags(self) -> Iterator[str]:
        """All tags, most frequent first."""
        return (tag for _count, tag in self._order)

    def change(self, gone: Iterable[str], come: Iterable[str]) -> None:
        """One caption less for each tag in `gone`, one more for each in `come`; a tag that no caption holds is left out."""
        for tag in gone:
            self._add(tag, -1)
        for tag in come:
            self._add(tag, 1)

    def _add(self, tag: str, by: int) -> None:
        before = self._counts[tag]
        if before > 0:
            del self._order[bisect_left(self._order, (-before, tag))]
        self._counts[tag] = max(0, before + by)
        if before + by > 0:
            insort(self._order, (-before - by, tag))
