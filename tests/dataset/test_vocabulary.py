"""What is known of a tag, from lists put together by hand."""

from __future__ import annotations

import pytest

from sdtui.dataset.tag_csv import Row, TagList
from sdtui.dataset.vocabulary import Entry, Vocabulary, compiled


def tag(name: str, category: str = "general", count: int = 0, *aliases: str, deprecated: bool = False) -> Row:
    return Row(name, category, count, aliases, deprecated)


@pytest.fixture
def vocabulary() -> Vocabulary:
    return compiled(
        [
            TagList(
                rows=[
                    tag("solo", "general", 500),
                    tag("1girl", "general", 600, "girl", "sole_female"),
                    tag("long_hair", "general", 550, "/lh", "longhair", "long hair"),
                    tag("grey_hair", "general", 70, "silver_hair", "gray_hair"),
                    tag("silver_hair", "general", 20),
                    tag("saber_(fate)", "character", 30, "artoria"),
                    tag("old_name", "meta", 3, deprecated=True),
                ],
                implications=[("fingerless_gloves", "gloves"), ("gloves", "handwear"), ("handwear", "gloves")],
            )
        ]
    )


def test_by_what_is_typed(vocabulary: Vocabulary) -> None:
    assert vocabulary.find("lo", 5) == [
        Entry("long_hair", "general", 550), Entry("solo", "general", 500),
        Entry("fingerless_gloves", "unknown", 0), Entry("gloves", "unknown", 0),
    ]  # fmt: skip


def test_an_alias_leads_to_the_tag_and_says_so(vocabulary: Vocabulary) -> None:
    assert vocabulary.find("/l", 5) == [Entry("long_hair", "general", 550, "/lh")]
    assert vocabulary.find("sole", 1) == [Entry("1girl", "general", 600, "sole_female")]


def test_a_tag_is_told_once_by_its_own_name(vocabulary: Vocabulary) -> None:
    assert vocabulary.find("long", 5) == [Entry("long_hair", "general", 550)]


def test_deprecated_tags_are_found_and_marked(vocabulary: Vocabulary) -> None:
    assert vocabulary.find("silver", 5) == [Entry("silver_hair", "general", 20, deprecated=True)]
    assert vocabulary.find("old", 5) == [Entry("old_name", "meta", 3, deprecated=True)]


@pytest.mark.parametrize(
    ("written", "category"),
    [
        ("Saber (fate)", "character"),
        (r"saber \(fate\)", "character"),
        ("artoria", "character"),
        ("rating:safe", "rating"),
        ("nobody", "unknown"),
        ("", "unknown"),
    ],
)
def test_categories(vocabulary: Vocabulary, written: str, category: str) -> None:
    assert vocabulary.category_of(written) == category


@pytest.mark.parametrize(
    ("written", "name"),
    [("gray hair", "grey_hair"), ("artoria", "saber_(fate)"), ("long hair", "long hair"), ("nobody", "nobody")],
)
def test_what_it_is_called_today(vocabulary: Vocabulary, written: str, name: str) -> None:
    assert vocabulary.canonical(written) == name


def test_implications_go_on_and_round(vocabulary: Vocabulary) -> None:
    assert vocabulary.implied_by("fingerless gloves") == {"gloves", "handwear"}
    assert vocabulary.implied_by("gloves") == {"handwear"}
    assert vocabulary.implied_by("solo") == frozenset()


def test_the_first_list_counts_and_the_first_row_of_it() -> None:
    first = TagList(rows=[tag("x", "artist", 5), tag("x", "meta", 6)])
    second = TagList(rows=[tag("X", "general", 900), tag("y", "lore", 1)], aliases=[("ex", "x"), ("why", "z")])
    both = compiled([first, second])
    assert both.find("x", 5) == [Entry("x", "artist", 5)]
    assert both.entry("ex") == Entry("x", "artist", 5, "ex")
    assert both.entry("why") == Entry("z", "unknown", 0, "why")
    assert both.category_of("y") == "lore"


def test_no_list() -> None:
    nothing = Vocabulary.empty()
    assert (len(nothing), nothing.find("a", 5), nothing.entry("a"), nothing.implied_by("a")) == (
        0,
        [],
        None,
        frozenset(),
    )
