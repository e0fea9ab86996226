"""The tag at a cursor."""

from __future__ import annotations

import pytest

from sdtui.dataset.tag_at_cursor import completed, tag_at


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("red ha|", "red ha"),
        ("sky, red ha|", "red ha"),
        ("sky,red| hair , x", "red hair"),
        ("a ||| b|", "b"),
        ("a\n b|c\nd", "bc"),
        ("a, |", ""),
        ("|a", "a"),
        ("|  a", "  a"),
        ("a,  |  ", ""),
        ("", ""),
    ],
)
def test_the_tag_at_the_cursor(text: str, tag: str) -> None:
    cursor = text.index("|", text.find("||| ") + 3 if "|||" in text else 0) if "|" in text else 0
    plain = text[:cursor] + text[cursor + 1 :]
    start, end = tag_at(plain, cursor)
    assert plain[start:end].rstrip() == tag.rstrip()
    assert start <= cursor <= end


def test_completing_leaves_the_rest_alone() -> None:
    assert completed("sky, lo, x", 7, "long hair") == ("sky, long hair, x", 14)
    assert completed("sky,", 4, "long hair") == ("sky,long hair", 13)
    assert completed("", 0, "a") == ("a", 1)
