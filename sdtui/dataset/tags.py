"""Edits to one caption's text, tag by tag: pure functions that leave every character alone that they need not touch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sdtui.dataset.caption import Tag, parse_tags, tag_words
from sdtui.errors import UserError

_DEFAULT_SEPARATOR = ", "


def add(text: str, tag: str, *, front: bool = False) -> str:
    """The caption with `tag` at its end or front, in the caption's own spacing; unchanged if the tag is there."""
    tag = checked(tag)
    tags = parse_tags(text)
    present = {found.text for found in tags}
    if all(word in present for word in tag_words(tag)):
        return text
    if not tags:
        return tag
    separator = _separator(text, tags)
    if front:
        return text[: tags[0].start] + tag + separator + text[tags[0].start :]
    # After the last tag, not after the last character: a trailing comma stays where it was.
    return text[: tags[-1].end] + separator + tag + text[tags[-1].end :]


def remove(text: str, tag: str) -> str:
    """The caption without `tag`, each occurrence taken out with one separator beside it."""
    tags = parse_tags(text)
    return _rebuilt(text, tags, [None if place.text == tag else place.text for place in tags])


def replace(text: str, old: str, new: str) -> str:
    """The caption with the first `old` tag turned into `new`, further ones taken out, and all where `new` stands."""
    new = checked(new)
    if old == new:
        return text
    tags = parse_tags(text)
    words: list[str | None] = []
    pending = not any(place.text == new for place in tags)
    for place in tags:
        if place.text != old:
            words.append(place.text)
        else:
            words.append(new if pending else None)
            pending = False
    return _rebuilt(text, tags, words)


def sort(text: str, key: Callable[[str], Any]) -> str:
    """The same tags in the order of `key`, put into the same places: separators and line ends stay."""
    tags = parse_tags(text)
    ordered: list[str] = sorted((tag.text for tag in tags), key=key)
    return _rebuilt(text, tags, ordered)


def checked(tag: str) -> str:
    """A tag given by a person, blanks around it removed; raises UserError for an empty one."""
    word = tag.strip().strip(",").strip()
    if not word:
        raise UserError("the tag is empty", remedy="Give at least one character that is not a blank or a comma")
    return word


def _rebuilt(text: str, tags: list[Tag], words: Sequence[str | None]) -> str:
    """The caption with each tag replaced by its word; None takes the tag out with the separator on one side of it."""
    if not tags:
        return text
    edges = [0, *(edge for tag in tags for edge in (tag.start, tag.end)), len(text)]
    gaps = [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    last = max((at for at, word in enumerate(words) if word is not None), default=-1)
    parts: list[str] = []
    gap = gaps[0]
    for at, word in enumerate(words):
        after = gaps[at + 1]
        if word is not None:
            parts += (gap, word)
            gap = after
        elif last < 0:
            gap = gap.rstrip(" ,") + after.lstrip(" ,")
        elif parts and not (at < last and "\n" in gap and "\n" not in after):
            # Of two separators the one that ends a line stays, so that lines stay lines.
            gap = after
    return "".join((*parts, gap))


def _separator(text: str, tags: list[Tag]) -> str:
    """What stands between the first two tags, if that is on one line; else a comma and a blank."""
    between = text[tags[0].end : tags[1].start] if len(tags) > 1 else _DEFAULT_SEPARATOR
    return between if "\n" not in between else _DEFAULT_SEPARATOR
