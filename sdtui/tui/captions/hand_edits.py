"""Tags that captions lost and got by hand, numbered, so that a count of all tags that was begun before is put right.

An edit is shown at once and is in the index some time later; the tags are counted from the index in a thread. What such a
count does not hold yet is added to it where it is shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

# Nobody edits that many captions by hand while the tags are counted once.
_KEPT = 1_000


class HandEdit(NamedTuple):
    """The tags that are in a caption no more, and those that are new in it."""

    number: int
    gone: frozenset[str]
    come: frozenset[str]


class HandEdits:
    """Edits of single captions in the order they were made.

    Attributes:
        indexed: the last one that the index has read; set and asked while the index is locked.
    """

    def __init__(self) -> None:
        self.indexed = 0
        self._last = 0
        self._recent: deque[HandEdit] = deque(maxlen=_KEPT)

    def add(self, before: frozenset[str], after: frozenset[str]) -> HandEdit:
        """A caption's tags were `before` and are now `after`."""
        self._last += 1
        self._recent.append(edit := HandEdit(self._last, before - after, after - before))
        return edit

    def later_than(self, number: int) -> Iterator[HandEdit]:
        """Those made after this one, in order."""
        return (edit for edit in tuple(self._recent) if edit.number > number)
