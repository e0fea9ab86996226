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
