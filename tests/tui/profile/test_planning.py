"""What a profile comes to: figures, refusals, and no second look at an unchanged dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sdtui.dataset.collect import Collection, collect
from sdtui.profile.schema import Profile
from sdtui.runs import launch
from sdtui.runs.layout import RunFolder
from sdtui.tui import looking
from sdtui.tui.profile import planning
from sdtui.tui.profile.planning import Planner, plan_words
from tests.tui.profile.desk import TEXT, document_of


def profile_of(folder: Path, text: str = TEXT) -> Profile:
    profile = document_of(folder, text).report().profile
    assert profile is not None
    return profile


def test_figures_of_a_plan(tmp_path: Path) -> None:
    planned = Planner().plan(profile_of(tmp_path))
    assert (planned.refusal, planned.findings) == ("", ())
    assert planned.plan is not None
    # Two pictures three times and one once: 7 an epoch, in batches of 2.
    assert plan_words(planned.plan) == "3 images, 7 an epoch · 1 000 steps in 250 epochs · 1 bucket · 7 files"
    assert plan_words(planned.plan, dot="-").count(" - ") == 3


def test_held_out_pictures_are_told_as_soon_as_they_are(tmp_path: Path) -> None:
    profile, planner = profile_of(tmp_path), Planner()
    planner.plan(profile)
    planned = planner.plan(
        profile.model_copy(update={"validation": profile.validation.model_copy(update={"share": 0.5})})
    )
    assert planned.plan is not None
    # One of the two pictures that come three times; a folder of one picture is never divided.
    assert plan_words(planned.plan).startswith("2 images, 1 held out, 4 an epoch · ")


def test_kohyas_layout_is_told(tmp_path: Path) -> None:
    profile = profile_of(tmp_path)
    inner = tmp_path / "images" / "5_cat"
    inner.mkdir()
    (tmp_path / "images" / "a.png").rename(inner / "a.png")
    planned = Planner().plan(profile)
    assert planned.plan is not None
    # Five times three, and once in a folder of another table.
    assert plan_words(planned.plan).startswith("2 images, 16 an epoch · 1 kohya folder · ")


def test_a_picture_without_a_caption_keeps_it_from_starting(tmp_path: Path) -> None:
    profile = profile_of(tmp_path)
    (tmp_path / "images" / "a.txt").unlink()
    planned = Planner().plan(profile)
    assert planned.plan is not None
    assert "caption" in planned.refusal
    assert "a.png" in planned.findings[0].message
    assert planned.findings[0].key == "dataset.folders[0].path"


def test_a_base_model_that_cannot_be_loaded_keeps_it_from_starting(tmp_path: Path) -> None:
    profile = profile_of(tmp_path)
    (tmp_path / "model" / "unet" / "config.json").unlink()
    planned = Planner().plan(profile)
    assert planned.refusal.startswith("model.base: ")
    assert [(finding.key, finding.severity) for finding in planned.findings] == [("model.base", "error")]


def test_a_folder_without_pictures_is_no_plan(tmp_path: Path) -> None:
    profile = profile_of(tmp_path)
    for path in tmp_path.rglob("*.png"):
        path.unlink()
    planned = Planner().plan(profile)
    assert planned.plan is None
    assert planned.refusal == "the dataset has no image that can be trained"


def test_the_dataset_is_looked_at_again_only_when_its_settings_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def counted(profile: Profile, progress: Callable[[int, int], None]) -> Collection:
        looks.append(profile.name)
        return collect(profile, progress)

    monkeypatch.setattr(looking, "collect", counted)
    profile, planner = profile_of(tmp_path), Planner()
    planner.plan(profile)
    planner.plan(profile.model_copy(update={"method": profile.method.model_copy(update={"rank": 4})}))
    assert len(looks) == 1
    planner.plan(profile.model_copy(update={"dataset": profile.dataset.model_copy(update={"resolution": 256})}))
    planner.plan(profile, afresh=True)
    assert len(looks) == 3


def test_starting_freezes_the_profile_that_was_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def start(frozen: str, runs_dir: Path, name: str, **more: object) -> RunFolder:
        asked.update(frozen=frozen, runs_dir=runs_dir, name=name, **more)
        return RunFolder(tmp_path / "run")

    monkeypatch.setattr(launch, "start", start)
    planned = Planner().plan(profile_of(tmp_path))
    assert planning.start(planned, tmp_path / "city.toml").path == tmp_path / "run"
    assert (asked["runs_dir"], asked["name"], asked["steps_total"]) == (tmp_path / "runs", "city", 1000)
    assert f'base = "{tmp_path}/model"' in str(asked["frozen"])
    assert asked["dataset_digest"] == planned.digest != ""
