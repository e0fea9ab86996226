"""What an edit would do, to look at before it is made: how many captions, some before and after, tags that come and go."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from textual.content import Content

from sdtui.dataset.bulk import Proposal, Sample, TagCount
from sdtui.dataset.names import printable
from sdtui.tui.glyphs import Glyphs
from sdtui.tui.literal import clean, shorten
from sdtui.tui.numbers import count, grouped

# Captions that are shown at most, and tags whose number changes.
SAMPLES, TAGS = 12, 40
# Cells of a caption that are kept before the first difference.
_BEFORE = 24
# Styles of what only one of the two has.
_GOES, _COMES = "bold $error", "bold $success"
# Above so many parts two captions are compared from their ends only: comparing all parts takes the square of the time.
_PARTS = 400
# Words, and what separates them with the blanks around it.
_PART = re.compile(r"\s*[,\n|]\s*|[^,\n|]+?(?=\s*(?:[,\n|]|$))|\s+")


def count_line(proposal: Proposal, changed: int, *, seen: int, all_of: int) -> Content:
    """How many captions change and how many cannot be read; `seen` images of `all_of` have been looked at so far."""
    looked_at = proposal.looked_at
    style = "bold $strong" if changed else "$soft"
    parts = [Content.styled(f"changes {grouped(changed)} of {count(looked_at, 'caption')}", style)]
    if seen < all_of:
        parts.append(Content.styled(f"  (the first of {grouped(all_of)}; the others are being read)", "$soft"))
    if proposal.unreadable:
        parts.append(Content.styled(f"  {grouped(len(proposal.unreadable))} cannot be read and stay", "$warning"))
    return Content.assemble(*parts)


def tag_line(tags: Sequence[TagCount], width: int, marks: Glyphs, *, ascii_only: bool) -> Content:
    """As many tags as fit with their captions before and after."""
    arrow = "->" if ascii_only else "→"
    line = Content.styled("tags  ", "$soft")
    for tag in tags[:TAGS]:
        style = "$success" if tag.after > tag.before else "$error"
        name = shorten(clean(tag.tag, ascii_only=ascii_only), 30, marks.ellipsis)
        numbers = f"{grouped(tag.before)} {arrow} {grouped(tag.after)}"
        more = Content.assemble((name, "$foreground"), " ", (numbers, style), "   ")
        if line.cell_length + more.cell_length > width:
            return line + Content.styled(marks.ellipsis, "$soft")
        line = line + more
    return line


def sample_lines(sample: Sample, width: int, marks: Glyphs, *, ascii_only: bool) -> list[Content]:
    """The file's name, the caption before with what goes, and after with what comes."""
    name = shorten(clean(printable(sample.path.name), ascii_only=ascii_only), width, marks.ellipsis)
    old, new = _differing(sample.before, sample.after)
    sides = [
        Content.assemble(
            *((clean(text, ascii_only=ascii_only), style if differs else "$foreground") for text, differs in parts)
        )
        for parts, style in ((old, _GOES), (new, _COMES))
    ]
    # Both from the same place, also where nothing goes or nothing comes.
    start = len(clean(old[0][0], ascii_only=ascii_only)) - _BEFORE if old[:1] == new[:1] else 0
    if max(side.cell_length for side in sides) <= width - 4:
        start = 0
    shown = [_cut(side, max(0, start), width - 4, marks) for side in sides]
    return [
        Content.styled(name, "$soft"),
        Content.assemble(("  - ", _GOES), shown[0]),
        Content.assemble(("  + ", _COMES), shown[1]),
    ]


def error_lines(proposal: Proposal, width: int, marks: Glyphs, *, ascii_only: bool) -> Iterator[Content]:
    """Which captions cannot be read, and why."""
    for error in proposal.unreadable:
        words = clean(f"{os.path.basename(error.where)}: {error.message}", ascii_only=ascii_only)
        yield Content.styled(shorten(words, width, marks.ellipsis), "$warning")


def _differing(before: str, after: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Both texts in parts, each with whether the other lacks it."""
    old, new = _PART.findall(before), _PART.findall(after)
    if len(old) + len(new) > _PARTS:
        old, new = [before], [after]
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for kind, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        same = kind == "equal"
        if start < end:
            left.append(("".join(old[start:end]), not same))
        if first < last:
            right.append(("".join(new[first:last]), not same))
    return left, right


def _cut(line: Content, start: int, width: int, marks: Glyphs) -> Content:
    """The line from the character `start` on, as far as it fits."""
    if not line.plain:
        return Content.styled("(empty)", "$soft")
    if start:
        line = Content(marks.ellipsis) + line[start:]
    return line if line.cell_length <= width else line.truncate(width - 1) + Content(marks.ellipsis)
