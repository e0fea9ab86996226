"""What tags of one caption say about each other."""

from __future__ import annotations

import pytest

from sdtui.dataset.relations import Relation, relations, says_as_well


def told(caption: str, implied: dict[str, set[str]] | None = None) -> list[str]:
    """`gloves < fingerless gloves`: said as well by; `solo x 2girls`: at odds with."""
    tags = caption.split(", ")
    sign = {"implied": "<", "conflict": "x"}
    found = relations(tags, lambda tag: (implied or {}).get(tag, set()))
    return [f"{tags[one.tag]} {sign[one.kind]} {tags[one.by]}" for one in found]


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("gloves, fingerless gloves", ["gloves < fingerless gloves"]),
        ("Long_Hair, hair, very long hair", ["Long_Hair < very long hair", "hair < Long_Hair"]),
        ("hair ornament, hair", []),
        ("no humans, humans", []),
        ("fake animal ears, animal ears", []),
        ("ears, cats", []),
        ("x, x", []),
    ],
)
def test_last_words_that_are_a_tag_themselves(caption: str, found: list[str]) -> None:
    assert told(caption) == found


def test_the_users_implications_count_as_well() -> None:
    assert told("cat, animal, dog", {"cat": {"animal"}, "dog": {"animal", "pet"}}) == ["animal < cat"]


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("solo, 2girls", ["solo x 2girls", "2girls x solo"]),
        ("solo, multiple_boys", ["solo x multiple_boys", "multiple_boys x solo"]),
        ("1girl, 1boy, solo", ["1boy x solo", "solo x 1boy"]),
        ("1girl, solo", []),
        ("1girl, 2girls", ["1girl x 2girls", "2girls x 1girl"]),
        ("2girls, multiple girls", []),
        ("1girl, 2boys", []),
        ("6+girls, solo", ["6+girls x solo", "solo x 6+girls"]),
        ("no humans, 1girl", ["no humans x 1girl", "1girl x no humans"]),
        ("no humans, solo", ["no humans x solo", "solo x no humans"]),
        ("solo focus, 2girls", []),
    ],
)
def test_numbers_of_people(caption: str, found: list[str]) -> None:
    assert told(caption) == found


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("1girl, red hair, blue hair", ["red hair x blue hair", "blue hair x red hair"]),
        ("red hair, blue eyes", []),
        ("2girls, red hair, blue hair", []),
        ("1girl, 1boy, red hair, blue hair", []),
        ("red hair, blue hair, multicolored hair", []),
        ("light brown hair, brown hair", []),
        ("light brown hair, dark brown hair", []),
        ("grey hair, gray hair", []),
        ("light brown hair, black hair", ["light brown hair x black hair", "black hair x light brown hair"]),
        ("green eyes, blue eyes", ["green eyes x blue eyes", "blue eyes x green eyes"]),
        ("green eyes, blue eyes, heterochromia", []),
        ("red pubic hair, blue hair", []),
    ],
)
def test_colours_of_one_person(caption: str, found: list[str]) -> None:
    assert [words for words in told(caption) if " x " in words] == found


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("long hair, short hair", ["long hair x short hair", "short hair x long hair"]),
        ("bald, long hair", ["bald x long hair", "long hair x bald"]),
        ("2girls, long hair, short hair", []),
        ("monochrome, red eyes", ["monochrome x red eyes", "red eyes x monochrome"]),
        ("greyscale, black hair, silver hair", ["black hair x silver hair", "silver hair x black hair"]),
        ("day, night", ["day x night", "night x day"]),
        ("indoors, outdoors", ["indoors x outdoors", "outdoors x indoors"]),
    ],
)
def test_other_things_that_cannot_both_be(caption: str, found: list[str]) -> None:
    assert told(caption) == found


def test_of_several_the_first_is_told() -> None:
    assert relations(["solo", "2girls", "3boys"]) == [
        Relation("conflict", 0, 1), Relation("conflict", 1, 0), Relation("conflict", 2, 0),
    ]  # fmt: skip


def test_nothing_to_tell() -> None:
    assert relations([]) == []
    assert relations(["99999999girls", "solo"]) == [Relation("conflict", 0, 1), Relation("conflict", 1, 0)]


@pytest.mark.parametrize(
    ("tag", "other", "says"),
    [("white shirt", "shirt", True), ("shirt", "shirt", False), ("t-shirt", "shirt", False), ("no bra", "bra", False)],
)
def test_says_as_well(tag: str, other: str, says: bool) -> None:
    assert says_as_well(tag, other) is says
