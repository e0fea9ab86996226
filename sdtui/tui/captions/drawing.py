"""A caption as it is drawn: its words as they are in the file, coloured by a scheme, and the legend of the scheme's colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textual.content import Content, Span

from sdtui.dataset.caption import Tag
from sdtui.tui.captions.categories import badge, badge_style
from sdtui.tui.captions.schemes import CHUNKS, SCHEMES, Ground, Mark, Scheme
from sdtui.tui.glyphs import Glyphs
from sdtui.tui.literal import clean
from sdtui.tui.numbers import grouped


class Drawing(NamedTuple):
    """What a scheme made of one caption.

    Attributes:
        scheme: the scheme.
        marks: by the number of the tag.
        borders: characters before which a new part of 75 tokens begins, and how many were before.
        told: what the legend says besides.
    """

    scheme: Scheme
    marks: Mapping[int, Mark]
    borders: Mapping[int, int]
    told: str = ""


# Of a caption of more tags, those around the cursor are drawn, from one multiple of this to another so that lines stay put as
# it moves: wrapping ten thousand takes half a second.
AROUND = 200

# Of no scheme.
PLAIN = Drawing(SCHEMES[-1], {}, {})


def drawing_of(scheme: Scheme, tags: Sequence[Tag], text: str, ground: Ground) -> Drawing:
    """Ask the scheme."""
    borders = ground.borders(text, CHUNKS) if scheme.name == "tokens" else []
    return Drawing(
        scheme,
        scheme.marks(tags, text, ground),
        dict(zip(borders, CHUNKS, strict=False)),
        scheme.told(tags, text, ground),
    )


def caption_content(
    text: str, tags: Sequence[Tag], cursor: int, drawing: Drawing, *, ascii_only: bool = False
) -> tuple[Content, tuple[int, int]]:
    """The caption, and which characters of the content are the tag under the cursor."""
    # Text and spans, not many pieces of content: putting together ten thousand of these takes half a second.
    pieces: list[str] = []
    spans: list[Span] = []
    length, end = 0, 0
    at_cursor = (0, 1)

    def put(words: str, style: str) -> None:
        nonlocal length
        pieces.append(words)
        spans.append(Span(length, length + len(words), style))
        length += len(words)

    def put_text(start: int, stop: int, style: str) -> None:
        cuts = sorted({start, *(place for place in drawing.borders if start < place < stop)})
        for first, last in zip(cuts, [*cuts[1:], stop], strict=True):
            if first in drawing.borders and first < stop:
                put(str(drawing.borders[first]), badge_style("$soft"))
            put(_literal_lines(text[first:last], ascii_only=ascii_only), style)

    first, last = shown_tags(len(tags), cursor)
    if first:
        put(f"({grouped(first)} tags before) ", "$soft")
        end = tags[first].start
    for index, tag in enumerate(tags[first:last], first):
        put_text(end, tag.start, "$soft")
        begun = length
        mark = drawing.marks.get(index)
        if mark is not None and mark.letter:
            put(mark.letter, badge_style(drawing.scheme.style(mark.letter)))
        put_text(tag.start, tag.end, _style(drawing, mark, cursor=index == cursor and len(tags) > 1))
        if index == cursor:
            at_cursor = (begun, length)
        end = tag.end
    if last < len(tags):
        put(f" ({grouped(len(tags) - last)} more tags)", "$soft")
    else:
        put_text(end, len(text), "$soft")
    return Content("".join(pieces), spans), at_cursor


def shown_tags(count: int, cursor: int) -> tuple[int, int]:
    """From which of so many tags on, and up to which, they are drawn: at least `AROUND` on either side of the cursor."""
    if count <= 3 * AROUND:
        return 0, count
    part = cursor // AROUND
    return max(0, part - 1) * AROUND, min(count, (part + 2) * AROUND)


def _literal_lines(text: str, *, ascii_only: bool) -> str:
    """Literal text that keeps its line ends."""
    if "\n" not in text:
        return clean(text, ascii_only=ascii_only)
    return "\n".join(clean(line, ascii_only=ascii_only) for line in text.split("\n"))


def legend(
    drawing: Drawing, tags: Sequence[Tag], cursor: int, width: int, marks: Glyphs, *, press: str, ascii_only: bool
) -> Content:
    """One line: the scheme, its letters with how many tags have each, and what it says of the tag under the cursor.

    Args:
        drawing: what the scheme made of the caption.
        tags: the caption's tags.
        cursor: number of the tag under the cursor.
        width: cells there are.
        marks: what to draw with.
        press: the key that puts another tag in place of the one under the cursor.
        ascii_only: spell out what is not ASCII.
    """
    counts = Counter(mark.letter for mark in drawing.marks.values())
    mark = drawing.marks.get(cursor)
    right = [(clean(drawing.told, ascii_only=ascii_only), "$warning")] if drawing.told else []
    if mark is not None and mark.instead:
        right.append((f"{press} {clean(mark.instead, ascii_only=ascii_only)}", "bold $accent"))
    if mark is not None and mark.told:
        right.append((clean(f"{tags[cursor].text}: {mark.told}", ascii_only=ascii_only), "$foreground"))
    told = Content("   ").join(Content.styled(words, style) for words, style in right)
    left = Content.styled(drawing.scheme.name, "bold $accent")
    some = [each for each in drawing.scheme.classes if counts[each[0]]]
    none = [each for each in drawing.scheme.classes if not counts[each[0]]]
    for letter, style, words in (*some, *none):
        number = counts[letter]
        shown = Content.assemble("  ", badge(letter, style), (f" {words}", "$foreground" if number else "$soft"))
        shown += Content.styled(f" {number}", "$strong") if number else Content("")
        if not number and left.cell_length + shown.cell_length + told.cell_length + 3 > width:
            break
        left += shown
    gap = max(3, width - left.cell_length - told.cell_length)
    line = left + Content(" " * gap) + told if right else left
    return line if line.cell_length <= width else line.truncate(max(0, width - 1)) + Content(marks.ellipsis)


def _style(drawing: Drawing, mark: Mark | None, *, cursor: bool) -> str:
    colour = drawing.scheme.style(mark.letter) if mark is not None and mark.letter else ""
    if cursor:
        return f"bold underline {colour or '$accent'}"
    return colour or "$foreground"
