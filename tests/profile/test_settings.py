"""The flat list of settings: what the form, --set and the docs page see of a declaration."""

from __future__ import annotations

import pytest

from sdtui.profile.settings import BY_KEY, SECTIONS, SETTINGS, find, template

# Sections with settings that may be left out without another value taking their place here.
OPTIONAL = {"training", "optimizer", "dataset.folders[]", "method.words[]"}


def test_every_setting_is_told_in_full() -> None:
    for setting in SETTINGS:
        assert setting.help.endswith("."), setting.key
        assert setting.allowed, setting.key
        assert setting.required or setting.default is not None or setting.section in OPTIONAL


def test_sections_in_the_order_of_the_form() -> None:
    assert SECTIONS == (
        "",
        "model",
        "method",
        "method.words[]",
        "dataset",
        "dataset.folders[]",
        "augment",
        "captions",
        "training",
        "objective",
        "prior",
        "validation",
        "optimizer",
        "schedule",
        "previews",
        "saving",
        "launch",
    )


@pytest.mark.parametrize(
    ("key", "type_name", "allowed", "unit"),
    [
        ("method.rank", "whole number", "whole number 1…1 024", ""),
        ("method.alpha", "number", "number above 0, up to 4 096", ""),
        ("method.dropout", "number", "number 0…1, 1 itself not", "share of 1"),
        ("method.text_encoder", "true or false", "true or false, without quotes", ""),
        (
            "method.targets",
            "list",
            'list of "attention" or "feed-forward" or "projection" or "convolution" or "edges"',
            "",
        ),
        ("dataset.bucket_step", "whole number", "whole number 8…256, a multiple of 8", "px"),
        ("optimizer.betas", "list", "list of 2, each a number 0…1, 1 itself not", ""),
        ("schedule.warmup", "number", "whole number from 0, or number 0…1, 1 itself not", "steps or share of 1"),
        ("training.precision", "one of", '"auto" or "fp32" or "bf16" or "fp16"', ""),
        ("training.steps", "whole number", "whole number 1…100 000 000", "steps"),
        ("training.device", "text", "auto, cpu, cuda, cuda:0, cuda:1 … or mps", ""),
    ],
)
def test_words_for_types_and_ranges(key: str, type_name: str, allowed: str, unit: str) -> None:
    setting = BY_KEY[key]
    assert (setting.type_name, setting.allowed, setting.unit) == (type_name, allowed, unit)


def test_choices_and_defaults() -> None:
    assert BY_KEY["schedule.name"].choices[:3] == ("constant", "linear", "cosine")
    assert BY_KEY["optimizer.name"].type_name == "one of"
    assert BY_KEY["optimizer.args"].type_name == "table"
    assert BY_KEY["method.targets"].choices == ("attention", "feed-forward", "projection", "convolution", "edges")
    assert BY_KEY["method.rank"].default == 16
    assert BY_KEY["model.base"].required
    assert BY_KEY["schema"].default == 1


def test_a_concrete_key_finds_its_declaration() -> None:
    assert template("dataset.folders[3].path") == "dataset.folders[].path"
    assert find("dataset.folders[3].path") is BY_KEY["dataset.folders[].path"]
    assert find("method.rnak") is None
