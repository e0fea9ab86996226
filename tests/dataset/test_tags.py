from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset import tags
from sdtui.dataset.caption import tag_words
from sdtui.errors import UserError


@pytest.mark.parametrize(
    ("text", "tag", "front", "expected"),
    [
        ("a, b", "c", False, "a, b, c"),
        ("a, b", "c", True, "c, a, b"),
        ("a,b", "c", False, "a,b,c"),
        ("a, b,", "c", False, "a, b, c,"),
        ("a, b, \n", "c", False, "a, b, c, \n"),
        ("a\nb", "c", False, "a\nb, c"),
        ("", "c", False, "c"),
        (" ", "c", True, "c"),
        ("a, c", "c", True, "a, c"),
        ("a", " d, e ", False, "a, d, e"),
        ("  a", "c", True, "  c, a"),
    ],
)
def test_add(text: str, tag: str, front: bool, expected: str) -> None:
    assert tags.add(text, tag, front=front) == expected


@pytest.mark.parametrize(
    ("text", "tag", "expected"),
    [
        ("a, b, c", "b", "a, c"),
        ("a, b, c", "a", "b, c"),
        ("a, b, c", "c", "a, b"),
        ("a, b, c,", "c", "a, b,"),
        ("a,b , c", "b", "a , c"),
        ("a, b, a", "a", "b"),
        ("a", "a", ""),
        ("a,", "a", ""),
        ("a\nb, c", "b", "a\nc"),
        ("a\nb\nc", "b", "a\nc"),
        ("a, b\nc", "b", "a\nc"),
        ("a, b", "A", "a, b"),
        ("long hair, hair", "hair", "long hair"),
    ],
)
def test_remove(text: str, tag: str, expected: str) -> None:
    assert tags.remove(text, tag) == expected


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        ("a,  b ,c", "b", "stone wall", "a,  stone wall ,c"),
        ("a, b, a", "a", "c", "c, b"),
        ("a, b, c", "a", "c", "b, c"),
        ("a, b", "a", "a", "a, b"),
        ("a, b", "x", "y", "a, b"),
        ("a (b), c", "a (b)", r"a \(b\)", r"a \(b\), c"),
    ],
)
def test_replace(text: str, old: str, new: str, expected: str) -> None:
    assert tags.replace(text, old, new) == expected


def test_an_empty_tag_is_refused() -> None:
    with pytest.raises(UserError, match="the tag is empty"):
        tags.add("a", " , ")
    with pytest.raises(UserError, match="the tag is empty"):
        tags.replace("a", "a", "")


def test_ten_thousand_tags_are_no_burden() -> None:
    text = "a, b, " * 10_000
    assert tags.remove(text, "a") == "b, " * 10_000
    assert tags.replace(text, "b", "c") == "a, c, " + "a, " * 9_999
    assert tags.dedupe(text) == "a, b, "


TEXTS = st.text(alphabet="ab ,\n")


@given(TEXTS, st.sampled_from(["a", "b", "ab"]))
def test_remove_takes_out_that_tag_and_nothing_else(text: str, tag: str) -> None:
    assert tag_words(tags.remove(text, tag)) == [word for word in tag_words(text) if word != tag]


@given(TEXTS, st.sampled_from(["a", "c"]), st.booleans())
def test_add_changes_no_other_tag(text: str, tag: str, front: bool) -> None:
    words = tag_words(text)
    expected = words if tag in words else ([tag, *words] if front else [*words, tag])
    assert tag_words(tags.add(text, tag, front=front)) == expected
