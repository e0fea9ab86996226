from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset import strings as module
from sdtui.dataset.strings import Strings

ANY, ONE = module.SOME.encode() + b"*", module.ONE.encode()

WORDS = ["Stone Wall", "wall", "", "wallflower", "größe", "GRÖSSE", "😀 wall", "wall", os_name := "caf\udce9"]


@pytest.fixture
def strings() -> Strings:
    return Strings(WORDS)


def test_whole_texts_in_any_case(strings: Strings) -> None:
    assert len(strings) == 9
    assert strings.equal("WALL").tolist() == [1, 7]
    assert strings.equal("").tolist() == [2]
    assert strings.equal("grösse").tolist() == [4, 5]
    assert strings.equal(os_name).tolist() == [8]
    assert strings.equal("wal").tolist() == []


def test_parts_of_texts(strings: Strings) -> None:
    assert strings.containing("wall").tolist() == [0, 1, 3, 6, 7]
    assert strings.containing("e").tolist() == [0, 3, 4, 5]
    assert strings.containing("").tolist() == list(range(9))
    assert strings.containing("wallwall").tolist() == []
    assert strings.has("E W")
    assert not strings.has("wall\xff")


def test_patterns_stay_within_one_text(strings: Strings) -> None:
    assert strings.matching(b"wall" + ANY, whole=True).tolist() == [1, 3, 7]
    assert strings.matching(ANY + b"wall", whole=True).tolist() == [0, 1, 6, 7]
    assert strings.matching(ONE + b" wall", whole=True).tolist() == [6]
    assert strings.matching(ANY, whole=True).tolist() == list(range(9))
    assert strings.matching(b"s" + ANY + b"w", whole=False).tolist() == [0]
    assert strings.matching(ANY, whole=False).tolist() == list(range(9))
    assert strings.matching(ONE, whole=True).tolist() == []


def test_more_are_added_while_in_use(strings: Strings) -> None:
    assert strings.equal("new").tolist() == []
    strings.add("New")
    assert strings.equal("new").tolist() == [9]
    assert Strings().containing("x").tolist() == []


@given(
    st.lists(st.text("aAbßé \n", max_size=4), max_size=8), st.text("aAbßé ", max_size=3), st.text("ab*?", max_size=4)
)
def test_as_one_by_one(texts: list[str], needle: str, wild: str) -> None:
    strings = Strings(texts)
    folded = [text.casefold() for text in texts]
    assert strings.containing(needle).tolist() == [at for at, text in enumerate(folded) if needle.casefold() in text]
    assert strings.equal(needle).tolist() == [at for at, text in enumerate(folded) if needle.casefold() == text]
    pattern = b"".join({"*": ANY, "?": ONE}.get(char, char.encode()) for char in wild)
    slow = re.compile("".join({"*": ".*", "?": "."}.get(char, char) for char in wild), re.DOTALL)
    assert strings.matching(pattern, whole=True).tolist() == [
        at for at, text in enumerate(folded) if slow.fullmatch(text)
    ]
    assert strings.matching(pattern, whole=False).tolist() == [
        at for at, text in enumerate(folded) if slow.search(text)
    ]
