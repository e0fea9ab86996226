"""All captions of a dataset in little memory: compressed in blocks, searched block by block."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

BLOCK = 128
# A lone surrogate cannot occur in UTF-8 text, so it separates captions whatever they contain.
_SEPARATOR = "\ud800"
# 0.5 ms a block either way; level 1 keeps 100 000 captions of 15–45 tags in about a third of their size.
_LEVEL = 1


class Texts:
    """Captions by position. A caption that is missing or unreadable is None; one not loaded yet is None as well."""

    def __init__(self, count: int) -> None:
        self._blocks: list[bytes | None] = [None] * (-(-count // BLOCK))
        self._count = count
        # One block is kept open per store: reading neighbours, as lists do, then costs nothing.
        self._open = lru_cache(maxsize=4)(self._decode)

    def __len__(self) -> int:
        return self._count

    def loaded(self, position: int) -> bool:
        """Whether the block that holds `position` has been filled."""
        return self._blocks[position // BLOCK] is not None

    def fill(self, read: Callable[[int], str | None]) -> Iterator[int]:
        """Fill the blocks not loaded yet by `read(position)`; yields how many captions are loaded so far."""
        for number, block in enumerate(self._blocks):
            first = number * BLOCK
            last = min(first + BLOCK, self._count)
            if block is None:
                self._store(number, [read(position) for position in range(first, last)])
            yield last

    def get(self, position: int) -> str | None:
        """The caption at `position`."""
        return self._open(position // BLOCK)[position % BLOCK] if self.loaded(position) else None

    def set(self, position: int, text: str | None) -> None:
        """Put another text at `position`; a block that is not loaded is left for `fill`."""
        if self.loaded(position):
            texts = list(self._open(position // BLOCK))
            texts[position % BLOCK] = text
            self._store(position // BLOCK, texts)

    def iterate(self) -> Iterator[str | None]:
        """All texts in order."""
        for number, block in enumerate(self._blocks):
            if block is None:
                yield from [None] * min(BLOCK, self._count - number * BLOCK)
            else:
                yield from self._split(zlib.decompress(block).decode("utf-8", "surrogatepass"))

    def containing(self, needle: str) -> Iterator[int]:
        """Positions of the captions that contain `needle`, case ignored, in order."""
        needle = needle.casefold()
        for number, block in enumerate(self._blocks):
            if block is None:
                continue
            folded = zlib.decompress(block).decode("utf-8", "surrogatepass").casefold()
            if needle in folded:
                yield from (
                    number * BLOCK + at for at, text in enumerate(self._split(folded)) if text and needle in text
                )

    def _store(self, number: int, texts: Iterable[str | None]) -> None:
        # A missing caption is a single surrogate of its own, so that it differs from an empty one.
        joined = _SEPARATOR.join("\udfff" if text is None else text for text in texts)
        self._blocks[number] = zlib.compress(joined.encode("utf-8", "surrogatepass"), _LEVEL)
        self._open.cache_clear()

    def _decode(self, number: int) -> tuple[str | None, ...]:
        block = self._blocks[number]
        return tuple(self._split(zlib.decompress(block).decode("utf-8", "surrogatepass"))) if block else ()

    @staticmethod
    def _split(joined: str) -> Iterator[str | None]:
        return (None if text == "\udfff" else text for text in joined.split(_SEPARATOR))
