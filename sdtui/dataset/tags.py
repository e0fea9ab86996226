"""Edits to one caption's text, tag by tag: pure functions that leave every character alone that they need not touch."""

from __future__ import annotations

from collections.abc import Callable
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
    while (found := next((place for place in parse_tags(text) if place.text == tag), None)) is not None:
        text = _cut(text, found)
    return text


def replace(text: str, old: str, new: str) -> str:
    """The caption with each `old` tag turned into `new`; where `new` stands already, `old` is taken out."""
    new = checked(new)
    if old == new:
        return text
    tags = parse_tags(text)
    places = [place for place in tags if place.text == old]
    if any(place.text == new for place in tags):
        return remove(text, old)
    for place in reversed(places[1:]):
        text = _cut(text, place)
    for place in places[:1]:
        text = text[: place.start] + new + text[place.end :]
    return text


def sort(text: str, key: Callable[[str], Any]) -> str:
    """The same tags in the order of `key`, put into the same places: separators and line ends stay."""
    tags = parse_tags(text)
    ordered = sorted((tag.text for tag in tags), key=key)
    for place, word in reversed(list(zip(tags, ordered, strict=True))):
        text = text[: place.start] + word + text[place.end :]
    return text


def checked(tag: str) -> str:
    """A tag given by a person, blanks around it removed; raises UserError for an empty one."""
    word = tag.strip().strip(",").strip()
    if not word:
        raise UserError("the tag is empty", remedy="Give at least one character that is not a blank or a comma")
    return word


def _cut(text: str, place: Tag) -> str:
    tags = parse_tags(text)
    at = tags.index(place)
    if len(tags) == 1:
        return text[: place.start].rstrip(" ,") + text[place.end :].lstrip(" ,")
    before = text[tags[at - 1].end : place.start] if at else "\n"
    after = text[place.end : tags[at + 1].start] if at + 1 < len(tags) else "\n"
    # Take the separator that is no line end, so that lines stay lines.
    if "\n" in before and at + 1 < len(tags) and ("\n" not in after or at == 0):
        return text[: place.start] + text[tags[at + 1].start :]
    return text[: tags[at - 1].end] + text[place.end :]


def _separator(text: str, tags: list[Tag]) -> str:
    """What stands between the first two tags, if that is on one line; else a comma and a blank."""
    between = text[tags[0].end : tags[1].start] if len(tags) > 1 else _DEFAULT_SEPARATOR
    return between if "\n" not in between else _DEFAULT_SEPARATOR
