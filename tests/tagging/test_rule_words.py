"""What is said of the rules in words, made into rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.dataset import vocabulary_file
from sdtui.errors import UserError
from sdtui.tagging.decide import caption
from sdtui.tagging.rule_words import RuleWords, rules_of
from sdtui.tagging.rules import A1111, WD
from sdtui.tagging.tag_list import TagList
from sdtui.tagging.threshold import Scored

PLAIN = TagList(("solo", "=_=", "long_hair"), ("general", "general", "general"))
WITH_CHARACTERS = TagList(("solo", "saber"), ("general", "character"))


def test_nothing_said_is_the_preset_that_suits_the_tagger() -> None:
    assert rules_of(RuleWords(), "any", PLAIN) == A1111
    assert rules_of(RuleWords(), "any", WITH_CHARACTERS) == WD


def test_what_is_said_stands_in_place_of_the_preset() -> None:
    said = RuleWords(
        preset="wd", threshold="0.6", tag=["=_==0.9"], ban=["solo"], order="alphabet", spaces=False, max_tags=3
    )
    rules = rules_of(said, "any", PLAIN)
    assert (rules.threshold, dict(rules.tags), rules.ban) == (0.6, {"=_=": 0.9}, frozenset({"solo"}))
    assert (rules.order, rules.spaces, rules.faces, rules.max_tags) == ("alphabet", False, True, 3)


def test_the_threshold_of_equal_precision_and_recall_is_the_models() -> None:
    assert rules_of(RuleWords(threshold="p=r"), "wd-vit-tagger-v3", PLAIN).threshold == 0.2614


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (RuleWords(threshold="much"), "'much' is no threshold"),
        (RuleWords(ban=["sollo"]), "the tagger knows no tag 'sollo'"),
        (RuleWords(category=["artist=0.5"]), "the tagger has no category 'artist'"),
        (RuleWords(tag=["solo"]), "'solo' is not NAME=THRESHOLD"),
    ],
    ids=["threshold", "tag", "category", "form"],
)
def test_what_makes_no_sense_is_told(said: RuleWords, message: str) -> None:
    with pytest.raises(UserError) as caught:
        rules_of(said, "any", PLAIN)
    assert caught.value.message == message


def test_a_category_with_a_threshold_of_its_own_keeps_it_beside_mcut() -> None:
    said = RuleWords(threshold="mcut", category=["character=0.9"])
    rules = rules_of(said, "any", WITH_CHARACTERS)
    assert (dict(rules.mcut), rules.categories["character"]) == ({"general": 0.0}, 0.9)


def test_a_tag_can_be_named_as_it_comes_out_under_aliases(own_folders: Path) -> None:
    vocabulary_file.folder().mkdir(parents=True)
    (vocabulary_file.folder() / "danbooru.csv").write_text('alone,0,10,"solo"\n')
    rules = rules_of(RuleWords(aliases=True, ban=["alone"]), "any", PLAIN)
    assert caption([Scored("solo", 0.9, "general", 0), Scored("long_hair", 0.8, "general", 2)], rules) == "long hair"
    with pytest.raises(UserError, match="knows no tag 'alone'"):
        rules_of(RuleWords(ban=["alone"]), "any", PLAIN)
