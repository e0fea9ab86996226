"""The score that a tag needs on one image. Scores and thresholds are compared as half floats, as the store keeps them."""

from __future__ import annotations

import functools
import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from sdtui.tagging.rules import Rules
from sdtui.tagging.tag_list import RATING, key

_HALF = struct.Struct("<e")


class Scored(NamedTuple):
    """One tag of one image: its name as the tagger writes it, score 0–1, category, place in the tagger's list."""

    name: str
    score: float
    category: str
    place: int


class Thresholds:
    """What each tag of one image needs."""

    def __init__(self, scored: Iterable[Scored], rules: Rules) -> None:
        self._above = rules.above
        self._otherwise = rules.threshold
        self._tags = {key(name): value for name, value in rules.tags.items()}
        self._categories = {**rules.categories, **_cuts(scored, rules)}

    def of(self, tag: Scored) -> float:
        """The score from which the tag is kept."""
        own = self._tags.get(key(tag.name)) if self._tags else None
        return own if own is not None else self._categories.get(tag.category, self._otherwise)

    def keeps(self, tag: Scored) -> bool:
        """Whether its score is enough."""
        score, needed = half(tag.score), half(self.of(tag))
        return score > needed if self._above else score >= needed


def mcut(scores: Sequence[float]) -> float:
    """The middle of the largest gap between scores, of equal ones the highest; what is not among them counts as 0.

    Without scores it is 1: nothing is kept.
    """
    if not scores:
        return 1.0
    falling = [*sorted(scores, reverse=True), 0.0]
    gaps = [high - low for high, low in pairwise(falling)]
    at = gaps.index(max(gaps))
    return (falling[at] + falling[at + 1]) / 2


def margin(score: float, threshold: float) -> float:
    """How far a score is beyond its threshold, 0 at it and 1 at a score of 1."""
    return (score - threshold) / (1 - threshold) if threshold < 1 else score


@functools.lru_cache(maxsize=1 << 16)
def half(value: float) -> float:
    """The nearest half float: about three digits below 1."""
    found: float = _HALF.unpack(_HALF.pack(min(value, 2.0)))[0]
    return found


def _cuts(scored: Iterable[Scored], rules: Rules) -> dict[str, float]:
    if not rules.mcut:
        return {}
    of: defaultdict[str, list[float]] = defaultdict(list)
    for tag in scored:
        if tag.category != RATING:
            of[tag.category].append(half(tag.score))
    return {category: max(mcut(of[category]), floor) for category, floor in rules.mcut.items()}
