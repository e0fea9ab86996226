"""How a text of a query is looked for in tags, captions and names, each in the cheapest way that gives the same answer.

Most of a dataset's captions say the same few thousand tags. So a text without comma or line end is looked for in the
different tags, once each, and their images are taken together; only what reaches over the border of a tag is looked for in
the captions themselves, and then only in those that have all its parts. The index is held only for the former: nobody who
edits a caption waits until all are looked through.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from sdtui.dataset.bounded_regex import BoundedRegex
from sdtui.dataset.index import Index
from sdtui.dataset.postings import Mask
from sdtui.dataset.query_regex import literals, lowered, stays_within_a_tag
from sdtui.dataset.query_value import Regex, Text, Wildcard, wildcard_pattern
from sdtui.dataset.strings import ONE, SOME, Strings, folded

Stopped = Callable[[], bool]

# Of the bars, three together are a border; a text with fewer is looked for in the captions as well.
_SEPARATORS = re.compile(r"[,\n|]")
# Letters that a pattern without case takes for an i, and that folding does not.
_ODD_CASE = ("ı", "i̇")
# How often to ask whether the answer is still wanted, in seconds.
_PAUSE = 0.02


class Matcher:
    """Looks for texts in one index; `case`: whether upper and lower case differ."""

    def __init__(self, index: Index, *, case: bool, stopped: Stopped) -> None:
        self._index = index
        self._case = case
        self._stopped = stopped

    def tags(self, value: Text | Regex) -> Mask:
        """Images with a tag that is the text, or in which the expression is found."""
        return self._having(value, whole=True)

    def captions(self, value: Text | Regex, within: Mask) -> Mask:
        """Images whose caption contains it; only those `within` need to be right. `*` and `?` stay within one tag."""
        if isinstance(value, Regex):
            return self._captions_of_regex(value, within)
        pieces = [part for part in value.parts if isinstance(part, str)]
        joined = "".join(pieces)
        if not _SEPARATORS.search(joined) and (value.plain is None or joined == joined.strip()):
            return self._having(value, whole=False)
        candidates = within & self._having_all(piece for text in pieces for piece in _SEPARATORS.split(text))
        return self._looked_through(candidates, self._test(value, r"(?:(?!\|\|\|)[^,\n])"))

    def names(self, value: Text | Regex, names: Strings, original: Sequence[str], *, whole: bool) -> Mask:
        """Images whose name (one of `names`, `original` as they are written) contains it, or is it."""
        return self._mask(self.numbers(value, names, original, whole=whole))

    def _having(self, value: Text | Regex, *, whole: bool) -> Mask:
        with self._index.lock:
            tags = self.numbers(value, self._index.vocabulary, self._index.words, whole=whole)
            return self._index.postings.having(tags)

    def numbers(
        self, value: Text | Regex, strings: Strings, original: Sequence[str], *, whole: bool
    ) -> NDArray[np.int64]:
        """Which of some short texts match."""
        if isinstance(value, Regex):
            found_in = BoundedRegex(self._compiled(value.pattern)).found_in
            return np.array(list(self._numbers_of(enumerate(original), found_in)), np.int64)
        if value.plain is None:
            parts = value.parts if whole else _inner(value.parts)
            found = strings.matching(_in_block(parts, whole=whole), whole=whole)
        else:
            found = strings.equal(value.plain) if whole else strings.containing(value.plain)
        if not self._case or not len(found):
            return found
        test = self._test(value, ".", whole=whole)
        return np.array([at for at in found.tolist() if test(original[at])], np.int64)

    def _captions_of_regex(self, value: Regex, within: Mask) -> Mask:
        compiled = self._compiled(value.pattern)
        if stays_within_a_tag(compiled):
            return self._having(value, whole=False)
        candidates = within & self._having_all(self._needed(compiled))
        found_in = BoundedRegex(compiled).found_in
        if (lower := lowered(compiled)) is None:
            return self._looked_through(candidates, found_in)
        found_in_lower = BoundedRegex(lower).found_in
        return self._looked_through(
            candidates, lambda text: found_in_lower(text.lower()) if text.isascii() else found_in(text)
        )

    def _having_all(self, pieces: Iterable[str]) -> Mask:
        """Images that have a tag with each of these in it, case ignored: all that can contain all of them."""
        with self._index.lock:
            masks = (
                self._index.postings.having(self._index.vocabulary.containing(piece.strip()))
                for piece in pieces
                if piece.strip()
            )
            return reduce(np.logical_and, masks, np.ones(len(self._index.library), np.bool_))

    def _needed(self, pattern: re.Pattern[str]) -> list[str]:
        """Texts that must stand in whatever the pattern matches, case ignored."""
        with self._index.lock:
            odd = any(map(self._index.vocabulary.has, _ODD_CASE))
        if odd and pattern.flags & re.IGNORECASE:
            return []
        return [piece for literal in literals(pattern) for piece in _SEPARATORS.split(literal)]

    def _looked_through(self, candidates: Mask, test: Callable[[str], bool]) -> Mask:
        texts = self._index.texts.some(np.flatnonzero(candidates).tolist())
        return self._mask(np.array(list(self._numbers_of(texts, test)), np.int64))

    def _numbers_of(self, texts: Iterable[tuple[int, str | None]], test: Callable[[str], bool]) -> Iterator[int]:
        """Those of the texts that pass; an end to it once nobody wants the answer any more."""
        pause = 0.0
        for number, text in texts:
            if (now := time.perf_counter()) >= pause:
                if self._stopped():
                    return
                pause = now + _PAUSE
            if text is not None and test(text):
                yield number

    def _mask(self, positions: NDArray[np.int64]) -> Mask:
        mask = np.zeros(len(self._index.library), np.bool_)
        mask[positions] = True
        return mask

    def _compiled(self, pattern: str) -> re.Pattern[str]:
        return re.compile(pattern, 0 if self._case else re.IGNORECASE)

    def _test(self, value: Text, one: str, *, whole: bool = False) -> Callable[[str], bool]:
        """Whether one text contains it, or is it; `one` is what a `?` stands for."""
        fold: Callable[[str], str] = (lambda text: text) if self._case else str.casefold
        literal = [part if isinstance(part, Wildcard) else re.escape(fold(part)) for part in value.parts]
        compiled = re.compile(wildcard_pattern(literal, one, one, whole=whole), re.DOTALL)
        match = compiled.fullmatch if whole else compiled.search
        return lambda text: match(fold(text)) is not None


def _inner(parts: Sequence[str | Wildcard]) -> Sequence[str | Wildcard]:
    """Without the `*` at both ends, which change nothing where a text may stand anywhere, and cost most of the time."""
    some = [at for at, part in enumerate(parts) if part is not Wildcard.ANY]
    return parts[some[0] : some[-1] + 1] if some else ()


def _in_block(parts: Sequence[str | Wildcard], *, whole: bool) -> bytes:
    """A text with wildcards as a pattern over the bytes of `Strings`."""
    # Each byte as the character of its number: patterns over either look the same.
    literal = (part if isinstance(part, Wildcard) else re.escape(folded(part)).decode("latin-1") for part in parts)
    return wildcard_pattern(list(literal), ONE, SOME, whole=whole).encode("latin-1")
