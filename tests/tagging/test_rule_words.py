"""What is said of the rules in words, made into rules."""

from __future__ import annotations

import pytest

from sdtui.errors import UserError
from sdtui.tagging.rule_words import RuleWords, rules_of
from sdtui.tagging.rules import A1111, WD
from sdtui.tagging.tag_list import TagList

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
