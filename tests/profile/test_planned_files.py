"""What a run will write: results, checkpoints, previews and caches, by number and size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sdtui.models.configs import read_config
from sdtui.profile.plan import make_plan
from sdtui.profile.planned_files import PlannedFile, times
from sdtui.profile.schema import Profile
from sdtui.profile.surveyed import Survey

SURVEY = Survey(images=10, samples=13, buckets={(512, 512): 8, (448, 576): 5})


def _profile(**sections: dict[str, Any]) -> Profile:
    return Profile.model_validate({"name": "p", "model": {"base": "none"}, **sections})


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [(0, 0, 0), (30, 0, 3), (0, 26, 3), (30, 26, 6), (20, 30, 7), (40, 40, 2), (101, 0, 0)],
)
def test_multiples_of_two_numbers_are_counted_once(first: int, second: int, count: int) -> None:
    assert times(100, first, second) == count


def test_files_of_a_whole_model() -> None:
    profile = _profile(
        training={"steps": 100, "ema_decay": 0.9},
        method={"kind": "full"},
        saving={"every_steps": 50, "formats": ["single-file", "folder"], "name": "mine", "precision": "bf16"},
    )
    parts = {part: read_config("sd1", part) for part in ("unet", "vae", "text_encoder")}
    plan = make_plan(profile, SURVEY, None, parts)
    files = [(file.path, file.count) for file in plan.files]
    assert files == [("output/mine.safetensors", 1), ("output/mine", 1), ("checkpoints/step-*", 2)]
    single, folder, checkpoint = (file.bytes_each for file in plan.files)
    assert plan.trained_values == 859_520_964
    # Value, two moments and average in fp32, and nothing beside them.
    assert checkpoint == 16 * 859_520_964
    # The published file in half precision has 2.13 GB.
    assert single == folder == pytest.approx(2.132e9, rel=1e-3)


def test_files(workspace: Path) -> None:
    profile = _profile(
        model={"base": str(workspace / "model")},
        training={"steps": 100},
        method={"rank": 4, "text_encoder": True},
        saving={"every_steps": 20, "keep_last": 3, "name": "mine"},
        previews={"every": 50, "prompts": ["a", "b"]},
    )
    plan = make_plan(profile, SURVEY)
    assert plan.trained_values is not None
    assert [(file.path, file.count) for file in plan.files] == [
        ("output/mine.safetensors", 1),
        ("checkpoints/step-*", 3),
        ("previews/step-*/*.png", 6),
    ]
    output, checkpoint, preview = (file.bytes_each for file in plan.files)
    assert output is not None
    assert checkpoint == output + 12 * plan.trained_values
    assert preview == 419_430
    assert plan.caches == ()
    assert plan.bytes == output + 3 * (output + 12 * plan.trained_values) + 6 * 419_430


@pytest.mark.parametrize("text_encoder", [False, True])
def test_caches_are_counted_with_what_they_hold(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, text_encoder: bool
) -> None:
    monkeypatch.setenv("SDTUI_CACHE", "/cache")
    (workspace / "model" / "unet" / "config.json").write_text('{"cross_attention_dim": 768}')
    profile = _profile(
        model={"base": str(workspace / "model")}, training={"steps": 1}, method={"text_encoder": text_encoder}
    )
    plan = make_plan(profile, replace(SURVEY, pixels=10 * 512 * 512, encoded=10, captions=4))
    texts = [] if text_encoder else [PlannedFile("/cache/texts", 4, 77 * 768 * 4)]
    assert plan.caches == (PlannedFile("/cache/latents", 10, 131_072), *texts)


@pytest.mark.parametrize(
    ("prior", "captions", "texts"),
    [
        ({"class_caption": "dog"}, 4, [5]),
        ({"class_caption": "dog", "trigger": "sks"}, 4, [8]),
        ({"class_caption": "dog", "class_weight": 0}, 4, [4]),
        ({"class_caption": "dog"}, 0, []),
    ],
)
def test_class_captions_are_cached_too(prior: dict[str, Any], captions: int, texts: list[int]) -> None:
    plan = make_plan(_profile(training={"steps": 1}, prior=prior), replace(SURVEY, captions=captions))
    assert [cache.count for cache in plan.caches if cache.path.endswith("texts")] == texts


@pytest.mark.parametrize(
    ("previews", "count"),
    [
        ({"prompts": ["a"]}, 2),
        ({"prompts": ["a", "# not this one"], "at_start": False}, 1),
        ({"prompts": ["a"], "every": 30}, 5),
        ({"prompts": ["a"], "every_epochs": 2}, 5),
        ({"prompts": ["a"], "every": 30, "every_epochs": 2}, 8),
        ({"prompts": []}, 0),
    ],
)
def test_previews_are_made_at_the_end_in_any_case(previews: dict[str, Any], count: int) -> None:
    plan = make_plan(_profile(training={"steps": 100}, previews=previews), SURVEY)
    assert sum(file.count for file in plan.files if file.path.startswith("previews")) == count


def test_a_moving_average_makes_checkpoints_larger(workspace: Path) -> None:
    def checkpoint_of(decay: float) -> tuple[int, int]:
        training = {"steps": 10, "ema_decay": decay}
        profile = _profile(model={"base": str(workspace / "model")}, training=training, saving={"every_steps": 5})
        plan = make_plan(profile, SURVEY)
        size = next(file.bytes_each for file in plan.files if file.path.startswith("checkpoints"))
        assert size is not None
        assert plan.trained_values is not None
        return size, plan.trained_values

    (without, values), (with_average, _) = checkpoint_of(0.0), checkpoint_of(0.999)
    assert with_average - without == 4 * values


def test_the_output_is_named_as_the_trainer_names_it() -> None:
    plan = make_plan(_profile(training={"steps": 100}, saving={"name": "my cat.safetensors"}), SURVEY)
    assert plan.files[0].path == "output/my-cat.safetensors"


def test_sizes_are_left_out_when_the_model_cannot_be_read() -> None:
    plan = make_plan(_profile(training={"steps": 100}), SURVEY)
    assert (plan.trained_values, plan.bytes) == (None, None)
    assert plan.files == (PlannedFile("output/p.safetensors", 1, None),)


@pytest.mark.parametrize(
    ("saving", "count"),
    [
        ({"every_steps": 40, "keep_last": 9}, 2),
        ({"every_steps": 40, "every_epochs": 2, "keep_last": 9}, 5),
        ({"every_minutes": 1.0, "keep_last": 4}, 4),
        ({"every_steps": 1, "every_epochs": 1, "keep_last": 3}, 3),
    ],
)
def test_checkpoints_kept(saving: dict[str, Any], count: int) -> None:
    plan = make_plan(_profile(training={"steps": 100}, saving=saving), SURVEY)
    assert [file.count for file in plan.files if file.path.startswith("checkpoints")] == [count]
