"""Captions that the text encoder does not read to their end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sdtui.dataset.buckets import Bucket
from sdtui.dataset.collect import Sample
from sdtui.dataset.image import ImageFacts
from sdtui.models.caption_length import cut_captions
from sdtui.profile.schema import Profile


def told(*texts: str, folder: dict[str, Any] | None = None, **captions: Any) -> str:
    facts = ImageFacts(Path("x.png"), 64, 64)
    samples = [Sample(Path(f"{number}.png"), text, 1, facts, Bucket(64, 64), "a") for number, text in enumerate(texts)]
    profile = {"model": {"base": "m"}, "dataset": {"folders": [{"path": "a", **(folder or {})}]}, "captions": captions}
    return cut_captions(Profile.model_validate(profile), samples)


def test_captions_within_the_limit_are_not_told_of() -> None:
    assert told("", "cat", "cat " * 75) == ""
    assert told("cat " * 150, max_tokens=150) == ""


def test_the_longer_ones_are_counted_and_the_first_is_named() -> None:
    assert (
        told("cat", "cat " * 76)
        == "1 caption is longer than captions.max_tokens = 75, and cut: the first is that of 1.png"
    )
    assert told("cat " * 300, "cat " * 300, max_tokens=225).startswith(
        "2 captions are longer than captions.max_tokens = 225"
    )


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("cat " * 75, {"prefix": "a "}),
        ("cat " * 75, {"folder": {"caption_suffix": "dog"}}),
        ("cat, " * 38 + "\n" + "cat, " * 38, {"lines": "join"}),
        ("cat, " * 38, {"tag_dropout": 0.9, "token_warmup": 10, "dropout": 0.9, "shuffle": True, "suffix": "dog"}),
    ],
)
def test_what_is_judged_is_what_is_read_when_nothing_is_left_out(text: str, settings: dict[str, Any]) -> None:
    assert told(text, **settings).startswith("1 caption is longer")


def test_brackets_that_weigh_take_no_place() -> None:
    text = "(cat:1.2) " * 75
    assert told(text) != ""
    assert told(text, weighted=True) == ""
