"""Many short texts in one block of bytes, searched as one: tags, names.

Texts are kept folded (case ignored) as UTF-8 between bytes that UTF-8 never has, so a search is one run of `bytes.find` or
of a pattern over all of them, and a whole text is found with its borders.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]

BORDER = b"\xff"
# For texts with line ends: half a surrogate pair that neither UTF-8 nor an undecodable file name brings forth.
_BETWEEN = "\udfff"
# In a pattern over the block: one character of a text, and one byte of it.
ONE, SOME = r"(?:[\x00-\x7f]|[\xc2-\xf4][\x80-\xbf]+)", r"[^\xff]"


class Strings:
    """Folded texts by number, in the order they were added."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        items = ["", *texts, ""]
        # All at once, and plain ASCII as long as it can be: 50 ms less for 100 000 names.
        between = "\n"
        joined = between.join(items)
        if joined.count(between) != len(items) - 1:
            between = _BETWEEN
            joined = between.join(items)
        self._block = bytearray(folded(joined).replace(folded(between), BORDER))
        borders = np.flatnonzero(np.frombuffer(self._block, np.uint8) == BORDER[0])
        self._starts = array("q", (borders[:-1] + 1).tobytes())
        if not self._starts:
            self._block = bytearray(BORDER)

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, text: str) -> None:
        """Append one more."""
        self._starts.append(len(self._block))
        self._block += folded(text)
        self._block += BORDER

    def has(self, text: str) -> bool:
        """Whether `text` occurs in any of them, or over none of their borders."""
        return self._block.find(folded(text)) >= 0

    def equal(self, text: str) -> Positions:
        """Numbers of those that are `text`, case ignored."""
        return self._numbers(at + 1 for at in self._occurrences(BORDER + folded(text) + BORDER))

    def containing(self, text: str) -> Positions:
        """Numbers of those that contain `text`, case ignored."""
        needle = folded(text)
        return self._numbers(self._occurrences(needle)) if needle else np.arange(len(self), dtype=np.int64)

    def matching(self, pattern: bytes, *, whole: bool) -> Positions:
        """Numbers of those in which `pattern` occurs, or which it is.

        Args:
            pattern: for `re`, over folded UTF-8, matching no border; see `ONE` and `SOME`.
            whole: from border to border.
        """
        # A pattern that begins with a plain byte is looked for several times faster than one that looks behind.
        framed = rb"\xff(?:%b)(?=\xff)" if whole else rb"(?:%b)[^\xff]*"
        found = re.finditer(framed % pattern, self._block, re.DOTALL)
        return self._numbers(match.start() + whole for match in found)

    def _occurrences(self, needle: bytes) -> Iterator[int]:
        """Where `needle` begins, once in each text."""
        at = self._block.find(needle)
        while at >= 0:
            yield at
            border = self._block.find(BORDER, at + 1)
            at = self._block.find(needle, border)

    def _numbers(self, offsets: Iterable[int]) -> Positions:
        """The texts that hold these places in the block, each once; a place may be an empty text's own border."""
        places = np.fromiter(offsets, dtype=np.int64)
        starts = np.array(self._starts, dtype=np.int64)
        numbers = np.searchsorted(starts, places, side="right") - 1
        return np.unique(numbers[(numbers >= 0) & (numbers < len(starts))])


def folded(text: str) -> bytes:
    """A text with case ignored, as it stands in the block; file names that are no text keep their odd bytes apart."""
    return text.casefold().encode("utf-8", "surrogatepass")
