from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset.caption import parse_tags
from sdtui.tui.captions.text import drop_tag, move_tag, repeated, replace_tag


@pytest.mark.parametrize(
    ("text", "index", "expected"),
    [
        ("a, b, c", 0, "b, c"),
        ("a, b, c", 1, "a, c"),
        ("a, b, c", 2, "a, b"),
        ("only", 0, ""),
        ("a,b ,  c", 1, "a,c"),
        ("a, b\nc, d", 1, "a\nc, d"),
        ("a, b\nc, d", 2, "a, b\nd"),
        ("a, b,", 1, "a,"),
    ],
)
def test_dropping_takes_one_separator_along(text: str, index: int, expected: str) -> None:
    assert drop_tag(text, index) == expected


def test_replacing_touches_only_the_tag() -> None:
    assert replace_tag("a,  b ,c", 1, " wall ") == "a,  wall ,c"
    assert replace_tag("a, b", 0, "  ") == "b"


def test_repeated_tags_whatever_their_case() -> None:
    assert repeated(parse_tags("wall, Tower, tower, WALL, wall")) == {2, 3, 4}


@pytest.mark.parametrize(
    ("text", "index", "by", "moved"),
    [
        ("a, b, c", 0, 1, ("b, a, c", 1)),
        ("a, b, c", 2, -1, ("a, c, b", 1)),
        ("a, b, c", 2, 1, ("a, b, c", 2)),
        ("a ,b,  c", 1, -9, ("b ,a,  c", 0)),
        ("x ||| a, b, c,", 3, -9, ("x ||| c, a, b,", 1)),
        ("x ||| a", 1, -1, ("x ||| a", 1)),
        ("a\nb", 1, -1, ("b\na", 0)),
        ("(a, b:1.2), c", 1, 1, ("c, (a, b:1.2)", 2)),
        ("(a, b:1.2), c", 2, -1, ("c, (a, b:1.2)", 0)),
    ],
)
def test_a_tag_moves_and_separators_stay(text: str, index: int, by: int, moved: tuple[str, int]) -> None:
    assert move_tag(text, index, by) == moved


@given(st.text("ab, |\n(", max_size=40).filter(parse_tags), st.integers(0, 40), st.integers(-3, 3))
def test_moving_keeps_every_tag_and_comes_back(text: str, index: int, by: int) -> None:
    tags = parse_tags(text)
    index %= len(tags)
    moved, at = move_tag(text, index, by)
    assert sorted(tag.text for tag in parse_tags(moved)) == sorted(tag.text for tag in tags)
    assert parse_tags(moved)[at].text == tags[index].text
    assert sorted(moved) == sorted(text)
    assert moved.split("|||")[0].count(",") == text.split("|||", maxsplit=1)[0].count(",")
