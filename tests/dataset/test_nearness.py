"""Names a slip away: the table of distances against hand-counted ones and a plain one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtui.dataset.nearness import letters_of, near, slips_allowed


def asked(word: str, names: list[str], slips: int, *, whole: bool = True) -> dict[str, int]:
    block = b"".join(name.encode() + b"\xff" for name in names)
    starts = np.cumsum([0, *(len(name.encode()) + 1 for name in names)]).astype(np.uint32)
    taken = np.frombuffer(block, np.uint8)
    letters = letters_of(taken, starts[:-1])
    among = np.arange(len(names))
    numbers, distances = near(word.encode(), taken, starts, letters, among, slips=slips, whole=whole)
    return {names[number]: int(distance) for number, distance in zip(numbers, distances, strict=True)}


def distance(one: str, other: str) -> int:
    """Optimal string alignment, cell by cell."""
    table = [[max(i, j) if not min(i, j) else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            same = one[i - 1] == other[j - 1]
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (not same))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


def test_each_kind_of_slip_is_one() -> None:
    names = ["gargoyle", "gargoyl", "gargoylee", "gargoxle", "gargyole", "gargoyles tower", "tower"]
    assert asked("gargoyle", names, 1) == {
        "gargoyle": 0, "gargoyl": 1, "gargoylee": 1, "gargoxle": 1, "gargyole": 1,
    }  # fmt: skip


def test_two_slips_and_no_more() -> None:
    assert asked("blonde hair", ["blnode hiar", "blond hairs", "blonde chairs", "brown hair"], 2) == {
        "blnode hiar": 2, "blond hairs": 2, "blonde chairs": 2,
    }  # fmt: skip


def test_the_beginning_alone() -> None:
    assert asked("lnog ha", ["long hair", "long dress", "song hall"], 1, whole=False) == {"long hair": 1}


@pytest.mark.parametrize(("length", "slips"), [(3, 0), (4, 1), (7, 1), (8, 2), (40, 2)])
def test_short_words_may_have_fewer(length: int, slips: int) -> None:
    assert slips_allowed(length) == slips


@given(
    st.text("abc 1", min_size=1, max_size=8),
    st.lists(st.text("abc 1", min_size=1, max_size=8), min_size=1, max_size=6, unique=True),
    st.integers(1, 2),
)
def test_as_a_plain_table_says(word: str, names: list[str], slips: int) -> None:
    wanted = {name: far for name in names if (far := distance(word, name)) <= slips}
    assert asked(word, names, slips) == wanted
    beginnings = {name: min(distance(word, name[:cut]) for cut in range(len(name) + 1)) for name in names}
    assert asked(word, names, slips, whole=False) == {name: far for name, far in beginnings.items() if far <= slips}
