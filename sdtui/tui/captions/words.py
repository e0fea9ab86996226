"""The words of the captions screen: a row of the list, the line of facts, the length of a caption."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from textual.content import Content

from sdtui.dataset.caption import Tag
from sdtui.tui.captions.model import CaptionsModel
from sdtui.tui.captions.states import BROKEN, FINE, TWICE, UNTAGGED
from sdtui.tui.captions.text import repeated
from sdtui.tui.glyphs import Glyphs
from sdtui.tui.literal import clean, shorten_path
from sdtui.tui.numbers import count

# CLIP reads 77 tokens, two of which mark beginning and end.
CLIP_TOKENS = 75
# Parts of as many tokens that the encoder reads at most.
CHUNKS = 3
# Characters of a caption that two versions of it are shown with: together four lines each in a small window's dialog.
SEEN, SEEN_BEFORE = 200, 60


# Sign before the name, its colour, and the name's, by the caption's state.
_SIGNS = {
    FINE: (" ", "", ""),
    UNTAGGED: ("!", "$warning", "$warning"),
    BROKEN: ("?", "$error", "$error"),
    TWICE: ("=", "$warning", ""),
}
EDITED = "~"


def row_line(model: CaptionsModel, position: int, width: int, marks: Glyphs, ascii_only: bool) -> Content:
    """One image in the list: marked or not, a sign for its caption, name; at the right selections, stars, `~` if edited.

    The signs: `!` no caption, `?` one that cannot be read, `=` a tag twice.
    """
    sign, bold, style = _SIGNS[model.known.state(position)]
    mark = marks.mark if position in model.marked else " "
    right = _right(model, position, marks)
    room = max(0, width - 4 - (right.cell_length + 1 if right else 0))
    name = shorten_path(clean(model.library[position].relative, ascii_only=ascii_only), room, marks.ellipsis)
    left = Content.assemble((mark, "$accent"), (sign, f"bold {bold}"), " ", (name, style))
    return left.pad_right(max(0, width - left.cell_length - right.cell_length)) + right if right else left


def _right(model: CaptionsModel, position: int, marks: Glyphs) -> Content:
    """What the user did with the image: the numbers of its selections, its stars, whether its caption was edited."""
    numbers = "".join(map(str, model.marks.numbers(position)))
    stars = marks.star * model.marks.stars.get(position, 0)
    edited = EDITED if position in model.known.edited else ""
    parts = [(numbers, "$accent"), (stars, "$warning"), (edited, "$success")]
    return Content(" ").join(Content.styled(text, style) for text, style in parts if text)


class Note(NamedTuple):
    """What is said beside the image's name; only what was done is coloured as a success."""

    words: str = ""
    style: str = "$foreground"


DONE = "$success"


def facts_words(image: str, note: Note) -> list[Content]:
    """The image's size, and what became of the last edit; empty ones of what is not known yet."""
    return [Content.styled(clean(image), "$soft"), Content.styled(*note)]


def saving_words(
    *, read_only: bool, task: str, edited: bool, pending: bool, trouble: str, saved: bool, marks: Glyphs
) -> Content:
    """Whether what was changed is on the disk, for the header; nothing where nothing was changed yet."""
    parts = [("read-only", "$warning")] if read_only else []
    if trouble:
        parts.append((f"{marks.mark} not saved: {clean(trouble)}", "$error"))
    if task:
        parts.append((task, "$accent"))
    elif edited:
        parts.append((f"{marks.mark} edited", "$warning"))
    elif pending:
        parts.append(("saving", "$accent"))
    elif saved and not trouble:
        parts.append(("saved", "$success"))
    return Content.styled(f" {marks.dot} ", "$faint").join(Content.styled(*part) for part in parts)


def two_texts(mine: str, theirs: str, marks: Glyphs, ascii_only: bool) -> Content:
    """Two versions of a caption below each other, what differs in colour; long ones from shortly before they part."""
    same = _shared(mine, theirs)
    tail = _shared(mine[same:][::-1], theirs[same:][::-1])
    start = max(0, same - SEEN_BEFORE)
    lines = []
    for label, text in (("yours", mine), ("on disk", theirs)):
        end = len(text) - tail
        parts = [(text[start:same], "$foreground"), (text[same:end], "bold $warning"), (text[end:], "$foreground")]
        shown = Content.assemble(*((clean(part, ascii_only=ascii_only), style) for part, style in parts))
        cut = Content(marks.ellipsis if start else "") + shown
        if cut.cell_length > SEEN:
            cut = cut[:SEEN] + Content(marks.ellipsis)
        lines.append(Content.assemble((f"{label:<9}", "$soft"), cut if text else Content.styled("(empty)", "$soft")))
    return Content("\n").join(lines)


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], pairs))


def length_line(tags: Sequence[Tag], tokens: int | None, marks: Glyphs) -> Content:
    """How many tags, how many are there twice, and how many tokens they take of what the encoder reads (None: unknown yet).

    It reads 75, 150 or 225 of them, 75 at a time, as the profile says.
    """
    again = repeated(tags)
    parts = [(f"{count(len(tags), 'tag')}", "$soft")]
    if again:
        parts += [(f" {marks.dot} {len(again)} twice", "$warning")]
    chunks = max(1, -(-(tokens or 0) // CLIP_TOKENS))
    counted = f"{tokens:>3}" if tokens is not None else "  -"
    style = "$foreground" if chunks == 1 else "bold $warning" if chunks <= CHUNKS else "bold $error"
    parts += [
        (f" {marks.dot} tokens ", "$soft"),
        (f"{counted} / {CLIP_TOKENS * min(chunks, CHUNKS)}", style),
    ]
    if chunks > 1:
        parts += [(" too long" if chunks > CHUNKS else f" ({chunks} chunks)", style)]
    return Content.assemble(*parts)
