"""Profiles that come with sdtui: sound but for the paths a user fills in."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdtui.profile import shipped
from sdtui.profile.check import check_file


def test_one_for_each_task() -> None:
    assert {path.name for path in shipped.profiles()} >= {"demo.toml", "lora-character.toml", "lora-style.toml"}


@pytest.mark.parametrize("path", shipped.profiles(), ids=lambda path: path.stem)
def test_nothing_wrong_but_placeholder_paths(path: Path) -> None:
    problems = [problem for problem in check_file(path).problems if problem.code != "no-such-path"]
    assert problems == []


@pytest.mark.parametrize("name", ["lora-character", "lora-style"])
def test_placeholders_are_told_clearly(name: str) -> None:
    path = shipped.folder() / f"{name}.toml"
    problems = check_file(path).problems
    assert [problem.key for problem in problems] == ["model.base", "dataset.folders[0].path"]
    assert problems[1].message.endswith("/path/to/images does not exist")
