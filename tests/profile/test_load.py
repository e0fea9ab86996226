"""Loading, freezing, and reading back what was frozen."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from sdtui.profile.load import freeze, load_frozen, load_profile
from sdtui.profile.problem import ProfileError
from sdtui.profile.schema import Profile
from sdtui.profile.settings import SETTINGS


def test_load_applies_overrides(workspace: Path) -> None:
    profile = load_profile(workspace / "sound.toml", ["method.rank=4"])
    assert (profile.name, profile.method.rank, profile.training.steps) == ("sound", 4, 100)
    assert profile.model.base == str(workspace / "model")


def test_load_refuses_with_every_error(workspace: Path) -> None:
    path = workspace / "bad.toml"
    path.write_text((workspace / "sound.toml").read_text().replace("steps = 100", "steps = 0\nstep = 3"))
    with pytest.raises(ProfileError) as caught:
        load_profile(path)
    assert caught.value.exit_code == 2
    assert str(caught.value).splitlines()[0] == f"{path}: 2 errors in the profile"
    assert f"{path}:8:9: error: training.steps is 0" in str(caught.value)
    assert f"{path}:9:1: error: [training] has no setting step" in str(caught.value)


def test_a_frozen_profile_reads_back_equal(workspace: Path) -> None:
    profile = load_profile(workspace / "sound.toml")
    frozen = workspace / "run" / "profile.toml"
    frozen.parent.mkdir()
    frozen.write_text(freeze(profile, workspace))
    assert load_frozen(frozen) == profile


def test_a_frozen_profile_says_every_default(workspace: Path) -> None:
    with (workspace / "sound.toml").open("a") as file:
        file.write('\n[[method.words]]\nname = "my-cat"\n')
    data = tomllib.loads(freeze(load_profile(workspace / "sound.toml"), workspace))
    for setting in SETTINGS:
        holder = data
        for part in filter(None, setting.section.split(".")):
            holder = holder[part.removesuffix("[]")]
            holder = holder[0] if part.endswith("[]") else holder
        assert setting.name in holder or setting.default is None, setting.key


def test_freeze_makes_paths_absolute() -> None:
    profile = Profile.model_validate({"name": "n", "model": {"base": "sd"}, "dataset": {"folders": [{"path": "a"}]}})
    data = tomllib.loads(freeze(profile, Path("/work")))
    assert (data["model"]["base"], data["dataset"]["folders"][0]["path"]) == ("/work/sd", "/work/a")
    assert data["launch"]["runs"] == "/work/runs"


def test_a_frozen_profile_loads_after_its_dataset_has_gone(workspace: Path) -> None:
    frozen = workspace / "frozen.toml"
    frozen.write_text(freeze(load_profile(workspace / "sound.toml"), workspace))
    (workspace / "images").rmdir()
    assert load_frozen(frozen).dataset.folders[0].path == str(workspace / "images")


def test_a_frozen_profile_of_a_newer_sdtui_is_refused(workspace: Path) -> None:
    frozen = workspace / "frozen.toml"
    frozen.write_text("schema = 2\n" + (workspace / "sound.toml").read_text())
    with pytest.raises(ProfileError, match="written for a newer sdtui"):
        load_frozen(frozen)
