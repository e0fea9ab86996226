"""The declarations: defaults as the design says, strict types, nothing unknown."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sdtui.profile.schema import Profile

LEAST: dict[str, Any] = {"model": {"base": "m"}}


def test_defaults() -> None:
    profile = Profile.model_validate(LEAST)
    assert (profile.method.kind, profile.method.rank, profile.method.alpha) == ("lora", 16, 16.0)
    assert profile.method.targets == ("attention", "feed-forward", "projection")
    assert (profile.dataset.resolution, profile.dataset.bucket_step) == (512, 64)
    assert (profile.dataset.bucket_min, profile.dataset.bucket_max) == (256, 1024)
    assert profile.dataset.folders == ()
    assert (profile.training.steps, profile.training.epochs) == (None, None)
    assert (profile.training.precision, profile.saving.precision) == ("auto", "fp16")
    assert profile.optimizer.betas is None
    assert (profile.saving.keep_last, profile.saving.min_free_mib, profile.launch.runs) == (2, 512, "runs")


def test_a_profile_cannot_be_changed() -> None:
    profile = Profile.model_validate(LEAST)
    with pytest.raises(ValidationError, match="frozen"):
        profile.method.rank = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("method", "text_encoder", "false"),
        ("method", "text_encoder", 0),
        ("method", "rank", 16.0),
        ("method", "rank", True),
        ("method", "rank", "16"),
        ("method", "rank", 0),
        ("method", "alpha", 0.0),
        ("method", "dropout", 1.0),
        ("method", "targets", []),
        ("method", "targets", ["attn"]),
        ("optimizer", "learning_rate", float("nan")),
        ("optimizer", "learning_rate", float("inf")),
        ("optimizer", "betas", [0.9, 1.0]),
        ("optimizer", "betas", [0.9]),
        ("dataset", "bucket_step", 12),
        ("captions", "extension", "txt"),
        ("training", "device", "gpu"),
        ("training", "seed", -1),
        ("schedule", "warmup", 1.5),
        ("schedule", "warmup", -1),
        ("saving", "name", "a/b"),
        ("method", "rnak", 3),
    ],
)
def test_refused(section: str, name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Profile.model_validate(LEAST | {section: {name: value}})


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("method", "alpha", 8),
        ("schedule", "warmup", 200),
        ("schedule", "warmup", 0.05),
        ("training", "device", "cuda:1"),
        ("captions", "extension", ".txt"),
    ],
)
def test_accepted_as_it_is(section: str, name: str, value: object) -> None:
    profile = Profile.model_validate(LEAST | {section: {name: value}})
    found = getattr(getattr(profile, section), name)
    assert found == value
