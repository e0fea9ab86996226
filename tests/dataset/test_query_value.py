from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset.query_value import (
    Number,
    QueryError,
    Score,
    Text,
    Wildcard,
    quoted,
    read_number,
    read_score,
    read_text,
    wildcard_pattern,
)

ANY, ONE = Wildcard.ANY, Wildcard.ONE


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        ("", ()),
        ("stone wall", ("stone wall",)),
        ("*", (ANY,)),
        ("a**b?", ("a", ANY, ANY, "b", ONE)),
        (r"a\*b", ("a*b",)),
        (r"a\?\"\\", ('a?"\\',)),
        (r"\(a\)", (r"\(a\)",)),
        ("a\\", ("a\\",)),
    ],
)
def test_texts(raw: str, parts: tuple[object, ...]) -> None:
    assert read_text(raw) == Text(parts)  # type: ignore[arg-type]


def wildcards(raw: str, *, whole: bool) -> re.Pattern[str]:
    parts = [part if isinstance(part, Wildcard) else re.escape(part) for part in read_text(raw).parts]
    return re.compile(wildcard_pattern(parts, ".", ".", whole=whole), re.DOTALL)


@given(st.text("ab*?", max_size=7), st.text("abc", max_size=9))
def test_wildcards_match_what_they_say(raw: str, text: str) -> None:
    said = re.compile("".join({"*": ".*", "?": "."}.get(char, char) for char in raw), re.DOTALL)
    assert (wildcards(raw, whole=True).fullmatch(text) is None) == (said.fullmatch(text) is None)
    assert (wildcards(raw, whole=False).search(text) is None) == (said.search(text) is None)


def test_any_number_of_wildcards_is_no_trouble() -> None:
    assert wildcards("a*" * 40 + "b", whole=True).fullmatch("a" * 2000) is None
    assert wildcards("a*" * 40 + "b", whole=True).fullmatch("a" * 2000 + "b") is not None


@given(st.text('ab*?"\\\\ ', min_size=1, max_size=9))
def test_a_quoted_text_is_read_as_itself(text: str) -> None:
    raw = quoted(text)
    assert (raw[0], raw[-1]) == ('"', '"')
    assert read_text(raw[1:-1]) == Text((text,))


def test_plain_texts() -> None:
    assert read_text("a b").plain == "a b"
    assert read_text("").plain == ""
    assert read_text("a*").plain is None
    assert read_text("*").plain is None


@pytest.mark.parametrize(
    ("raw", "ratio", "number"),
    [
        ("5", False, Number("=", 5)),
        ("==5", False, Number("=", 5)),
        ("<5", False, Number("<", 5)),
        ("<=5", False, Number("<=", 5)),
        ("!=5", False, Number("!=", 5)),
        (">=5", False, Number(">=", 5)),
        ("3..5", False, Number("..", 3, 5)),
        ("..5", False, Number("..", None, 5)),
        ("3..", False, Number("..", 3, None)),
        ("..", False, None),
        ("<3..5", False, None),
        ("5.0", False, None),
        ("-5", False, None),
        ("3:2", False, None),
        ("", False, None),
        ("1.5", True, Number("=", 1.5)),
        ("3:2", True, Number("=", 1.5)),
        (">3/2", True, Number(">", 1.5)),
        ("0.5..1.5", True, Number("..", 0.5, 1.5)),
        ("1:2..2:1", True, Number("..", 0.5, 2)),
        ("1:2:3", True, None),
        ("1:0", True, None),
        ("1.5.2", True, None),
    ],
)
def test_numbers(raw: str, ratio: bool, number: Number | None) -> None:
    assert read_number(raw, ratio=ratio) == number


def test_carets_stand_below_what_is_meant() -> None:
    assert QueryError("tag:a AND OR b", 10, 12, "no").pointed() == "tag:a AND OR b\n          ^^"
    assert QueryError("tag:猫 )", 6, 7, "no").pointed() == "tag:猫 )\n       ^"
    assert QueryError("a\tb", 2, 3, "no").pointed() == "a\\tb\n   ^"
    assert QueryError("", 0, 0, "no").pointed() == "\n^"


@pytest.mark.parametrize(
    ("raw", "score"),
    [
        ("solo>0.5", Score("solo", Number(">", 0.5))),
        ("long hair <= 1", Score("long hair", Number("<=", 1.0))),
        ("solo==.25", Score("solo", Number("=", 0.25))),
        ("solo!=0", Score("solo", Number("!=", 0.0))),
        ("solo=0.3..0.5", Score("solo", Number("..", 0.3, 0.5))),
        ("solo=..0.5", Score("solo", Number("..", None, 0.5))),
        ("solo=0.3..", Score("solo", Number("..", 0.3, None))),
        ("=_=>0.5", Score("=_=", Number(">", 0.5))),
        (">_<>=0.5", Score(">_<", Number(">=", 0.5))),
        ("solo", None),
        ("solo>", None),
        (">0.5", None),
        ("solo=..", None),
    ],
)
def test_scores(raw: str, score: Score | None) -> None:
    assert read_score(raw) == score
