from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sdtui.errors import SdtuiError
from sdtui.profile.problem import ProfileError
from sdtui.runs import launch
from sdtui.runs.layout import RunFolder
from sdtui.tui import launching
from sdtui.tui.daemon import GivenUpError
from tests.support.hollow import hollow_pipeline

PROFILE = """\
[model]
base = "model"
[method]
kind = "lora"
[dataset]
resolution = 64
bucket_min = 64
bucket_max = 64
[[dataset.folders]]
path = "images"
[training]
epochs = 3
"""


def go_on() -> None:
    """Let it look to the end."""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    hollow_pipeline(tmp_path / "model")
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (64, 64)).save(tmp_path / "images" / f"{name}.png")
        (tmp_path / "images" / f"{name}.txt").write_text("x")
    path = tmp_path / "city.toml"
    path.write_text(PROFILE)
    return path


def test_the_profile_is_frozen_and_the_steps_are_counted(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, Any] = {}

    def start(frozen: str, runs: Path, name: str, **more: Any) -> RunFolder:
        started.update(more, frozen=tomllib.loads(frozen), runs=runs, name=name)
        return RunFolder(profile.parent / "runs" / "city-1")

    monkeypatch.setattr(launch, "start", start)
    assert launching.start(launching.prepare(profile, go_on)).name == "city-1"
    assert started["steps_total"] == 6
    assert started["name"] == "city"
    assert started["runs"] == profile.parent / "runs"
    assert started["frozen"]["dataset"]["folders"][0]["path"] == str(profile.parent / "images")
    assert started["dataset_digest"]


def test_mistakes_keep_a_run_from_being_made(profile: Path) -> None:
    profile.write_text(PROFILE.replace("epochs = 3", "epoch = 3\nseed = 'x'"))
    with pytest.raises(ProfileError) as raised:
        launching.prepare(profile, go_on)
    assert "epoch" in str(raised.value)
    assert "seed" in str(raised.value)
    assert not (profile.parent / "runs").exists()


def test_an_image_that_cannot_be_read_is_named(profile: Path) -> None:
    (profile.parent / "images" / "b.png").write_bytes(b"nothing")
    with pytest.raises(SdtuiError, match=r"b\.png"):
        launching.prepare(profile, go_on)
    assert not (profile.parent / "runs").exists()


def test_a_base_model_that_cannot_be_loaded_is_told_before_anything_is_made(profile: Path) -> None:
    (profile.parent / "model" / "unet" / "config.json").unlink()
    with pytest.raises(ProfileError, match=r"city\.toml:2:8: error: model\.base: .*unet"):
        launching.prepare(profile, go_on)
    assert not (profile.parent / "runs").exists()


def test_the_look_ends_at_the_next_image_once_it_is_given_up(profile: Path) -> None:
    asked: list[int] = []

    def give_up() -> None:
        asked.append(1)
        raise GivenUpError

    with pytest.raises(GivenUpError):
        launching.prepare(profile, give_up)
    assert len(asked) == 1
