"""Settings that contradict each other."""

from __future__ import annotations

from typing import Any

import pytest

from sdtui.profile.rules import RULES, contradictions, unused
from sdtui.profile.schema import Profile
from sdtui.profile.settings import BY_KEY

SOUND: dict[str, Any] = {
    "model": {"base": "m"},
    "dataset": {"folders": [{"path": "a"}]},
    "training": {"steps": 100},
    "saving": {"every_steps": 10},
}


def _profile(changes: dict[str, dict[str, Any]]) -> Profile:
    return Profile.model_validate({**SOUND, **{name: SOUND.get(name, {}) | change for name, change in changes.items()}})


def test_a_sound_profile_has_none() -> None:
    assert contradictions(_profile({}), frozenset()) == []


@pytest.mark.parametrize(
    ("changes", "code", "key", "severity"),
    [
        ({"training": {"epochs": 3}}, "contradiction", "training.epochs", "error"),
        ({"training": {"steps": None}}, "missing", "training.steps", "error"),
        ({"schedule": {"warmup": 101}}, "contradiction", "schedule.warmup", "error"),
        ({"dataset": {"bucket_min": 640, "bucket_max": 576}}, "contradiction", "dataset.bucket_min", "error"),
        ({"dataset": {"resolution": 192}}, "contradiction", "dataset.resolution", "error"),
        ({"dataset": {"resolution": 500}}, "contradiction", "dataset.resolution", "error"),
        ({"dataset": {"bucket_min": 250}}, "rounded", "dataset.bucket_min", "warning"),
        ({"dataset": {"background": "whit"}}, "not-allowed", "dataset.background", "error"),
        ({"dataset": {"folders": []}}, "missing", "dataset.folders", "error"),
        ({"dataset": {"folders": [{"path": "a"}, {"path": "a"}]}}, "twice", "dataset.folders[1].path", "warning"),
        ({"method": {"targets": ["attention", "attention"]}}, "twice", "method.targets", "error"),
        ({"previews": {"prompts": ["a --w 3"]}}, "preview-prompt", "previews.prompts", "error"),
        ({"previews": {"every": 10}}, "no-effect", "previews.every", "warning"),
        ({"previews": {"every_epochs": 1}}, "no-effect", "previews.every_epochs", "warning"),
        (
            {"optimizer": {"text_encoder_learning_rate": 1e-5}},
            "no-effect",
            "optimizer.text_encoder_learning_rate",
            "warning",
        ),
        ({"captions": {"keep_tokens": 1}}, "no-effect", "captions.keep_tokens", "warning"),
        ({"captions": {"dropout": 1.0}}, "no-captions", "captions.dropout", "warning"),
        ({"captions": {"dropout_every": 1}}, "no-captions", "captions.dropout_every", "warning"),
        ({"training": {"precision": "fp16", "device": "cpu"}}, "contradiction", "training.precision", "error"),
        ({"saving": {"every_steps": 0}}, "no-checkpoints", "saving", "warning"),
        (
            {"captions": {"keep_tokens": 1, "keep_separator": "|||", "shuffle": True}},
            "both",
            "captions.keep_tokens",
            "warning",
        ),
        ({"captions": {"secondary_separator": ","}}, "no-effect", "captions.secondary_separator", "warning"),
    ],
)
def test_one_contradiction(changes: dict[str, dict[str, Any]], code: str, key: str, severity: str) -> None:
    (finding,) = contradictions(_profile(changes), frozenset())
    assert (finding.code, finding.key, finding.severity) == (code, key, severity)


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": {"warmup": 100}},
        {"saving": {"every_steps": 0}, "training": {"steps": 99}},
        {"captions": {"secondary_separator": ";;;", "keep_separator": "|||", "shuffle": True}},
        {"schedule": {"warmup": 0.99}},
        {"dataset": {"background": "#ff8800"}},
        {"previews": {"prompts": ["a, b --w 64 --h 64"], "every": 10}},
        {"training": {"steps": None, "epochs": 2}},
        {"captions": {"keep_tokens": 1}, "dataset": {"folders": [{"path": "a", "caption_shuffle": True}]}},
    ],
)
def test_what_goes_together(changes: dict[str, dict[str, Any]]) -> None:
    assert contradictions(_profile(changes), frozenset()) == []


def test_a_rule_is_silent_about_a_key_that_is_broken_already() -> None:
    profile = _profile({"training": {"steps": None}})
    assert contradictions(profile, frozenset({"training.steps"})) == []
    assert contradictions(profile, frozenset({"training"})) == []


def test_rules_look_at_settings_that_exist() -> None:
    known = set(BY_KEY) | {"dataset.folders", "method.words"}
    assert {key for keys in RULES.values() for key in keys} <= known


def test_the_numbers_are_told() -> None:
    (finding,) = contradictions(_profile({"schedule": {"warmup": 200}}), frozenset())
    assert finding.message == (
        "schedule.warmup = 200 is longer than the run of 100 steps: the learning rate would never be reached"
    )
    assert finding.allowed == "whole number 0…100, or a share below 1"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, "conv_alpha conv_rank decompose_both decompose_inputs factor full_matrix"),
        (
            {"algorithm": "lokr", "full_matrix": True, "targets": ["convolution"]},
            "alpha block_alphas conv_alpha conv_rank decompose_both decompose_inputs lora_plus_ratio rank rs_lora",
        ),
        (
            {"kind": "textual-inversion", "words": [{"name": "toy"}]},
            (
                "algorithm alpha block_alphas block_ranks block_rates continue_from conv_alpha conv_rank decompose_both "
                "decompose_inputs dropout exclude factor full_matrix include lora_plus_ratio module_dropout norms rank "
                "rank_dropout rs_lora scale_weight_norms targets text_encoder weight_decay weight_decompose"
            ),
        ),
    ],
    ids=["lora", "lokr", "words"],
)
def test_what_does_nothing_beside_the_method_is_told_before_it_is_set(changes: dict[str, Any], names: str) -> None:
    found = [key.rpartition(".")[2] for key in unused(_profile({"method": changes})) if not key.startswith("captions.")]
    assert " ".join(sorted(found)) == names
