"""Tags that are likely misspelt: rare, known to nobody, and a slip or two away from one that is used far more often."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sdtui.dataset.tag_spelling import key_of

if TYPE_CHECKING:
    from sdtui.dataset.complete import OwnTags

# A tag in so many captions is rare.
RARE = 2
# How many times as often the other one must be used.
_TIMES = 4
# What is longer is a sentence, of which every one is rare.
_LONGEST = 40
_DIGITS = re.compile(r"\d+")


def likely_meant(tag: str, count: int, own: OwnTags, known: Callable[[str], bool]) -> str:
    """The dataset's tag that was likely meant by `tag`; empty where none comes near.

    Args:
        tag: as it is written.
        count: in how many captions it stands.
        own: the dataset's tags.
        known: whether a list of tags has one, which then is no slip.
    """
    from sdtui.dataset.nearness import slips_allowed

    key = key_of(tag)
    slips = slips_allowed(len(key))
    if count > RARE or not slips or len(key) > _LONGEST or known(tag):
        return ""
    numbers, distances = own.names.near(tag, slips, whole=True)
    for _distance, number in sorted(zip(distances.tolist(), numbers.tolist(), strict=True)):
        other: str = own.tags[number]
        # `2girls` is no misspelt `1girl`.
        if own.counts[number] >= _TIMES * count and key_of(other) != key and _digits(other) == _digits(tag):
            return other
    return ""


def _digits(tag: str) -> list[str]:
    return _DIGITS.findall(tag)
