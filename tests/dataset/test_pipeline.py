"""The caption pipeline: a literal table of what captions read as, and the dice that decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sdtui.dataset import pipeline
from sdtui.dataset.pipeline import Moment, Parts
from sdtui.profile.schema import Captions

TAGS = "cat, sits, red, old"
REVERSED = {"shuffle 0": 0.9, "shuffle 1": 0.7, "shuffle 2": 0.4, "shuffle 3": 0.1}


def dice(numbers: Mapping[str, float] | None = None) -> Callable[[str], float]:
    """The numbers that a test fixes, and one half for every other purpose."""
    return lambda purpose: (numbers or {}).get(purpose, 0.5)


def at(numbers: Mapping[str, float] | None = None, step: int = 0, epoch: int = 0, total: int = 100) -> Moment:
    return Moment(step, epoch, total, dice(numbers))


def read(text: str, moment: Moment | None = None, **settings: Any) -> str:
    return pipeline.draw(text, Captions(**settings), moment or at())


# Caption, settings, numbers drawn, what the model reads.
TABLE: list[tuple[str, dict[str, Any], dict[str, float], str]] = [
    # As it stands: odd spacing too.
    ("a cat ,,  sits", {}, {}, "a cat ,,  sits"),
    ("", {}, {}, ""),
    # Prefix and suffix, as they stand; an image without a caption gets neither.
    ("a cat", {"prefix": "sks ", "suffix": ", film"}, {}, "sks a cat, film"),
    ("", {"prefix": "sks ", "suffix": ", film"}, {}, ""),
    # Dropout takes all of it, prefix included.
    ("a cat", {"dropout": 0.3, "prefix": "sks "}, {"caption": 0.29}, ""),
    ("a cat", {"dropout": 0.3, "prefix": "sks "}, {"caption": 0.3}, "sks a cat"),
    # Lines.
    ("a cat\nit sits", {}, {}, "a cat it sits"),
    ("a cat\nit sits", {"lines": "first"}, {}, "a cat"),
    ("a\nb\nc", {"lines": "random"}, {"line": 0.0}, "a"),
    ("a\nb\nc", {"lines": "random"}, {"line": 0.999}, "c"),
    ("a\nb\nc", {"lines": "random", "prefix": "x ", "suffix": " y"}, {"line": 0.4}, "x b y"),
    # Wildcards.
    ("a {red|blue|green} cat", {}, {}, "a {red|blue|green} cat"),
    ("a {red|blue|green} cat", {"wildcards": True}, {"wildcard 1": 0.7}, "a green cat"),
    ("{a|b} {a|b}", {"wildcards": True}, {"wildcard 1": 0.0, "wildcard 2": 0.9}, "a b"),
    ("a {small |}cat", {"wildcards": True}, {"wildcard 1": 0.6}, "a cat"),
    ("{{a|b}} {c}", {"wildcards": True}, {}, "{a|b} c"),
    ("{{{a|b}}}", {"wildcards": True}, {"wildcard 1": 0.9}, "{b}"),
    ("{} and {", {"wildcards": True}, {}, "{} and {"),
    ("cat", {"wildcards": True, "prefix": "{a|the} "}, {"wildcard 1": 0.9}, "the cat"),
    # Shuffle.
    (TAGS, {"shuffle": True}, REVERSED, "old, red, sits, cat"),
    ("cat,sits ,, red,", {"shuffle": True}, {"shuffle 1": 0.1}, "sits, cat, red"),
    ("cat. sits, down", {"shuffle": True, "separator": "."}, {"shuffle 1": 0.1}, "sits, down, cat"),
    # Kept tags: by their number, by one mark, by two marks. A mark never reaches the model.
    (TAGS, {"shuffle": True, "keep_tokens": 1}, REVERSED, "cat, old, red, sits"),
    (TAGS, {"shuffle": True, "keep_tokens": 9}, REVERSED, TAGS),
    (TAGS, {"keep_tokens": 2}, {}, TAGS),
    ("sks, cat ||| red, old", {"shuffle": True, "keep_separator": "|||"}, REVERSED, "sks, cat, old, red"),
    ("a ||| b, c ||| d, e", {"shuffle": True, "keep_separator": "|||"}, REVERSED, "a, c, b, d, e"),
    ("a ||| b ||| c ||| d", {"shuffle": True, "keep_separator": "|||"}, {}, "a, b, c ||| d"),
    ("sks ||| red, old", {"keep_separator": "|||"}, {}, "sks, red, old"),
    (TAGS, {"shuffle": True, "keep_separator": "|||", "keep_tokens": 3}, REVERSED, TAGS),
    # A prefix counts among the tags, as in kohya.
    ("red, old", {"shuffle": True, "keep_tokens": 1, "prefix": "sks, "}, REVERSED, "sks, old, red"),
    # Tag dropout.
    (TAGS, {"tag_dropout": 0.2}, {"tag 1": 0.19, "tag 2": 0.2}, "cat, red, old"),
    (TAGS, {"tag_dropout": 1.0, "keep_tokens": 1}, {}, "cat"),
    (TAGS, {"tag_dropout": 0.2, "shuffle": True}, {**REVERSED, "tag 1": 0.1}, "old, red, cat"),
    # Tags that stay together.
    ("cat;;;red, old", {"shuffle": True, "secondary_separator": ";;;"}, REVERSED, "old, cat,red"),
    ("cat;;;red, old", {"secondary_separator": ";;;"}, {}, "cat,red, old"),
    ("cat;;;red, old", {"tag_dropout": 0.2, "secondary_separator": ";;;"}, {"tag 0": 0.1}, "old"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "settings", "numbers", "expected"), TABLE)
def test_captions_read_as_the_table_says(
    text: str, settings: dict[str, Any], numbers: dict[str, float], expected: str
) -> None:
    assert read(text, at(numbers), **settings) == expected


def test_every_so_many_epochs_captions_are_empty() -> None:
    assert [read("cat", at(epoch=epoch), dropout_every=3) for epoch in range(7)] == [
        "cat", "cat", "", "cat", "cat", "", "cat",
    ]  # fmt: skip
    assert read("cat", at(), dropout_every=1) == ""


# kohya: floor(step · (tags - min) / warm-up) + min, here for 4 tags over 10 steps.
@pytest.mark.parametrize(
    ("least", "lengths"), [(1, [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4]), (3, [3] * 10 + [4, 4]), (0, [0, 0, 0, 1])]
)
def test_captions_grow_while_they_warm_up(least: int, lengths: list[int]) -> None:
    rules = Captions(token_warmup=10, token_warmup_min=least)
    assert [pipeline.warm_length(4, rules, at(step=step)) for step in range(len(lengths))] == lengths


def test_a_warm_up_longer_than_the_caption_holds_nothing_back() -> None:
    assert read(TAGS, at(step=3), token_warmup=10, token_warmup_min=9) == TAGS
    assert read("", at(step=3), token_warmup=10) == ""


def test_the_warm_up_counts_tags_that_may_move_and_comes_before_the_shuffle() -> None:
    settings = {"token_warmup": 10, "keep_tokens": 1, "shuffle": True}
    assert read(TAGS, at(REVERSED, step=5), **settings) == "cat, red, sits"
    assert read(TAGS, at(REVERSED, step=10), **settings) == "cat, old, red, sits"


def test_a_warm_up_may_be_a_share_of_the_run() -> None:
    assert read(TAGS, at(step=9, total=100), token_warmup=0.1) == "cat, sits, red"
    assert read(TAGS, at(step=10, total=100), token_warmup=0.1) == TAGS


def test_parts_are_told_apart() -> None:
    rules = Captions(keep_separator="|||", keep_tokens=1)
    assert pipeline.split("a, b ||| c, d ||| e", rules) == Parts(["a", "b"], ["c", "d"], ["e"])
    assert pipeline.split("a, b, c", rules) == Parts(["a"], ["b", "c"], [])


def test_one_setting_never_moves_the_numbers_of_another() -> None:
    asked: list[str] = []

    def roll(purpose: str) -> float:
        asked.append(purpose)
        return 0.5

    rules = Captions(shuffle=True, tag_dropout=0.1, wildcards=True, lines="random", keep_tokens=1)
    pipeline.draw("{a|b}, c, d\ne", rules, Moment(0, 0, 1, roll))
    assert asked == ["caption", "line"]
    asked.clear()
    pipeline.draw("{a|b}, c, d", rules, Moment(0, 0, 1, roll))
    assert asked == ["caption", "line", "wildcard 1", "shuffle 0", "shuffle 1", "tag 0", "tag 1"]


def test_a_caption_as_a_whole_has_all_its_tags_in_their_order() -> None:
    rules = Captions(
        dropout=0.9, dropout_every=1, tag_dropout=0.9, shuffle=True, token_warmup=0.9, prefix="sks, ", lines="first"
    )
    assert pipeline.whole("cat, sits, red\nold", rules) == "sks, cat, sits, red"
    assert pipeline.whole("", rules) == ""


def test_a_caption_without_chance_has_all_its_tags_the_first_line_and_the_first_options() -> None:
    rules = Captions(
        dropout=0.9, dropout_every=1, tag_dropout=0.9, shuffle=True, token_warmup=0.9, lines="random", wildcards=True
    )
    assert pipeline.unvaried("{red|blue} cat, sits,{old|young}\na dog", rules) == "red cat, sits, old"
    assert pipeline.unvaried("", rules) == ""
