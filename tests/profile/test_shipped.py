"""Profiles that come with sdtui: sound but for the paths a user fills in."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.profile import shipped
from sdtui.profile.check import check_file, check_text
from sdtui.profile.rate_text import length


def test_one_for_each_task() -> None:
    expected = {
        "demo.toml",
        "dreambooth.toml",
        "finetune.toml",
        "lora-character.toml",
        "lora-city-photos.toml",
        "lora-style.toml",
        "pivotal.toml",
        "textual-inversion-character.toml",
        "textual-inversion-style.toml",
    }
    assert {path.name for path in shipped.profiles()} >= expected


@pytest.mark.parametrize("path", shipped.profiles(), ids=lambda path: path.stem)
def test_nothing_wrong_but_placeholder_paths(path: Path) -> None:
    problems = [problem for problem in check_file(path).problems if problem.code != "no-such-path"]
    assert problems == []


@pytest.mark.parametrize(
    "name",
    [
        "dreambooth",
        "finetune",
        "lora-character",
        "lora-city-photos",
        "lora-style",
        "pivotal",
        "textual-inversion-character",
        "textual-inversion-style",
    ],
)
def test_placeholders_are_told_clearly(name: str) -> None:
    path = shipped.folder() / f"{name}.toml"
    problems = check_file(path).problems
    assert [problem.key for problem in problems] == ["model.base", "dataset.folders[0].path"]
    assert problems[1].message.endswith("/path/to/images does not exist")


def test_the_classic_guide_is_what_the_guide_says() -> None:
    path = shipped.folder() / "lora-city-photos.toml"
    profile = check_text(path.read_text(encoding="utf-8"), path, places=False).profile
    assert profile is not None
    assert (profile.method.rank, profile.method.alpha, profile.training.precision) == (128, 127.0, "bf16")
    assert (profile.dataset.folders[0].layout, profile.dataset.bucket_upscale) == ("kohya", False)
    assert profile.optimizer.name == "adafactor"
    assert profile.optimizer.args == {"scale_parameter": False, "relative_step": False, "warmup_init": False}
    assert (profile.training.epochs, profile.saving.every_epochs, profile.previews.every_epochs) == (8, 1, 1)
    assert all(" --w 768 --h 640 --s 35 " in line and " --n " in line for line in profile.previews.prompts)


def test_fine_tuning_trains_the_whole_model_gently() -> None:
    path = shipped.folder() / "finetune.toml"
    profile = check_text(path.read_text(encoding="utf-8"), path, places=False).profile
    assert profile is not None
    assert (profile.method.kind, profile.saving.formats) == ("full", ("single-file",))
    assert profile.optimizer.learning_rate <= 5e-6


def test_dreambooth_draws_its_class() -> None:
    path = shipped.folder() / "dreambooth.toml"
    profile = check_text(path.read_text(encoding="utf-8"), path, places=False).profile
    assert profile is not None
    subject, kept = profile.dataset.folders
    assert (kept.regularization, kept.generate, profile.prior.weight) == (True, 200, 1.0)
    # The same words but for the subject's own.
    assert subject.class_tokens.replace("sks", "a") == kept.class_tokens
    assert any(kept.class_tokens in line for line in profile.previews.prompts)


@pytest.mark.parametrize(
    ("name", "kind", "rate", "ends"),
    [
        ("textual-inversion-character", "textual-inversion", 5e-3, 5000),
        ("textual-inversion-style", "textual-inversion", 5e-3, 7000),
        ("pivotal", "lora", 5e-4, 1500),
    ],
)
def test_words_learn_at_the_guides_rates_and_are_prompted_by_name(name: str, kind: str, rate: float, ends: int) -> None:
    path = shipped.folder() / f"{name}.toml"
    profile = check_text(path.read_text(encoding="utf-8"), path, places=False).profile
    assert profile is not None
    assert profile.method.kind == kind
    (word,) = profile.method.words
    assert (word.learning_rate or profile.optimizer.learning_rate) == rate
    assert profile.training.steps == ends == length(profile.schedule.rates, ends)
    assert all(word.name in line for line in profile.previews.prompts)
