from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from sdtui.tagging.decide import decide
from sdtui.tagging.rules import Rules
from sdtui.tagging.survey import Survey, Totals, counted
from sdtui.tagging.tag_list import TagList
from tests.tagging.helpers import digest, table

#             rating, cat, night_sky, tom
IMAGES = {
    "a": [0.9, 0.8, 0.4, 0.9],
    "b": [0.9, 0.5, 0.0, 0.0],
    "c": [0.9, 0.2, 0.3, 0.6],
    "d": [0.0, 0.0, 0.0, 0.0],
}
RULES = Rules(threshold=0.5)
CHARACTERS: Mapping[str, float] = {"character": 0.85}


@pytest.fixture
def survey() -> Survey:
    return Survey(table(IMAGES))


@pytest.mark.parametrize(
    ("rules", "kept", "empty"),
    [
        (RULES, 4, 1),
        (replace(RULES, above=True), 3, 2),
        (replace(RULES, ratings="keep"), 7, 1),
        (replace(RULES, categories=CHARACTERS), 3, 2),
        (replace(RULES, tags={"night sky": 0.3}), 6, 1),
        (replace(RULES, ban=frozenset({"cat"})), 2, 2),
        (replace(RULES, max_tags=1), 3, 1),
        (replace(RULES, threshold=1.0), 0, 4),
        (replace(RULES, threshold=0.0), 7, 1),
    ],
    ids=["plain", "above", "ratings", "category", "tag", "ban", "limit", "none", "all"],
)
def test_totals(survey: Survey, rules: Rules, kept: int, empty: int) -> None:
    assert survey.totals(rules) == Totals(4, kept, empty)


def test_the_places_of_other_thresholds_are_remembered_and_found_again(survey: Survey) -> None:
    """One survey asked in turn answers as new ones would."""
    for rules in (RULES, replace(RULES, categories=CHARACTERS), replace(RULES, tags={"cat": 0.1}), RULES):
        assert survey.totals(rules) == Survey(table(IMAGES)).totals(rules)


def test_the_whole_set_is_decided_as_its_images_are(survey: Survey) -> None:
    rules = replace(RULES, threshold=0.4, categories={"character": 0.7}, tags={"cat": 0.5}, above=True)
    kept = sum(len(decide(survey.table.scored(row), rules).kept) for row in range(4))
    assert survey.totals(rules).kept == kept == 2


def test_what_appears_and_vanishes_between_two_thresholds(survey: Survey) -> None:
    assert survey.changes(RULES, replace(RULES, threshold=0.3)) == {"night_sky": 2}
    assert survey.changes(RULES, replace(RULES, threshold=0.7)) == {"cat": -1, "tom": -1}
    assert survey.changes(RULES, RULES) == {}


def test_counts_by_tag(survey: Survey) -> None:
    assert survey.counts(RULES) == {"cat": 2, "tom": 2}


def test_a_histogram_of_a_tags_scores(survey: Survey) -> None:
    assert survey.histogram("cat", bins=4).tolist() == [1, 0, 1, 1]
    assert survey.histogram("night sky", bins=2).tolist() == [2, 0]
    assert survey.histogram("unknown", bins=2).tolist() == [0, 0]


def test_the_score_of_one_tag_in_every_image() -> None:
    found = table(IMAGES)
    rows = found.rows_of([digest("c"), digest("unseen"), digest("d"), digest("a")])
    scores = Survey(found.arranged(rows)).score_of("tom").tolist()
    assert [scores[0], scores[2], scores[3]] == pytest.approx([0.6, 0.0, 0.9], abs=1e-3)
    assert math.isnan(scores[1])


def test_an_image_without_scores_is_not_counted() -> None:
    found = table(IMAGES).arranged(np.array([0, -1]))
    assert Survey(found).totals(RULES) == Totals(1, 2, 0)


def test_a_set_without_scores_has_nothing_to_count() -> None:
    assert Survey(table({})).totals(RULES) == Totals(0, 0, 0)


@pytest.mark.parametrize(
    ("rules", "kept", "empty"),
    [
        (RULES, 4, 1),
        # One category alone is cut: cat 0.8 and 0.5 above a gap to 0.4 and 0; of c's 0.3 and 0.2 the gap is below both.
        (replace(RULES, mcut={"general": 0.0}), 6, 1),
        (replace(RULES, ratings="first"), 7, 1),
        (replace(RULES, aliases={"tom": "cat"}), 3, 1),
        (replace(RULES, implied={"tom": frozenset({"cat"})}), 3, 1),
        (replace(RULES, max_tokens=3), 4, 1),
    ],
    ids=["plain", "mcut", "ratings", "aliases", "implied", "tokens"],
)
def test_rules_that_look_at_images_are_counted_one_by_one(survey: Survey, rules: Rules, kept: int, empty: int) -> None:
    heard: list[int] = []
    totals, counts = counted(survey.table, rules, lambda text: len(text.split(", ")), heard.append)
    assert totals == Totals(4, kept, empty)
    assert counts.total() == kept
    assert heard == [1, 2, 3, 4]
    assert rules.by_image is (rules != RULES)


def test_a_tag_that_rates_by_its_name_alone_counts_as_it_is_decided() -> None:
    tags = TagList(("rating:safe", "cat"), ("general", "general"))
    of_one = Survey(table({"a": [0.9, 0.8]}, tags))
    assert of_one.totals(RULES) == counted(of_one.table, RULES)[0] == Totals(1, 1, 0)
