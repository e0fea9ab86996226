from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from sdtui.tagging.decide import CountTokens, decide
from sdtui.tagging.rules import Rules
from sdtui.tagging.score_table import ScoreTable
from sdtui.tagging.survey import Survey, Totals, counting
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


# What the images have together decides; each with the tags that are kept in all, and how often.
TOGETHER = [
    # The general tags of each are cut: cat 0.8 and 0.5 stand above a gap to 0.4 and 0; of c's 0.3 and 0.2 the gap is below both.
    (replace(RULES, mcut={"general": 0.0}), {"cat": 3, "night_sky": 1, "tom": 2}, 1),
    (replace(RULES, mcut={"general": 0.6}), {"cat": 1, "tom": 2}, 2),
    (replace(RULES, mcut={"general": 0.0}, tags={"cat": 0.7}, ban=frozenset({"tom"})), {"cat": 1, "night_sky": 1}, 2),
    (replace(RULES, ratings="first"), {"general": 3, "cat": 2, "tom": 2}, 1),
    (replace(RULES, ratings="last", ban=frozenset({"general"})), {"cat": 2, "tom": 2}, 1),
    # a has cat 0.8 and tom 0.9, which are one tag now, b cat alone, c tom alone.
    (replace(RULES, aliases={"tom": "cat"}), {"cat": 3}, 1),
    (replace(RULES, aliases={"tom": "thomas"}, ban=frozenset({"thomas"})), {"cat": 2}, 2),
    (replace(RULES, implied={"tom": frozenset({"cat"})}), {"cat": 1, "tom": 2}, 1),
    # By their new names: c has no cat that tom says.
    (replace(RULES, aliases={"tom": "thomas"}, implied={"thomas": frozenset({"cat"})}), {"cat": 1, "thomas": 2}, 1),
    (replace(RULES, max_tags=1), {"cat": 1, "tom": 2}, 1),
    (replace(RULES, max_tags=1, first=("cat",)), {"cat": 2, "tom": 1}, 1),
    (replace(RULES, max_tags=1, ratings="keep", first=("tom", "cat")), {"general": 0, "cat": 1, "tom": 2}, 1),
]


@pytest.mark.parametrize(("rules", "counts", "empty"), TOGETHER, ids=[
    "gap", "floor", "gap-and-own", "rating", "banned-rating", "alias", "banned-alias", "implied", "implied-alias", "limit",
    "first", "two-first",
])  # fmt: skip
def test_rules_that_look_at_whole_images(survey: Survey, rules: Rules, counts: Mapping[str, int], empty: int) -> None:
    counts = {tag: number for tag, number in counts.items() if number}
    assert survey.totals(rules) == Totals(4, sum(counts.values()), empty)
    assert survey.counts(rules) == counts
    assert last(survey.table, rules) == (4, Totals(4, sum(counts.values()), empty), counts)
    assert survey.knows(rules)


def test_changes_are_by_new_names() -> None:
    survey = Survey(table(IMAGES))
    renamed = replace(RULES, aliases={"tom": "cat"})
    assert survey.changes(RULES, renamed) == {"tom": -2, "cat": 1}
    assert survey.changes(renamed, replace(renamed, threshold=0.85)) == {"cat": -2}


def test_what_takes_a_second_once_is_known_afterwards(survey: Survey) -> None:
    rules = replace(RULES, implied={"tom": frozenset({"cat"})})
    assert survey.knows(RULES)
    assert not survey.knows(rules)
    survey.totals(rules)
    assert survey.knows(replace(rules, threshold=0.9))
    assert not survey.knows(replace(rules, ratings="first"))


def last(
    found: ScoreTable, rules: Rules, count_tokens: CountTokens | None = None
) -> tuple[int, Totals, Mapping[str, int]]:
    """What counting image by image comes to."""
    return list(counting(found, rules, count_tokens))[-1]


def test_images_are_counted_one_by_one_for_a_limit_of_tokens(survey: Survey) -> None:
    told = counting(survey.table, replace(RULES, max_tokens=3), len, every=2)
    # Characters are counted here: "cat" has three, "tom" as well.
    assert [(images, totals) for images, totals, _ in told] == [
        (2, Totals(2, 2, 0)),
        (4, Totals(4, 3, 1)),
        (4, Totals(4, 3, 1)),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_all_rules_at_once_are_what_deciding_image_by_image_gives(seed: int) -> None:
    """Scores in steps of a tenth, so that equal ones are many; tags of two spellings among them."""
    random = np.random.default_rng(seed)
    names = ("rating:safe", "rating:odd", "a_b", "a b", "c", "d", "e", "f", "miku", "rin")
    kinds = ("rating", "rating", *["general"] * 6, "character", "character")
    images = {str(at): random.choice(10, len(names)) / 10 for at in range(40)}
    found = table({name: row.tolist() for name, row in images.items()}, TagList(names, kinds))
    survey = Survey(found)
    for step in (0.0, 0.3, 0.55):
        rules = Rules(
            threshold=step,
            above=bool(seed % 2),
            categories={"character": 0.6},
            tags={"d": 0.7, "e": 2.0} if seed % 3 else {},
            mcut={"general": 0.0, "character": 0.15} if seed % 4 == 1 else {},
            ratings=("drop", "keep", "first", "last")[seed % 4],
            ban=frozenset({"rin"} if seed > 4 else ()),
            first=("f", "miku") if seed % 2 else (),
            aliases={"c": "f"} if seed > 1 else {},
            implied={"f": frozenset({"a_b"}), "miku": frozenset({"f", "rin"})} if seed > 2 else {},
            max_tags=3 if seed != 3 else None,
        )
        images_counted, totals, counts = last(found, rules)
        assert (images_counted, survey.totals(rules), survey.counts(rules)) == (40, totals, counts)


def test_a_tag_that_rates_by_its_name_alone_counts_as_it_is_decided() -> None:
    tags = TagList(("rating:safe", "cat"), ("general", "general"))
    of_one = Survey(table({"a": [0.9, 0.8]}, tags))
    assert of_one.totals(RULES) == last(of_one.table, RULES)[1] == Totals(1, 1, 0)
