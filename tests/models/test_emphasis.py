"""Emphasis: brackets to weights, as A1111 and kohya read them."""

from __future__ import annotations

import pytest

from sdtui.models import emphasis
from sdtui.models.emphasis import parse

# The first nine are the examples in the docstring of A1111's and kohya's parser.
TABLE: list[tuple[str, list[tuple[str, float]]]] = [
    ("normal text", [("normal text", 1.0)]),
    ("an (important) word", [("an ", 1.0), ("important", 1.1), (" word", 1.0)]),
    ("(unbalanced", [("unbalanced", 1.1)]),
    (r"\(literal\]", [("(literal]", 1.0)]),
    ("(unnecessary)(parens)", [("unnecessaryparens", 1.1)]),
    (
        "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
        [
            ("a ", 1.0), ("house", 1.573), (" ", 1.1), ("on", 1.0), (" a ", 1.1), ("hill", 0.55), (", sun, ", 1.1),
            ("sky", 1.4641), (".", 1.1),
        ],
    ),
    ("", [("", 1.0)]),
    (r"back\\slash", [("back\\slash", 1.0)]),
    ("(abc:3.12)", [("abc", 3.12)]),
    ("[abc]", [("abc", 1 / 1.1)]),
    ("[[abc]", [("abc", 1 / 1.21)]),
    ("(a [b] c)", [("a ", 1.1), ("b", 1.0), (" c", 1.1)]),
    ("(a:-1)", [("a", -1.0)]),
    ("(a:0)", [("a", 0.0)]),
    ("ratio 4:3", [("ratio 4:3", 1.0)]),
    ("closed) and ]", [("closed) and ]", 1.0)]),
    ("never opened:1.2)", [("never opened:1.2)", 1.0)]),
    ("path C:\\dir", [("path C:dir", 1.0)]),
    ("(two words:1.5), rest", [("two words", 1.5), (", rest", 1.0)]),
    ("()", [("", 1.0)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_brackets_become_weights(text: str, expected: list[tuple[str, float]]) -> None:
    found = parse(text)
    assert [span.text for span in found] == [word for word, _ in expected]
    assert [span.weight for span in found] == pytest.approx([weight for _, weight in expected], rel=1e-12)


def test_a_weight_that_is_no_number_is_text() -> None:
    assert parse("(a:1.2.3)") == [("a:1.2.3", 1.1)]


def test_brackets_of_two_kinds_may_cross() -> None:
    assert [(span.text, round(span.weight, 6)) for span in parse("(a [b:2) c] d")] == [
        ("a ", 2.0),
        ("b", 1.818182),
        (" c", 0.909091),
        (" d", 1.0),
    ]


class Counted(float):
    """A number that counts how often it and its products are multiplied."""

    times = 0

    def __mul__(self, other: float) -> Counted:
        Counted.times += 1
        return Counted(float(self) * float(other))

    __rmul__ = __mul__


@pytest.mark.parametrize(
    "caption",
    ["(a" * 20_000, "[a" * 20_000, "(a" * 10_000 + ")" * 10_000, "([a" * 10_000],
    ids=["round", "square", "nested", "mixed"],
)
def test_the_work_grows_with_the_caption_and_no_faster(caption: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One product for each bracket and one for each word; each bracket for itself over all words would be 200 million."""
    monkeypatch.setattr(emphasis, "_FACTORS", {"(": Counted(1.0001), "[": Counted(0.9999)})
    Counted.times = 0
    assert "".join(span.text for span in parse(caption)) == caption.translate(str.maketrans("", "", "([)]"))
    assert 10_000 < Counted.times <= 40_001


def test_a_long_number_that_nothing_closes_is_read_once() -> None:
    """Were its digits tried in every split into two runs, as many as 20 000² / 2 places would be looked at."""
    text = "(a:" + "1" * 20_000
    assert parse(text) == [emphasis.Span(text[1:], 1.1)]
