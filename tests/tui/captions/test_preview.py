from __future__ import annotations

from pathlib import Path

import pytest
from textual.content import Content

from sdtui.dataset.bulk import Proposal, Sample, TagCount
from sdtui.dataset.caption import CaptionError
from sdtui.dataset.changes import Changes
from sdtui.tui.captions.preview import count_line, error_lines, sample_lines, tag_line
from sdtui.tui.glyphs import ASCII, UNICODE


def marked(line: Content) -> list[str]:
    """The pieces of a line that stand out."""
    return [line.plain[span.start : span.end].strip() for span in line.spans if "bold" in str(span.style)]


def shown(before: str, after: str, width: int = 80) -> list[Content]:
    return sample_lines(Sample(Path("/d/a.txt"), before, after), width, UNICODE, ascii_only=False)


@pytest.mark.parametrize(
    ("before", "after", "gone", "come"),
    [
        ("city, bridge", "town, bridge", ["city"], ["town"]),
        ("sky, city, bridge", "city, bridge", ["sky,"], []),
        ("a, b", "a, b, c", [], [", c"]),
        ("a, b", "b, a", [", b"], ["b,"]),
        ("a_b", "a b", ["a_b"], ["a b"]),
        ("a, b", "a,b", [","], [","]),
        ("", "x", [], ["x"]),
    ],
)
def test_what_goes_and_what_comes_stands_out(before: str, after: str, gone: list[str], come: list[str]) -> None:
    name, old, new = shown(before, after)
    assert name.plain == "a.txt"
    assert (old.plain, new.plain) == (f"  - {before or '(empty)'}", f"  + {after}")
    assert (marked(old), marked(new)) == (["-", *gone], ["+", *come])


def test_a_long_caption_begins_shortly_before_the_difference() -> None:
    tags = ", ".join(f"tag {number:02}" for number in range(40))
    _name, old, new = shown(f"{tags}, city, {tags}", f"{tags}, town, {tags}", width=60)
    assert old.plain == "  - …tag 37, tag 38, tag 39, city, tag 00, tag 01, tag 02, …"
    assert new.plain == "  + …tag 37, tag 38, tag 39, town, tag 00, tag 01, tag 02, …"


def test_both_begin_at_the_same_place_where_something_only_comes_or_only_goes() -> None:
    tags = ", ".join(f"tag {number:02}" for number in range(10))
    _name, old, new = shown(tags, f"{tags}, city", width=60)
    assert old.plain == "  - …, tag 07, tag 08, tag 09"
    assert new.plain == "  + …, tag 07, tag 08, tag 09, city"
    _name, old, new = shown(f"{tags}, city", tags, width=60)
    assert old.plain == "  - …, tag 07, tag 08, tag 09, city"
    assert new.plain == "  + …, tag 07, tag 08, tag 09"


def test_thousands_of_parts_are_still_shown_at_once() -> None:
    tags = ", ".join(map(str, range(5_000)))
    assert shown(tags, f"{tags}, x")[1].plain.startswith("  - 0, 1, 2")


def test_tags_as_many_as_fit() -> None:
    tags = [TagCount("city", 12_000, 0), TagCount("town", 0, 12_000), TagCount("x", 1, 2)]
    assert tag_line(tags, 60, UNICODE, ascii_only=False).plain == "tags  city 12 000 → 0   town 0 → 12 000   x 1 → 2   "
    assert tag_line(tags, 30, ASCII, ascii_only=True).plain == "tags  city 12 000 -> 0   ~"


def test_how_many_and_of_how_many_so_far() -> None:
    error = CaptionError("the caption is not UTF-8", where="/d/bad.txt")
    proposal = Proposal("x", 500, (), Changes(Path("/d")), (), (error,))
    assert count_line(proposal, 1, seen=500, all_of=12_000).plain == (
        "changes 1 of 500 captions  (the first of 12 000; the others are being read)  1 cannot be read and stay"
    )
    assert count_line(proposal, 1, seen=500, all_of=500).plain == "changes 1 of 500 captions  1 cannot be read and stay"
    assert [line.plain for line in error_lines(proposal, 80, UNICODE, ascii_only=False)] == [
        "bad.txt: the caption is not UTF-8"
    ]
