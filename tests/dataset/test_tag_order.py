from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset import tag_order
from sdtui.dataset.caption import tag_words
from sdtui.dataset.tag_order import parse_units

TEXTS = st.text(alphabet="ab(),[\\ |\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a, (b, c:1.2), d", ["a", "(b, c:1.2)", "d"]),
        ("((a, b), c), d", ["((a, b), c)", "d"]),
        (":(, a, b", [":(", "a", "b"]),
        ("a), b", ["a)", "b"]),
        (r"a \(b, c\), d", [r"a \(b", r"c\)", "d"]),
        ("{red|blue}, [x, y]", ["{red|blue}", "[x, y]"]),
        ("(a, (b, c), d", ["(a", "(b, c)", "d"]),
        ("(a, ((b, c), d)) e, f", ["(a, ((b, c), d)) e", "f"]),
        pytest.param("(a, " * 50_000 + "b", [*["(a"] * 50_000, "b"], id="many that nothing closes"),
    ],
)
def test_brackets_hold_tags_together(text: str, expected: list[str]) -> None:
    assert [unit.text for unit in parse_units(text)] == expected


@pytest.mark.parametrize(
    ("text", "keep", "expected"),
    [
        ("c,a ,\nb, ", 0, "a,b ,\nc, "),
        ("d, c, b, a", 2, "d, c, a, b"),
        ("z ||| c, a ||| y, x,", 0, "z ||| a, c ||| x, y,"),
        ("z, y ||| c, a", 1, "z, y ||| a, c"),
        ("c, (b, z:1.2), a", 0, "(b, z:1.2), a, c"),
        ("a, b", 0, "a, b"),
        ("", 0, ""),
        ("b, a", 5, "b, a"),
    ],
)
def test_sort(text: str, keep: int, expected: str) -> None:
    assert tag_order.sort(text, str, keep=keep) == expected


def test_to_front() -> None:
    tests = [lambda word: word == "x", lambda word: word.endswith("hair")]
    assert tag_order.to_front("a,  long hair ,x,red hair,", tests) == "x,  long hair ,red hair,a,"
    assert tag_order.to_front("t ||| a, x", tests) == "t ||| x, a"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("a, b, c", 2, "a, b"),
        ("a, b, c,", 2, "a, b,"),
        ("a, (b, c:1.2), d", 2, "a, (b, c:1.2)"),
        ("a\nb\nc", 2, "a\nb"),
        ("a, b", 2, "a, b"),
        ("t ||| a, b", 1, "t |||"),
    ],
)
def test_trim_tags(text: str, limit: int, expected: str) -> None:
    assert tag_order.trim_tags(text, limit) == expected


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("one two, three, four", 3, "one two, three"),
        ("one two, three, four,", 2, "one two,"),
        ("one two, three, four", 4, "one two, three, four"),
        ("A woman stands by the wall. She smiles", 3, "A woman stands"),
        ("A woman stands, she smiles", 2, "A woman"),
    ],
)
def test_trim_tokens(text: str, limit: int, expected: str) -> None:
    assert tag_order.trim_tokens(text, limit, lambda text: len(text.replace(",", " ").split())) == expected


def test_a_text_of_which_no_word_fits_is_gone() -> None:
    assert tag_order.trim_tokens("word", 3, len) == ""


@given(TEXTS, st.integers(0, 3))
def test_sort_loses_and_makes_nothing(text: str, keep: int) -> None:
    done = tag_order.sort(text, str, keep=keep)
    assert sorted(done) == sorted(text)
    assert tag_order.sort(done, str, keep=keep) == done


@given(TEXTS, st.integers(1, 4))
def test_trim_keeps_the_first_tags(text: str, limit: int) -> None:
    units = [unit.text for unit in parse_units(text)]
    kept = [word for unit in units[:limit] for word in tag_words(unit)]
    assert tag_words(tag_order.trim_tags(text, limit)) == kept
