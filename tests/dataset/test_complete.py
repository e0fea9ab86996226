"""What is offered for a tag that is being typed."""

from __future__ import annotations

import pytest

from sdtui.dataset.complete import Completer, Offer, OwnTags, Spelling, spelling_of
from sdtui.dataset.ranked_names import Reach
from sdtui.dataset.tag_csv import Row, TagList
from sdtui.dataset.vocabulary import Entry, Vocabulary, compiled


@pytest.fixture
def vocabulary() -> Vocabulary:
    return compiled(
        [
            TagList(
                rows=[
                    Row("long_hair", "general", 900, ("longhair",), deprecated=False),
                    Row("long_dress", "general", 90, (), deprecated=False),
                    Row("saber_(fate)", "character", 70, ("artoria",), deprecated=False),
                    Row("^_^", "general", 60, (), deprecated=False),
                    Row("lone_tree", "general", 50, (), deprecated=True),
                ]
            )
        ]
    )


OWN = [("stone wall", 9), ("long hair", 3), ("longboat", 2), ("red", 1)]


def test_own_tags_come_first_and_each_tag_once(vocabulary: Vocabulary) -> None:
    completer = Completer(OwnTags(OWN), vocabulary)
    assert completer.offers("lon", 9) == [
        Offer("long hair", 3, Entry("long_hair", "general", 900)),
        Offer("longboat", 2, None),
        Offer("long dress", 0, Entry("long_dress", "general", 90)),
        Offer("lone tree", 0, Entry("lone_tree", "general", 50, deprecated=True)),
    ]


def test_a_name_by_which_others_call_an_own_tag(vocabulary: Vocabulary) -> None:
    entry = Entry("long_hair", "general", 900, "longhair")
    found = Completer(OwnTags(OWN), vocabulary).offers("longh", 9, reach=Reach.INSIDE)
    assert found == [Offer("long hair", 3, entry, "longhair")]


def test_what_is_like_it_comes_after_what_begins_with_it(vocabulary: Vocabulary) -> None:
    completer = Completer(OwnTags([("lnog hat", 5)]), vocabulary)
    assert [offer.tag for offer in completer.offers("long h", 9)] == ["long hair", "lnog hat", "long dress"]
    assert [offer.tag for offer in completer.offers("long h", 9, reach=Reach.INSIDE)] == ["long hair"]


def test_words_that_begin_with_it_come_before_what_only_holds_it(vocabulary: Vocabulary) -> None:
    completer = Completer(OwnTags([("solo", 50), ("a lone wolf", 5)]), vocabulary)
    assert [offer.tag for offer in completer.offers("lo", 5)] == [
        "a lone wolf", "long hair", "long dress", "lone tree", "solo",
    ]  # fmt: skip


def test_what_is_there_already_is_left_out(vocabulary: Vocabulary) -> None:
    completer = Completer(OwnTags(OWN), vocabulary)
    assert [offer.tag for offer in completer.offers("lon", 2, without=["Long_Hair"])] == ["longboat", "long dress"]


def test_tags_written_a_moment_ago_are_own_ones(vocabulary: Vocabulary) -> None:
    completer = Completer(OwnTags(OWN), vocabulary)
    completer.recent = dict.fromkeys(["lonely", "red", "long hair"])
    assert [(offer.tag, offer.own) for offer in completer.offers("lone", 1)] == [("lonely", 1)]
    assert [(offer.tag, offer.own) for offer in completer.offers("long ha", 5)] == [("long hair", 3)]


@pytest.mark.parametrize(
    ("own", "name", "written"),
    [
        ([], "saber_(fate)", "saber (fate)"),
        ([("a_b", 5), ("a b", 4)], "saber_(fate)", "saber_(fate)"),
        ([(r"x \(y\)", 1)], "saber_(fate)", r"saber \(fate\)"),
        ([(r"x_\(y\)", 2), ("z (y)", 3)], "saber_(fate)", "saber (fate)"),
        ([("a b", 4)], "^_^", "^_^"),
        ([("^_^", 9)], "long_hair", "long hair"),
    ],
)
def test_spelt_as_the_dataset_spells(own: list[tuple[str, int]], name: str, written: str) -> None:
    assert spelling_of(own).spell(name) == written


def test_spelling_by_use() -> None:
    assert spelling_of([(r"a_\(b\)", 3), ("c d", 2)]) == Spelling(underscores=True, escapes=True)
