"""What stands in the fields of the rules, made into words of rules."""

from __future__ import annotations

import pytest

from sdtui.errors import UserError
from sdtui.tagging.rule_words import RuleWords
from sdtui.tui.captions.rules_form import FIELDS, words_in


def test_every_word_of_rules_has_a_field_but_a_single_tags_threshold() -> None:
    assert {*FIELDS, "tag"} == set(RuleWords.__dataclass_fields__)


def test_fields_that_say_nothing_leave_the_preset() -> None:
    assert words_in({"preset": "preset", "ban": " ", "spaces": "preset", "aliases": "no"}) == RuleWords()


def test_fields_are_the_words() -> None:
    typed = {
        "preset": "wd", "threshold": "mcut", "category": "character=0.9, meta=1", "ban": "sky , sea,", "first": "solo",
        "order": "margin", "ratings": "last", "max_tags": "7", "max_tokens": "75", "spaces": "no", "faces": "yes",
        "escape": "yes", "ranks": "no", "aliases": "yes", "implications": "yes",
    }  # fmt: skip
    assert words_in(typed) == RuleWords(
        preset="wd", threshold="mcut", category=["character=0.9", "meta=1"], ban=["sky", "sea"], first=["solo"],
        order="margin", ratings="last", max_tags=7, max_tokens=75, spaces=False, faces=True, escape=True, ranks=False,
        aliases=True, implications=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"max_tags": "many"}, "max-tags: many is not a whole number"),
        ({"order": "colour"}, "order: there is no 'colour'"),
    ],
    ids=["number", "choice"],
)
def test_what_makes_no_sense_is_told(typed: dict[str, str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        words_in(typed)
    assert caught.value.message == message
