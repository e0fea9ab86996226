"""Arrays are changed item by item."""

from __future__ import annotations

import pytest

from sdtui.profile.edit import set_value

LINES = """\
[p]
list = [   # all
  "a",     # first
  # between
  "b" , # second
  'c'      # third
]
"""


@pytest.mark.parametrize(
    ("new", "before", "after"),
    [
        (["a", "x", "c"], '"b" , # second', '"x" , # second'),
        (["a", "b", "x"], "'c'      # third", "'x'      # third"),
        (["a", "c"], '  "b" , # second\n', ""),
        (["b", "c"], '  "a",     # first\n', ""),
        (["a", "b"], "  'c'      # third\n", ""),
        (["a", "b", "c", "d"], "  'c'      # third\n", "  'c',      # third\n  'd',\n"),
        (["z", "a", "b", "c"], '  "a",     # first\n', '  "z",\n  "a",     # first\n'),
        (["a", "b", "z", "c"], "  'c'      # third\n", "  'z',\n  'c'      # third\n"),
        (["a", "b", "c"], "", ""),
    ],
)
def test_lines_keep_their_comments(new: list[str], before: str, after: str) -> None:
    assert set_value(LINES, "p.list", new) == LINES.replace(before, after)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[1, 2,3]", [1, 5, 3], "[1, 5,3]"),
        ("[1, 2,3]", [1, 3], "[1, 3]"),
        ("[1, 2,3]", [1, 2], "[1, 2]"),
        ("[1, 2,3]", [1], "[1]"),
        ("[1, 2,3]", [2, 3], "[2,3]"),
        ("[ 1, 2, ]", [1], "[ 1, ]"),
        ("[ 1, ]", [], "[  ]"),
        ("[1]", [1, 2, 3], "[1, 2, 3]"),
        ("[1]", [0, 1], "[0, 1]"),
        ("[]", [1, 2], "[1, 2]"),
        ("[1]", [1.0], "[1.0]"),
        ("[1]", [True], "[true]"),
    ],
)
def test_one_line(old: str, new: list[object], expected: str) -> None:
    assert set_value(f"a = {old} # c\n", "a", new) == f"a = {expected} # c\n"


def test_an_empty_array_over_several_lines() -> None:
    assert set_value("a = [\n  # none yet\n]\n", "a", ["x"]) == 'a = [\n  # none yet\n    "x",\n]\n'
    assert set_value("a = [\r\n]\r\n", "a", ["x"]) == 'a = [\r\n    "x",\r\n]\r\n'


def test_a_scalar_becomes_a_list_and_back() -> None:
    assert set_value('a = "x" # c\n', "a", ["x"]) == 'a = ["x"] # c\n'
    assert set_value('a = ["x"] # c\n', "a", "y") == 'a = "y" # c\n'
