from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset import tag_spelling
from sdtui.dataset.tag_spelling import Case


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("long_hair", "long hair"),
        ("(long_hair:1.2)", "(long hair:1.2)"),
        ("^_^", "^_^"),
        ("<|>_<|>", "<|>_<|>"),
        (r"\(o\)_\(o\)", r"\(o\)_\(o\)"),
        ("__", "__"),
        ("_a", "a"),
        ("a", "a"),
    ],
)
def test_spaces(tag: str, expected: str) -> None:
    assert tag_spelling.spaces(tag) == expected


def test_underscores_and_keeping() -> None:
    assert tag_spelling.underscores("long red hair") == "long_red_hair"
    kept = tag_spelling.keeping(tag_spelling.spaces, lambda tag: tag.startswith("score"), lambda tag: tag == "a_b")
    assert [kept("score_9"), kept("a_b"), kept("c_d")] == ["score_9", "a_b", "c d"]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("saber (fate)", r"saber \(fate\)"),
        (r"saber \(fate\)", r"saber \(fate\)"),
        ("(long hair:1.2)", "(long hair:1.2)"),
        ("((a (b)))", r"((a \(b\)))"),
        ("(o)_(o)", r"\(o\)_\(o\)"),
        (":(", r":\("),
        (r"\m/", r"\\m/"),
        ("a [b]", "a [b]"),
        ("a", "a"),
    ],
)
def test_escape(tag: str, expected: str) -> None:
    assert tag_spelling.escape(tag) == expected
    assert tag_spelling.escape(expected) == expected


def test_square_brackets_when_asked() -> None:
    assert tag_spelling.escape("a [b]", square=True) == r"a \[b\]"
    assert tag_spelling.escape("[b]", square=True) == "[b]"


@pytest.mark.parametrize(
    ("case", "expected"), [("lower", "a don't o'neill"), ("upper", "A DON'T O'NEILL"), ("title", "A Don't O'neill")]
)
def test_cased(case: Case, expected: str) -> None:
    assert tag_spelling.cased("a dON't O'Neill", case) == expected
    assert tag_spelling.cased("u_u", case) == "u_u"


@given(st.text(alphabet="ab()[] "))
def test_unescape_takes_back_escape(tag: str) -> None:
    assert tag_spelling.unescape(tag_spelling.escape(tag, square=True)) == tag


def test_what_spellings_share() -> None:
    assert tag_spelling.key_of(r" Saber_\(Fate\) ") == "saber (fate)"
    assert tag_spelling.keys_of("Long_Hair\n^_^") == "long hair\n^ ^"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a (b), [c], {d|e}", []),
        ("(a, b:1.2)", []),
        ("(a, b", [0]),
        ("a), (b", [1, 4]),
        (r"saber \(fate", []),
        ("(a]", [0, 2]),
        ("((a)", [0]),
        ("\\", []),
    ],
)
def test_brackets_without_a_partner(text: str, places: list[int]) -> None:
    assert tag_spelling.lone_brackets(text) == places


def test_escape_of_brackets_in_brackets_has_no_depth_that_is_too_much() -> None:
    tag = "(" * 20_000 + "a(b)" + ")" * 20_000
    assert tag_spelling.escape(tag) == "(" * 20_000 + r"a\(b\)" + ")" * 20_000
