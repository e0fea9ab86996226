"""Names found while one types: which come first."""

from __future__ import annotations

import pytest

from sdtui.dataset.ranked_names import RankedNames, Reach

TAGS = [
    "1girl", "solo", "long_hair", "blue_eyes", "short_hair", "saber_(fate)", "very_long_hair", "hair_between_eyes",
    "^_^", "Élan", "eyes",
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("lo", ["long_hair", "very_long_hair", "solo"]),
        ("hair", ["hair_between_eyes", "long_hair", "short_hair", "very_long_hair"]),
        ("eyes", ["eyes", "blue_eyes", "hair_between_eyes"]),
        ("eyes blu", ["blue_eyes"]),
        ("Long Hair", ["long_hair", "very_long_hair"]),
        ("long_h", ["long_hair", "very_long_hair"]),
        (r"saber \(", ["saber_(fate)"]),
        ("fate", ["saber_(fate)"]),
        ("girl", ["1girl"]),
        ("^_", ["^_^"]),
        ("éL", ["Élan"]),
        ("lnog ha", ["long_hair"]),
        ("sabre (fa", ["saber_(fate)"]),
        ("xyzzy", []),
        ("", []),
        (" ", []),
    ],
)
def test_beginnings_then_words_then_anywhere_then_slips(typed: str, found: list[str]) -> None:
    names = RankedNames.of(TAGS)
    assert [TAGS[number] for number in names.find(typed, 10)] == found


def test_the_limit_keeps_the_most_used() -> None:
    names = RankedNames.of([f"tag {number}" for number in range(50)])
    assert names.find("tag", 3) == [0, 1, 2]
    assert names.find("ag", 3) == [0, 1, 2]


def test_without_slips_only_what_was_typed() -> None:
    assert RankedNames.of(TAGS).find("lnog ha", 10, reach=Reach.INSIDE) == []


@pytest.mark.parametrize(
    ("tag", "number"),
    [("long hair", 2), ("LONG_HAIR", 2), (r"saber \(fate\)", 5), ("long", None), ("long hairs", None), ("zz", None)],
)
def test_the_number_of_a_whole_name(tag: str, number: int | None) -> None:
    assert RankedNames.of(TAGS).number(tag) == number


def test_of_two_spellings_the_most_used_counts() -> None:
    assert RankedNames.of(["x", "long hair", "long_hair"]).number("Long hair") == 1


def test_no_names() -> None:
    names = RankedNames.of([])
    assert (len(names), names.find("a", 5), names.find("long hair", 5), names.number("a")) == (0, [], [], None)


def test_names_with_odd_bytes_between_others() -> None:
    names = ["ÿ", "þÿ x", "日本", "\udcff", "x"]
    ranked = RankedNames.of(names)
    assert [ranked.number(name) for name in names] == [0, 1, 2, 3, 4]
    assert ranked.find("日", 3) == [2]


def test_only_as_far_as_one_wants() -> None:
    names = RankedNames.of(["solo", "long", "a lone", "lnog"])
    assert names.find("lon", 9, Reach.WORDS) == [1, 2]
    assert names.find("lo", 9, Reach.WORDS) == [1, 2]
    assert names.find("lo", 9, Reach.INSIDE) == [1, 2, 0]
    assert names.find("long", 9, Reach.INSIDE) == [1]
    assert names.find("long", 9) == [1, 3]


def test_nobody_who_finds_three_means_something_like_it() -> None:
    names = ["long hair", "long hat", "lnog hall", "long hall"]
    assert RankedNames.of(names).find("long ha", 9) == [0, 1, 3]
    assert RankedNames.of(names[:3]).find("long ha", 9) == [0, 1, 2]
