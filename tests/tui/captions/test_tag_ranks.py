from __future__ import annotations

from collections import Counter

from sdtui.tui.captions.tag_ranks import TagRanks


def ranked(ranks: TagRanks) -> list[tuple[str, int]]:
    return [ranks[rank] for rank in range(len(ranks))]


def test_most_frequent_first_then_by_name() -> None:
    ranks = TagRanks(Counter({"tower": 1, "city": 3, "arch": 1, "gone": 0}))
    assert ranked(ranks) == [("city", 3), ("arch", 1), ("tower", 1)]
    assert list(ranks.tags()) == ["city", "arch", "tower"]


def test_an_edit_moves_only_the_tags_it_changed() -> None:
    ranks = TagRanks(Counter({"city": 2, "arch": 1, "tower": 1}))
    ranks.change({"city", "arch"}, {"tower", "boat"})
    assert ranked(ranks) == [("tower", 2), ("boat", 1), ("city", 1)]


def test_a_tag_that_was_never_counted_cannot_go_below_zero() -> None:
    ranks = TagRanks(Counter())
    ranks.change({"city"}, ())
    ranks.change((), {"city"})
    assert ranked(ranks) == [("city", 1)]


def test_places_counts_and_other_orders() -> None:
    ranks = TagRanks(Counter({"city": 3, "tower": 2, "Bridge": 2, "old stone wall": 1}))
    assert (ranks.most, ranks.count("tower"), ranks.count("boat")) == (3, 2, 0)
    assert [ranks.rank_of(tag) for tag in ("city", "Bridge", "old stone wall")] == [0, 1, 3]
    assert ranks.arranged("count", "O") == ["tower", "old stone wall"]
    assert ranks.arranged("name", "") == ["Bridge", "city", "old stone wall", "tower"]
    assert ranks.arranged("length", "") == ["old stone wall", "Bridge", "tower", "city"]
    assert TagRanks(Counter()).most == 0
