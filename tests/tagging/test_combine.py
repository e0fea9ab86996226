from __future__ import annotations

import numpy as np
import pytest

from sdtui.tagging.combine import How, combined
from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.tag_list import TagList
from tests.tagging.helpers import digest

ONE = TagList(("cat", "night_sky"), ("general", "general"))
OTHER = TagList(("night sky", "dog", "cat"), ("general", "general", "character"))


def table(tags: TagList, *rows: list[float]) -> ScoreTable:
    return ScoreTable.of(tags, [digest(str(row)) for row in range(len(rows))], np.array(rows, np.float32))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("union", {"cat": 0.5, "night_sky": 0.25, "dog": 0.75}),
        ("maximum", {"cat": 0.625, "night_sky": 0.25, "dog": 0.75}),
        # dog is known to one tagger only; the other gave night_sky nothing.
        ("mean", {"cat": 0.5625, "night_sky": 0.125, "dog": 0.75}),
        ("intersection", {"cat": 0.5, "dog": 0.75}),
    ],
)
def test_what_a_tag_comes_to_where_taggers_differ(how: How, expected: dict[str, float]) -> None:
    found = combined([table(ONE, [0.5, 0.25]), table(OTHER, [0.0, 0.75, 0.625])], how)
    assert {tag.name: tag.score for tag in found.scored(0)} == expected


def test_tags_keep_the_spelling_and_category_of_the_first_tagger() -> None:
    found = combined([table(ONE, [0.5, 0.25]), table(OTHER, [0.5, 0.75, 0.625])], "union")
    assert found.tags == TagList(("cat", "night_sky", "dog"), ("general", "general", "general"))


def test_rows_stay_apart_and_highest_first() -> None:
    one = table(ONE, [0.5, 0.75], [0.0, 0.0], [0.25, 0.0])
    found = combined([one, table(OTHER, [0.0, 0.0, 0.0], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0])], "maximum")
    assert [[tag.name for tag in found.scored(row)] for row in range(3)] == [["night_sky", "cat"], ["cat"], ["cat"]]


def test_an_image_that_one_tagger_scored_counts_as_scored() -> None:
    one = table(ONE, [0.5, 0.75]).arranged(np.array([0, -1]))
    other = table(OTHER, [0.5, 0.75, 0.5]).arranged(np.array([-1, -1]))
    assert combined([one, other], "union").digests.any(axis=1).tolist() == [True, False]


def test_one_tagger_is_itself() -> None:
    only = table(ONE, [0.5, 0.25])
    assert combined([only], "mean") is only


@pytest.mark.parametrize(
    ("how", "scored", "scores"),
    [("mean", [True, False], [0.5]), ("intersection", [True, False], [0.5]), ("maximum", [True, True], [0.5, 0.75])],
    ids=["mean", "intersection", "maximum"],
)
def test_what_only_one_tagger_has_looked_at_is_neither_halved_nor_agreed_on(
    how: How, scored: list[bool], scores: list[float]
) -> None:
    one = table(ONE, [0.5, 0.0], [0.75, 0.0])
    other = table(OTHER, [0.0, 0.0, 0.5], [0.0, 0.0, 0.5]).arranged(np.array([0, -1]))
    found = combined([one, other], how)
    assert found.digests.any(axis=1).tolist() == scored
    assert found.scores.tolist() == scores


@pytest.mark.parametrize(("how", "score"), [("mean", 0.5), ("intersection", 0.25), ("maximum", 0.75)])
def test_a_tag_that_a_tagger_lists_twice_counts_once(how: How, score: float) -> None:
    twice = TagList(("red hair", "red_hair"), ("general", "general"))
    found = combined([table(twice, [0.25, 0.75]), table(TagList.plain(["red_hair"]), [0.25])], how)
    assert {tag.name: tag.score for tag in found.scored(0)} == {"red hair": score}
