"""Editing one caption's text by tags: pure functions that touch only the characters they must."""

from __future__ import annotations

from collections.abc import Sequence

from sdtui.dataset.caption import PIN, Tag, parse_tags
from sdtui.dataset.tag_order import parse_units
from sdtui.dataset.tags import rebuilt


def drop_tag(text: str, index: int) -> str:
    """The caption without its tag number `index` and one separator beside it, one that is no line end if possible."""
    tags = parse_tags(text)
    tag = tags[index]
    before = text[tags[index - 1].end : tag.start] if index else "\n"
    after = text[tag.end : tags[index + 1].start] if index + 1 < len(tags) else "\n"
    if index + 1 < len(tags) and ("\n" not in after or index == 0):
        return text[: tag.start] + text[tags[index + 1].start :]
    if index and ("\n" not in before or index + 1 == len(tags)):
        return text[: tags[index - 1].end] + text[tag.end :]
    return text[: tag.start] + text[tag.end :]


def replace_tag(text: str, index: int, new: str) -> str:
    """The caption with another tag in the place of number `index`; an empty one drops it."""
    if not new.strip():
        return drop_tag(text, index)
    tag = parse_tags(text)[index]
    return text[: tag.start] + new.strip() + text[tag.end :]


def move_tag(text: str, index: int, by: int) -> tuple[str, int]:
    """The caption with its tag number `index` moved `by` places, and which number it has then.

    Tags that brackets hold together move as one; none moves over a `|||`. Separators stay where they are.
    """
    tags, units = parse_tags(text), parse_units(text)
    starts = [unit.start for unit in units]
    at = max(place for place, start in enumerate(starts) if start <= tags[index].start)
    first = last = at
    while first > 0 and PIN not in text[units[first - 1].end : units[first].start]:
        first -= 1
    while last + 1 < len(units) and PIN not in text[units[last].end : units[last + 1].start]:
        last += 1
    to = min(max(at + by, first), last)
    order = [place for place in range(len(units)) if place != at]
    order.insert(to, at)
    inside = sum(units[at].start <= tag.start < tags[index].start for tag in tags)
    before = sum(len(parse_tags(units[place].text)) for place in order[:to])
    return rebuilt(text, units, [units[place].text for place in order]), before + inside


def repeated(tags: Sequence[Tag]) -> set[int]:
    """Numbers of the tags that stood in the caption before (case ignored)."""
    seen: set[str] = set()
    again = set()
    for index, tag in enumerate(tags):
        if tag.text.casefold() in seen:
            again.add(index)
        seen.add(tag.text.casefold())
    return again
