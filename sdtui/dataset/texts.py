"""All captions of a dataset in little memory: compressed in blocks that are opened one at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

BLOCK = 128
# A lone surrogate cannot occur in UTF-8 text, so it separates captions whatever they contain.
_SEPARATOR = "\ud800"
# A missing caption is another one, so that it differs from an empty caption.
_MISSING = "\udfff"
# 0.5 ms a block either way; level 1 keeps 100 000 captions of 15–45 tags in about a third of their size.
_LEVEL = 1


class Texts:
    """Captions by position. A caption that is missing or unreadable is None; one not put yet is None as well."""

    def __init__(self, count: int, blocks: Sequence[bytes] | None = None) -> None:
        """`blocks` are those of another store of the same `count`."""
        self._count = count
        self._blocks: list[bytes] = [b""] * (-(-count // BLOCK)) if blocks is None else list(blocks)
        # Few blocks are kept open: reading neighbours, as lists do, then costs nothing.
        self._open = lru_cache(maxsize=4)(self._decode)

    def __len__(self) -> int:
        return self._count

    @property
    def blocks(self) -> Sequence[bytes]:
        """The texts as they are kept, `BLOCK` of them each; empty where none was put."""
        return self._blocks

    def get(self, position: int) -> str | None:
        """The caption at `position`."""
        return self._open(position // BLOCK)[position % BLOCK]

    def put(self, texts: Mapping[int, str | None]) -> None:
        """Put other texts at some positions; cheapest for whole blocks at once."""
        for number, positions in groupby(sorted(texts), lambda position: position // BLOCK):
            block = list(self._decode(number))
            for position in positions:
                block[position % BLOCK] = texts[position]
            joined = _SEPARATOR.join(_MISSING if text is None else text for text in block)
            self._blocks[number] = zlib.compress(joined.encode("utf-8", "surrogatepass"), _LEVEL)
        self._open.cache_clear()

    def some(self, positions: Iterable[int]) -> Iterator[tuple[int, str | None]]:
        """Positions, which rise, and their texts; each block is opened once."""
        for number, group in groupby(positions, lambda position: position // BLOCK):
            block = self._decode(number)
            for position in group:
                yield position, block[position % BLOCK]

    def _decode(self, number: int) -> tuple[str | None, ...]:
        block = self._blocks[number]
        if not block:
            return (None,) * min(BLOCK, self._count - number * BLOCK)
        joined = zlib.decompress(block).decode("utf-8", "surrogatepass")
        return tuple(None if text == _MISSING else text for text in joined.split(_SEPARATOR))
