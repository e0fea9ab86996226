"""Edits to one caption's text, tag by tag: pure functions that leave every character alone that they need not touch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sdtui.dataset.caption import PIN, Tag, parse_tags, tag_words
from sdtui.errors import UserError

_DEFAULT_SEPARATOR = ", "


def add(text: str, tag: str, *, front: bool = False, place: int | None = None) -> str:
    """The caption with `tag` at its end, front or place, in the caption's own spacing; unchanged if the tag is there.

    `place` counts from 1; beyond the last tag it is the end.
    """
    tag = checked(tag)
    tags = parse_tags(text)
    present = {found.text for found in tags}
    if all(word in present for word in tag_words(tag)):
        return text
    if not tags:
        return tag + text if text.strip() else tag
    separator = separator_of(text, tags)
    at = 0 if front else len(tags) if place is None else place - 1
    if at < len(tags):
        return text[: tags[at].start] + tag + separator + text[tags[at].start :]
    # After the last tag, not after the last character: a trailing comma stays where it was.
    return text[: tags[-1].end] + separator + tag + text[tags[-1].end :]


def remove(text: str, tag: str) -> str:
    """The caption without `tag`, each occurrence taken out with one separator beside it."""
    return remove_matching(text, tag.__eq__) if tag in text else text


def remove_matching(text: str, matches: Callable[[str], bool]) -> str:
    """The caption without the tags that match."""
    tags = parse_tags(text)
    return rebuilt(text, tags, [None if matches(place.text) else place.text for place in tags])


def replace(text: str, old: str, new: str, *, ignore_case: bool = False) -> str:
    """The caption with the first `old` turned into `new`, further ones taken out, and all where `new` stands.

    `old` may be several tags, which then have to stand beside each other.
    """
    new = checked(new)
    fold = _fold(ignore_case=ignore_case)
    wanted = [fold(word) for word in tag_words(old)]
    if old == new or not wanted or wanted[0] not in fold(text):
        return text
    tags = parse_tags(text)
    folded = [fold(place.text) for place in tags]
    words: list[str | None] = [place.text for place in tags]
    pending = new not in words
    at = 0
    while at < len(tags):
        if folded[at : at + len(wanted)] != wanted or words[at] == new:
            at += 1
            continue
        words[at : at + len(wanted)] = [new if pending else None, *[None] * (len(wanted) - 1)]
        pending = False
        at += len(wanted)
    return rebuilt(text, tags, words)


def each(text: str, change: Callable[[str], str]) -> str:
    """The caption with every tag changed; a tag of which nothing is left is taken out."""
    tags = parse_tags(text)
    return rebuilt(text, tags, [change(tag.text).strip() or None for tag in tags])


def dedupe(text: str, *, ignore_case: bool = False) -> str:
    """The caption with each tag once, where it stood first."""
    fold = _fold(ignore_case=ignore_case)
    tags = parse_tags(text)
    seen: set[str] = set()
    words: list[str | None] = []
    for tag in tags:
        key = fold(tag.text)
        words.append(None if key in seen else tag.text)
        seen.add(key)
    return rebuilt(text, tags, words)


def trigger(text: str, word: str) -> str:
    """The caption with `word` (one tag or several) at its very front and nowhere else."""
    word = checked(word)
    wanted = tag_words(word)
    present = tag_words(text)
    if present[: len(wanted)] == wanted and not set(wanted) & set(present[len(wanted) :]):
        return text
    rest = remove_matching(text, set(wanted).__contains__)
    tags = parse_tags(rest)
    start = len(rest) - len(rest.lstrip())
    if not rest.strip():
        return word
    between = " " if rest.startswith(PIN, start) else separator_of(rest, tags)
    return rest[:start] + word + between + rest[start:]


def checked(tag: str) -> str:
    """A tag given by a person, blanks around it removed; raises UserError for an empty one."""
    word = tag.strip().strip(",").strip()
    if not word:
        raise UserError("the tag is empty", remedy="Give at least one character that is not a blank or a comma")
    return word


def rebuilt(text: str, tags: Sequence[Tag], words: Sequence[str | None]) -> str:
    """The caption with each tag replaced by its word; None takes the tag out with the separator on one side of it."""
    if None not in words:
        return _reworded(text, tags, words)
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
            gap = gap.rstrip(" ,|") + after.lstrip(" ,|")
        else:
            gap = _closed(gap, after, first=not parts, last=at > last)
    return "".join((*parts, gap))


def _reworded(text: str, tags: Sequence[Tag], words: Sequence[str | None]) -> str:
    """As `rebuilt`, where every tag has its word."""
    parts: list[str] = []
    end = 0
    for tag, word in zip(tags, words, strict=True):
        if word != tag.text:
            parts += (text[end : tag.start], word or "")
            end = tag.end
    return "".join((*parts, text[end:]))


def _closed(gap: str, after: str, *, first: bool, last: bool) -> str:
    """What stays of the two separators around a tag that goes; `first`, `last`: no tag stays before it, after it."""
    if PIN in gap:
        return gap.rstrip() + (f" {after.lstrip()}" if PIN in after else "" if last else gap[len(gap.rstrip()) :])
    if PIN in after:
        return after.lstrip() if first else after
    if first:
        return gap
    # Of two separators the one that ends a line stays, so that lines stay lines.
    return gap if not last and "\n" in gap and "\n" not in after else after


def separator_of(text: str, tags: Sequence[Tag]) -> str:
    """What stands between the first two tags, if that is on one line; else a comma and a blank."""
    between = text[tags[0].end : tags[1].start] if len(tags) > 1 else _DEFAULT_SEPARATOR
    return _DEFAULT_SEPARATOR if "\n" in between or PIN in between else between


def _fold(*, ignore_case: bool) -> Callable[[str], str]:
    return str.casefold if ignore_case else str
