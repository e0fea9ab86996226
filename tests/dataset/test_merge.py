from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset.caption import tag_words
from sdtui.dataset.merge import Merged, merge


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "text"),
    [
        pytest.param("a, b", "a, b", "a, c", "a, c", id="only-theirs"),
        pytest.param("a, b", "a, c", "a, b", "a, c", id="only-mine"),
        pytest.param("a, b", "a, c", "a, c", "a, c", id="the-same"),
        pytest.param("a, b", "a, b, x", "y, a, b", "y, a, b, x", id="added-at-both-ends"),
        pytest.param("a, b", "a, b, x", "a, b, y", "a, b, y, x", id="added-at-the-same-end"),
        pytest.param("a, b", "x, a, b", "y, a, b", "y, x, a, b", id="added-at-the-same-front"),
        pytest.param("a, b", "a, x, b", "a, b, x", "a, b, x", id="the-same-tag-added"),
        pytest.param("a, b, c", "a, c", "a, b", "a", id="each-took-one-out"),
        pytest.param("a, b, c", "a, c, x", "b, c", "c, x", id="taken-out-and-added"),
        pytest.param("a, b, c, d", "a, x, c, d", "a, b, c, y", "a, x, c, y", id="each-replaced-another"),
        pytest.param("a, b", "a, x", "a, x, y", "a, x, y", id="replaced-alike"),
        pytest.param("a, b, c", "c, a, b", "a, b, c, x", "c, x, a, b", id="mine-moved-one"),
        pytest.param("a, b, c", "a, c", "c, a, b", "c, a", id="theirs-moved-one"),
        pytest.param("a, b", "a,b", "a, b, x", "a,b,x", id="mine-changed-the-spacing"),
        pytest.param("a,b", "a,b,x", "a, b", "a, b, x", id="theirs-changed-the-spacing"),
        pytest.param("a, b,", "a, b, x,", "y, a, b,", "y, a, b, x,", id="trailing-comma"),
        pytest.param("a ||| b", "a ||| x, b", "a, y ||| b", "a, y ||| x, b", id="each-on-its-side-of-the-pin"),
        pytest.param("a\nb", "a, x\nb", "a\nb, y", "a, x\nb, y", id="each-in-its-line"),
        pytest.param("a, b", "", "a, b, x", "x", id="mine-emptied-it"),
        pytest.param("a, a, b", "a, b", "a, a, b, c", "a, b, c", id="mine-took-out-a-repetition"),
        pytest.param(
            "naïve 猫, b", "naïve 猫, b, [/red]", "👩‍👩‍👧, naïve 猫, b", "👩‍👩‍👧, naïve 猫, b, [/red]", id="any-script"
        ),
    ],
)
def test_changes_that_do_not_touch_each_other(base: str, mine: str, theirs: str, text: str) -> None:
    assert merge(base, mine, theirs) == Merged(text, clean=True)


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "text"),
    [
        pytest.param("a, b, c", "a, x, c", "a, y, c", "a, y, x, c", id="the-same-tag-replaced"),
        pytest.param("a, b, c", "a, x, c", "a, c", "a, x, c", id="replaced-and-taken-out"),
        pytest.param("", "a cat", "a dog", "a dog, a cat", id="written-anew-by-both"),
        pytest.param("a, b, c", "c, a, b", "b, a, c", "c, a, b", id="ordered-by-both"),
        pytest.param("a cat on a wall", "a black cat on a wall", "a cat on a high wall",
                     "a cat on a high wall, a black cat on a wall", id="a-sentence-changed-by-both"),
    ],
)  # fmt: skip
def test_changes_that_a_person_has_to_look_at(base: str, mine: str, theirs: str, text: str) -> None:
    assert merge(base, mine, theirs) == Merged(text, clean=False)


CAPTIONS = st.lists(st.sampled_from("abcdef"), max_size=6, unique=True).map(", ".join)


@given(CAPTIONS, CAPTIONS, CAPTIONS)
def test_what_either_added_is_there_once_and_what_either_took_out_is_not(base: str, mine: str, theirs: str) -> None:
    old, left, right = (set(tag_words(text)) for text in (base, mine, theirs))
    merged = Counter(tag_words(merge(base, mine, theirs).text))
    assert set(merged) == (old & left & right) | (left - old) | (right - old)
    assert set(merged.values()) <= {1}


@given(CAPTIONS, CAPTIONS, CAPTIONS)
def test_a_clean_merge_says_the_same_whoever_is_asked(base: str, mine: str, theirs: str) -> None:
    one, other = merge(base, mine, theirs), merge(base, theirs, mine)
    assert one.clean == other.clean
    assert set(tag_words(one.text)) == set(tag_words(other.text))


def test_ten_thousand_tags_are_no_trouble() -> None:
    base = [f"tag {number}" for number in range(10_000)]
    mine, theirs = ", ".join([*base, "x"]), ", ".join(["y", *base[:5000], *base[5001:]])
    merged = merge(", ".join(base), mine, theirs)
    assert merged.clean
    assert tag_words(merged.text) == ["y", *base[:5000], *base[5001:], "x"]
