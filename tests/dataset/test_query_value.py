from __future__ import annotations

import pytest

from sdtui.dataset.query_value import Number, QueryError, Text, Wildcard, read_number, read_text

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
