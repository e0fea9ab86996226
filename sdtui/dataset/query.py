"""Which images a query means: parsed by `query_syntax`, planned here, answered from the index in milliseconds.

Each term becomes one truth value an image. Of terms that must all hold, the cheap ones are asked first, and the dear ones
(expressions over whole captions, token counts, image headers) only about the images that are left.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from sdtui.dataset.columns import CAPTIONED, EMPTY, MISSING, UNREADABLE, Integers
from sdtui.dataset.index import Index
from sdtui.dataset.library import Library
from sdtui.dataset.marks import NUMBERS, Marks
from sdtui.dataset.postings import Mask
from sdtui.dataset.query_match import Matcher, Stopped
from sdtui.dataset.query_syntax import ANYWHERE, And, Node, Not, Or, Query, Term, parse
from sdtui.dataset.query_value import Choice, Number, QueryError, Regex, Score, Text
from sdtui.dataset.strings import Strings
from sdtui.errors import SdtuiError
from sdtui.profile.kohya_name import kohya_name

__all__ = ["Query", "QueryError", "Searcher", "parse"]

_STATES = {"missing": MISSING, "empty": EMPTY, "unreadable": UNREADABLE}
# What a term costs: 1 for tags and columns in memory; names; whole captions; what has to be read or counted first.
_NAMES, _CAPTIONS, _SLOW = 2, 5, 9


class Searcher:
    """Answers queries about one dataset.

    Args:
        index: loaded.
        marks: for `mark:` and `stars:`, as they are at each query.
        count_tokens: CLIP tokens of one text, for `tokens:`; the dataset room knows no tokenizer.
        score_of: a tag's score in each image, NaN where it was not scored, for `score:`; nor does it know taggers.
    """

    def __init__(
        self,
        index: Index,
        marks: Marks,
        count_tokens: Callable[[str], int] | None = None,
        score_of: Callable[[str], NDArray[np.float32]] | None = None,
    ) -> None:
        self.index = index
        self.marks = marks
        self.count_tokens = count_tokens
        self.score_of = score_of
        self._marks_seen = marks.now
        self._marked: dict[str, Mask] = {}

    def find(self, query: Query, stopped: Stopped = lambda: False) -> Integers:
        """Positions of the images that match, rising; once `stopped` says so, whatever is known by then.

        Raises:
            SdtuiError: `tokens:` or `score:` is asked, and there is nothing to count or look up with.
        """
        everything = np.ones(len(self.index.library), np.bool_)
        return np.flatnonzero(_Search(self, query.case, stopped).evaluate(query.root, everything))

    def marked(self, word: str) -> Mask:
        """Images in the selection of this number, in `any`, or in `none`; kept until the marks change."""
        if self._marks_seen is not self.marks.now:
            self._marks_seen = self.marks.now
            self._marked.clear()
        if word not in self._marked:
            chosen = [int(word)] if word.isdigit() else list(NUMBERS)
            names = frozenset[str]().union(*map(self.marks.selected, chosen))
            mask = np.array([name in names for name in self.relatives], np.bool_)
            self._marked[word] = ~mask if word == "none" else mask
        return self._marked[word]

    def stars(self) -> Integers:
        """The rating of each image."""
        stars = self.marks.now.stars
        return np.array([stars.get(name, 0) for name in self.relatives], np.int64)

    def warm(self) -> None:
        """Prepare the names for being searched, which the first query for them would otherwise wait for."""
        _ = self.paths, self.names

    @cached_property
    def relatives(self) -> Sequence[str]:
        """The images' paths relative to the dataset."""
        return _Relatives(self.index.library)

    @cached_property
    def paths(self) -> Strings:
        """The same, to be searched."""
        return Strings(self.relatives)

    @cached_property
    def names(self) -> Strings:
        """The images' file names, to be searched."""
        return Strings(self.index.library.names)


class _Relatives(Sequence[str]):
    """Relative paths, put together as they are asked for: few queries want them, and 100 000 take up 7 MiB."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def __len__(self) -> int:
        return len(self._library)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        return self._library.relatives()[at] if isinstance(at, slice) else self._library[at].relative

    def __iter__(self) -> Iterator[str]:
        return iter(self._library.relatives())


@dataclass(frozen=True)
class _Search:
    """One query on its way."""

    searcher: Searcher
    case: bool
    stopped: Stopped

    def evaluate(self, node: Node, within: Mask) -> Mask:
        """Which images match; right for those `within`, and false for all others."""
        if isinstance(node, Not):
            return within & ~self.evaluate(node.item, within)
        if isinstance(node, And):
            for item in sorted(node.items, key=_cost):
                within = self.evaluate(item, within)
            return within
        if isinstance(node, Or):
            left, found = within, np.zeros_like(within)
            for item in sorted(node.items, key=_cost):
                found |= self.evaluate(item, left)
                left = within & ~found
            return found
        return within & self._term(node, within) if within.any() else within

    def _term(self, term: Term, within: Mask) -> Mask:
        value = term.value
        if isinstance(value, Number):
            return self._number(term.field, value, within)
        if isinstance(value, Score):
            return self._score(value)
        if isinstance(value, Choice):
            return self.searcher.marked(value.word) if term.field == "mark" else self._problem(value.word)
        return self._text(term.field, value, within)

    def _text(self, field: str, value: Text | Regex, within: Mask) -> Mask:
        searcher = self.searcher
        matcher = Matcher(searcher.index, case=self.case, stopped=self.stopped)
        if field == "tag":
            return matcher.tags(value)
        if field == "caption":
            return matcher.captions(value, within)
        if field == "folder":
            return self._folder(matcher, value)
        if field == "name":
            return matcher.names(value, searcher.names, searcher.index.library.names, whole=False)
        paths = matcher.names(value, searcher.paths, searcher.relatives, whole=False)
        return paths | matcher.captions(value, within & ~paths) if field == ANYWHERE else paths

    def _folder(self, matcher: Matcher, value: Text | Regex) -> Mask:
        """Images in a folder that matches, or in one inside it."""
        folders, folder_of = self.searcher.index.library.folders
        chains = [_with_parents(folder) for folder in folders]
        different = sorted({part for chain in chains for part in chain})
        if isinstance(value, Text) and value.plain in {"", "."}:
            hits = {""}
        else:
            found = matcher.numbers(value, Strings(different), different, whole=True)
            hits = {different[at] for at in found.tolist()} - {""}
        inside = np.array([not hits.isdisjoint(chain) for chain in chains], np.bool_)
        return inside[np.frombuffer(folder_of, np.uint32)] if len(folder_of) else np.zeros(0, np.bool_)

    def _number(self, field: str, number: Number, within: Mask) -> Mask:
        columns = self.searcher.index.columns
        if field in {"width", "height", "aspect"}:
            self.searcher.index.read_sizes(within, self.stopped)
            known = columns.width > 0
            if field != "aspect":
                return known & compare(getattr(columns, field), number)
            return known & compare(np.round(columns.width / np.maximum(columns.height, 1), 2), number, digits=2)
        if field == "tokens":
            if self.searcher.count_tokens is None:
                raise SdtuiError("tokens cannot be counted here")
            tokens = self.searcher.index.count_tokens(self.searcher.count_tokens, within, self.stopped)
            return compare(tokens, number) & (tokens >= 0)
        if field == "repeats":
            return compare(self._repeats(), number)
        return compare(self.searcher.stars() if field == "stars" else getattr(columns, field), number)

    def _score(self, value: Score) -> Mask:
        """Images that a tagger has scored, by one of the scores; compared as it is kept, as a half float."""
        if self.searcher.score_of is None:
            raise SdtuiError("no tagger's scores are at hand here")
        scores = self.searcher.score_of(value.tag)
        low, high = (
            None if border is None else float(np.float16(border)) for border in (value.number.low, value.number.high)
        )
        return ~np.isnan(scores) & compare(scores, Number(value.number.operator, low, high), digits=24)

    def _repeats(self) -> Integers:
        """What kohya's scripts would read from the name of each image's folder; 1 for other names."""
        folders, folder_of = self.searcher.index.library.folders
        repeats = [found[0] if (found := kohya_name(os.path.basename(folder))) else 1 for folder in folders]
        return np.array(repeats, np.int64)[np.frombuffer(folder_of, np.uint32)] if repeats else np.zeros(0, np.int64)

    def _problem(self, word: str) -> Mask:
        columns = self.searcher.index.columns
        if word in _STATES:
            state: Mask = columns.state == _STATES[word]
            return state
        trouble: Mask = columns.twice if word == "twice" else (columns.state != CAPTIONED) | columns.twice
        return ~trouble if word == "none" else trouble


def compare(column: NDArray[np.number], number: Number, digits: int = 0) -> Mask:
    """Which values of a column fit; borders that are no whole numbers are rounded as the column is."""
    if number.operator == "..":
        low = -np.inf if number.low is None else round(number.low, digits)
        high = np.inf if number.high is None else round(number.high, digits)
        between: Mask = (column >= low) & (column <= high)
        return between
    assert number.low is not None
    compared: Mask = _COMPARE[number.operator](column, round(number.low, digits))
    return compared


_COMPARE: dict[str, Callable[[NDArray[np.number], float], Mask]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _cost(node: Node) -> int:
    """How long a part of a query takes, roughly, so that the dear parts come last."""
    if isinstance(node, Not):
        return _cost(node.item)
    if isinstance(node, And | Or):
        return max(map(_cost, node.items))
    if node.field in {"tokens", "width", "height", "aspect"}:
        return _SLOW
    if node.field in {"caption", ANYWHERE}:
        return _CAPTIONS
    return _NAMES if node.field in {"name", "path", "score"} else 1


def _with_parents(folder: str) -> tuple[str, ...]:
    """A folder and those around it, as paths: a/b/c, a/b, a."""
    parts = folder.split(os.sep)
    return tuple(os.sep.join(parts[:count]) for count in range(len(parts), 0, -1))
