"""Which settings of masks and of what is kept do nothing."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.rules import contradictions
from sdtui.profile.schema import Profile

REGULARIZATION: list[dict[str, Any]] = [{"path": "y"}, {"path": "z", "regularization": True}]
MASKS: list[dict[str, Any]] = [{"path": "y", "masks": "m"}]
ALPHA: list[dict[str, Any]] = [{"path": "y", "alpha_mask": True}]
PLAIN: list[dict[str, Any]] = [{"path": "y"}]


def found(folders: list[dict[str, Any]], **sections: Any) -> dict[str, str]:
    """Key → message of what is found."""
    data = {
        "model": {"base": "x"},
        "dataset": {"folders": folders},
        "training": {"steps": 1},
        "saving": {"every_steps": 1},
        **sections,
    }
    findings = contradictions(Profile.model_validate(data), frozenset())
    assert all((finding.code, finding.severity) == ("no-effect", "warning") for finding in findings)
    return {finding.key: finding.message for finding in findings}


@pytest.mark.parametrize(
    ("prior", "key"),
    [
        ({"weight": 0.5}, "prior.weight"),
        ({"target": "frozen"}, "prior.target"),
        ({"trigger": "sks"}, "prior.trigger"),
        ({"class_weight": 0.5}, "prior.class_weight"),
    ],
)
def test_settings_of_what_is_not_there(prior: dict[str, Any], key: str) -> None:
    assert list(found(PLAIN, prior=prior)) == [key]


@pytest.mark.parametrize("objective", [{"unmasked_weight": 0.1}, {"unmasked_chance": 0.1}])
def test_shares_of_masks_without_masks(objective: dict[str, float]) -> None:
    name = next(iter(objective))
    message = f"objective.{name} has no effect: no folder has masks or alpha_mask"
    assert found(PLAIN, objective=objective) == {f"objective.{name}": message}
    assert not found(MASKS, objective=objective)
    assert not found(ALPHA, objective=objective)


@pytest.mark.parametrize("name", ["unmasked_weight", "unmasked_chance"])
def test_masks_that_are_passed_over(name: str) -> None:
    message = f"objective.{name} = 1 leaves the masks without effect"
    assert found(MASKS, objective={name: 1.0}) == {f"objective.{name}": message}


DRAWN: dict[str, Any] = {"path": "z", "regularization": True, "generate": 9, "class_tokens": "a dog"}


def rules(folder: dict[str, Any], **sections: Any) -> list[tuple[str, str, str]]:
    """(severity, code, key) of what is found of a folder beside plain images."""
    data = {
        "model": {"base": "x"},
        "dataset": {"folders": [*PLAIN, folder]},
        "training": {"steps": 1},
        "saving": {"every_steps": 1},
        **sections,
    }
    return [
        (finding.severity, finding.code, finding.key)
        for finding in contradictions(Profile.model_validate(data), frozenset())
    ]


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ({"regularization": False}, "contradiction", "generate"),
        ({"class_tokens": " "}, "missing", "class_tokens"),
        ({"layout": "kohya"}, "contradiction", "layout"),
    ],
    ids=["taught", "no-prompt", "kohya"],
)
def test_class_images_that_cannot_be_drawn(change: dict[str, Any], code: str, name: str) -> None:
    assert rules({**DRAWN, **change}) == [("error", code, f"dataset.folders[1].{name}")]


@pytest.mark.parametrize(
    "setting",
    [
        {"generate_negative": "blurry"},
        {"generate_steps": 20},
        {"generate_guidance": 5.0},
        {"generate_sampler": "euler"},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_how_class_images_are_drawn_needs_some(setting: dict[str, Any]) -> None:
    key = f"prior.{next(iter(setting))}"
    assert list(found(REGULARIZATION, prior=setting)) == [key]
    assert rules(DRAWN, prior=setting) == []
    if key == "prior.generate_negative":
        idle = [("warning", "no-effect", key)]
        assert rules(DRAWN, prior={**setting, "generate_guidance": 1.0}) == idle


@pytest.mark.parametrize("name", ["prefix", "suffix"])
def test_a_trigger_before_the_captions_of_the_class(name: str) -> None:
    captions = {name: "sks, "}
    warning = [("warning", "prefixed-class", f"dataset.folders[1].caption_{name}")]
    for folder in (DRAWN, REGULARIZATION[1]):
        assert rules(folder, captions=captions) == warning
        assert rules({**folder, f"caption_{name}": ""}, captions=captions) == []
    assert rules({"path": "z"}, captions=captions) == []


def test_what_weighs_nothing() -> None:
    assert list(found(REGULARIZATION, prior={"weight": 0})) == ["prior.weight"]
    assert list(found(PLAIN, prior={"class_caption": "dog", "class_weight": 0})) == ["prior.class_caption"]


def test_what_goes_together() -> None:
    assert not found(REGULARIZATION, prior={"weight": 0.5, "target": "frozen"})
    assert not found(PLAIN, prior={"class_caption": "dog", "trigger": "sks", "class_weight": 0.5})
    assert not found(PLAIN)
