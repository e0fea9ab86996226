"""Tags that brackets hold together, and which of them stand where: sorting, moving to the front, cutting the end off.

What moves is a tag, or several that brackets hold together, as `(red, blue:1.2)`. Tags change places; what is between them
stays. None moves over a `|||`, so what is kept in front stays there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from sdtui.dataset.caption import PIN, Tag, parse_tags
from sdtui.dataset.tags import rebuilt

_BRACKET = re.compile(r"\\.|[()\[\]{}]", re.DOTALL)


def sort(text: str, key: Callable[[str], Any], *, keep: int = 0) -> str:
    """The same tags in the order of `key`; the first `keep` stay where they are."""
    return _reordered(text, lambda words: sorted(words, key=key), keep)


def to_front(text: str, matches: Sequence[Callable[[str], bool]]) -> str:
    """The caption with the tags that match moved forward: first those of the first test, then those of the second …"""

    def rank(word: str) -> int:
        return next((at for at, match in enumerate(matches) if match(word)), len(matches))

    return sort(text, rank)


def trim_tags(text: str, limit: int) -> str:
    """The caption's first `limit` tags."""
    units = parse_units(text)
    return _first(text, units, limit) if len(units) > limit else text


def trim_tokens(text: str, limit: int, count: Callable[[str], int]) -> str:
    """As many whole tags from the front as take at most `limit` tokens, as `count` counts them; at need, words of the first."""
    if count(text) <= limit:
        return text
    units = parse_units(text)
    tags = _most(len(units) - 1, lambda number: count(_first(text, units, number)) <= limit)
    if tags or not units:
        return _first(text, units, tags)
    start = units[0].start
    ends = [start + word.end() for word in re.finditer(r"\S+", units[0].text)]
    words = _most(len(ends), lambda number: count(text[start : ends[number - 1]]) <= limit)
    return text[start : ends[words - 1]] if words else ""


def each_unit(text: str, change: Callable[[str], str]) -> str:
    """The caption with every tag changed, those that brackets hold together as one."""
    units = parse_units(text)
    return rebuilt(text, units, [change(unit.text) for unit in units])


def parse_units(text: str) -> list[Tag]:
    """The tags, those that brackets hold together as one; a bracket without its partner, as in `:(`, holds nothing."""
    tags = parse_tags(text)
    changes = [_balance(tag.text) for tag in tags]
    if not any(changes):
        return tags
    lasts = _lasts(changes)
    units: list[Tag] = []
    at = 0
    while at < len(tags):
        start, end = tags[at].start, tags[lasts[at]].end
        units.append(Tag(text[start:end], start, end))
        at = lasts[at] + 1
    return units


def _lasts(changes: Sequence[int]) -> list[int]:
    """For each tag the one that closes what it opens; itself, where it opens nothing or nothing closes it."""
    depths = [0, *accumulate(changes)]
    lasts = list(range(len(changes)))
    waiting: list[int] = []
    for at, depth in enumerate(depths[1:]):
        waiting.append(at)
        while waiting and depths[waiting[-1]] >= depth:
            lasts[waiting.pop()] = at
    return lasts


def _balance(word: str) -> int:
    """How many more brackets open than close, escaped ones apart."""
    if not any(bracket in word for bracket in "()[]{}"):
        return 0
    return sum((found in "([{") - (found in ")]}") for found in _BRACKET.findall(word) if len(found) == 1)


def _reordered(text: str, order: Callable[[list[str]], list[str]], keep: int) -> str:
    units = parse_units(text)
    words: list[str | None] = []
    section: list[str] = []
    for at, unit in enumerate(units):
        if at and PIN in text[units[at - 1].end : unit.start]:
            words += order(section)
            section = []
        if at < keep:
            words.append(unit.text)
        else:
            section.append(unit.text)
    return rebuilt(text, units, [*words, *order(section)])


def _first(text: str, units: Sequence[Tag], number: int) -> str:
    return rebuilt(text, units, [unit.text if at < number else None for at, unit in enumerate(units)])


def _most(limit: int, fits: Callable[[int], bool]) -> int:
    """The largest number from 0 to `limit` that fits, where each that is smaller fits as well; 0 is not asked about."""
    low = 0
    while low < limit:
        middle = (low + limit + 1) // 2
        if fits(middle):
            low = middle
        else:
            limit = middle - 1
    return low
