"""A caption that two have changed since it was the same, put together tag by tag: what either added or took out counts.

A tag that one side took out goes, one that either put in comes, beside the neighbour it has there. Order and spacing are
those of the side that changed them. Where both had the same tag in hand and made different things of it, both are kept,
and the merge is not clean: a person has to look.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from sdtui.dataset.caption import PIN, Tag, parse_tags
from sdtui.dataset.tags import rebuilt, separator_of

# A tag and which of its occurrences in the caption it is, from 1.
Key = tuple[str, int]


class Merged(NamedTuple):
    """A caption put together; `clean`: nobody needs to look whether it is what both wanted."""

    text: str
    clean: bool


def merge(base: str, mine: str, theirs: str) -> Merged:
    """The caption with my changes of `base` and theirs.

    Args:
        base: the text that both began with; empty where there was none.
        mine: what one side made of it.
        theirs: what the other made of it; its additions stand before mine at the same place.
    """
    if mine in {base, theirs}:
        return Merged(theirs, clean=True)
    if theirs == base:
        return Merged(mine, clean=True)
    old, left, right = _Side(base), _Side(mine), _Side(theirs)
    arranged = left.arranges(old), right.arranges(old)
    frame, other = (left, right) if arranged[0] else (right, left)
    text = _put_together(frame, other, gone=set(old.keys) - set(other.keys), new=set(other.keys) - set(old.keys))
    return Merged(text, clean=not all(arranged) and not _quarrel(old, left, right))


class _Side:
    """One of the three texts and its tags."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tags = parse_tags(text)
        self.keys = _keys(self.tags)

    def gap(self, at: int) -> str:
        """What stands before the tag `at`, or after the last one."""
        start = self.tags[at - 1].end if at else 0
        return self.text[start : self.tags[at].start if at < len(self.tags) else len(self.text)]

    def has_border(self, at: int) -> bool:
        """Whether a line ends, or the part that stays in front, before the tag `at`."""
        gap = self.gap(at)
        return "\n" in gap or PIN in gap

    def gaps(self) -> dict[tuple[Key | None, Key | None], str]:
        """What stands between any two tags that are neighbours; None: the ends of the text."""
        edges = [None, *self.keys, None]
        return {pair: self.gap(at) for at, pair in enumerate(pairwise(edges))}

    def arranges(self, base: _Side) -> bool:
        """Whether tags that `base` has as well stand in another order, or with something else between them."""
        mine, old = set(self.keys), set(base.keys)
        if [key for key in self.keys if key in old] != [key for key in base.keys if key in mine]:
            return True
        before = base.gaps()
        return any(before.get(pair, gap) != gap for pair, gap in self.gaps().items())


def _keys(tags: Iterable[Tag]) -> list[Key]:
    seen: Counter[str] = Counter()
    keys = []
    for tag in tags:
        seen[tag.text] += 1
        keys.append((tag.text, seen[tag.text]))
    return keys


def _put_together(frame: _Side, other: _Side, gone: set[Key], new: set[Key]) -> str:
    """The text of `frame` without the tags that are `gone`, and with those of `other` that are `new`."""
    kept = [key for key in frame.keys if key not in gone]
    between = separator_of(frame.text, frame.tags)
    if not kept:
        emptied = rebuilt(frame.text, frame.tags, [None] * len(frame.tags))
        return between.join(key[0] for key in other.keys if key in new) + emptied
    beside = _places(frame, other, set(kept), new)
    words = {key: between.join([*beside[key, False], key[0], *beside[key, True]]) for key in kept}
    return rebuilt(frame.text, frame.tags, [words.get(key) for key in frame.keys])


def _places(frame: _Side, other: _Side, kept: set[Key], new: set[Key]) -> defaultdict[tuple[Key, bool], list[str]]:
    """The new tags by the kept one that they stand beside, and whether after it; over a border only where there is none."""
    ends = _ends(frame, kept, set(other.keys))
    beside: defaultdict[tuple[Key, bool], list[str]] = defaultdict(list)
    waiting: list[str] = []
    before: Key | None = None
    for at, key in enumerate(other.keys):
        if other.has_border(at):
            before = None
        if key in kept:
            beside[key, False] += waiting
            waiting, before = [], key
        elif key in new:
            (waiting if before is None else beside[ends[before], True]).append(key[0])
    last = next(key for key in reversed(frame.keys) if key in kept)
    beside[last, True] += waiting
    return beside


def _ends(frame: _Side, kept: set[Key], known: set[Key]) -> dict[Key, Key]:
    """For each kept tag the last of those that only `frame` has right behind it, or itself."""
    ends: dict[Key, Key] = {}
    anchor: Key | None = None
    for at, key in enumerate(frame.keys):
        if key in kept:
            ends[key] = key
            if anchor is None or key in known or frame.has_border(at):
                anchor = key
            else:
                ends[anchor] = key
    return ends


def _quarrel(base: _Side, mine: _Side, theirs: _Side) -> bool:
    """Whether both took the same tag, and at least one of them wrote something in its place that the other did not."""
    if not base.keys:
        return True
    left, right = _replaced(base.keys, mine.keys), _replaced(base.keys, theirs.keys)
    return not all(_agree(left[key], right[key]) for key in left.keys() & right.keys())


def _agree(mine: frozenset[Key], theirs: frozenset[Key]) -> bool:
    """Whether one wrote the other's words, and perhaps more."""
    return mine == theirs or bool(mine and theirs and (mine <= theirs or theirs <= mine))


def _replaced(base: Sequence[Key], side: Sequence[Key]) -> dict[Key, frozenset[Key]]:
    """For each tag that is gone, what was written in its place."""
    there, known = set(side), set(base)
    gone: dict[Key, frozenset[Key]] = {}
    for kind, start, end, first, last in SequenceMatcher(None, base, side, autojunk=False).get_opcodes():
        if kind in {"replace", "delete"}:
            new = frozenset(key for key in side[first:last] if key not in known)
            gone |= {key: new for key in base[start:end] if key not in there}
    return gone
