"""Counting what a run would do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sdtui.errors import UserError
from sdtui.models.configs import read_config
from sdtui.profile import plan as plan_module
from sdtui.profile.plan import BucketPlan, Measured, make_plan
from sdtui.profile.schema import Profile
from sdtui.profile.surveyed import FolderPlan, Survey

# 10 images, one folder repeated: 5 + 8 samples in two buckets.
SURVEY = Survey(images=10, samples=13, buckets={(512, 512): 8, (448, 576): 5})


def _profile(**sections: dict[str, Any]) -> Profile:
    return Profile.model_validate({"name": "p", "model": {"base": "none"}, **sections})


def test_steps_follow_from_epochs_as_the_trainer_counts_them() -> None:
    plan = make_plan(_profile(training={"epochs": 4, "batch_size": 2, "accumulation": 2}), SURVEY)
    assert plan.buckets == (BucketPlan(448, 576, 5, 3), BucketPlan(512, 512, 8, 4))
    assert (plan.images, plan.samples) == (10, 13)
    # 7 batches: 4 steps, the last of one batch.
    assert (plan.batches_per_epoch, plan.steps_per_epoch, plan.steps, plan.epochs) == (7, 4, 16, 4.0)


def test_several_processes_take_a_batch_each() -> None:
    launch = {"processes": 2, "machines": 2, "main_address": "a"}
    plan = make_plan(_profile(training={"epochs": 4, "batch_size": 2}, launch=launch), SURVEY)
    assert (plan.batches_per_epoch, plan.steps_per_epoch, plan.steps) == (7, 2, 8)


def test_epochs_follow_from_steps() -> None:
    plan = make_plan(_profile(training={"steps": 26}), SURVEY)
    assert (plan.steps_per_epoch, plan.epochs) == (13, 2.0)


def test_a_text_of_rates_ends_the_run() -> None:
    plan = make_plan(_profile(training={"steps": 26}, schedule={"rates": "0.1:13"}), SURVEY)
    assert (plan.steps, plan.epochs) == (13, 1.0)


@pytest.mark.parametrize(("warmup", "steps"), [(30, 30), (0.1, 20), (0, 0)])
def test_warmup_in_steps(warmup: float, steps: int) -> None:
    plan = make_plan(_profile(training={"steps": 200}, schedule={"warmup": warmup}), SURVEY)
    assert plan.warmup_steps == steps


def test_images_enlarged_too_much_are_a_warning() -> None:
    plan = make_plan(_profile(training={"steps": 26}), replace(SURVEY, enlarged=4, largest=2.56))
    (warning,) = plan.warnings
    assert warning.startswith("4 of 10 images must be enlarged more than 1.5×, the most 2.6×")


@pytest.mark.parametrize(
    ("validation", "count"),
    [
        # 26 steps in epochs of 13: before the first step, after the 13th and after the last.
        ({}, 3),
        ({"every_epochs": 2}, 2),
        ({"every_epochs": 0, "every_steps": 10}, 4),
        ({"every_epochs": 1, "every_steps": 10}, 5),
        ({"every_epochs": 0}, 0),
    ],
)
def test_how_often_held_out_images_are_measured(validation: dict[str, Any], count: int) -> None:
    profile = _profile(training={"steps": 26}, validation=validation)
    assert make_plan(profile, replace(SURVEY, held_out=3)).measurements == count
    assert make_plan(profile, SURVEY).measurements == 0


def test_time_only_once_measured() -> None:
    profile = _profile(training={"steps": 26})
    assert make_plan(profile, SURVEY).seconds is None
    assert make_plan(profile, SURVEY, Measured(images_per_second=2.0)).seconds == 13.0


def test_measuring_takes_time_too() -> None:
    def seconds(**validation: Any) -> float | None:
        profile = _profile(training={"steps": 26}, validation=validation)
        folders = (FolderPlan("a", "flat", 8, 1), FolderPlan("b", "flat", 8, 1))
        return make_plan(profile, replace(SURVEY, held_out=6, folders=folders), Measured(2.0)).seconds

    # Three measurements of 6 images at 4 timesteps, each a third of a trained image, at 2 images a second.
    assert seconds() == 13.0 + 3 * 6 * 4 / 3 / 2
    assert seconds(most_images=1) == 13.0 + 3 * 2 * 4 / 3 / 2
    assert seconds(timesteps=[500]) == 13.0 + 3 * 6 / 3 / 2
    assert seconds(every_epochs=0) == 13.0


def test_warnings() -> None:
    profile = _profile(
        training={"epochs": 1}, schedule={"warmup": 20}, previews={"every": 14, "prompts": ["a"], "at_start": False}
    )
    assert make_plan(profile, SURVEY).warnings == (
        "the warm-up of 20 steps is longer than the run of 13 steps",
        "previews.every = 14 is longer than the run of 13 steps",
    )
    short = make_plan(_profile(training={"steps": 6}), SURVEY)
    assert short.warnings == ("the run ends after 46% of the first epoch: some images are never seen",)


def test_a_run_that_needs_more_memory_than_there_is_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {part: read_config("sd1", part) for part in ("unet", "vae", "text_encoder")}
    profile = _profile(training={"steps": 13, "device": "cpu", "precision": "fp32"})
    monkeypatch.setattr(plan_module, "memory_bytes", lambda: 8_000_000_000)
    assert make_plan(profile, SURVEY, parts=parts).warnings == ()
    (warning,) = make_plan(
        profile.model_copy(update={"launch": profile.launch.model_copy(update={"processes": 2})}), SURVEY, parts=parts
    ).warnings
    assert "this machine has 7.5 GiB: lower" in warning
    monkeypatch.setattr(plan_module, "memory_bytes", lambda: 6_000_000_000)
    (warning,) = make_plan(profile, SURVEY, parts=parts).warnings
    assert "GiB of memory, and this machine has 5.6 GiB: lower training.batch_size" in warning
    on_gpu = _profile(training={"steps": 13, "device": "cuda", "precision": "fp32"})
    assert make_plan(on_gpu, SURVEY, parts=parts).warnings == ()


@pytest.mark.parametrize(("held_out", "warnings"), [(0, 1), (1, 0)])
def test_a_share_that_holds_out_nothing_of_a_folder_is_a_warning(held_out: int, warnings: int) -> None:
    folders = (
        FolderPlan("/sets/one", "flat", images=1 + held_out, repeats=1, held_out=held_out),
        FolderPlan("/sets/kept", "flat", images=9, repeats=1, regularization=True),
    )
    plan = make_plan(_profile(training={"steps": 26}, validation={"share": 0.1}), replace(SURVEY, folders=folders))
    assert len(plan.warnings) == warnings
    assert all(warning.startswith("validation.share holds out no image of one:") for warning in plan.warnings)


def test_an_empty_dataset_has_no_plan() -> None:
    with pytest.raises(UserError, match="no image that can be trained"):
        make_plan(_profile(training={"steps": 1}), Survey(0, 0, {}))


def test_compiling_is_said_to_take_what_is_not_counted() -> None:
    on_gpu = _profile(training={"steps": 26, "compile": True, "device": "cuda"})
    assert make_plan(on_gpu, SURVEY).warnings == (
        "training.compile: the first step of each of 2 sizes of images takes minutes and memory that these figures leave out",
    )
    here = _profile(training={"steps": 26, "compile": True, "device": "cpu"})
    (warning,) = make_plan(here, replace(SURVEY, buckets={(512, 512): 8})).warnings
    assert warning == (
        "training.compile: the first step of the one size of images takes minutes and memory that these figures leave out;"
        " on the processor few runs win that back"
    )
