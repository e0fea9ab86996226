from __future__ import annotations

import numpy as np

from sdtui.tagging.score_table import ScoreTable, id_type, joined
from sdtui.tagging.tag_list import TagList
from tests.tagging.helpers import TAGS, digest, table, told


def test_a_row_holds_what_reaches_the_floor_highest_first() -> None:
    found = table({"a": [0.9, 0.0099, 0.01, 0.95], "b": [0, 0, 0, 0]})
    assert found.pointers.tolist() == [0, 3, 3]
    assert found.ids.tolist() == [3, 0, 2]
    assert found.ids.dtype == np.uint16
    assert [(tag.name, tag.category, tag.place) for tag in found.scored(0)] == [
        ("tom", "character", 3),
        ("general", "rating", 0),
        ("night_sky", "general", 2),
    ]
    assert found.scored(1) == found.scored(-1) == []


def test_scores_that_are_no_number_are_left_out() -> None:
    assert told(table({"a": [float("nan"), 0.5, 0, 0]}), "a") == {"cat": 0.5}


def test_lists_of_pairs_make_the_same_table() -> None:
    found = ScoreTable.of_lists(TAGS, [(digest("a"), [(2, 0.25), (1, 0.5), (0, 0.001)]), (digest("b"), [])])
    assert told(found, "a") == {"cat": 0.5, "night_sky": 0.25}
    assert len(found) == 2


def test_rows_are_found_by_digest() -> None:
    found = table({"a": [0, 0.5, 0, 0], "b": [0, 0, 0.5, 0]})
    assert found.rows_of([digest("b"), digest("x"), "", digest("a")]).tolist() == [1, -1, -1, 0]


def test_rows_are_arranged_repeated_and_left_empty() -> None:
    found = table({"a": [0, 0.5, 0.25, 0], "b": [0, 0, 0.75, 0]})
    moved = found.arranged(np.array([1, -1, 0, 0]))
    assert moved.pointers.tolist() == [0, 1, 1, 3, 5]
    assert moved.ids.tolist() == [2, 1, 2, 1, 2]
    assert moved.scores.tolist() == [0.75, 0.5, 0.25, 0.5, 0.25]
    assert moved.digests.any(axis=1).tolist() == [True, False, True, True]


def test_nothing_is_copied_where_nothing_moves() -> None:
    found = table({"a": [0, 0.5, 0, 0], "b": [0, 0, 0.5, 0]})
    assert found.arranged(np.array([0, 1])) is found


def test_of_rows_with_one_digest_the_last_counts() -> None:
    whole = joined([table({"a": [0, 0.5, 0, 0], "b": [0, 0.25, 0, 0]}), table({"a": [0, 0, 0, 0.75]})])
    assert len(whole) == 2
    assert told(whole, "a") == {"tom": 0.75}
    assert told(whole, "b") == {"cat": 0.25}


def test_an_empty_table_can_be_arranged() -> None:
    empty = table({})
    assert empty.arranged(np.array([-1, -1])).pointers.tolist() == [0, 0, 0]


def test_more_tags_than_two_bytes_number_take_four() -> None:
    many = TagList.plain(str(number) for number in range(65_537))
    assert id_type(many) is np.uint32
    assert id_type(TAGS) is np.uint16


def test_copies_of_one_image_are_one_row() -> None:
    twice = ScoreTable.of_lists(TAGS, [(digest("a"), [(1, 0.5)]), (digest("b"), []), (digest("a"), [(1, 0.75)])])
    once = joined([twice])
    assert (len(once), told(once, "a")) == (2, {"cat": 0.75})
