"""`--set key=value`."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.override import overlay, parse_value
from sdtui.profile.settings import BY_KEY


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("method.rank", "8", 8),
        ("method.rank", "many", "many"),
        ("method.alpha", "1e-3", 0.001),
        ("method.text_encoder", "true", True),
        ("method.text_encoder", '"true"', "true"),
        ("name", "7", "7"),
        ("name", '"quoted"', "quoted"),
        ("model.base", r"C:\x", r"C:\x"),
        ("training.precision", "bf16", "bf16"),
        ("optimizer.betas", "0.9,0.95", [0.9, 0.95]),
        ("method.targets", "attention, projection", ["attention", "projection"]),
        ("previews.prompts", "a cat, a hat --w 64", ["a cat, a hat --w 64"]),
        ("previews.prompts", '["a", "b"]', ["a", "b"]),
        ("captions.prefix", "", ""),
    ],
)
def test_values(key: str, raw: str, value: object) -> None:
    parsed = parse_value(BY_KEY[key], raw)
    assert parsed == value
    assert type(parsed) is type(value)


def test_a_value_cannot_bring_a_second_setting() -> None:
    assert parse_value(BY_KEY["method.rank"], "8\nseed = 3") == "8\nseed = 3"


def test_brackets_without_end_are_text() -> None:
    raw = "[" * 3000
    assert parse_value(BY_KEY["method.rank"], raw) == raw


def test_overlay_makes_sections_and_wins() -> None:
    data: dict[str, Any] = {"method": {"rank": 4}, "dataset": {"folders": [{"path": "a"}]}}
    laid = overlay(data, ["method.rank=8", "training.steps = 20", "dataset.folders[0].path=b", "method.rank=9"])
    assert laid.data == {"method": {"rank": 9}, "dataset": {"folders": [{"path": "b"}]}, "training": {"steps": 20}}
    assert laid.findings == ()


def test_steps_take_the_place_of_epochs() -> None:
    assert overlay({"training": {"epochs": 3}}, ["training.steps=20"]).data == {"training": {"steps": 20}}
    both = overlay({"training": {"epochs": 3}}, ["training.steps=20", "training.epochs=2"])
    assert both.data == {"training": {"steps": 20, "epochs": 2}}


@pytest.mark.parametrize("override", ["rank", "=8", "a b=3", "dataset.folders[4].path=x", "name.x=3"])
def test_what_is_not_key_value(override: str) -> None:
    (finding,) = overlay({"name": "n"}, [override]).findings
    assert finding.code == "override"
