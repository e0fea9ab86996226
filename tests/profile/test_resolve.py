"""What relative paths are relative to."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.profile.resolve import absolute, anchored, workspace_of
from sdtui.profile.schema import Profile

PROFILE = Profile.model_validate(
    {"model": {"base": "../sd"}, "dataset": {"folders": [{"path": "/abs"}, {"path": "a"}]}}
)


def test_paths_start_at_the_profiles_folder_and_runs_at_the_workspace() -> None:
    found = anchored(PROFILE, Path("/work/profiles/mine.toml"))
    assert found.name == "mine"
    assert found.model.base == "/work/sd"
    assert found.model.vae == ""
    assert [folder.path for folder in found.dataset.folders] == ["/abs", "/work/profiles/a"]
    assert found.launch.runs == "/work/runs"


def test_runs_beside_a_profile_in_the_workspace_itself() -> None:
    assert anchored(PROFILE, Path("/work/mine.toml")).launch.runs == "/work/runs"
    assert workspace_of(Path("/work")) == Path("/work")


def test_a_name_of_its_own_is_kept() -> None:
    named = PROFILE.model_copy(update={"name": "own"})
    assert anchored(named, Path("/work/mine.toml")).name == "own"


def test_home_and_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert absolute("~/sd", Path("/work")) == "/home/ada/sd"
    assert absolute("./a/../b", Path("/work")) == "/work/b"
    assert absolute("~nobody-here/x", Path("/work")) == "/work/~nobody-here/x"
