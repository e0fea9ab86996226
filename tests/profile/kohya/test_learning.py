"""Optimizer, rates and schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.profile.kohya.helpers import taken


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("AdamW", "adamw"),
        ("PagedAdamW8bit", "paged-adamw8bit"),
        ("DAdaptAdam", "dadapt-adam"),
        ("AdamWScheduleFree", "schedule-free-adamw"),
        ("pytorch_optimizer.CAME", "came"),
        ("Lion8bit", "bitsandbytes.optim.Lion8bit"),
        ("RAdam", "torch.optim.RAdam"),
        ("some.package.Class", "some.package.Class"),
    ],
)
def test_names(written: str, name: str, tmp_path: Path) -> None:
    _, profile = taken(tmp_path, f'optimizer_type = "{written}"\nlearning_rate = 1.0')
    assert profile.optimizer.name == name


@pytest.mark.parametrize(
    ("optimizer", "args", "expected"),
    [
        ("AdamW", "betas=.9,.95 weight_decay=0.1", ({}, 0.1, (0.9, 0.95))),
        ("Adafactor", "", ({"relative_step": True, "scale_parameter": True}, None, None)),
        ("Adafactor", "warmup_init=True relative_step=False", (
            {"relative_step": True, "scale_parameter": True, "warmup_init": True}, None, None)),
        ("Adafactor", "scale_parameter=False relative_step=False warmup_init=false", (
            {"relative_step": False, "scale_parameter": False, "warmup_init": False}, None, None)),
        ("Prodigy", "decouple=True d_coef=2 use_bias_correction=True", ({"d_coef": 2.0, "bias_correction": True}, None, None)),
        ("SGDNesterov", "", ({"nesterov": True, "momentum": 0.9}, None, None)),
        ("RAdam", "x=1", ({"x": 1}, None, None)),
    ],
)  # fmt: skip
def test_arguments(optimizer: str, args: str, expected: tuple[Any, ...], tmp_path: Path) -> None:
    listed = ", ".join(f'"{arg}"' for arg in args.split())
    _, profile = taken(tmp_path, f'optimizer_type = "{optimizer}"\noptimizer_args = [{listed}]')
    assert (profile.optimizer.args, profile.optimizer.weight_decay, profile.optimizer.betas) == expected


def test_an_argument_that_the_optimizer_has_not_is_told(tmp_path: Path) -> None:
    draft, profile = taken(tmp_path, 'optimizer_type = "Prodigy"\noptimizer_args = ["slice_p=11", "decouple=True"]')
    assert profile.optimizer.args == {}
    assert draft.warnings[:2] == [
        "optimizer_args: prodigy has no argument slice_p here; slice_p=11 is left out",
        "optimizer_args: decouple is always on",
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("AdamW9bit", ". Did you mean adamw8bit?"),
        ("CAME", ". Did you mean pytorch_optimizer.came?"),
        ("Prodgy", ". Did you mean prodigy?"),
        ("Nothing", ""),
    ],
)
def test_an_optimizer_that_nobody_has_is_told_with_the_nearest(written: str, meant: str, tmp_path: Path) -> None:
    draft, profile = taken(
        tmp_path, f'resolution = 512\noptimizer_type = "{written}"\nnetwork_module = "networks.lora"'
    )
    assert profile.optimizer.name == "adamw"
    assert draft.warnings == [f"optimizer_type {written}: AdamW in its place{meant}"]
    assert [(left.kohya, left.reason) for left in draft.left] == [("optimizer_type", "there is no such optimizer")]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("cosin", ". Did you mean cosine?"), ("cosine_with_restart", ". Did you mean cosine_with_restarts?"),
     ("piecewise_constant", "")],
)  # fmt: skip
def test_a_schedule_that_is_not_there_is_told_with_the_nearest(written: str, meant: str, tmp_path: Path) -> None:
    draft, _ = taken(tmp_path, f'lr_scheduler = "{written}"')
    told = f"lr_scheduler {written}: the rate is constant in its place; see schedule.rates{meant}"
    assert told in draft.warnings


@pytest.mark.parametrize(
    ("options", "rates"),
    [
        ("learning_rate = 1e-3", (1e-3, 0.0, True)),
        ("learning_rate = 1e-3\nunet_lr = 1e-4", (1e-4, 1e-3, True)),
        ("learning_rate = 1e-3\nunet_lr = 1e-4\ntext_encoder_lr = [1e-5, 1e-6]", (1e-4, 1e-5, True)),
        ("learning_rate = 1e-3\ntext_encoder_lr = 0", (1e-3, 0.0, False)),
        ("learning_rate = 1e-3\ntext_encoder_lr = 1e-5\nnetwork_train_unet_only = true", (1e-3, 0.0, False)),
        ("learning_rate = 1e-3\nunet_lr = 0", (1e-3, 0.0, True)),
        # One rate is found for all: kohya says so and goes on with the first.
        ('optimizer_type = "Prodigy"\nlearning_rate = 1\nunet_lr = 1\ntext_encoder_lr = 0.5', (1.0, 0.0, True)),
    ],
)
def test_rates(options: str, rates: tuple[float, float, bool], tmp_path: Path) -> None:
    _, profile = taken(tmp_path, options)
    found = profile.optimizer
    assert (found.learning_rate, found.text_encoder_learning_rate, profile.method.text_encoder) == rates


def test_several_rates_for_text_encoders_are_told(tmp_path: Path) -> None:
    draft, _ = taken(tmp_path, "resolution = 1024\nlearning_rate = 1e-4\ntext_encoder_lr = [1e-5, 2e-5]")
    assert "text_encoder_lr has several rates: all text encoders learn at the first, 1e-05" in draft.warnings


@pytest.mark.parametrize(
    ("written", "schedule"),
    [
        ('"constant_with_warmup"\nlr_warmup_steps = 100', {"warmup": 100}),
        ('"cosine_with_min_lr"\nlr_scheduler_min_lr_ratio = 0.1', {"name": "cosine", "min_factor": 0.1}),
        ('"cosine"\nlr_scheduler_min_lr_ratio = 0.1\nlr_scheduler_num_cycles = 4', {"name": "cosine"}),
        ('"warmup_stable_decay"\nlr_decay_steps = 200', {"name": "warmup_stable_decay", "decay": 200}),
        ('"piecewise_constant"', {}),
        ('"adafactor:1e-3"', {}),
    ],
)
def test_schedules(written: str, schedule: dict[str, Any], tmp_path: Path) -> None:
    _, profile = taken(tmp_path, f"lr_scheduler = {written}")
    assert profile.schedule.model_dump(exclude_defaults=True) == schedule


@pytest.mark.parametrize("optimizer", ["Adafactor", "AdamWScheduleFree"])
def test_an_optimizer_without_schedule_has_none(optimizer: str, tmp_path: Path) -> None:
    text = f'optimizer_type = "{optimizer}"\nlr_scheduler = "cosine"\nlr_warmup_steps = 100'
    draft, profile = taken(tmp_path, text)
    assert profile.schedule.model_dump(exclude_defaults=True) == {}
    assert [left.kohya for left in draft.left] == ["lr_scheduler", "lr_warmup_steps"]
