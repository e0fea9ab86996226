"""Editing one caption's text by tags: pure functions that touch only the characters they must."""

from __future__ import annotations

from collections.abc import Sequence

from sdtui.dataset.caption import Tag, parse_tags


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


def repeated(tags: Sequence[Tag]) -> set[int]:
    """Numbers of the tags that stood in the caption before (case ignored)."""
    seen: set[str] = set()
    again = set()
    for index, tag in enumerate(tags):
        if tag.text.casefold() in seen:
            again.add(index)
        seen.add(tag.text.casefold())
    return again
