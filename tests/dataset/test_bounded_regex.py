from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset import bounded_regex
from sdtui.dataset.bounded_regex import BoundedRegex, Cost, SlowExpressionError, cost_of

# What goes on for ever in `re`, and in `regex` as well.
ENDLESS = r"(a|aa)+$"
LONG = "a" * 200 + "!"


@pytest.mark.parametrize(
    ("pattern", "cost"),
    [
        ("stone", Cost()),
        ("", Cost()),
        ("a*", Cost(1)),
        (r"\bcat.*dog\b", Cost(1)),
        ("a+b*?c{2,}", Cost(3)),
        ("[*+?]", Cost()),
        (r"\*\+", Cost()),
        ("t.{3,9}, w", Cost(0, 7)),
        ("a{4}b{,2}", Cost(0, 3)),
        ("a{x}", Cost()),
        ("a?b??c?+", Cost(0, 8)),
        ("a|b|c*", Cost(1, 3)),
        (r"(red|blue) (hair|hat)\d+, ", Cost(1, 4)),
        ("(a|b)?", Cost(0, 4)),
        ("(ab)*", Cost(1)),
        (r"(?:a)(?=b)(?!c)(?<=d)(?<!e)(?>f)(?P<g>h)", Cost()),
        (r"(\w)\1\1", Cost()),
        ("(a*)", Cost(1)),
        ("((a|b)c*|d)", Cost(1, 4)),
        ("(a+)+", None),
        ("(a|aa)+", None),
        ("(a?){3}", None),
        ("((ab)*)*", None),
        ("(?i)a", None),
        ("(?i:a)", None),
        ("(a)?(?(1)b|c)", None),
        ("(?P<n>a)(?P=n)", None),
    ],
)
def test_how_dear_a_pattern_is_at_most(pattern: str, cost: Cost | None) -> None:
    assert cost_of(re.compile(pattern)) == cost


def test_verbose_patterns_are_not_looked_into() -> None:
    assert cost_of(re.compile("a # b*", re.VERBOSE)) is None


def test_what_would_never_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_regex, "_SECONDS", 0.05)
    bounded = BoundedRegex(re.compile(ENDLESS))
    with pytest.raises(SlowExpressionError, match=r"takes more than 0\.05 s for one caption"):
        bounded.found_in(LONG)
    with pytest.raises(SlowExpressionError):
        bounded.replaced_in(LONG, "b")
    assert bounded.found_in("a" * 200)


def test_texts_that_are_too_long_for_re_are_searched_with_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    bounded = BoundedRegex(re.compile("a.*b"))
    text = "a" * 100_000
    monkeypatch.setattr(bounded_regex.BoundedRegex, "_with_a_clock", lambda _self: re.compile("nothing"))
    assert bounded.found_in("a" * 3000 + "b")
    with pytest.raises(TypeError):
        bounded.found_in(text)


WORDS = st.text(alphabet="aAbé, ", max_size=8)
PATTERNS = st.lists(
    st.sampled_from(["a", "b", ".", r"\w", "(a|b)", "(?:ab)", "[^a]", "a*", "b+?", ".{1,2}", "(.)", "|", "^", "$", r"\b", ", ", "é"]),
    min_size=1,
    max_size=5,
).map("".join)  # fmt: skip


@given(PATTERNS, WORDS, st.booleans())
def test_both_ways_find_and_replace_the_same(pattern: str, text: str, ignore_case: bool) -> None:
    compiled = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    slow = BoundedRegex(compiled)
    slow._longest = -1
    assert slow.found_in(text) == (compiled.search(text) is not None) == BoundedRegex(compiled).found_in(text)
    assert slow.replaced_in(text, r"<\g<0>>") == compiled.sub(r"<\g<0>>", text)
