"""Which captions this session made others than they were: an edit that is taken back leaves no trace in the list.

Of each caption that was written, a hash of its first version is kept; a dataset may have a million of them.
"""

from __future__ import annotations

from array import array

_DIFFERS = 2


class EditedCaptions:
    """Positions of captions that are not what they were before the session's first edit of them."""

    def __init__(self, images: int) -> None:
        self._state = bytearray(images)  # 0: not written yet, 1: as it was, 2: another
        # Made with the first edit: most sessions look at far more than they write.
        self._first: array[int] | None = None

    def __contains__(self, position: int) -> bool:
        return self._state[position] == _DIFFERS

    def __len__(self) -> int:
        return self._state.count(_DIFFERS)

    def wrote(self, position: int, before: bytes | None, after: bytes | None) -> None:
        """A caption was written; None: no file."""
        if self._first is None:
            self._first = array("q", bytes(8 * len(self._state)))
        if not self._state[position]:
            self._first[position] = hash(before)
        self._compare(position, after)

    def found(self, position: int, now: bytes | None) -> None:
        """A caption was read: its write failed, or another program was at it; what nobody edited here is not looked at."""
        if self._state[position]:
            self._compare(position, now)

    def _compare(self, position: int, now: bytes | None) -> None:
        assert self._first is not None
        self._state[position] = 1 + (hash(now) != self._first[position])
