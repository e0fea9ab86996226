from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from sdtui.tagging.decide import caption, decide
from sdtui.tagging.rules import A1111, MCUT_FLOORS, WD, Rules
from sdtui.tagging.tag_list import CHARACTER, GENERAL, RATING
from sdtui.tagging.threshold import Scored

EXAMPLE = {
    "1girl": 1.000,
    "blush": 0.986,
    "long_hair": 0.981,
    "solo": 0.980,
    "japanese_clothes": 0.918,
    "rating:safe": 0.912,
    "bangs": 0.798,
    "wide_sleeves": 0.795,
    "blunt_bangs": 0.731,
    "long_sleeves": 0.637,
    "monochrome": 0.628,
}
PLAIN = Rules(order="model", escape=False)


def scored(scores: Mapping[str, float]) -> list[Scored]:
    return [
        Scored(name, score, RATING if name.startswith("rating:") else GENERAL, place)
        for place, (name, score) in enumerate(scores.items())
    ]


def test_the_deepbooru_example_comes_out_as_a1111_writes_it() -> None:
    rules = replace(A1111, threshold=0.75, order="score")
    assert caption(scored(EXAMPLE), rules) == ("1girl, blush, long hair, solo, japanese clothes, bangs, wide sleeves")


def test_ratings_stay_where_they_are_asked_for() -> None:
    rules = replace(A1111, threshold=0.75, order="score", ratings="keep")
    assert caption(scored(EXAMPLE), rules) == (
        "1girl, blush, long hair, solo, japanese clothes, rating:safe, bangs, wide sleeves"
    )


def test_the_best_rating_comes_first_or_last_whatever_its_score() -> None:
    tags = scored({"a": 0.9, "rating:safe": 0.3, "rating:explicit": 0.1})
    assert caption(tags, replace(PLAIN, ratings="first")) == "rating:safe, a"
    assert caption(tags, replace(PLAIN, ratings="last")) == "a, rating:safe"


def test_a1111_sorts_the_raw_tags_before_it_writes_blanks() -> None:
    # "^" is 0x5e and "_" 0x5f: with blanks (0x20) "a b" would stand before "a^b".
    assert caption(scored({"a_b": 0.9, "a^b": 0.8, "Zebra": 0.7}), A1111) == "Zebra, a^b, a b"


def test_a1111_keeps_what_equals_the_threshold_and_the_wd_rules_do_not() -> None:
    tags = scored({"equal": 0.5, "below": 0.49})
    assert caption(tags, replace(A1111, threshold=0.5)) == "equal"
    assert caption(tags, replace(WD, threshold=0.5)) == ""


def test_escaping_is_a1111s_round_brackets_and_backslashes_only() -> None:
    assert caption(scored({"fate_(series)": 0.9, "a\\b": 0.8, "[x]:{y}": 0.7}), replace(A1111, order="model")) == (
        r"fate \(series\), a\\b, [x]:{y}"
    )


def test_a1111_breaks_faces_and_the_list_of_faces_saves_them() -> None:
    tags = scored({"^_^": 0.9, "||_||": 0.8, "long_hair": 0.7})
    assert caption(tags, PLAIN) == "^ ^, || ||, long hair"
    assert caption(tags, replace(PLAIN, faces=True)) == "^_^, ||_||, long hair"


def test_underscores_stay_without_spaces() -> None:
    assert caption(scored({"long_hair": 0.9}), replace(PLAIN, spaces=False)) == "long_hair"


def test_ranks_have_three_decimals_around_the_escaped_tag() -> None:
    assert caption(scored({"fate_(series)": 0.98}), replace(A1111, ranks=True)) == r"(fate \(series\):0.980)"


def test_banned_tags_are_told_apart_by_neither_blanks_nor_underscores() -> None:
    tags = scored({"long_hair": 0.9, "flat style": 0.8, "solo": 0.7})
    assert caption(tags, replace(PLAIN, ban=frozenset({" long hair ", "flat_style"}))) == "solo"


def test_a_tag_has_its_own_threshold_before_its_categorys_and_the_general_one() -> None:
    tags = [
        Scored("general", 0.55, GENERAL, 0),
        Scored("miku", 0.80, CHARACTER, 1),
        Scored("saber", 0.80, CHARACTER, 2),
        Scored("solo", 0.95, GENERAL, 3),
    ]
    rules = replace(PLAIN, categories={CHARACTER: 0.85}, tags={"saber": 0.7, "solo": 1.1})
    assert caption(tags, rules) == "general, saber"


def test_wd_puts_characters_first_and_sorts_by_score() -> None:
    tags = [
        Scored("general", 0.9, RATING, 0),
        Scored("long_hair", 0.6, GENERAL, 1),
        Scored("1girl", 0.99, GENERAL, 2),
        Scored("hatsune_miku", 0.97, CHARACTER, 3),
        Scored("saber_(fate)", 0.84, CHARACTER, 4),
    ]
    assert caption(tags, WD) == "hatsune miku, 1girl, long hair"


def test_mcut_cuts_at_the_largest_gap_of_each_category_with_a_floor_for_characters() -> None:
    tags = [
        Scored("a", 0.9, GENERAL, 0),
        Scored("b", 0.8, GENERAL, 1),
        Scored("c", 0.3, GENERAL, 2),
        Scored("d", 0.2, GENERAL, 3),
        # The largest gap is 0.12 … 0.02: its middle is 0.07, the floor 0.15.
        Scored("miku", 0.12, CHARACTER, 4),
        Scored("rin", 0.02, CHARACTER, 5),
    ]
    assert caption(tags, replace(PLAIN, mcut=MCUT_FLOORS)) == "a, b"
    assert caption(tags, replace(PLAIN, mcut={GENERAL: 0.0, CHARACTER: 0.0})) == "a, b, miku"


def test_tags_that_stand_first_do_so_in_the_given_order_where_they_are_kept() -> None:
    tags = scored({"a": 0.9, "1boy": 0.8, "1girl": 0.7, "solo": 0.1})
    assert caption(tags, replace(PLAIN, first=("1girl", "1boy", "solo"))) == "1girl, 1boy, a"


def test_an_alias_renames_and_the_higher_score_of_two_counts() -> None:
    tags = scored({"lass": 0.6, "1girl": 0.9, "hat": 0.8})
    rules = replace(PLAIN, aliases={"lass": "1girl"}, ranks=True)
    assert caption(tags, rules) == "(1girl:0.900), (hat:0.800)"
    assert [(tag.score, why) for tag, why in decide(tags, rules).dropped] == [(0.6, "alias")]


def test_implied_tags_go_only_beside_the_tag_that_says_more() -> None:
    rules = replace(PLAIN, implied={"fingerless_gloves": frozenset({"gloves"})})
    assert caption(scored({"gloves": 0.9, "fingerless_gloves": 0.8}), rules) == "fingerless gloves"
    assert caption(scored({"gloves": 0.9, "fingerless_gloves": 0.2}), rules) == "gloves"


def test_order_by_margin_compares_tags_with_different_thresholds() -> None:
    # (0.8 − 0.7) / 0.3 = 0.33 and (0.65 − 0.3) / 0.7 = 0.5
    tags = scored({"strong": 0.8, "weak": 0.65})
    rules = replace(PLAIN, threshold=0.3, tags={"strong": 0.7})
    assert caption(tags, replace(rules, order="margin")) == "weak, strong"
    assert caption(tags, replace(rules, order="score")) == "strong, weak"


def test_a_limit_of_tags_keeps_the_highest_scores_in_the_wanted_order() -> None:
    tags = scored({"a": 0.6, "b": 0.9, "c": 0.8})
    assert caption(tags, replace(PLAIN, max_tags=2)) == "b, c"
    assert caption(tags, replace(PLAIN, max_tags=2, first=("a",))) == "a, b"


def test_a_limit_of_tokens_counts_the_text_as_it_is_written() -> None:
    tags = scored({"long_hair": 0.6, "b": 0.9, "c": 0.8})
    rules = replace(PLAIN, max_tokens=4)
    # Blanks and commas are counted here: "b, c" has four characters.
    assert caption(tags, rules, len) == "b, c"
    with pytest.raises(ValueError, match="counts tokens"):
        caption(tags, rules)


def test_every_dropped_tag_says_why() -> None:
    tags = scored({"rating:safe": 0.9, "low": 0.1, "bad": 0.9, "gloves": 0.9, "fur_gloves": 0.9, "extra": 0.51})
    rules = replace(PLAIN, ban=frozenset({"bad"}), implied={"fur_gloves": frozenset({"gloves"})}, max_tags=1)
    assert {tag.name: why for tag, why in decide(tags, rules).dropped} == {
        "rating:safe": "rating",
        "low": "below",
        "bad": "banned",
        "gloves": "implied",
        "extra": "limit",
    }


def test_the_best_rating_stands_first_under_its_new_name() -> None:
    rules = replace(PLAIN, ratings="first", aliases={"rating:safe": "sfw"})
    assert caption(scored({"a": 0.9, "rating:safe": 0.3}), rules) == "sfw, a"


def test_the_margin_of_a_renamed_tag_is_that_of_its_own_threshold() -> None:
    # (0.8 − 0.7) / 0.3 = 0.33 and (0.65 − 0.3) / 0.7 = 0.5
    rules = replace(PLAIN, threshold=0.3, tags={"strong": 0.7}, aliases={"strong": "mighty"}, order="margin")
    assert caption(scored({"strong": 0.8, "weak": 0.65}), rules) == "weak, mighty"


def test_a_banned_name_does_not_come_as_an_alias_either() -> None:
    rules = replace(PLAIN, aliases={"lass": "1girl"}, ban=frozenset({"1girl"}))
    decision = decide(scored({"lass": 0.6, "hat": 0.8}), rules)
    assert (decision.text(rules), [why for _, why in decision.dropped]) == ("hat", ["banned"])
